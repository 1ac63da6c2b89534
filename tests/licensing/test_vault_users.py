"""Vault users follow links (1-product §1.5), against a real emulated vault server over HTTP."""

from datetime import timedelta
from random import Random

import pytest

from licensing.models import Ending, VaultUser
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, Vault, VaultUserGroup
from provisioning.services.accounts import touch_accounts
from tests.factories import NOON, make_account, make_group, make_link
from tests.licensing.people import (
    DAY,
    change_account,
    change_members,
    disable,
    enable,
    purchase,
    remove,
    remove_group,
)

ANN, BOB, EVE = "ann@contoso.example", "bob@contoso.example", "eve@contoso.example"
MERGE = GroupLink.Mode.MERGE


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN)


@pytest.fixture
def bob(world):
    return make_account(world.configuration, BOB)


@pytest.fixture
def group(world, ann, bob):
    return make_group(world.configuration, "Legal", members=[ann, bob])


def test_a_link_makes_members_vault_users_and_members_of_its_target(world, group):
    make_link(group, world.vault, "Lawyers")

    _, done = world.sweep()

    assert world.users() == {ANN: True, BOB: True}
    assert world.members("Lawyers") == {ANN, BOB}
    assert done.created == 2
    assert VaultUserGroup.objects.get(vault=world.vault, name="Lawyers").remote_id


def test_nothing_is_done_twice(world, group):
    make_link(group, world.vault)
    world.sweep()
    revision = world.server.get_vault(world.guid).revision

    world.sweep(NOON + timedelta(minutes=10))

    assert world.server.get_vault(world.guid).revision == revision


def test_a_waiting_member_becomes_a_vault_user_when_a_license_arrives(world, group):
    purchase(world.subscription, read_only=1)
    make_link(group, world.vault)
    world.sweep()
    assert world.users() == {ANN: True}

    purchase(world.subscription, read_only=2)
    world.sweep()

    assert world.users() == {ANN: True, BOB: True}


@pytest.mark.parametrize("leave", ["group", "disabled", "removed", "license"])
def test_who_leaves_is_disabled_and_no_longer_in_the_target(world, group, ann, leave):
    make_link(group, world.vault, "Lawyers")
    world.sweep()

    if leave == "group":
        change_members(group, remove=[ann])
    elif leave == "license":
        world.configuration.default_license_type = LicenseType.NONE
        world.configuration.generation += 1
        world.configuration.save()
        purchase(world.subscription, named=1)
        make_group(world.configuration, members=[account(BOB)], license_type=LicenseType.NAMED)
    else:
        {"disabled": disable, "removed": remove}[leave](ann)
    world.sweep()

    assert world.users() == {ANN: False, BOB: True}
    assert world.members("Lawyers") == {BOB}


def account(username):
    return VaultUser.objects.get(account__username=username).account


def test_a_disabled_member_who_returns_is_enabled_again_as_the_same_vault_user(world, group, ann):
    make_link(group, world.vault, "Lawyers")
    world.sweep()
    number = world.user(ann).id
    disable(ann)
    world.sweep()

    enable(ann)
    world.sweep()

    assert (world.user(ann).id, world.user(ann).enabled) == (number, True)
    assert world.members("Lawyers") == {ANN, BOB}


def test_another_link_keeps_a_vault_user_enabled(world, group, ann):
    make_link(group, world.vault, "Lawyers")
    make_link(make_group(world.configuration, "All", members=[ann]), world.vault, "Everybody")
    world.sweep()

    change_members(group, remove=[ann])
    world.sweep()

    assert world.user(ann).enabled
    assert (world.members("Lawyers"), world.members("Everybody")) == ({BOB}, {ANN})


def test_a_renamed_account_is_renamed_in_the_vault_and_never_doubled(world, group, ann):
    make_link(group, world.vault)
    world.sweep()

    change_account(ann, username="ann.smith@contoso.example", full_name="Ann Smith")
    world.sweep()

    assert world.users() == {"ann.smith@contoso.example": True, BOB: True}
    names = {one.full_name for one in world.server.list_login_accounts(world.guid).items}
    assert "Ann Smith" in names


def strangers(world):
    """A target group that a person made, with somebody in it, and Ann too."""
    target = admin.add_group(world.server, make_server_vault(world), "Lawyers")
    for name in (EVE, ANN):
        admin.add_user(world.server, world.guid, name)
    keys = [user.key for user in world.server.list_vault_users(world.guid).items]
    admin.change_members(world.server, world.guid, target.id, add=keys)
    VaultUserGroup.objects.create(vault=world.vault, name="Lawyers", name_key="lawyers")


def make_server_vault(world):
    return admin.create_vault(world.server, vault=world.guid, name="Contracts").guid


def test_replace_mode_removes_everybody_else_from_the_target(world, group):
    strangers(world)
    make_link(group, world.vault, "Lawyers")

    world.sweep()

    assert world.members("Lawyers") == {ANN, BOB}
    assert world.users()[EVE] is True


def test_merge_mode_keeps_others_and_whom_a_person_had_put_there(world, group, ann, bob):
    world.sweep()
    strangers_of = strangers_after_first_look(world, ann)
    make_link(group, world.vault, "Lawyers", mode=MERGE)
    world.sweep()
    assert world.members("Lawyers") == {*strangers_of, BOB}

    change_members(group, remove=[ann, bob])
    world.sweep()

    assert world.members("Lawyers") == {*strangers_of}
    assert world.users() == {ANN: False, BOB: False, EVE: True}


def strangers_after_first_look(world, ann):
    admin.add_user(world.server, world.guid, EVE)
    make_link(make_group(world.configuration, members=[ann]), world.vault, "Others")
    world.sweep()
    target = admin.add_group(world.server, world.guid, "Lawyers")
    keys = [user.key for user in world.server.list_vault_users(world.guid).items]
    admin.change_members(world.server, world.guid, target.id, add=keys)
    GroupLink.objects.all().delete()
    touch_accounts([ann.pk])
    return {ANN, EVE}


def test_a_vault_user_that_a_person_disabled_stays_disabled(world, group, ann):
    make_link(group, world.vault)
    world.sweep()
    admin.change_user(world.server, world.guid, ANN, enabled=False)
    disable(ann)
    world.sweep()

    enable(ann)
    world.sweep()

    assert world.user(ann).enabled is False
    assert VaultUser.objects.get(account=ann).disabled_by == "person"


def test_a_vault_user_that_a_person_deleted_comes_back_only_while_a_link_wants_it(world, group, ann, bob):
    make_link(group, world.vault, "Lawyers")
    world.sweep()
    for name in (ANN, BOB):
        admin.delete_user(world.server, world.guid, name)
    change_members(group, remove=[bob])
    change_account(ann, full_name="Ann Smith")

    world.sweep()

    assert world.users() == {ANN: True}
    assert world.members("Lawyers") == {ANN}


def test_a_vault_server_that_is_down_is_tried_again_and_recovers(world, group):
    make_link(group, world.vault)
    world.server.faults.general = Faults(down=True)

    world.sweep()
    assert (world.status.state, world.status.attempts) == (Ending.RETRYING, 1)
    assert "The vault server is switched off." in world.status.reason
    world.sweep(NOON + timedelta(seconds=10))
    assert world.status.attempts == 1
    world.sweep(NOON + timedelta(seconds=31))
    assert world.status.attempts == 2

    world.server.faults.general = Faults()
    world.sweep(NOON + timedelta(minutes=3))
    assert (world.status.state, world.status.reason, world.status.attempts) == (Ending.READY, "", 0)
    assert world.users() == {ANN: True, BOB: True}


def test_a_refused_user_stalls_alone_and_a_change_wakes_it(world, group, ann):
    make_link(group, world.vault)
    world.server.faults.general = Faults(refuse=frozenset({ANN}))

    world.sweep()
    row = VaultUser.objects.get(account=ann)
    assert (row.state, row.reason) == (Ending.STALLED, "The vault server does not accept this user.")
    assert world.users() == {BOB: True}

    world.server.faults.general = Faults()
    change_account(ann, full_name="Ann Smith")
    world.sweep()
    assert world.users() == {ANN: True, BOB: True}
    assert VaultUser.objects.get(account=ann).state == Ending.READY


def test_answers_lost_after_the_effect_change_nothing_in_the_result(world, group, ann):
    make_link(group, world.vault, "Lawyers", mode=MERGE)
    world.server.faults.chance = Random(5).random
    world.server.faults.general = Faults(reset=0.3)
    tries = [world.sweep(NOON + timedelta(hours=hour)) and world.status.state for hour in range(8)]
    assert {Ending.READY, Ending.RETRYING} == set(tries)
    world.server.faults.general = Faults()
    change_members(group, remove=[ann])
    world.sweep(NOON + 2 * DAY)

    assert world.users() == {ANN: False, BOB: True}
    assert world.members("Lawyers") == {BOB}


def test_nothing_is_written_while_user_synchronization_is_on_in_the_vault(world, group):
    make_server_vault(world)
    admin.change_vault(world.server, world.guid, user_synchronization=True)
    make_link(group, world.vault)

    world.sweep()
    assert world.users() == {}
    assert Vault.objects.get(pk=world.vault.pk).user_synchronization
    assert "User synchronization is on in vault “Contracts”" in world.status.reason

    admin.change_vault(world.server, world.guid, user_synchronization=False)
    world.sweep(NOON + timedelta(minutes=2))
    assert world.users() == {ANN: True, BOB: True}
    assert world.status.state == Ending.READY


def test_a_vault_that_vanished_from_its_server_is_not_made_again(world, group):
    make_link(group, world.vault)
    world.sweep()
    admin.delete_vault(world.server, world.guid)

    world.sweep(NOON + timedelta(minutes=10))

    assert world.server.list_vaults() == ()
    assert world.status.state == Ending.STALLED


def test_members_of_a_deleted_source_leave_after_a_day(world, group):
    make_link(group, world.vault, "Lawyers")
    world.sweep()
    remove_group(group)
    world.sweep(NOON + timedelta(hours=23))
    assert world.members("Lawyers") == {ANN, BOB}

    world.sweep(NOON + timedelta(hours=25))

    assert world.members("Lawyers") == set()
    assert world.users() == {ANN: False, BOB: False}


def test_a_paused_link_changes_nothing(world, group, ann):
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    GroupLink.objects.filter(pk=link.pk).update(paused_at=NOON)

    change_members(group, remove=[ann])
    world.sweep()

    assert world.members("Lawyers") == {ANN, BOB}
    assert world.user(ann).enabled


def test_a_target_that_a_person_deleted_is_made_again(world, group, ann):
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    link.target.refresh_from_db()
    admin.delete_group(world.server, world.guid, link.target.remote_id)

    change_members(group, remove=[ann])
    world.sweep()
    world.sweep(NOON + timedelta(minutes=10))

    assert world.members("Lawyers") == {BOB}


def test_a_link_to_a_built_in_group_says_so(world, group):
    link = make_link(group, world.vault, "All internal users")

    world.sweep()

    assert "is built in" in link.status.reason
    assert world.users() == {ANN: True, BOB: True}
