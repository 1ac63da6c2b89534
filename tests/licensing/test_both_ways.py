"""What people do in the vault meets what is wanted there (1-product §1.5, rule 4), over HTTP."""

from datetime import timedelta

import pytest

from licensing.models import Ending, VaultUser
from licensing.services import account_vaults, choices, leaving
from licensing.vaultserver import admin
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount as Account
from provisioning.services import people, policies
from tests.factories import ACTOR, NOON, make_account, make_person
from tests.licensing.people import change_account
from tests.licensing.vault_deeds import block, give, record, rule, take, unblock

ANN, BOB = "ann@contoso.example", "bob@contoso.example"
LATER = NOON + timedelta(minutes=10)


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


def why(account):
    (place,) = account_vaults.of_account(account)
    return place.presence.why


def test_whom_a_person_disabled_an_admin_enables_once_in_the_portal(world, ann, linked):
    by_person(world)
    assert why(ann) == "A person disabled it in the vault, so it stays disabled"

    unblock(world, ann)
    assert why(ann) == "Linked from group Legal; the change is on its way"
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
