"""When something that failed is tried again."""

from datetime import timedelta

LONGEST_WAIT = timedelta(hours=1)
LONGEST_ASKED = timedelta(days=1)
"""Longer than this nobody is waited for, whatever it asks."""


def wait_after(attempts: int, retry_after: float | None = None) -> timedelta:
    """Return how long to wait after so many failed attempts (1 or more): 30 seconds, doubling to one hour.

    A server that asked not to be tried for ``retry_after`` seconds is left alone for so long at least.
    """
    wait = min(timedelta(seconds=30 * 2.0 ** min(attempts - 1, 10)), LONGEST_WAIT)
    asked = min(retry_after or 0.0, LONGEST_ASKED.total_seconds())
    return max(wait, timedelta(seconds=asked))
