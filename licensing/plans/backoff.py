"""When something that failed is tried again."""

from datetime import timedelta

LONGEST_WAIT = timedelta(hours=1)


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts (1 or more): 30 seconds, doubling to one hour."""
    return min(timedelta(seconds=30 * 2.0 ** min(attempts - 1, 10)), LONGEST_WAIT)
