"""Durations as people write them in commands and settings: ``30m``, ``12h``, ``90d``."""

import re
from datetime import timedelta
from typing import Final

_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])", re.ASCII)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def parse(text: str) -> timedelta:
    """Return the duration. Raises ``ValueError`` with the words that are allowed."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write it like 30m, 12h or 90d.")
    return int(found[1]) * _UNITS[found[2]]
