"""Manual access, blocking, full control and both-way rules (1-product §1.5), against a vault server over HTTP."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.clients.agent import DEFAULT_ROLES, VaultRole, each_vault_user
from licensing.models import Ending, VaultUser
from licensing.services import choices, leaving, presence
from licensing.vaultserver import admin
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink
from provisioning.models import LoginAccount as Account
from provisioning.services import people, policies, vault_access
from provisioning.services.accounts import touch_accounts
from tests.factories import ACTOR, NOON, make_account, make_group, make_link, make_person, make_vault
from tests.licensing.people import change_account, change_members, disable, enable, purchase, reconcile, remove

ANN, BOB, EVE = "ann@contoso.example", "bob@contoso.example", "eve@contoso.example"
LATER = NOON + timedelta(minutes=10)
FULL, PARTIAL = DEFAULT_ROLES | VaultRole.FULL_CONTROL, DEFAULT_ROLES | VaultRole.MANAGE_WORKFLOWS


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN)


@pytest.fixture
def group(world, ann):
    return make_group(world.configuration, "Legal", members=[ann])


@pytest.fixture
def linked(world, group):
    """Ann is a vault user by a link, and that is done."""
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    return link


def give(world, *accounts):
    vault_access.give_access(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def take(world, *accounts):
    vault_access.take_access(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def block(world, *accounts):
    vault_access.block(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def unblock(world, *accounts):
    vault_access.unblock(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def rule(world, account, full_control):
    vault_access.set_full_control(
        accounts=[account], vault=world.vault, full_control=full_control, actor=ACTOR, at=NOON
    )


def record(account):
    return VaultUser.objects.get(account=account)


def test_access_that_is_given_makes_a_vault_user_without_a_link_and_goes_again(world, ann):
    give(world, ann)
    world.sweep()
    assert world.users() == {ANN: True}

    take(world, ann)
    world.sweep()

    assert world.users() == {ANN: False}


@pytest.mark.parametrize("first", ["link", "access"])
def test_a_vault_user_stays_enabled_until_neither_a_link_nor_an_admin_wants_it(world, ann, group, linked, first):
    give(world, ann)
    world.sweep()

    change_members(group, remove=[ann]) if first == "link" else take(world, ann)
    world.sweep()
    assert world.user(ann).enabled
    assert world.members("Lawyers") == (set() if first == "link" else {ANN})

    take(world, ann) if first == "link" else change_members(group, remove=[ann])
    world.sweep()
    assert not world.user(ann).enabled


@pytest.mark.parametrize("cause", ["license", "disabled", "removed"])
def test_access_waits_for_a_license_and_an_enabled_account(world, ann, cause):
    bob = make_account(world.configuration, BOB)
    if cause == "license":
        purchase(world.subscription, read_only=0)
    else:
        {"disabled": disable, "removed": lambda _: None}[cause](ann)
    give(world, ann)
    if cause == "removed":
        remove(ann)
    world.sweep()
    assert ANN not in world.users()

    purchase(world.subscription, read_only=20)
    if cause == "disabled":
        enable(ann)
    give(world, bob)
    world.sweep()

    assert world.users() == ({BOB: True} if cause == "removed" else {ANN: True, BOB: True})


def test_who_loses_its_license_loses_its_access_until_it_has_one_again(world, ann):
    give(world, ann)
    world.sweep()
    purchase(world.subscription, read_only=0)
    choices.pin(
        subscription=world.subscription, account_ids=[ann.pk], license_type=LicenseType.NONE, actor=ACTOR, at=NOON
    )
    world.sweep()
    assert world.users() == {ANN: False}

    choices.pin(subscription=world.subscription, account_ids=[ann.pk], license_type=None, actor=ACTOR, at=NOON)
    purchase(world.subscription, read_only=1)
    world.sweep()

    assert world.users() == {ANN: True}


def test_a_blocked_vault_user_is_disabled_stays_in_its_groups_and_comes_back(world, ann, linked):
    block(world, ann)
    world.sweep()
    assert (world.users(), world.members("Lawyers")) == ({ANN: False}, {ANN})
    change_account(ann, full_name="Ann Smith")
    world.sweep()
    assert world.users() == {ANN: False}

    unblock(world, ann)
    world.sweep()

    assert world.users() == {ANN: True}


def test_nobody_is_made_a_vault_user_only_to_be_blocked(world, ann, group):
    block(world, ann)
    make_link(group, world.vault, "Lawyers")
    world.sweep()
    assert world.users() == {}

    unblock(world, ann)
    world.sweep()

    assert (world.users(), world.members("Lawyers")) == ({ANN: True}, {ANN})


def test_an_application_account_gets_in_by_its_manual_type(world):
    robot = Account.objects.create(
        subscription=world.subscription,
        kind=Account.Kind.APPLICATION,
        username="robot",
        username_key="robot",
        created_at=NOON,
        modified_at=NOON,
    )
    give(world, robot)
    world.sweep()
    assert world.users() == {}

    choices.choose_manual(
        subscription=world.subscription,
        account_ids=[robot.pk],
        license_type=LicenseType.READ_ONLY,
        actor=ACTOR,
        at=NOON,
    )
    world.sweep()

    assert world.users() == {"robot": True}
    (seen,) = [one for one in world.server.list_login_accounts(world.guid).items if one.username == "robot"]
    assert seen.license_type == LicenseType.READ_ONLY


@pytest.mark.parametrize("there_before", [True, False])
def test_full_control_is_given_and_taken_and_no_other_right_is_touched(world, ann, there_before):
    give(world, ann)
    if there_before:
        world.sweep()
        admin.change_user(world.server, world.guid, ANN, roles=PARTIAL)
    rule(world, ann, True)
    world.sweep()
    assert world.user(ann).roles == (PARTIAL if there_before else DEFAULT_ROLES) | VaultRole.FULL_CONTROL
    assert record(ann).seen_roles == world.user(ann).roles

    rule(world, ann, None)
    world.sweep()
    assert world.user(ann).roles & VaultRole.FULL_CONTROL

    rule(world, ann, False)
    world.sweep()
    assert world.user(ann).roles == (PARTIAL if there_before else DEFAULT_ROLES)


def test_rights_of_a_user_whom_a_person_had_made_are_kept(world, ann):
    admin.create_vault(world.server, vault=world.guid, name="Contracts")
    admin.add_user(world.server, world.guid, ANN, roles=PARTIAL)
    give(world, ann)
    rule(world, ann, True)

    world.sweep()

    assert world.users() == {ANN: True}
    assert world.user(ann).roles == PARTIAL | VaultRole.FULL_CONTROL
    assert record(ann).seen_roles == world.user(ann).roles


def test_a_right_that_a_person_gives_between_look_and_change_is_not_lost(world, ann, monkeypatch):
    give(world, ann)
    world.sweep()
    rule(world, ann, True)
    put, wishes = world.server.put_vault_users, []

    def late(vault, users, **options):
        if not wishes:
            admin.change_user(world.server, world.guid, ANN, roles=PARTIAL)
        wishes.extend(users)
        return put(vault, users, **options)

    monkeypatch.setattr(world.server, "put_vault_users", late)
    world.sweep()
    assert (record(ann).state, world.user(ann).roles) == (Ending.RETRYING, PARTIAL)

    world.sweep(LATER)

    assert world.user(ann).roles == PARTIAL | VaultRole.FULL_CONTROL
    assert (record(ann).state, len(wishes)) == (Ending.READY, 2)


def test_a_rename_and_full_control_go_together(world, ann):
    give(world, ann)
    world.sweep()
    rule(world, ann, True)
    change_account(ann, username="ann.smith@contoso.example")

    _, done = world.sweep()

    assert world.users() == {"ann.smith@contoso.example": True}
    assert (world.user(ann).roles, done.updated, done.failed) == (FULL, 1, 0)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_vault_user_whose_login_account_was_deleted_on_the_server_is_attached_again(world, ann, linked, is_enabled):
    if not is_enabled:
        block(world, ann)
        world.sweep()
    number = world.user(ann).id
    admin.delete_login_account(world.server, ANN)
    assert world.user(ann).username is None

    touch_and_change(ann)
    world.sweep()

    user = world.user(ann)
    assert (user.username, user.id, user.enabled) == (ANN, number, is_enabled)
    assert world.users() == {ANN: is_enabled}
    assert world.members("Lawyers") == {ANN}


def touch_and_change(account):
    change_account(account, full_name="Ann Smith")


def test_the_comparison_finds_a_detached_vault_user_and_attaches_it(world, ann, linked):
    admin.delete_login_account(world.server, ANN)

    world.sweep(NOON + timedelta(hours=7))

    assert world.users() == {ANN: True}


def test_a_detached_one_that_a_person_had_disabled_is_attached_and_stays_disabled(world, ann, linked):
    admin.change_user(world.server, world.guid, ANN, enabled=False)
    admin.delete_login_account(world.server, ANN)
    touch_and_change(ann)

    world.sweep()

    assert (world.users(), record(ann).disabled_by) == ({ANN: False}, "person")


def test_an_account_that_is_deleted_in_the_portal_leaves_a_disabled_vault_user(world):
    bob = make_person(world.subscription, BOB)
    choices.choose_manual(
        subscription=world.subscription, account_ids=[bob.pk], license_type=LicenseType.READ_ONLY, actor=ACTOR, at=NOON
    )
    give(world, bob)
    rule(world, bob, True)
    world.sweep()
    assert world.users() == {BOB: True}
    people.disable_person(account=bob, actor=ACTOR, at=NOON)

    people.delete_person(account=bob, actor=ACTOR, at=NOON)
    world.sweep()

    user = VaultUser.objects.get()
    assert (user.account, user.seen_enabled, user.state, user.due_at) == (None, False, Ending.READY, None)
    assert world.users() == {BOB: False}


def test_nothing_is_tried_about_one_that_has_no_login_account_anywhere(world, ann, linked):
    leaving.let_go(subscription_id=world.subscription.pk, account_id=ann.pk, at=NOON)
    Account.objects.filter(pk=ann.pk).delete()
    admin.delete_login_account(world.server, ANN)

    world.sweep()

    user = VaultUser.objects.get()
    assert (user.state, user.reason, user.due_at) == (Ending.READY, "", None)


def by_person(world):
    admin.change_user(world.server, world.guid, ANN, enabled=False)
    VaultUser.objects.update(due_at=NOON)
    world.sweep()
    assert VaultUser.objects.get().disabled_by == "person"


def test_whom_a_person_disabled_an_admin_enables_once_in_the_portal(world, ann, linked):
    by_person(world)

    unblock(world, ann)
    world.sweep()
    assert world.users() == {ANN: True}
    assert (record(ann).disabled_by, record(ann).overrides_person) == ("", False)

    by_person(world)
    assert world.users() == {ANN: False}


def test_enabling_in_the_portal_waits_for_a_vault_that_is_down(world, ann, linked):
    by_person(world)
    admin.change_vault(world.server, world.guid, online=False)
    unblock(world, ann)
    world.sweep()
    assert record(ann).overrides_person

    admin.change_vault(world.server, world.guid, online=True)
    world.sweep(LATER)

    assert (world.users(), record(ann).overrides_person) == ({ANN: True}, False)


def test_blocking_takes_back_that_a_vault_user_shall_be_enabled(world, ann, linked):
    by_person(world)
    unblock(world, ann)

    block(world, ann)
    world.sweep()

    assert (world.users(), record(ann).overrides_person) == ({ANN: False}, False)


def test_by_policy_whoever_is_wanted_is_enabled_again(world, ann, linked):
    by_person(world)
    bob = make_account(world.configuration, BOB)
    give(world, bob)
    world.sweep()
    admin.change_user(world.server, world.guid, BOB, enabled=False)
    take(world, bob)
    world.sweep()

    policies.set_policies(subscription=world.subscription, actor=ACTOR, at=LATER, overrides_vault_disabling=True)
    assert set(VaultUser.objects.filter(due_at=LATER)) == {record(ann)}
    world.sweep(LATER)

    assert world.users() == {ANN: True, BOB: False}


def test_one_that_a_person_deleted_comes_back_only_while_access_is_given(world, ann):
    bob = make_account(world.configuration, BOB)
    give(world, ann, bob)
    world.sweep()
    for name in (ANN, BOB):
        admin.delete_user(world.server, world.guid, name)
    take(world, bob)
    touch_and_change(ann)

    world.sweep()

    assert world.users() == {ANN: True}


def test_whatever_is_decided_there_is_one_vault_user_for_an_account(world, ann, linked):
    for deed in (give, block, unblock, take, give, block, give):
        deed(world, ann)
        rule(world, ann, deed is give)
        world.sweep()
        by_vault = [user.account_uid for user in each_vault_user(world.server, world.guid)]
        assert by_vault == [str(ann.uid)]
    assert VaultUser.objects.count() == 1


def test_what_a_deleted_configuration_left_stays_and_manual_access_ends_it(world, ann, linked):
    GroupLink.objects.all().delete()
    record(ann).memberships.all().delete()
    touch_accounts([ann.pk])
    world.sweep()
    assert world.users() == {ANN: True}

    give(world, ann)
    world.sweep()
    take(world, ann)
    world.sweep()

    assert world.users() == {ANN: False}


def test_looking_at_many_accounts_with_access_takes_as_many_statements_as_at_one(world):
    vaults = [world.vault, make_vault(world.subscription)]

    def statements(number):
        accounts = [make_account(world.configuration) for _ in range(number)]
        for vault in vaults:
            vault_access.give_access(accounts=accounts, vault=vault, actor=ACTOR, at=NOON)
            vault_access.block(accounts=accounts[1:3], vault=vault, actor=ACTOR, at=NOON)
        purchase(world.subscription, read_only=1000)
        reconcile(world.subscription)
        VaultUser.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            made = presence.recompute(world.subscription.pk, [one.pk for one in accounts], NOON)
        assert made == 2 * (number - len(accounts[1:3]))
        return len(captured)

    assert statements(60) == statements(1) <= 8
