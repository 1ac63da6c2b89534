"""Walk through a listing of the vault agent and the records beside it, both in the order of uids, a page at a time."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from licensing.clients.agent import Page

PAGE = 1000
T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Rest:
    """Where a walk goes on: the listing's cursor, the last uid that is covered, and whether all uids are."""

    cursor: str | None = None
    after: uuid.UUID | None = None
    is_past: bool = False


@dataclass(frozen=True, slots=True)
class Range(Generic[T]):
    """A page's items by key, and the uids that it covers: after ``after``, up to ``until`` (None: without limit).

    Keys that are no uid follow all uids in a listing; pages of them cover no uid (``is_past``). ``rest`` is where the
    walk goes on after it; None: it was the last.
    """

    items: dict[str, T]
    after: uuid.UUID | None
    until: uuid.UUID | None
    is_past: bool
    rest: Rest | None

    def records(self, rows: QuerySet[M], uid: str) -> QuerySet[M]:
        """Return those of ``rows`` whose field ``uid`` lies in the range."""
        if self.is_past:
            return rows.none()
        if self.after is not None:
            rows = rows.filter(**{f"{uid}__gt": self.after})
        return rows if self.until is None else rows.filter(**{f"{uid}__lte": self.until})


def ranges(
    page_after: Callable[[str | None], Page[T]], key: Callable[[T], str], rest: Rest = Rest()
) -> Iterator[Range[T]]:
    """Yield the pages of a listing from ``rest`` on; from the beginning on they cover every uid once."""
    following: Rest | None = rest
    while following is not None:
        place = following
        page = page_after(place.cursor)
        is_last = page.next_cursor is None
        until = None if is_last or place.is_past else _uid(key(page.items[-1]))
        following = None if is_last else Rest(page.next_cursor, until, place.is_past or until is None)
        yield Range({key(item): item for item in page.items}, place.after, until, place.is_past, following)


def _uid(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None
