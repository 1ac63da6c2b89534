"""Working on several objects at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 8
"""Objects begun per thread before the first of them is reported; so many are finished after an interruption."""


def each(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """Yield ``work(item)`` of every item in order, worked on by ``workers`` threads."""
    if workers == 1:
        yield from map(work, items)
        return
    step = workers * AHEAD
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(items), step):
            yield from pool.map(work, items[start : start + step])
