"""Lines of a chart in a square of 1000 by 1000, for an SVG that is stretched to its place; plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SIDE: Final = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """``name`` is the line's CSS class; ``points`` is what SVG's ``polyline`` takes."""

    name: str
    label: str
    points: str


def top_of(*numbers: Sequence[int]) -> int:
    """Return the even number where the scale ends: 2, 4 or 10 times a power of ten, or 2 at least."""
    highest = max((max(line, default=0) for line in numbers), default=0)
    power = 1
    while True:
        for step in (2, 4, 10):
            if highest <= step * power:
                return step * power
        power *= 10


def points(numbers: Sequence[int], top: int) -> str:
    """Return the numbers, from left to right, as points; a single one is a level line."""
    level = numbers if len(numbers) > 1 else [*numbers, *numbers]
    last = max(len(level) - 1, 1)
    return " ".join(
        f"{_short(SIDE * place / last)},{_short(SIDE - SIDE * one / top)}" for place, one in enumerate(level)
    )


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
