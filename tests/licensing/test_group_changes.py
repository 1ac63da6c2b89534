"""What people ask of vault user groups is carried out once, whatever happens on the way; over HTTP, for real."""

from datetime import timedelta

import pytest

from licensing.models import Ending, VaultGroupChange
from licensing.reconcilers import group_changes
from licensing.services import due, vault_groups
from licensing.sweep import due_vaults, reconcile_all
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from provisioning.models import GroupLink, VaultUserGroup
from tests.factories import ACTOR, NOON, make_account, make_group, make_link
from tests.licensing.people import MINUTE

ANN, BOB = "ann@contoso.example", "bob@contoso.example"
MERGE = GroupLink.Mode.MERGE
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def people(world):
    """Ann and Bob are vault users by a link; the accounts by name."""
    accounts = {name: make_account(world.configuration, name) for name in (ANN, BOB)}
    make_link(make_group(world.configuration, "Everybody", members=accounts.values()), world.vault, "Everybody")
    world.sweep()
    return accounts


@pytest.fixture
def group(world, people):
    """A user group that a person made in the vault."""
    admin.add_group(world.server, world.guid, "Lawyers")
    world.sweep(NOON + 6 * MINUTE)
    return record(world, "Lawyers")


NOW = NOON + 6 * MINUTE


def record(world, name):
    return VaultUserGroup.objects.get(vault=world.vault, name=name)


def server_group(world, name):
    return next(group for group in world.server.list_groups(world.guid) if group.name == name)


def ask(group, *keys, is_member=True, at=NOW):
    return vault_groups.change_members(group=group, keys=keys, is_member=is_member, actor=ACTOR, at=at)


def request(world, name, at=NOW):
    return vault_groups.request_group(vault=world.vault, name=name, actor=ACTOR, at=at)


def show(group, is_visible, at=NOW):
    return vault_groups.set_visible(group=group, is_visible=is_visible, actor=ACTOR, at=at)


def key(account):
    return str(account.uid)


def test_a_group_that_was_asked_for_is_made_and_its_members_join(world, people):
    group = request(world, "Partners")
    ask(group, key(people[ANN]))
    assert due_vaults(NOW) == [world.vault.pk]

    world.sweep(NOW)

    assert world.members("Partners") == {ANN}
    made = record(world, "Partners")
    assert (made.pk, made.is_requested, made.remote_id) == (group.pk, False, server_group(world, "Partners").id)
    assert not VaultGroupChange.objects.exists()
    assert due_vaults(NOW) == []


def test_members_join_and_leave_users_and_groups(world, people, group):
    everybody = record(world, "Everybody")
    ask(group, key(people[ANN]), key(people[BOB]), f"group:{everybody.remote_id}")
    world.sweep(NOW)
    assert world.members("Lawyers") == {ANN, BOB, f"group:{everybody.remote_id}"}

    ask(group, key(people[BOB]), f"group:{everybody.remote_id}", is_member=False)
    ask(group, key(people[ANN]))
    world.sweep(NOW)

    assert world.members("Lawyers") == {ANN}
    assert not VaultGroupChange.objects.exists()


def test_two_thousand_wishes_take_three_calls(world, group, monkeypatch):
    keys = []
    for number in range(2001):
        user = admin.add_user(world.server, world.guid, f"local{number:04}")
        keys.append(user.key)
    for start in range(0, 2001, 1000):
        ask(group, *keys[start : start + 1000])
    calls = []
    change = group_changes._change
    monkeypatch.setattr(
        group_changes, "_change", lambda session, some: calls.append(len(some)) or change(session, some)
    )

    world.sweep(NOW)

    assert calls == [1000, 1000, 1]
    assert len(world.members("Lawyers")) == 2001
    assert not VaultGroupChange.objects.exists()


def test_the_last_wish_about_a_member_counts(world, people, group):
    ask(group, key(people[ANN]))
    ask(group, key(people[ANN]), is_member=False)

    world.sweep(NOW)

    assert world.members("Lawyers") == set()
    assert not VaultGroupChange.objects.exists()


def test_a_group_that_would_contain_itself_is_refused_with_the_vaults_reason(world, people, group):
    everybody = record(world, "Everybody")
    GroupLink.objects.all().delete()
    ask(group, f"group:{everybody.remote_id}")
    world.sweep(NOW)

    ask(everybody, f"group:{group.remote_id}", key(people[ANN]))
    world.sweep(NOW)

    left = VaultGroupChange.objects.get()
    assert (left.state, left.due_at) == (Ending.STALLED, None)
    assert left.reason == "The group would be a member of itself."
    assert due_vaults(NOW + MINUTE) == []
    assert vault_groups.forget_change(change=left, actor=ACTOR, at=NOW) is True
    assert vault_groups.forget_change(change=left, actor=ACTOR, at=NOW) is False


def test_who_is_not_in_the_vault_yet_is_tried_again_after_a_growing_wait(world, group):
    eve = make_account(world.configuration, "eve@contoso.example")
    ask(group, key(eve))
    waits, now = [], NOW
    for _ in range(3):
        world.sweep(now)
        change = VaultGroupChange.objects.get()
        assert change.state == Ending.RETRYING
        assert "has no member" in change.reason
        waits.append(round((change.due_at - now) / SECOND, -1))
        now = change.due_at
    assert waits == [30, 60, 120]
    make_link(make_group(world.configuration, "More", members=[eve]), world.vault, at=now)
    world.sweep(now)

    world.sweep(now + 5 * MINUTE)

    assert world.members("Lawyers") == {"eve@contoso.example"}
    assert not VaultGroupChange.objects.exists()


@pytest.mark.parametrize("step", range(1, 7))
def test_answers_lost_at_any_call_change_nothing_in_the_end(world, people, group, step):
    """Every call from the ``step``-th on takes effect and its answer is lost, until the worker gives up."""
    requested = request(world, "Partners")
    show(group, False)
    ask(requested, key(people[ANN]))
    ask(group, key(people[BOB]))
    world.server.faults.chance = _after(step - 1)
    world.server.faults.put(Faults(reset=0.5))

    world.sweep(NOW)
    world.server.faults.clear()
    world.sweep(NOW + 2 * MINUTE)

    assert world.members("Partners") == {ANN}
    assert world.members("Lawyers") == {BOB}
    assert server_group(world, "Lawyers").visible is False
    assert [one.name for one in world.server.list_groups(world.guid)].count("Partners") == 1
    assert not VaultGroupChange.objects.exists()
    assert not due.open_groups().exists()


def _after(number):
    """Chance that is none for the first ``number`` times it is asked, and certainty from then on."""
    asked = iter([1.0] * number)
    return lambda: next(asked, 0.0)


def test_carrying_out_twice_is_carrying_out_once(world, people, group):
    ask(group, key(people[ANN]))
    show(group, False)
    kept = list(VaultGroupChange.objects.values())
    world.sweep(NOW)
    revision = world.server.get_vault(world.guid).revision
    VaultGroupChange.objects.bulk_create(VaultGroupChange(**row) for row in kept)
    VaultUserGroup.objects.filter(pk=group.pk).update(wanted_visible=False)

    world.sweep(NOW)

    assert world.server.get_vault(world.guid).revision == revision
    assert not VaultGroupChange.objects.exists()
    assert record(world, "Lawyers").wanted_visible is None


def test_a_group_is_hidden_and_shown_in_the_vault(world, group):
    show(group, False)
    world.sweep(NOW)
    assert server_group(world, "Lawyers").visible is False
    assert (record(world, "Lawyers").is_visible, record(world, "Lawyers").wanted_visible) == (False, None)

    show(group, True)
    world.sweep(NOW)
    assert server_group(world, "Lawyers").visible is True
    assert record(world, "Lawyers").is_visible is True


def test_what_a_person_hides_in_the_vault_is_seen_with_its_next_report(world, group):
    world.server.change_group(world.guid, group.remote_id, visible=False, idempotency_key="by hand")

    world.sweep(NOW + 6 * MINUTE)

    assert record(world, "Lawyers").is_visible is False


def test_a_group_that_somebody_made_meanwhile_is_taken_as_it_is(world, people):
    request(world, "partners")
    theirs = admin.add_group(world.server, world.guid, "Partners")

    world.sweep(NOW)
    world.sweep(NOW + 6 * MINUTE)

    mine = VaultUserGroup.objects.get(vault=world.vault, name_key="partners")
    assert (mine.remote_id, mine.is_requested) == (theirs.id, False)


def test_a_group_that_got_the_name_meanwhile_is_not_recorded_twice(world, group):
    request(world, "Partners")
    admin.change_group(world.server, world.guid, group.remote_id, name="Partners")

    world.sweep(NOW)
    world.sweep(NOW + 6 * MINUTE)

    found = VaultUserGroup.objects.filter(vault=world.vault, remote_id=group.remote_id)
    assert [(one.pk, one.name) for one in found] == [(group.pk, "Partners")]
    assert not VaultUserGroup.objects.filter(vault=world.vault, name="Lawyers").exists()


def test_a_group_that_is_gone_stalls_its_wishes_until_the_report_tells(world, people, group):
    ask(group, key(people[ANN]))
    show(group, False)
    admin.delete_group(world.server, world.guid, group.remote_id)

    world.sweep(NOW)

    assert VaultGroupChange.objects.get().state == Ending.STALLED
    assert record(world, "Lawyers").reason == f"The vault has no user group {group.remote_id}."
    assert world.status.state == Ending.READY
    assert due_vaults(NOW) == []
    world.sweep(NOW + 6 * MINUTE)
    assert not VaultUserGroup.objects.filter(name="Lawyers").exists()
    assert not VaultGroupChange.objects.exists()


def test_members_wait_while_their_group_is_to_be_made_again_for_its_link(world, people, group):
    make_link(make_group(world.configuration, "Legal"), world.vault, "Counsel", mode=MERGE)
    world.sweep(NOW)
    counsel = record(world, "Counsel")
    VaultUserGroup.objects.filter(pk=counsel.pk).update(remote_id=None)
    ask(counsel, key(people[ANN]))

    assert not due.due_changes(NOW).exists()
    VaultUserGroup.objects.filter(pk=counsel.pk).update(remote_id=counsel.remote_id)
    world.sweep(NOW)

    assert world.members("Counsel") == {ANN}


def test_nothing_is_carried_out_while_user_synchronization_is_on(world, people, group):
    admin.change_vault(world.server, world.guid, user_synchronization=True)
    request(world, "Partners")
    ask(group, key(people[ANN]))

    world.sweep(NOW)

    assert world.members("Lawyers") == set()
    assert "Partners" not in {one.name for one in world.server.list_groups(world.guid)}
    assert VaultGroupChange.objects.get().state == Ending.READY
    admin.change_vault(world.server, world.guid, user_synchronization=False)
    world.sweep(NOW + 2 * MINUTE)
    assert world.members("Lawyers") == {ANN}
    assert world.members("Partners") == set()


def test_a_wish_that_was_replaced_while_the_vault_was_asked_stays_due(world, people, group, monkeypatch):
    ask(group, key(people[ANN]))
    carry = group_changes._change

    def change_one_mind(session, changes):
        errors = carry(session, changes)
        monkeypatch.setattr(group_changes, "_change", carry)
        ask(group, key(people[ANN]), is_member=False, at=NOW + SECOND)
        return errors

    monkeypatch.setattr(group_changes, "_change", change_one_mind)
    world.sweep(NOW)
    assert world.members("Lawyers") == {ANN}

    world.sweep(NOW + 2 * SECOND)

    assert world.members("Lawyers") == set()


def test_reconciling_everything_ends_although_wishes_are_refused(world, group):
    ask(group, f"group:{group.remote_id}")

    result = reconcile_all(NOW)

    assert result.problems == []
    assert VaultGroupChange.objects.get().state == Ending.STALLED
