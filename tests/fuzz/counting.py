"""How much work a deed is, counted and not timed: the machine's load plays no part."""

import sys
from collections.abc import Callable
from typing import Any


class TooMuchWork(Exception):
    """A deed made more calls than it may."""


def within(calls: int, deed: Callable[[], Any]) -> Any:
    """Return what ``deed`` returns. Raises ``TooMuchWork`` once it has called more than ``calls`` functions."""
    made = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event in {"call", "c_call"}
        if made > calls:
            raise TooMuchWork(f"more than {calls:,} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return deed()
    finally:
        sys.setprofile(before)
