"""What to do about vault users, members and links, from facts alone (1-product §1.5)."""

import pytest

from licensing.clients.agent import DEFAULT_ROLES, LoginAccount, VaultRole
from licensing.plans import links, presence
from licensing.plans.links import LinkFacts, LinkState, LinkView
from licensing.plans.presence import PresenceFacts, PresenceView
from licensing.plans.vaults import (
    Known,
    Mode,
    Revision,
    Step,
    VaultPresence,
    Verb,
    Wanted,
    admin_rights,
    member_step,
    plan,
    profile,
    revise,
    roles_for,
    strangers_to_remove,
)
from provisioning.license_types import LicenseType

ON, OFF = VaultPresence(True, "p"), VaultPresence(False, "p")
BY_PERSON = VaultPresence(False, "p", disabled_by_person=True)
DELETED = VaultPresence(False, "p", is_deleted=True)
RENAMED = VaultPresence(True, "q")
INSISTING = VaultPresence(True, "p", overrides_person=True)
DETACHED, DETACHED_OFF = VaultPresence(True, "p", is_detached=True), VaultPresence(False, "p", is_detached=True)


def ruling(full_control, *, enabled=True, profile="p"):
    return VaultPresence(enabled, profile, full_control=full_control)


@pytest.mark.parametrize(
    ("wanted", "seen", "verb"),
    [
        (ON, None, Verb.CREATE),
        (ON, DELETED, Verb.CREATE),
        (ON, OFF, Verb.ENABLE),
        (ON, ON, Verb.NOTHING),
        (ON, BY_PERSON, Verb.NOTHING),
        (RENAMED, ON, Verb.UPDATE),
        (RENAMED, BY_PERSON, Verb.UPDATE),
        (OFF, None, Verb.NOTHING),
        (OFF, DELETED, Verb.NOTHING),
        (OFF, ON, Verb.DISABLE),
        (OFF, OFF, Verb.NOTHING),
        (OFF, BY_PERSON, Verb.NOTHING),
        (VaultPresence(False, "q"), OFF, Verb.UPDATE),
        (INSISTING, BY_PERSON, Verb.ENABLE),
        (INSISTING, ON, Verb.NOTHING),
        (VaultPresence(False, "p", overrides_person=True), BY_PERSON, Verb.NOTHING),
        (ON, DETACHED, Verb.UPDATE),
        (ON, DETACHED_OFF, Verb.ENABLE),
        (OFF, DETACHED, Verb.DISABLE),
        (OFF, DETACHED_OFF, Verb.UPDATE),
        (DETACHED_OFF, DETACHED, Verb.NOTHING),
        (DETACHED_OFF, DETACHED_OFF, Verb.NOTHING),
        (DETACHED_OFF, ON, Verb.DISABLE),
        (ruling(True), ruling(False), Verb.UPDATE),
        (ruling(False), ruling(True), Verb.UPDATE),
        (ruling(True), ruling(True), Verb.NOTHING),
        (ruling(None), ruling(True), Verb.NOTHING),
        (ruling(True), ruling(False, enabled=False), Verb.ENABLE),
        (ruling(True), None, Verb.CREATE),
        (ruling(True, enabled=False), None, Verb.NOTHING),
        (OFF, VaultPresence(False, "told before", is_deleted=True), Verb.UPDATE),
        (OFF, VaultPresence(False, "", is_deleted=True), Verb.NOTHING),
        (ON, VaultPresence(False, "told before", is_deleted=True), Verb.CREATE),
    ],
)
def test_one_step_brings_a_vault_user_closer(wanted, seen, verb):
    assert plan(wanted, seen) is verb


@pytest.mark.parametrize(
    ("wanted", "seen", "ours", "mode", "step"),
    [
        (True, False, False, Mode.REPLACE, Step.ADD),
        (True, True, False, Mode.REPLACE, Step.NOTHING),
        (False, True, False, Mode.REPLACE, Step.REMOVE),
        (False, True, True, Mode.MERGE, Step.REMOVE),
        (False, True, False, Mode.MERGE, Step.NOTHING),
        (False, False, True, Mode.MERGE, Step.REMOVE),
        (False, False, True, Mode.REPLACE, Step.REMOVE),
        (False, False, False, Mode.REPLACE, Step.NOTHING),
        (True, False, True, Mode.MERGE, Step.ADD),
    ],
)
def test_merge_leaves_alone_whom_a_person_had_put_there(wanted, seen, ours, mode, step):
    assert member_step(wanted=wanted, seen=seen, added_by_us=ours, mode=mode) is step


def test_only_replace_removes_strangers():
    present = ["a", "user:7", "group:3"]

    assert strangers_to_remove(present=present, known={"a"}, mode=Mode.REPLACE) == ["user:7", "group:3"]
    assert strangers_to_remove(present=present, known={"a"}, mode=Mode.MERGE) == []


def test_the_profile_changes_with_whatever_a_vault_server_is_told():
    account = LoginAccount(uid="1", username="ann", full_name="Ann", email="a@x", license_type=LicenseType.NAMED)
    others = [
        LoginAccount("1", "bob", "Ann", "a@x", LicenseType.NAMED),
        LoginAccount("1", "ann", "Ann", "a@x", LicenseType.READ_ONLY),
        LoginAccount("1", "ann", "Ann", "a@x", LicenseType.NAMED, enabled=False),
    ]

    assert profile(account) == profile(LoginAccount("2", "ann", "Ann", "a@x", LicenseType.NAMED))
    assert len({profile(account), *map(profile, others)}) == 4


UNKNOWN = 1 << 20


@pytest.mark.parametrize(
    ("roles", "full_control", "expected"),
    [
        (DEFAULT_ROLES, True, DEFAULT_ROLES + 1),
        (DEFAULT_ROLES + 1, False, DEFAULT_ROLES),
        (DEFAULT_ROLES + 1, True, DEFAULT_ROLES + 1),
        (DEFAULT_ROLES, False, DEFAULT_ROLES),
        (1, None, 1),
        (1, False, 0),
        (UNKNOWN + 4096 + 512, True, UNKNOWN + 4096 + 513),
        (UNKNOWN + 4096 + 513, False, UNKNOWN + 4096 + 512),
    ],
)
def test_full_control_is_one_bit_and_every_other_stays(roles, full_control, expected):
    assert roles_for(roles, full_control) == expected


PARTIAL = [
    VaultRole.SEE_ALL_OBJECTS,
    VaultRole.UNDELETE_OBJECTS,
    VaultRole.DESTROY_OBJECTS,
    VaultRole.FORCE_UNDO_CHECKOUT,
    VaultRole.CHANGE_OBJECT_SECURITY,
    VaultRole.CHANGE_METADATA_STRUCTURE,
    VaultRole.MANAGE_USER_ACCOUNTS,
    VaultRole.MANAGE_COMMON_VIEWS,
    VaultRole.MANAGE_WORKFLOWS,
]


def test_admin_rights_are_told_as_the_vault_has_them():
    assert {admin_rights(DEFAULT_ROLES | one) for one in PARTIAL} == {"Partial admin rights"}
    assert admin_rights(DEFAULT_ROLES | 1 | VaultRole.MANAGE_WORKFLOWS) == "Full control of vault"
    assert admin_rights(DEFAULT_ROLES | VaultRole.CANNOT_MANAGE_PRIVATE_VIEWS | UNKNOWN) == "No admin rights"


def ids(*numbers):
    return frozenset(numbers)


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        (Wanted(ids(), "p"), None, None),
        (Wanted(ids(1), "p"), None, Revision(True, "p", ids(1), ids())),
        (Wanted(ids(1), "p"), Known(True, "p", ids(1)), None),
        (Wanted(ids(2), "p"), Known(True, "p", ids(1)), Revision(True, "p", ids(2), ids(1))),
        (Wanted(ids(), "p"), Known(True, "p", ids(1)), Revision(False, "p", ids(), ids(1))),
        (Wanted(ids(), "p"), Known(True, "p", ids(1), frozen=ids(1)), None),
        (Wanted(ids(), "q"), Known(False, "p", ids()), Revision(False, "q", ids(), ids())),
        (Wanted(ids(), "q"), Known(True, "p", ids()), Revision(True, "q", ids(), ids())),
    ],
)
def test_a_vault_user_is_due_only_when_something_is_new(wanted, known, expected):
    assert revise(wanted, known) == expected


def given(*targets, **rights):
    return Wanted(ids(*targets), "p", manual=True, **rights)


def blocked(*targets):
    return Wanted(ids(*targets), "p", blocked=True)


NOBODY = Wanted(ids(), "p")


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        (given(), None, Revision(True, "p", ids(), ids(), manual=True)),
        (given(1), None, Revision(True, "p", ids(1), ids(), manual=True)),
        (given(), Known(True, "p", ids(), manual=True), None),
        (given(), Known(False, "p", ids()), Revision(True, "p", ids(), ids(), manual=True)),
        (given(), Known(True, "p", ids(1)), Revision(True, "p", ids(), ids(1), manual=True)),
        (NOBODY, Known(True, "p", ids(), manual=True), Revision(False, "p", ids(), ids())),
        (Wanted(ids(1), "p"), Known(True, "p", ids(1), manual=True), Revision(True, "p", ids(), ids())),
        (NOBODY, Known(True, "p", ids(1), ids(1), manual=True), Revision(True, "p", ids(), ids())),
        (NOBODY, Known(True, "p", ids()), None),
    ],
)
def test_manual_access_keeps_a_vault_user_enabled_beside_links(wanted, known, expected):
    assert revise(wanted, known) == expected


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        (blocked(), None, None),
        (blocked(1), None, None),
        (blocked(1), Known(True, "p", ids(1)), Revision(False, "p", ids(), ids(), blocked=True)),
        (blocked(1), Known(False, "p", ids(1), blocked=True), None),
        (blocked(1, 2), Known(False, "p", ids(1), blocked=True), Revision(False, "p", ids(2), ids(), blocked=True)),
        (blocked(1), Known(True, "p", ids(1), is_there=False), Revision(False, "p", ids(), ids(1), blocked=True)),
        (blocked(), Known(True, "p", ids(), manual=True), Revision(False, "p", ids(), ids(), blocked=True)),
        (blocked(), Known(True, "p", ids()), Revision(False, "p", ids(), ids(), blocked=True)),
        (Wanted(ids(1), "p"), Known(False, "p", ids(1), blocked=True), Revision(True, "p", ids(), ids())),
        (NOBODY, Known(False, "p", ids(), blocked=True), Revision(False, "p", ids(), ids())),
        (NOBODY, Known(False, "p", ids(1), ids(1), blocked=True), Revision(True, "p", ids(), ids())),
    ],
)
def test_a_blocked_vault_user_is_disabled_and_stays_in_its_groups(wanted, known, expected):
    assert revise(wanted, known) == expected


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        (Wanted(ids(), "p", full_control=True), None, None),
        (given(full_control=True), None, Revision(True, "p", ids(), ids(), manual=True, full_control=True)),
        (
            Wanted(ids(), "p", full_control=True),
            Known(True, "p", ids()),
            Revision(True, "p", ids(), ids(), full_control=True),
        ),
        (Wanted(ids(), "p", full_control=False), Known(True, "p", ids(), full_control=False), None),
        (NOBODY, Known(True, "p", ids(), full_control=True), Revision(True, "p", ids(), ids())),
    ],
)
def test_full_control_alone_makes_nobody_a_vault_user(wanted, known, expected):
    assert revise(wanted, known) == expected


@pytest.mark.parametrize(
    ("facts", "state", "progress", "reason"),
    [
        ({"is_paused": True, "problem": "Down."}, LinkState.PAUSED, "", ""),
        ({"is_source_deleted": True}, LinkState.SOURCE_DELETED, "", "deleted the source user group"),
        ({"problem": "Down.", "total": 9, "open": 2}, LinkState.NEEDS_ATTENTION, "7 of 9", "Down."),
        ({"refused": 1, "refusal": "No.", "total": 1}, LinkState.NEEDS_ATTENTION, "", "1 vault user was refused: No."),
        ({"refused": 3, "refusal": "No."}, LinkState.NEEDS_ATTENTION, "", "3 vault users were refused: No."),
        ({"is_spread": False}, LinkState.PENDING, "", ""),
        ({"is_prepared": False}, LinkState.PENDING, "", ""),
        ({"total": 12, "open": 9}, LinkState.SYNCHRONIZING, "3 of 12", ""),
        ({"total": 12}, LinkState.IN_SYNC, "", ""),
    ],
)
def test_a_link_says_how_it_stands(facts, state, progress, reason):
    view = links.view(LinkFacts(**facts))

    assert view == LinkView(state, progress, view.reason)
    assert reason in view.reason
    assert bool(reason) == bool(view.reason)


@pytest.mark.parametrize(
    ("facts", "state", "why"),
    [
        ({"wanted_enabled": True, "seen_enabled": True, "sources": ("Legal",)}, "Enabled", "Linked from group Legal"),
        ({"wanted_enabled": True, "seen_enabled": True}, "Enabled", "Kept from a deleted configuration"),
        (
            {"wanted_enabled": True, "seen_enabled": None, "sources": ("A", "B"), "is_due": True},
            "Not yet there",
            "Linked from groups A, B; the change is on its way",
        ),
        (
            {"wanted_enabled": True, "seen_enabled": None, "is_due": True, "vault_problem": "It is down."},
            "Not yet there",
            "It is down",
        ),
        ({"wanted_enabled": True, "seen_enabled": False, "reason": "Refused."}, "Disabled", "Refused"),
        (
            {"wanted_enabled": True, "seen_enabled": False, "disabled_by_person": True},
            "Disabled",
            "A person disabled it in the vault, so it stays disabled",
        ),
        (
            {"wanted_enabled": False, "seen_enabled": False},
            "Disabled",
            "No link gives access to this vault any more",
        ),
        (
            {"wanted_enabled": False, "seen_enabled": None},
            "Not there",
            "No link gives access to this vault any more",
        ),
    ],
)
def test_a_vault_user_says_how_it_stands(facts, state, why):
    assert presence.view(PresenceFacts(**facts)) == PresenceView(state, why)
