"""When a pool will be full, from how many licenses were asked for each day; plain Python (1-product §1.4, rule 10)."""

from collections.abc import Sequence
from statistics import linear_regression
from typing import Final

LOOKS_BACK: Final = 30
"""How many of the last days the growth is read from."""
FEWEST_DAYS: Final = 7
LOOKS_AHEAD: Final = 3650
"""What is farther away than these days is no forecast."""


def full_in_days(asked: Sequence[int], purchased: int) -> int | None:
    """Return in how many days as many licenses are asked for as were purchased: 0 now, None never or not to be said.

    ``asked`` has a number for every day, the last one for today: who has a license and who waits for one. The growth
    is the slope of the line of least squares; it starts from today's number.
    """
    recent = asked[-LOOKS_BACK:]
    if recent and recent[-1] and recent[-1] >= purchased:
        return 0
    if len(recent) < FEWEST_DAYS:
        return None
    growth = linear_regression(range(len(recent)), recent).slope
    missing = purchased - recent[-1]
    return max(1, round(missing / growth)) if growth * LOOKS_AHEAD >= missing > 0 else None


def sentence(days: int | None) -> str:
    """Return the forecast as the end of a sentence, or an empty text."""
    if days is None:
        return ""
    if days == 0:
        return "full now"
    return "full in about 1 day" if days == 1 else f"full in about {days:,} days"
