"""A link into a big target: who is in it is recorded turn by turn, and nobody else waits for the end of it."""

from datetime import timedelta

import pytest

from licensing.clients.http import HttpVaultAgent
from licensing.models import LinkStatus, VaultUser
from licensing.reconcilers import sessions, targets, vaults
from licensing.services import due
from licensing.vaultserver import admin
from provisioning.models import GroupLink, VaultUserGroup
from provisioning.services import links
from provisioning.services.links import Members
from tests.factories import ACTOR, NOON, make_account, make_group, make_link
from tests.licensing.people import disable, reconcile

MERGE, REPLACE = GroupLink.Mode.MERGE, GroupLink.Mode.REPLACE
STRANGERS = {f"eve{number}@contoso.example" for number in range(10)}


@pytest.fixture
def target(world, linked, monkeypatch):
    """A target that a person filled with ten strangers and Ann, in pages of three; and turns of one page."""
    target = admin.add_group(world.server, world.guid, "Judges")
    for name in STRANGERS:
        admin.add_user(world.server, world.guid, name)
    keys = [user.key for user in world.server.list_vault_users(world.guid).items]
    admin.change_members(world.server, world.guid, target.id, add=keys)
    world.sweep(NOON + timedelta(minutes=6))
    monkeypatch.setattr(sessions, "PAGE", 3)
    monkeypatch.setattr(sessions, "TURN", timedelta(0))
    return VaultUserGroup.objects.get(name="Judges")


@pytest.fixture
def asked(target, monkeypatch):
    """The cursors of all pages of members that were asked for."""
    cursors = []
    real = HttpVaultAgent.list_group_members

    def list_group_members(agent, vault, group_id, **options):
        cursors.append(options["cursor"])
        return real(agent, vault, group_id, **options)

    monkeypatch.setattr(HttpVaultAgent, "list_group_members", list_group_members)
    return cursors


@pytest.fixture
def judges(world, target, ann):
    """Ann, and two who are not in the vault yet, shall be in the target."""
    people = [ann, *(make_account(world.configuration, f"bob{number}@contoso.example") for number in range(2))]
    link = make_link(make_group(world.configuration, "Judges", members=people), world.vault, "Judges", mode=REPLACE)
    reconcile(world.subscription)
    return link


def turn(world):
    return vaults.reconcile(world.vault.pk, now=NOON)


def to_the_end(world):
    turns = 0
    while due.due_vaults(NOON).exists():
        turn(world)
        turns += 1
        assert turns < 50
    return turns


def test_a_big_target_is_prepared_turn_by_turn_and_every_page_is_asked_for_once(world, judges, asked):
    turns = to_the_end(world)

    assert turns >= 4
    assert len(asked) == len(set(asked)) == 4
    assert world.members("Judges") == {"ann@contoso.example", "bob0@contoso.example", "bob1@contoso.example"}
    status = LinkStatus.objects.get(link=judges)
    assert (status.prepared_generation, status.position) == (judges.generation, None)
    assert not targets.is_interrupted(world.vault)


def test_a_page_that_is_recorded_is_not_asked_for_again_after_a_crash(world, judges, asked, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(targets, "_conclude", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            to_the_end(world)
    last = asked[-1]
    asked.clear()

    to_the_end(world)

    assert asked == [last]
    assert world.members("Judges") == {"ann@contoso.example", "bob0@contoso.example", "bob1@contoso.example"}


@pytest.mark.django_db(transaction=True)
def test_of_a_link_that_is_removed_meanwhile_no_other_page_is_looked_at_and_nobody_leaves(
    world, judges, asked, monkeypatch
):
    remove, pages = targets.remove, []

    def and_so_the_link(session, link, strangers):
        pages.append(len(strangers))
        if len(pages) == 2:
            links.remove_link(link=link, members=Members.STAY, actor=ACTOR, at=NOON)
            strangers = []
        remove(session, link, strangers)

    monkeypatch.setattr(targets, "remove", and_so_the_link)

    to_the_end(world)

    assert len(pages) == len(asked) == 2
    assert len(world.members("Judges") & STRANGERS) == len(STRANGERS) - pages[0]
    assert not LinkStatus.objects.filter(link_id=judges.pk).exists()


def test_who_must_leave_is_disabled_before_the_stock_is_taken(world, judges, ann):
    turn(world)
    disable(ann)
    reconcile(world.subscription)

    turn(world)

    assert VaultUser.objects.get(account=ann).seen_enabled is False
    assert world.user(ann).enabled is False


def test_members_who_are_brought_while_the_stock_is_taken_are_in_the_target_in_the_end(world, judges):
    turn(world)
    assert targets.is_interrupted(world.vault)
    assert VaultUser.objects.filter(seen_enabled=None).count() == 2

    turn(world)

    assert targets.is_interrupted(world.vault)
    assert not VaultUser.objects.filter(seen_enabled=None).exists()
    to_the_end(world)
    assert "bob0@contoso.example" in world.members("Judges")


def test_a_link_that_changed_meanwhile_begins_anew(world, judges, asked):
    turn(world)
    turn(world)
    links.set_mode(link=judges, mode=MERGE, actor=ACTOR, at=NOON)
    reconcile(world.subscription)
    asked.clear()

    to_the_end(world)

    assert asked[0] is None
    assert "bob1@contoso.example" in world.members("Judges")


def test_a_target_that_a_person_deleted_meanwhile_is_made_and_walked_from_its_beginning(world, judges, asked):
    turn(world)
    turn(world)
    admin.delete_group(world.server, world.guid, judges.target.remote_id)
    VaultUserGroup.objects.filter(pk=judges.target_id).update(remote_id=None)
    asked.clear()

    to_the_end(world)

    assert asked[0] is None
    assert world.members("Judges") >= {"ann@contoso.example", "bob0@contoso.example", "bob1@contoso.example"}
