"""How many SCIM calls each configuration makes, reads included, and how many of them fail: the ground of its health.

Counting must cost nothing, so a process keeps its counts in memory. A thread of its own, begun with the first count,
adds them to the table every few seconds (``CALL_COUNT_SECONDS``; 0: never), and so does the process when it ends.
"""

import atexit
import logging
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from provisioning import tenancy

_Key = tuple[int, datetime]

logger = logging.getLogger(__name__)


class CallCounts:
    """The counts of this process that are not in the table yet; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[_Key] = Counter()
        self._failures: Counter[_Key] = Counter()
        self._is_first = True

    def count(self, configuration_id: int, *, failed: bool, at: datetime) -> bool:
        """Count one call in its minute; return whether it is the first that was ever counted here."""
        key = configuration_id, at.replace(second=0, microsecond=0)
        with self._lock:
            self._calls[key] += 1
            self._failures[key] += failed
            is_first, self._is_first = self._is_first, False
            return is_first

    def take(self) -> list[tuple[_Key, int, int]]:
        """Return what was counted, in the order of the keys so that processes cannot deadlock, and forget it."""
        with self._lock:
            calls, failures = self._calls, self._failures
            self._calls, self._failures = Counter(), Counter()
        return [(key, calls[key], failures[key]) for key in sorted(calls)]


counts = CallCounts()


def count_call(configuration_id: int, *, failed: bool, at: datetime) -> None:
    """Count one call of a configuration that began at ``at``."""
    if counts.count(configuration_id, failed=failed, at=at) and settings.CALL_COUNT_SECONDS:
        threading.Thread(target=_keep_flushing, args=[settings.CALL_COUNT_SECONDS], daemon=True).start()


def flush() -> None:
    """Add to the table what this process has counted; what a broken database refuses is lost, with a warning."""
    taken = counts.take()
    if not taken:
        return
    adapt = connection.ops.adapt_datetimefield_value
    rows = [(adapt(minute), calls, failures, pk) for (pk, minute), calls, failures in taken]
    try:
        with tenancy.everybody(), transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_ADD, rows)
    except DatabaseError:
        logger.warning("The counts of %s calls could not be written", sum(row[1] for row in rows), exc_info=True)


def _keep_flushing(seconds: float) -> None:
    while True:
        time.sleep(seconds)
        flush()
        connection.close()


atexit.register(flush)

# A configuration that was deleted meanwhile is passed over.
_ADD: Final = """
INSERT INTO provisioning_callcount (subscription_id, configuration_id, minute, calls, failures)
SELECT subscription_id, id, %s, %s, %s FROM provisioning_provisioningconfiguration WHERE id = %s
ON CONFLICT (configuration_id, minute) DO UPDATE SET
calls = provisioning_callcount.calls + excluded.calls, failures = provisioning_callcount.failures + excluded.failures"""
