"""Find everything that is due: what makes a lost, doubled or late message harmless.

In production Celery beat calls the task ``licensing.sweep`` every 30 seconds. The embedded worker, which has no broker
that outlives it, sweeps by itself (``licensing.embedded``); ``EMBEDDED_WORKER`` is how it is started.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from licensing.models import WAITING, Ending, LicenseGrant, VaultStatus
from licensing.reconcilers import licenses, vaults
from licensing.reconcilers.licenses import Tally
from licensing.reconcilers.sessions import VaultTally
from licensing.services import due, turns
from licensing.services.differences import differences
from provisioning.models import Subscription

EMBEDDED_WORKER: Final = (
    *("-m", "celery", "--quiet", "-A", "mfmanage.celery", "worker", "--pool", "threads", "--concurrency", "4"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
)
"""What follows the interpreter in the command line of the embedded installation's worker."""


def due_vaults(now: datetime, *, subscription_id: int | None = None, slots: int | None = None) -> list[int]:
    """Return the vaults that need a look, of one subscription or of all, and that no worker is looking at.

    Without slow ones while these hold their share of the workers' ``slots``.
    """
    due.know_vaults(subscription_id)
    found = due.due_vaults(now)
    if slots is not None and not turns.has_room(now, slots=slots):
        found = found.exclude(turns.SLOW)
    if subscription_id is not None:
        found = found.filter(subscription_id=subscription_id)
    return list(found.values_list("vault_id", flat=True))


def due_slow_vaults(now: datetime) -> list[int]:
    """Return the slow vaults that need a look and that no worker is looking at, who waits longest first."""
    return list(due.due_vaults(now).filter(turns.SLOW).values_list("vault_id", flat=True))


def sweep_once(now: datetime, *, subscription_id: int | None = None) -> tuple[Tally, VaultTally]:
    """Do everything that is due, in this process, and return what was done.

    Licenses come first, because vault users follow from them. Calling it again when nothing is due does nothing.
    """
    tally, vault_tally = Tally(), VaultTally()
    for due_id in due.due_subscriptions(now):
        if subscription_id in (None, due_id):
            tally.add(licenses.reconcile(due_id, now=now))
    for vault_id in due_vaults(now, subscription_id=subscription_id):
        vault_tally.add(vaults.reconcile(vault_id, now=now) or VaultTally())
    return tally, vault_tally


@dataclass(slots=True)
class Result:
    """What ``manage.py reconcile`` did or, with ``--check``, found; ``problems`` are sentences about vaults."""

    licenses: Tally = field(default_factory=Tally)
    vault_users: VaultTally = field(default_factory=VaultTally)
    waiting: int = 0
    differences: int = 0
    problems: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        users = self.vault_users
        return {
            "accounts": self.licenses.accounts,
            "granted": self.licenses.granted,
            "released": self.licenses.released,
            "waiting": self.waiting,
            "vault_users": {
                "created": users.created,
                "updated": users.updated,
                "enabled": users.enabled,
                "disabled": users.disabled,
            },
            "differences": self.differences,
        }


def reconcile_all(now: datetime, *, subscription_id: int | None = None) -> Result:
    """Bring licenses and vaults in line, until nothing is due: every vault is asked now, and compared in full."""
    due.know_vaults(subscription_id)
    _statuses(subscription_id).update(due_at=now, compare_due_at=now)
    result = Result()
    while _is_due(now, subscription_id):
        tally, vault_tally = sweep_once(now, subscription_id=subscription_id)
        result.licenses.add(tally)
        result.vault_users.add(vault_tally)
    unwell = _statuses(subscription_id).exclude(state=Ending.READY).select_related("vault")
    result.problems = [f"Vault “{status.vault.name}”: {status.reason}" for status in unwell]
    _count(result, now, subscription_id)
    return result


def check(now: datetime, *, subscription_id: int | None = None) -> Result:
    """Count what is not in line, vaults compared in full; nothing is changed."""
    result = Result()
    _count(result, now, subscription_id)
    for status in _statuses(subscription_id).filter(is_created=True).select_related("vault"):
        found = vaults.inspect(status.vault_id, now=now)
        if isinstance(found, str):
            result.problems.append(f"Vault “{status.vault.name}”: {found}")
        else:
            result.differences += found.repaired
    return result


def _statuses(subscription_id: int | None) -> QuerySet[VaultStatus]:
    statuses = VaultStatus.objects.order_by("pk")
    return statuses if subscription_id is None else statuses.filter(subscription_id=subscription_id)


def _is_due(now: datetime, subscription_id: int | None) -> bool:
    subscriptions = set(due.due_subscriptions(now))
    if subscription_id is not None:
        subscriptions &= {subscription_id}
    return bool(subscriptions or due_vaults(now, subscription_id=subscription_id))


def _count(result: Result, now: datetime, subscription_id: int | None) -> None:
    subscriptions = Subscription.objects.all()
    if subscription_id is not None:
        subscriptions = subscriptions.filter(pk=subscription_id)
    result.waiting = LicenseGrant.objects.filter(WAITING, subscription__in=subscriptions).count()
    result.differences = sum(sum(differences(subscription=one, now=now).values()) for one in subscriptions)
