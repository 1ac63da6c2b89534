"""Columns, and deeds on chosen rows, that another app adds to the lists of this one, without being imported.

An app registers them in its ``ready()``. A column answers for a whole page of rows at once, with one query.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from provisioning.permissions import Permission

Table = Literal["accounts", "groups", "home_vaults", "links", "vaults"]
"""A list; ``home_vaults`` is the one of the vaults on Home."""
Tone = Literal["plain", "good", "waiting", "problem", "quiet"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row shows in a column; ``detail`` is the second, smaller line, such as the reason."""

    text: str
    tone: Tone = "plain"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """``cells`` maps the row ids of a page to their cells; a row that it leaves out shows a dash."""

    title: str
    cells: Callable[[Sequence[int]], Mapping[int, Cell]]


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done to chosen rows. ``page`` is the name of the page that asks before it does it.

    Its address gets the ids of the rows as ``row``, or ``all`` and the list's filter.
    """

    label: str
    page: str
    permission: Permission


_columns: dict[Table, list[Column]] = {}
_deeds: dict[Table, list[Deed]] = {}


def register(table: Table, column: Column) -> None:
    """Add ``column`` to the list; registering the same title again replaces it."""
    others = [known for known in _columns.get(table, []) if known.title != column.title]
    _columns[table] = [*others, column]


def titles(table: Table) -> list[str]:
    """Return the titles of the list's added columns, in the order of registration."""
    return [column.title for column in _columns.get(table, [])]


def rows(table: Table, ids: Iterable[int]) -> dict[int, list[Cell | None]]:
    """Return the added cells of each row, one per title: one query a column, none a row."""
    wanted = list(ids)
    found = [column.cells(wanted) for column in _columns.get(table, [])] if wanted else []
    return {row: [cells.get(row) for cells in found] for row in wanted}


def register_deed(table: Table, deed: Deed) -> None:
    """Offer ``deed`` above the list; registering the same page again replaces it."""
    others = [known for known in _deeds.get(table, []) if known.page != deed.page]
    _deeds[table] = [*others, deed]


def deeds(table: Table, permissions: frozenset[Permission]) -> list[Deed]:
    """Return what people with these permissions may do to chosen rows of the list."""
    return [deed for deed in _deeds.get(table, []) if deed.permission in permissions]
