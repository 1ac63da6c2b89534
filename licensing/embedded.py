"""The embedded installation's worker sweeps by itself: the rows that are due are its queue.

Its broker lives in its own memory, so the web process publishes nothing (``licensing.handlers``). A thread beside the
pool asks every quarter of a second what is due and calls the tasks, each at most once at a time.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import signals
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from licensing import sweep, tasks
from licensing.services import due
from provisioning import tenancy
from provisioning.services import user_imports
from provisioning.tasks import apply_import, prune, send_mails

EVERY_SECONDS = 0.25
PERIODIC = (
    (prune, timedelta(days=1)),
    (tasks.record_days, timedelta(minutes=15)),
    (tasks.look_at_pools, timedelta(minutes=1)),
    (send_mails, timedelta(seconds=5)),
)
"""Tasks and how often they are called, from the start on."""
IN_MEMORY = "memory://"
log = structlog.get_logger(__name__)


class Sweeper:
    """Calls the tasks that are due until told to stop; one that still runs is not called again."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._called: set[tuple[str, int]] = set()
        self._next: dict[str, datetime] = {}

    def start(self) -> None:
        signals.task_postrun.connect(self._ended)
        self._thread.start()

    def stop(self) -> None:
        """Return when the thread has ended."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                with tenancy.everybody():
                    self._sweep()
            except DatabaseError as error:
                log.warning("sweep failed", error=str(error))
                connection.close()
        connection.close()

    def _sweep(self) -> None:
        now = timezone.now()
        for subscription_id in due.due_subscriptions(now):
            self._call(tasks.reconcile_licenses, "subscription_id", subscription_id)
        for vault_id in sweep.due_vaults(now, slots=settings.WORKER_SLOTS):
            self._call(tasks.reconcile_vault, "vault_id", vault_id)
        for import_id in user_imports.due():
            self._call(apply_import, "import_id", import_id)
        self.call_periodic(now)

    def call_periodic(self, now: datetime) -> None:
        for task, every in PERIODIC:
            if now >= self._next.get(task.name, now):
                self._next[task.name] = now + every
                task.apply_async()

    def _call(self, task: Any, name: str, number: int) -> None:
        if (name, number) not in self._called:
            self._called.add((name, number))
            task.apply_async(kwargs={name: number})

    def _ended(self, *, kwargs: dict[str, int], **_: Any) -> None:
        self._called.difference_update(kwargs.items())


def connect() -> None:
    """Have an embedded worker start its sweeper when it is ready, and end it when it shuts down."""
    if settings.CELERY_BROKER_URL != IN_MEMORY:
        return
    sweeper = Sweeper()
    _keep(signals.worker_ready, sweeper.start)
    _keep(signals.worker_shutting_down, sweeper.stop)


def _keep(signal: Any, act: Callable[[], None]) -> None:
    signal.connect(lambda **_: act(), weak=False)
