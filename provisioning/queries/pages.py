"""Pages of long lists by key, and counts that stop: nothing here costs more on page 20,000 than on the first."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from django.db.models import DateTimeField, F, Model, Q, QuerySet
from django.db.models.functions import Coalesce

Row = TypeVar("Row", bound=Model)
SIZE: Final = 50
COUNT_LIMIT: Final = 10_000
"""Counting stops here; a longer list is said to have "more than 10,000"."""
STRETCH: Final = 30_000
"""How many rows a page looks at for what no index finds."""
_TOP: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursors (empty: none) of the pages beside it.

    ``reached`` is the first key of the last row that was looked at, when the search stopped there with rows left, after
    ``searched`` of them.
    """

    rows: list[Row]
    previous: str = ""
    next: str = ""
    reached: Any = None
    searched: int = 0


def fetch(
    rows: QuerySet[Row],
    *,
    keys: tuple[str, ...],
    cursor: str,
    size: int = SIZE,
    narrow: Q | None = None,
    stretch: int = STRETCH,
    parts: Sequence[Q] = (),
) -> Page[Row]:
    """Return the page of ``rows`` at ``cursor``, ordered by ``keys``, the last of which is the unique number of a row.

    ``-key`` orders downwards. A cursor that is not one of ours gives the first page. An index must give ``rows`` in
    that order, or each of the ``parts`` that they fall into without overlap; ``narrow`` is a condition that none
    answers, so a page looks at ``stretch`` rows for it and then stops.
    """
    backwards, position = _decode(cursor, rows.model, keys)
    order = _turned(keys) if backwards else keys
    if position:
        rows = rows.filter(_beyond(order, position))
    edge = _edge(rows, order, stretch, parts) if narrow else None
    if narrow:
        rows = rows.filter(narrow)
    if edge:
        rows = rows.filter(_beyond(_turned(order), edge[1]))
    found = list(_first(rows, order, parts, slice(size + 1)))
    return _page(found, keys, size, backwards=backwards, has_position=bool(position), edge=edge, stretch=stretch)


def fetch_few(rows: QuerySet[Row], *, keys: tuple[str, ...], cursor: str, size: int = SIZE) -> Page[Row]:
    """Return the same page of ``rows`` that are few, but that no index gives in the order: they are sorted.

    The order is of no index on purpose: PostgreSQL would walk that past all other rows to find the few.
    """
    backwards, position = _decode(cursor, rows.model, keys)
    order = _turned(keys) if backwards else keys
    if position:
        rows = rows.filter(_beyond(order, position))
    found = list(rows.order_by(*map(_apart, order))[: size + 1])
    return _page(found, keys, size, backwards=backwards, has_position=bool(position))


def _page(
    found: list[Row],
    keys: tuple[str, ...],
    size: int,
    *,
    backwards: bool,
    has_position: bool,
    edge: tuple[list[Any], list[Any]] | None = None,
    stretch: int = 0,
) -> Page[Row]:
    more, found = len(found) > size, found[:size]
    ahead = _place(found[-1], keys) if more else edge[0] if edge else None
    behind = _place(found[0], keys) if found and has_position else None
    stop = (edge[0][0], stretch) if edge and not more else ()
    if backwards:
        return Page(found[::-1], _encode("b", ahead), _encode("a", behind), *stop)
    return Page(found, _encode("b", behind), _encode("a", ahead), *stop)


def count_words(rows: QuerySet[Any], *, limit: int = COUNT_LIMIT) -> str:
    """Return how many rows there are, or that there are more than ``limit``."""
    return number_words(rows.order_by()[: limit + 1].count(), limit=limit)


def number_words(number: int, *, limit: int = COUNT_LIMIT) -> str:
    """Return a number that was counted to ``limit + 1`` at most, in words."""
    return f"more than {limit:,}" if number > limit else f"{number:,}"


def _turned(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key[1:] if key.startswith("-") else f"-{key}" for key in keys)


def _apart(key: str) -> Any:
    name = key.lstrip("-")
    value = Coalesce(F(name), F(name))
    return value.desc() if key.startswith("-") else value.asc()


def _first(rows: QuerySet[Row], order: tuple[str, ...], parts: Sequence[Q], piece: slice) -> QuerySet[Row]:
    """Return the first rows in the order: the first of the first ones of each part, which its index gives."""
    if not parts:
        return rows.order_by(*order)[piece]
    firsts = _of_each(rows, order, parts, slice(piece.stop))
    return rows.filter(pk__in=firsts).order_by(*order)[piece]


def _of_each(rows: QuerySet[Row], order: tuple[str, ...], parts: Sequence[Q], piece: slice) -> QuerySet[Row, Any]:
    """Return the ids of the piece of each part. Each stands in a query of its own, for SQLite's compound SELECT."""
    everything = rows.model._base_manager.order_by()  # noqa: SLF001
    pieces = [rows.filter(part).order_by(*order).values("pk")[piece] for part in parts]
    first, *others = (everything.filter(pk__in=one).values("pk") for one in pieces)
    return first.union(*others, all=True) if others else first


def _edge(
    rows: QuerySet[Row], order: tuple[str, ...], stretch: int, parts: Sequence[Q]
) -> tuple[list[Any], list[Any]] | None:
    """Return the places of the last row of the stretch and of the one after it; None when no row is after it.

    Of several parts each is given an equal share, and the stretch ends where the first of them ends.
    """
    names = [key.lstrip("-") for key in order]
    if not parts:
        places = [list(row) for row in rows.order_by(*order).values_list(*names)[stretch - 1 : stretch + 1]]
        return (places[0], places[1]) if len(places) == 2 else None  # noqa: PLR2004
    share = max(stretch // len(parts), 1)
    ends = rows.filter(pk__in=_of_each(rows, order, parts, slice(share, share + 1)))
    after = ends.order_by(*order).values_list(*names).first()
    if after is None:
        return None
    back = _turned(order)
    last = _first(rows.filter(_beyond(back, list(after))), back, parts, slice(1))
    return list(last.values_list(*names)[0]), list(after)


def _place(row: Model, keys: tuple[str, ...]) -> list[Any]:
    return [getattr(row, key.lstrip("-")) for key in keys]


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


def _encode(direction: str, place: list[Any] | None) -> str:
    if place is None:
        return ""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in place]
    return direction + base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(cursor: str, model: type[Model], keys: tuple[str, ...]) -> tuple[bool, list[Any]]:
    """Return the direction (True: backwards) and the key values of a cursor; nothing for what is none of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor[1:] + "=" * (-len(cursor[1:]) % 4)))
        if cursor[:1] in {"a", "b"} and _is_position(values, len(keys)):
            return cursor[0] == "b", [_typed(model, key, value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, OverflowError, binascii.Error, RecursionError):
        pass
    return False, []


def _typed(model: type[Model], key: str, value: Any) -> Any:
    """Return the value as the key's field holds it. Raises ``ValueError`` or ``OverflowError`` for no time."""
    if not isinstance(model._meta.get_field(key.lstrip("-")), DateTimeField):  # noqa: SLF001
        return value
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(value)
    return at.astimezone(UTC)


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
