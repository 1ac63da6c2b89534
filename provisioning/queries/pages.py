"""Pages of long lists by key, and counts that stop: nothing here costs more on page 20,000 than on the first."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE: Final = 50
COUNT_LIMIT: Final = 10_000
"""Counting stops here; a longer list is said to have "more than 10,000"."""
_TOP: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursors (empty: none) of the pages beside it."""

    rows: list[Row]
    previous: str = ""
    next: str = ""


def fetch(rows: QuerySet[Row], *, keys: tuple[str, ...], cursor: str, size: int = SIZE) -> Page[Row]:
    """Return the page of ``rows`` at ``cursor``, ordered by ``keys``, the last of which is the unique number of a row.

    ``-key`` orders downwards. A cursor that is not one of ours gives the first page.
    """
    backwards, position = _decode(cursor, len(keys))
    order = tuple(_turn(key) for key in keys) if backwards else keys
    if position:
        rows = rows.filter(_beyond(order, position))
    found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    before, after = (more, True) if backwards else (bool(position), more)
    return Page(
        found,
        previous=_encode("b", found[0], keys) if before and found else "",
        next=_encode("a", found[-1], keys) if after and found else "",
    )


def count_words(rows: QuerySet[Any], *, limit: int = COUNT_LIMIT) -> str:
    """Return how many rows there are, or that there are more than ``limit``."""
    return number_words(rows.order_by()[: limit + 1].count(), limit=limit)


def number_words(number: int, *, limit: int = COUNT_LIMIT) -> str:
    """Return a number that was counted to ``limit + 1`` at most, in words."""
    return f"more than {limit:,}" if number > limit else f"{number:,}"


def _turn(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"


def _beyond(order: tuple[str, ...], position: list[Any]) -> Q:
    """Return the rows after ``position``; the first key's plain bound lets the database start in its index."""
    first, rest = order[0], order[1:]
    if not rest:
        return _compare(first, position[0])
    equal = Q(**{first.lstrip("-"): position[0]})
    return _compare(first, position[0], or_equal=True) & (
        _compare(first, position[0]) | (equal & _beyond(rest, position[1:]))
    )


def _compare(key: str, value: Any, *, or_equal: bool = False) -> Q:
    operator = ("lt" if key.startswith("-") else "gt") + ("e" if or_equal else "")
    return Q(**{f"{key.lstrip('-')}__{operator}": value})


def _encode(direction: str, row: Model, keys: tuple[str, ...]) -> str:
    values = [getattr(row, key.lstrip("-")) for key in keys]
    return direction + base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> tuple[bool, list[Any]]:
    """Return the direction (True: backwards) and the key values of a cursor; nothing for what is none of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor[1:] + "=" * (-len(cursor[1:]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False, []
    if cursor[:1] not in {"a", "b"} or not _is_position(values, length):
        return False, []
    return cursor[0] == "b", values


def _is_position(values: Any, length: int) -> bool:
    if not isinstance(values, list) or len(values) != length:
        return False
    *texts, number = values
    return (
        type(number) is int
        and 0 <= number <= _TOP
        and all(isinstance(text, str) and _is_storable(text) for text in texts)
    )


def _is_storable(text: str) -> bool:
    """Return whether a database can compare with ``text``: no NUL, no half of a surrogate pair."""
    return not any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in text)
