"""What to do about vault users, members and links, from facts alone (1-product §1.5)."""

import pytest

from licensing.clients.agent import LoginAccount
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
    member_step,
    plan,
    profile,
    revise,
    strangers_to_remove,
)
from provisioning.license_types import LicenseType

ON, OFF = VaultPresence(True, "p"), VaultPresence(False, "p")
BY_PERSON = VaultPresence(False, "p", disabled_by_person=True)
DELETED = VaultPresence(False, "p", is_deleted=True)
RENAMED = VaultPresence(True, "q")


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
        (False, False, True, Mode.MERGE, Step.NOTHING),
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
