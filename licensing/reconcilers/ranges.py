"""Walk through a listing of the vault agent and the records beside it, both in the order of uids, a page at a time."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

from licensing.clients.agent import Page

PAGE = 1000
MOST_ROWS = 2 * PAGE
"""The most records that are held at a time: of a short listing, or one with gaps, a page may cover very many."""
T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Rest:
    """Where a walk goes on: the listing's cursor, the last uid that is covered, and whether all uids are."""

    cursor: str | None = None
    after: uuid.UUID | None = None
    is_past: bool = False

    def document(self) -> dict[str, Any]:
        """Return the place in the form in which a row keeps it."""
        return {"cursor": self.cursor, "after": str(self.after) if self.after else None, "is_past": self.is_past}

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Rest":
        """Return the place of which ``document`` is the form; it may hold more."""
        after = uuid.UUID(document["after"]) if document["after"] else None
        return cls(document["cursor"], after, document["is_past"])


@dataclass(frozen=True, slots=True)
class Records(Generic[M]):
    """The records that stand beside a listing, and the lookup of the field that holds their uid."""

    rows: QuerySet[M]
    uid: str = "account_uid"

    def between(self, after: uuid.UUID | None, until: uuid.UUID | None) -> list[M]:
        """Return the first ``MOST_ROWS + 1`` records after one uid and up to another; None is without limit."""
        rows = self.rows if after is None else self.rows.filter(**{f"{self.uid}__gt": after})
        rows = rows if until is None else rows.filter(**{f"{self.uid}__lte": until})
        return list(rows.order_by(self.uid)[: MOST_ROWS + 1])

    def uid_of(self, row: M) -> uuid.UUID:
        found: uuid.UUID = attrgetter(self.uid.replace("__", "."))(row)
        return found


@dataclass(frozen=True, slots=True)
class Range(Generic[T, M]):
    """A page's items by key, or a part of them, and the records whose uids it covers.

    Keys that are no uid follow all uids in a listing; pages of them cover no record. ``rest`` is where the walk goes on
    after it; None: it was the last.
    """

    items: dict[str, T]
    rows: list[M]
    rest: Rest | None


def ranges(
    page_after: Callable[[str | None], Page[T]], key: Callable[[T], str], records: Records[M], rest: Rest = Rest()
) -> Iterator[Range[T, M]]:
    """Yield a listing from ``rest`` on with the records beside it; from the beginning on, every record comes once."""
    following: Rest | None = rest
    while following is not None:
        place = following
        page = page_after(place.cursor)
        items = {key(item): item for item in page.items}
        is_last = page.next_cursor is None
        until = None if is_last or place.is_past else _uid(key(page.items[-1]))
        following = None if is_last else Rest(page.next_cursor, until, place.is_past or until is None)
        yield from _parts(items, records, place, until, following)


def _parts(
    items: dict[str, T], records: Records[M], place: Rest, until: uuid.UUID | None, following: Rest | None
) -> Iterator[Range[T, M]]:
    """Yield a page in parts of not too many records; mostly it is one."""
    after = place.after
    items = {key: item for key, item in items.items() if not _is_covered(key, after)}
    rows = [] if place.is_past else records.between(after, until)
    while len(rows) > MOST_ROWS:
        after = records.uid_of(rows[MOST_ROWS - 1])
        covered = {key: item for key, item in items.items() if _is_covered(key, after)}
        yield Range(covered, rows[:MOST_ROWS], Rest(place.cursor, after))
        items = {key: item for key, item in items.items() if key not in covered}
        rows = records.between(after, until)
    yield Range(items, rows, following)


def _is_covered(key: str, after: uuid.UUID | None) -> bool:
    uid = None if after is None else _uid(key)
    return uid is not None and after is not None and uid <= after


def _uid(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None
