"""Simulated time: cycles are 40 minutes apart without anybody waiting for them."""

from datetime import datetime, timedelta
from typing import Final

CYCLE: Final = timedelta(minutes=40)
"""From one cycle to the next; Entra lets nobody choose it."""

DAY: Final = timedelta(days=1)


def stamp(at: datetime) -> str:
    """Return a time as the state file and the output show it."""
    return at.isoformat(timespec="seconds")


def moment(text: str) -> datetime:
    """Return the time that ``stamp`` wrote."""
    return datetime.fromisoformat(text)


def backed_off(attempts: int) -> timedelta:
    """Return how long an object rests that failed ``attempts`` times: a cycle, doubling up to a day."""
    return min(CYCLE * (1 << min(attempts - 1, 10)), DAY)
