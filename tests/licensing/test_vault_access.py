"""Manual access, blocking and full control (1-product §1.5, rule 5), against a vault server over HTTP."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.clients.agent import DEFAULT_ROLES, VaultRole, each_vault_user
from licensing.models import Ending, VaultUser
from licensing.services import choices, presence
from licensing.vaultserver import admin
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink
from provisioning.models import LoginAccount as Account
from provisioning.services import vault_access
from provisioning.services.accounts import touch_accounts
from tests.factories import ACTOR, NOON, make_account, make_link, make_vault
from tests.licensing.people import change_account, change_members, disable, enable, purchase, reconcile, remove
from tests.licensing.vault_deeds import block, give, record, rule, take, unblock

ANN, BOB = "ann@contoso.example", "bob@contoso.example"
LATER = NOON + timedelta(minutes=10)
FULL, PARTIAL = DEFAULT_ROLES | VaultRole.FULL_CONTROL, DEFAULT_ROLES | VaultRole.MANAGE_WORKFLOWS


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
