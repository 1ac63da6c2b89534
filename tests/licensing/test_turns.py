"""Slow and dead vaults take turns with half of the workers (decision 20)."""

from datetime import timedelta

import pytest

from licensing import sweep, tasks
from licensing.clients.agent import AgentUnavailable
from licensing.models import DriftReport, Ending, VaultStatus, VaultUser
from licensing.plans.backoff import wait_after
from licensing.reconcilers import sessions, vault_users, vaults
from licensing.reconcilers.sessions import VaultTally
from licensing.services import due, leases, turns
from tests.factories import NOON, make_account, make_group, make_link, make_subscription, make_vault
from tests.races import together

HELD = NOON + timedelta(seconds=40)


def make_vaults(number, **fields):
    """So many vaults that have answered before, and are due."""
    subscription = make_subscription()
    made = [make_vault(subscription, agent_url=f"http://{count}.example") for count in range(number)]
    due.know_vaults()
    VaultStatus.objects.update(**{"is_created": True, "compare_due_at": HELD} | fields)
    return [vault.pk for vault in made]


def hold(vault_ids, until=HELD):
    VaultStatus.objects.filter(vault__in=vault_ids).update(lease_until=until)


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (16, 8)])
def test_slow_vaults_have_half_of_the_slots_and_one_at_least(slots, most):
    assert turns.most_slow(slots) == most


@pytest.mark.parametrize(
    ("held", "is_slow", "gets"),
    [(0, True, True), (1, True, True), (2, True, False), (3, True, False), (0, False, True), (3, False, True)],
)
def test_a_slow_vault_waits_while_others_hold_its_share_and_a_healthy_one_never(db, held, is_slow, gets):
    *others, vault = make_vaults(4, is_slow=True)
    hold(others[:held])
    VaultStatus.objects.filter(vault=vault).update(is_slow=is_slow)

    assert (turns.take(vault, NOON, slots=4) is not None) is gets
    assert (vault in sweep.due_vaults(NOON, slots=4)) is (gets and not VaultStatus.objects.get(vault=vault).lease_until)


def test_a_vault_that_never_answered_has_to_show_that_it_is_not_slow(db):
    first, second = make_vaults(2, is_created=False)
    hold([first])

    assert turns.take(second, NOON, slots=2) is None
    assert sweep.due_vaults(NOON, slots=2) == []
    assert sweep.due_vaults(NOON) == [second]


def test_a_lease_that_ran_out_counts_no_more(db):
    first, second = make_vaults(2, is_slow=True)
    hold([first], until=NOON)

    assert turns.take(second, NOON, slots=2)


def test_healthy_vaults_that_are_held_leave_slow_ones_their_share(db):
    slow, *healthy = make_vaults(4)
    VaultStatus.objects.filter(vault=slow).update(is_slow=True)
    hold(healthy)

    assert turns.take(slow, NOON, slots=4)


def test_workers_that_ask_at_once_get_no_more_than_the_share(transactional_db):
    slow = make_vaults(8, is_slow=True)

    taken = together(8, lambda number: turns.take(slow[number], NOON, slots=6))

    assert sum(isinstance(lease, leases.Lease) for lease in taken) == 3, taken


def test_the_race_is_lost_without_the_lock(transactional_db, monkeypatch):
    """The control of the race above: with the lock taken away more than the share may come through."""
    slow = make_vaults(2, is_slow=True)
    monkeypatch.setattr(turns, "_lock", lambda: None)
    acquire = leases.acquire

    def other_first(vault_id, now):
        monkeypatch.setattr(leases, "acquire", acquire)
        assert turns.take(slow[1], now, slots=2)
        return acquire(vault_id, now)

    monkeypatch.setattr(leases, "acquire", other_first)

    assert turns.take(slow[0], NOON, slots=2)
    assert VaultStatus.objects.filter(lease_until__gt=NOON).count() == 2 > turns.most_slow(2)


def test_with_a_slow_vault_the_others_of_its_server_are_slow_until_they_show_otherwise(db):
    make_vaults(3)
    vault, same_server, _ = (status.vault for status in VaultStatus.objects.order_by("pk"))
    same_server.agent_url = vault.agent_url
    same_server.save()

    turns.mark_slow(vault)

    slow = VaultStatus.objects.filter(is_slow=True).values_list("vault", flat=True)
    assert set(slow) == {vault.pk, same_server.pk}


def test_a_slow_vault_of_the_emulation_in_this_process_is_slow_alone(db):
    subscription = make_subscription()
    vault, _ = make_vault(subscription), make_vault(subscription)
    due.know_vaults()

    turns.mark_slow(vault)

    assert VaultStatus.objects.get(is_slow=True).vault == vault


@pytest.mark.parametrize(
    ("attempts", "retry_after", "seconds"),
    [(1, None, 30), (1, 0, 30), (1, 5, 30), (1, 120, 120), (3, 100, 120), (1, 7200, 7200), (1, 1e18, 86_400)],
)
def test_a_server_that_says_retry_after_is_left_alone_for_so_long(attempts, retry_after, seconds):
    assert wait_after(attempts, retry_after) == timedelta(seconds=seconds)


@pytest.fixture
def crowd(world, monkeypatch):
    """Seven people for the vault, in batches of two."""
    monkeypatch.setattr(vault_users, "BATCH", 2)
    monkeypatch.setattr(sessions, "PAGE", 3)
    people = [make_account(world.configuration) for _ in range(7)]
    make_link(make_group(world.configuration, "Legal", members=people), world.vault, "Lawyers")
    return people


def seen(world):
    return VaultUser.objects.filter(vault=world.vault, seen_enabled=True).count()


def test_a_vault_works_for_a_turn_and_the_rest_stays_due(world, crowd, monkeypatch):
    world.sweep(NOON - timedelta(days=1))
    VaultUser.objects.update(due_at=NOON)
    monkeypatch.setattr(sessions, "TURN", timedelta(0))

    tally = vaults.reconcile(world.vault.pk, now=NOON)

    assert tally.is_unfinished
    assert (world.status.state, world.status.due_at, world.status.lease_until) == (Ending.READY, NOON, None)
    assert due.due_vaults(NOON).get().vault == world.vault


def test_turn_by_turn_everything_is_done_and_the_comparison_looks_at_everybody_once(world, crowd, monkeypatch):
    sweep.sweep_once(NOON)
    monkeypatch.setattr(sessions, "TURN", timedelta(0))
    VaultStatus.objects.update(compare_due_at=NOON)
    DriftReport.objects.all().delete()

    tallies = []
    while due.due_vaults(NOON).exists():
        tallies.append(vaults.reconcile(world.vault.pk, now=NOON))
        assert len(tallies) < 50

    assert len(tallies) > 5
    assert seen(world) == 7
    assert len(world.members("Lawyers")) == 7
    report = DriftReport.objects.get()
    assert report.finished_at
    assert (report.users_count, report.accounts_count, report.members_count, report.total) == (7, 7, 7, 21)


def test_a_vault_that_turns_out_slow_gives_its_slot_back_at_once_and_has_its_next_turn_whole(world, crowd, monkeypatch):
    due.know_vaults()
    monkeypatch.setattr(sessions, "SLOW_CALL", -1.0)

    first = vaults.reconcile(world.vault.pk, now=NOON)
    assert (first.is_unfinished, first.is_slow, first.created) == (True, True, 0)
    assert world.status.is_slow
    world.sweep()

    assert seen(world) == 7
    monkeypatch.setattr(sessions, "SLOW_CALL", 60.0)
    world.sweep(NOON + timedelta(minutes=6))
    assert not world.status.is_slow


def test_a_slow_call_that_failed_is_not_made_again(world, monkeypatch):
    monkeypatch.setattr(sessions, "SLOW_CALL", -1.0)
    calls = []

    def fail(_vault):
        calls.append(1)
        raise AgentUnavailable("No answer.", retry_after=None)

    monkeypatch.setattr("licensing.clients.http.HttpVaultAgent.get_vault", lambda _, vault: fail(vault))

    sweep.sweep_once(NOON)

    assert len(calls) == 1
    assert (world.status.state, world.status.is_slow) == (Ending.RETRYING, True)


def test_an_agent_that_asks_for_time_gets_it(world, monkeypatch):
    def busy(_agent, _vault):
        raise AgentUnavailable("The server is busy.", retry_after=600)

    monkeypatch.setattr("licensing.clients.http.HttpVaultAgent.get_vault", busy)

    sweep.sweep_once(NOON)

    assert timedelta(seconds=600) <= world.status.due_at - NOON < timedelta(seconds=605)


@pytest.mark.parametrize(
    ("tally", "called"),
    [
        (None, []),
        (VaultTally(), []),
        (VaultTally(is_unfinished=True), [1]),
        (VaultTally(is_unfinished=True, is_slow=True), [2]),
        (VaultTally(is_slow=True), [2]),
    ],
)
def test_after_a_turn_the_next_one_is_called(monkeypatch, tally, called):
    messages = []
    monkeypatch.setattr(tasks.vaults, "reconcile", lambda *_, **__: tally)
    monkeypatch.setattr(tasks.sweep, "due_slow_vaults", lambda _: [2, 3])
    monkeypatch.setattr(tasks.reconcile_vault, "apply_async", lambda *, kwargs: messages.append(kwargs["vault_id"]))

    tasks.reconcile_vault.run(vault_id=1)

    assert messages == called


def test_who_waits_longest_among_slow_vaults_is_next(db):
    first, second, third = make_vaults(3, is_slow=True)
    VaultStatus.objects.filter(vault=first).update(due_at=NOON)
    VaultStatus.objects.filter(vault=second).update(due_at=NOON - timedelta(minutes=1))
    VaultStatus.objects.filter(vault=third).update(is_slow=False)

    assert sweep.due_slow_vaults(NOON) == [second, first]
