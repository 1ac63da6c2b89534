"""A committed change of the directory becomes a hint to the workers; an account that is deleted lets its license go.

Entra writes in bursts. A process publishes at most one hint per subscription in each window of a quarter of a second,
to be worked on when the window is over: whatever was committed inside the window is then there to be seen. A broker
that cannot be reached costs a request at most one short attempt, and then none for half a minute; nothing is lost,
because the sweep finds what is due.
"""

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from celery.exceptions import OperationalError
from django.conf import settings

from licensing.embedded import IN_MEMORY
from licensing.services import leaving, overrides, policies
from licensing.tasks import reconcile_licenses

WINDOW_SECONDS = 0.25
PAUSE_SECONDS = 30.0
log = structlog.get_logger(__name__)


class Hints:
    """Publishes hints for this process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[int, float] = {}
        self._paused_until = 0.0

    def hint(self, subscription_id: int) -> None:
        """Tell the workers to look at the subscription, unless they are told already or cannot be reached."""
        if not self._take_turn(subscription_id, time.monotonic()):
            return
        try:
            reconcile_licenses.apply_async(
                kwargs={"subscription_id": subscription_id}, countdown=WINDOW_SECONDS, retry=False
            )
        except (OperationalError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("the broker cannot be reached; the sweep will find what is due", error=str(error))

    def _take_turn(self, subscription_id: int, now: float) -> bool:
        with self._lock:
            if now < self._paused_until or now < self._next.get(subscription_id, 0.0):
                return False
            self._next[subscription_id] = now + WINDOW_SECONDS
            return True


hints = Hints()


def directory_changed(*, subscription_id: int, **_: Any) -> None:
    """Receive the signal of that name. The embedded worker sweeps by itself and needs no hint."""
    if settings.CELERY_BROKER_URL != IN_MEMORY:
        hints.hint(subscription_id)


def policies_changed(*, subscription_id: int, fields: frozenset[str], at: datetime, **_: Any) -> None:
    """Receive the signal of that name, in the transaction of the change."""
    policies.look_again(subscription_id, fields=fields, at=at)


def account_leaving(*, subscription_id: int, account_id: int, at: datetime, **_: Any) -> None:
    """Receive the signal of that name."""
    leaving.let_go(subscription_id=subscription_id, account_id=account_id, at=at)


def vault_users_switched(
    *, vault_id: int, account_ids: Sequence[int], is_enabled: bool, at: datetime, **_: Any
) -> None:
    """Receive the signal of that name, in the transaction of the deed."""
    overrides.switch(vault_id=vault_id, account_ids=account_ids, is_enabled=is_enabled, at=at)
