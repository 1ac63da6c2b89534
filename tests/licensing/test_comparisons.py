"""The full comparison finds and repairs what changed behind our back (1-product §1.5, rule 6)."""

import uuid
from datetime import timedelta

import pytest

from licensing.models import VaultStatus, VaultUser
from licensing.reconcilers import ranges
from licensing.services import drift as reports
from licensing.vaultserver import admin
from provisioning.models import GroupLink, VaultUserGroup
from tests.factories import NOON, make_account, make_group, make_link
from tests.licensing.people import change_members

ANN, BOB, EVE = "ann@contoso.example", "bob@contoso.example", "eve@contoso.example"
LATER = NOON + timedelta(hours=7)


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN)


@pytest.fixture
def linked(world, ann):
    """Ann and Bob are in the vault and in its group, and all is in line."""
    bob = make_account(world.configuration, BOB)
    group = make_group(world.configuration, "Legal", members=[ann, bob])
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    assert drift(world) == (0, 0, 0, 0)
    return link


def target_id(world):
    return VaultUserGroup.objects.get(vault=world.vault, name="Lawyers").remote_id


def drift(world):
    report = reports.latest(world.vault)
    return report.missing, report.unexpected, report.different, report.repaired


def test_without_difference_a_comparison_changes_nothing(world, linked):
    revision = world.server.get_vault(world.guid).revision

    world.sweep(LATER)

    assert drift(world) == (0, 0, 0, 0)
    assert world.server.get_vault(world.guid).revision == revision
    assert VaultStatus.objects.get(vault=world.vault).compare_due_at > LATER + timedelta(hours=6)


def test_a_deleted_user_is_missing_and_made_again(world, linked):
    admin.delete_user(world.server, world.guid, ANN)

    world.sweep(LATER)

    assert world.users() == {ANN: True, BOB: True}
    assert world.members("Lawyers") == {ANN, BOB}
    assert drift(world) == (2, 0, 0, 2)


def test_a_user_that_a_person_disabled_is_different_and_stays(world, linked, ann):
    admin.change_user(world.server, world.guid, ANN, enabled=False)

    world.sweep(LATER)

    assert world.users() == {ANN: False, BOB: True}
    assert drift(world) == (0, 0, 1, 0)
    assert VaultUser.objects.get(account=ann).disabled_by == "person"


def test_a_user_that_a_person_enabled_again_is_disabled_again(world, linked, ann):
    change_members(linked.group, remove=[ann])
    world.sweep()
    admin.change_user(world.server, world.guid, ANN, enabled=True)

    world.sweep(LATER)

    assert world.users() == {ANN: False, BOB: True}
    assert drift(world) == (0, 0, 1, 1)


def test_a_login_account_that_a_person_changed_is_put_right(world, linked):
    admin.change_login_account(world.server, ANN, full_name="Somebody Else")

    world.sweep(LATER)

    names = {one.username: one.full_name for one in world.server.list_login_accounts(world.guid).items}
    assert names[ANN] == "Ann"
    assert drift(world) == (0, 0, 1, 1)


def test_members_that_left_come_back_and_strangers_leave(world, linked, ann):
    stranger = admin.add_user(world.server, world.guid, EVE)
    admin.change_members(world.server, world.guid, target_id(world), add=[stranger.key], remove=[str(ann.uid)])

    world.sweep(LATER)

    assert world.members("Lawyers") == {ANN, BOB}
    assert world.users()[EVE]
    assert drift(world) == (1, 2, 0, 2)


def test_in_merge_mode_strangers_stay(world, linked):
    GroupLink.objects.filter(pk=linked.pk).update(mode="merge")
    stranger = admin.add_user(world.server, world.guid, EVE)
    admin.change_members(world.server, world.guid, target_id(world), add=[stranger.key])

    world.sweep(LATER)

    assert world.members("Lawyers") == {ANN, BOB, EVE}


def test_a_restored_backup_is_brought_in_line(world, linked, ann):
    admin.back_up(world.server, "before")
    carl = make_account(world.configuration, "carl@contoso.example")
    change_members(linked.group, add=[carl], remove=[ann])
    world.sweep()
    admin.restore(world.server, "before")

    world.sweep(LATER)

    assert world.users() == {ANN: False, BOB: True, "carl@contoso.example": True}
    assert world.members("Lawyers") == {BOB, "carl@contoso.example"}


def test_listings_are_compared_page_by_page(world, linked, monkeypatch):
    monkeypatch.setattr("licensing.reconcilers.sessions.PAGE", 2)
    accounts = [make_account(world.configuration, f"user{number}@contoso.example") for number in range(7)]
    change_members(linked.group, add=accounts)
    for number in range(3):
        admin.add_user(world.server, world.guid, f"stranger{number}")
    world.sweep()
    for account in accounts[::2]:
        admin.delete_user(world.server, world.guid, account.username)

    world.sweep(LATER)

    assert len(world.members("Lawyers")) == 9
    assert drift(world) == (8, 3, 0, 8)


@pytest.mark.parametrize("most", [1, 2, 20])
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_ranges_cover_every_uid_once_and_hold_few_at_a_time(world, monkeypatch, size, most):
    monkeypatch.setattr(ranges, "MOST_ROWS", most)
    keys = [f"{number:032x}" for number in (1, 5, 9)] + ["user:1", "user:2"]
    pages = [keys[start : start + size] for start in range(0, len(keys), size)]
    numbered = dict(enumerate(pages))

    def page_after(cursor):
        number = int(cursor or 0)
        following = str(number + 1) if number + 1 in numbered else None
        return ranges.Page(tuple(numbered[number]), following)

    accounts = [make_account(world.configuration) for _ in range(12)]
    for number, account in enumerate(accounts):
        account.uid = f"{number:032x}"
        account.save()
    records = ranges.Records(type(accounts[0]).objects.all(), "uid")

    parts = list(ranges.ranges(page_after, str, records))

    assert [row.pk for part in parts for row in part.rows] == [account.pk for account in accounts]
    assert [key for part in parts for key in part.items] == keys
    assert max(len(part.rows) for part in parts) <= most
    covered = {uuid.UUID(key) for key in keys[:3]}
    assert all(
        {row.uid for row in part.rows} & covered == {uuid.UUID(k) for k in part.items if ":" not in k} for part in parts
    )
    for number, part in enumerate(parts[:-1]):
        again = list(ranges.ranges(page_after, str, records, part.rest))
        assert [list(one.items) for one in again] == [list(one.items) for one in parts[number + 1 :]]


def test_a_deleted_target_is_made_again_with_its_members(world, linked):
    admin.delete_group(world.server, world.guid, target_id(world))

    world.sweep(LATER)

    assert world.members("Lawyers") == {ANN, BOB}


def test_a_target_that_a_person_renamed_keeps_its_link(world, linked):
    admin.change_group(world.server, world.guid, target_id(world), name="Attorneys")

    world.sweep(LATER)

    assert VaultUserGroup.objects.get(link=linked).name == "Attorneys"
    assert world.members("Attorneys") == {ANN, BOB}


def test_the_vaults_groups_are_offered_as_targets(world, linked):
    admin.add_group(world.server, world.guid, "Made by hand")

    world.sweep(LATER)

    names = dict(VaultUserGroup.objects.filter(vault=world.vault).values_list("name", "is_built_in"))
    assert names["Made by hand"] is False
    assert names["All internal users"] is True


def test_a_vault_user_of_a_deleted_account_is_detached_and_left_alone(world, linked, ann):
    row = VaultUser.objects.get(account=ann)
    VaultUser.objects.filter(pk=row.pk).update(account=None, due_at=NOON)

    world.sweep()

    assert world.users() == {ANN: False, BOB: True}
