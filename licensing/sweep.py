"""Find everything that is due: what makes a lost, doubled or late message harmless.

In production Celery beat calls the task ``licensing.sweep`` every 30 seconds. The embedded worker, which has no broker
that outlives it, sweeps by itself (``licensing.embedded``); ``EMBEDDED_WORKER`` is how it is started.
"""

from datetime import datetime
from typing import Final

from licensing.reconcilers import licenses, vaults
from licensing.reconcilers.licenses import Tally
from licensing.reconcilers.sessions import VaultTally
from licensing.services import due

EMBEDDED_WORKER: Final = (
    *("-m", "celery", "--quiet", "-A", "mfmanage.celery", "worker", "--pool", "threads", "--concurrency", "4"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
)
"""What follows the interpreter in the command line of the embedded installation's worker."""


def due_vaults(now: datetime, *, subscription_id: int | None = None) -> list[int]:
    """Return the vaults that need a look, of one subscription or of all, and that no worker is looking at."""
    due.know_vaults()
    found = due.due_vaults(now)
    if subscription_id is not None:
        found = found.filter(subscription_id=subscription_id)
    return list(found.values_list("vault_id", flat=True))


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
