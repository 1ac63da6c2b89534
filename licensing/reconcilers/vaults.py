"""Keep one vault in step: its report, its links' target groups, its users, and every six hours all of it.

Whoever holds the vault's lease works until nothing is due, or until the vault's turn is over (decision 20). The three
endings: READY, looked at again in five minutes or as soon as something is due; RETRYING, when the vault could not be
reached, after a growing wait; STALLED, when it refuses and a person must act, with a look every minute whether somebody
did.
"""

from datetime import datetime, timedelta

import structlog

from licensing.clients.agent import AgentRefused, AgentUnavailable
from licensing.models import Ending, VaultStatus
from licensing.plans.backoff import wait_after
from licensing.plans.drift import Drift
from licensing.reconcilers import comparisons, group_changes, targets, vault_reports, vault_users
from licensing.reconcilers.sessions import TurnOver, VaultSession, VaultTally
from licensing.reconcilers.vault_reports import VaultRemoved
from licensing.services import agents, drift, leases, turns
from provisioning.models import Vault

REPORT_EVERY = timedelta(minutes=5)
STALLED_FOR = timedelta(minutes=1)
GIVE_UP_AFTER = 3
"""After so many failed attempts in a row a comparison that was interrupted is over."""
log = structlog.get_logger(__name__)


class SynchronizationIsOn(Exception):
    """The vault's own user synchronization is on, so nothing is written to it (1-product §1.5)."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(f"User synchronization is on in vault “{vault.name}”. Turn it off in M-Files Admin.")


def reconcile(vault_id: int, *, now: datetime, slots: int | None = None) -> VaultTally | None:
    """Bring the vault in line; None when another worker is at it, or when it is not its turn.

    ``slots`` are those of all workers together; without, nobody else has to be given way to.
    """
    lease = leases.acquire(vault_id, now) if slots is None else turns.take(vault_id, now, slots=slots)
    if lease is None:
        return None
    try:
        status = VaultStatus.objects.select_related("vault__subscription").get(vault_id=vault_id)
        agent = agents.agent_for(status.vault)
        session = VaultSession(status.vault, agent, lease, is_known_slow=status.is_slow)
        _work(session)
    except (leases.LeaseLost, VaultStatus.DoesNotExist):
        log.warning("vault lease lost", vault_id=vault_id)
        return None
    finally:
        lease.release()
    session.tally.is_slow = session.is_slow or session.is_known_slow
    return session.tally


def inspect(vault_id: int, *, now: datetime) -> Drift | str:
    """Compare the vault in full without changing anything; a sentence when that cannot be done."""
    lease = leases.acquire(vault_id, now)
    if lease is None:
        return "A worker is at it; try again."
    vault = Vault.objects.select_related("subscription").get(pk=vault_id)
    session = VaultSession(vault, agents.agent_for(vault), lease, only_looks=True)
    try:
        return comparisons.compare(session)
    except (AgentUnavailable, AgentRefused) as problem:
        return problem.sentence
    except leases.LeaseLost:
        return "Another worker took over; try again."
    finally:
        lease.release()


def _work(session: VaultSession) -> None:
    """Work until nothing is due, and record how it ended. Raises ``LeaseLost``."""
    try:
        _bring_in_line(session)
    except TurnOver:
        session.tally.is_unfinished = True
        _end(session, Ending.READY, "", session.lease.start, attempts=0)
    except AgentUnavailable as outage:
        _end_retrying(session, outage, outage.retry_after)
    except (AgentRefused, SynchronizationIsOn, VaultRemoved) as refusal:
        if isinstance(refusal, AgentRefused) and refusal.retryable:
            _end_retrying(session, refusal)
        else:
            _end(session, Ending.STALLED, str(refusal), session.lease.now() + STALLED_FOR, attempts=0)
    else:
        _end(session, Ending.READY, "", session.lease.now() + REPORT_EVERY, attempts=0)


def _bring_in_line(session: VaultSession) -> None:
    status = VaultStatus.objects.get(vault=session.vault)
    now = session.lease.start
    info = vault_reports.refresh(session, with_groups=status.due_at <= now)
    if not info.online:
        raise AgentUnavailable(f"Vault “{session.vault.name}” is offline.")
    if info.user_synchronization:
        raise SynchronizationIsOn(session.vault)
    VaultStatus.objects.filter(pk=status.pk, is_created=False).update(is_created=True)
    group_changes.carry_out(session)
    session.give_way()
    if targets.is_interrupted(session.vault):
        vault_users.reconcile_due(session)  # who must not wait until the stock of a big target is taken
    targets.prepare(session)
    vault_users.reconcile_due(session)
    if status.compare_due_at <= now:
        session.tally.repaired += comparisons.compare(session).repaired
        vault_users.reconcile_due(session)
    targets.drop_emptied(session)


def _end_retrying(
    session: VaultSession, problem: AgentUnavailable | AgentRefused, retry_after: float | None = None
) -> None:
    attempts = VaultStatus.objects.values_list("attempts", flat=True).get(vault=session.vault) + 1
    due_at = session.lease.now() + wait_after(attempts, retry_after)
    _end(session, Ending.RETRYING, problem.sentence, due_at, attempts=min(attempts, 1000))


def _end(session: VaultSession, state: Ending, reason: str, due_at: datetime, *, attempts: int) -> None:
    if reason:
        log.warning("vault needs attention", vault_id=session.vault.pk, reason=reason)
    with session.lease.recording() as status:
        status.state, status.reason, status.due_at, status.attempts = state, reason, due_at, attempts
        status.is_slow = session.is_slow or state == Ending.RETRYING
        status.save(update_fields=["state", "reason", "due_at", "attempts", "is_slow"])
        if reason:
            is_over = state == Ending.STALLED or attempts >= GIVE_UP_AFTER
            drift.interrupt(session.vault, reason, session.lease.now(), is_over=is_over)
