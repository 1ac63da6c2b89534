"""Rows for answers, by SQL whose text is at hand: the ORM takes longer to write such a statement than to run it.

Names of tables and columns are the product's own; whatever a client sent is a parameter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from provisioning.models import ProvisioningConfiguration
from provisioning.services import totals
from provisioning.sql import Columns, Statement, page_order, run
from scim.filter.order import Order
from scim.filter.places import LAYOUTS, Sql
from scim.filter.sorting import SortKey, sort_key
from scim.filter.sql import where
from scim.resources.cursors import Position
from scim.resources.queries import Query
from scim.schema.table import ResourceType
from scim.schema.values import render_time


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read of a resource type's table: ``columns``, and SQL of what else a row tells.

    What is made of them has ``pk`` and a ``sort_value`` at its end, None by default.
    """

    resource_type: ResourceType
    columns: Columns[Any]
    more: str = ""

    @property
    def text(self) -> str:
        return self.columns.text + self.more


class Page(NamedTuple):
    """``total`` counts all rows that match; ``end`` is where the next page begins, None on the last one."""

    rows: list[Any]
    total: int
    end: Position | None = None


def one(selection: Selection, configuration: ProvisioningConfiguration, scim_id: str) -> Any:
    """Return the configuration's row of that id, or None."""
    found = _matching(selection.resource_type, configuration, Query())
    statement = f"SELECT {selection.text} {found.text} AND scim_id = %s"
    return next(iter(_rows(selection, Sql(statement, (*found.parameters, scim_id)))), None)


def page_of(selection: Selection, configuration: ProvisioningConfiguration, query: Query) -> Page:
    """Return one page of one resource type."""
    rows = _rows(selection, _statement(selection, configuration, query)) if query.count else []
    return _page(rows, query, lambda: _number_of(selection.resource_type, configuration, query))


def mixed_page(
    resource_types: Sequence[ResourceType], configuration: ProvisioningConfiguration, queries: Sequence[Query]
) -> Page:
    """Return one page of several resource types, each with its own query; rows have ``part`` and ``pk`` only."""
    first, asked = queries[0], list(enumerate(zip(resource_types, queries, strict=True)))
    parts = [_keys(found, configuration, query, part, f"LIMIT {_end(first)}") for part, (found, query) in asked]
    union = " UNION ALL ".join(f"SELECT * FROM ({part.text}) AS found" for part in parts)  # noqa: S608
    order = _in_order(first.order, "part, pk")
    parameters = [value for part in parts for value in part.parameters]
    found = Statement(f"SELECT * FROM ({union}) AS found ORDER BY {order} {_limit(first)}", parameters)  # noqa: S608
    rows = [_Key(*row) for row in run(found)]
    return _page(rows, first, lambda: sum(_number_of(found, configuration, query) for _, (found, query) in asked))


class _Key(NamedTuple):
    part: int
    pk: int
    sort_value: Any


def _page(rows: list[Any], query: Query, count: Callable[[], int]) -> Page:
    """Return as a page what was read: one row more than it has, unless it is the last one.

    Counting costs a statement only where neither the rows nor the cursor tell.
    """
    is_last, kept = len(rows) <= query.count, rows[: query.count]
    if query.position:
        total = query.position.total
    elif query.count and is_last and (kept or query.offset == 0):
        total = query.offset + len(kept)
    else:
        total = count()
    if is_last or not kept:
        return Page(kept, total)
    last = kept[-1]
    return Page(kept, total, Position(getattr(last, "part", 0), last.pk, _portable(last.sort_value), total))


def _number_of(resource_type: ResourceType, configuration: ProvisioningConfiguration, query: Query) -> int:
    if query.condition is None:
        return totals.number_of(configuration, resource_type.name)
    found = _matching(resource_type, configuration, query)
    [(number,)] = run(Statement(f"SELECT count(*) {found.text}", found.parameters))
    return int(number)


def _statement(selection: Selection, configuration: ProvisioningConfiguration, query: Query) -> Sql:
    """Return the statement of a page; rows that are skipped or only sorted are not read but for their keys.

    The order is that of ``page_order``, as the index of pages has it (``LoginAccount``).
    """
    resource_type = selection.resource_type
    if query.order or query.offset:
        found = _keys(resource_type, configuration, query, 0, _limit(query))
        table, order = LAYOUTS[resource_type].table, _in_order(query.order, "page.pk")
        text = f"({found.text}) AS page JOIN {table} ON {table}.id = page.pk ORDER BY {order}"
        return Sql(f"SELECT {selection.text}, sort_value FROM {text}", found.parameters)  # noqa: S608
    found, behind = _matching(resource_type, configuration, query), _behind(resource_type, query, None, 0)
    text = (
        f"{selection.text}, NULL AS sort_value {found.text} AND {behind.text} ORDER BY {page_order()} {_limit(query)}"
    )
    return Sql(f"SELECT {text}", (*found.parameters, *behind.parameters))


def _keys(
    resource_type: ResourceType, configuration: ProvisioningConfiguration, query: Query, part: int, limit: str
) -> Sql:
    """Return the statement that finds rows in their order: ``part`` as it is given, ``pk`` and ``sort_value``."""
    found, key, table = _matching(resource_type, configuration, query), None, LAYOUTS[resource_type].table
    if query.order:
        key = sort_key(query.order.field, resource_type, configuration.tenant_url)
    behind, value = _behind(resource_type, query, key, part), key.value if key else Sql("NULL")
    columns = f"{part} AS part, {page_order(f'{table}.id')} AS pk, {value.text} AS sort_value"
    return Sql(
        f"SELECT {columns} {found.text} AND {behind.text} ORDER BY {_in_order(query.order, 'pk')} {limit}",
        (*value.parameters, *found.parameters, *behind.parameters),
    )


def _matching(resource_type: ResourceType, configuration: ProvisioningConfiguration, query: Query) -> Sql:
    """Return ``FROM … WHERE …`` of all rows that the query is about, whatever page."""
    layout = LAYOUTS[resource_type]
    conditions = [Sql("configuration_id = %s", (configuration.pk,)), Sql(layout.known)]
    if query.among is not None:
        conditions.append(Sql(f"{layout.table}.id IN ({', '.join(map(str, query.among))})"))
    if query.condition:
        conditions.append(where(query.condition, resource_type, configuration.tenant_url))
    text = " AND ".join(condition.text for condition in conditions)
    return Sql(f"FROM {layout.table} WHERE {text}", tuple(v for found in conditions for v in found.parameters))


def _behind(resource_type: ResourceType, query: Query, key: SortKey | None, part: int) -> Sql:
    """Say that a row comes behind the query's position."""
    position = query.position
    if position is None:
        return Sql("TRUE")
    tie = Sql("TRUE" if part > position.part else "FALSE")
    if part == position.part:
        tie = Sql(f"{page_order(f'{LAYOUTS[resource_type].table}.id')} > %s", (position.pk,))
    return key.behind(position.value, tie, is_descending=query.order.is_descending) if key and query.order else tie


def _in_order(order: Order | None, tie: str) -> str:
    """Return by which columns of ``_keys`` rows are in order; ``tie`` puts equals in order."""
    if order is None:
        return tie
    return f"sort_value {'DESC NULLS FIRST' if order.is_descending else 'ASC NULLS LAST'}, {tie}"


def _end(query: Query) -> int:
    return query.offset + query.count + 1


def _limit(query: Query) -> str:
    return f"LIMIT {query.count + 1} OFFSET {query.offset}"


def _portable(value: Any) -> Any:
    """Return a sort value that JSON can hold; a moment without a zone, as SQLite tells it, is UTC."""
    if not isinstance(value, datetime):
        return value
    return render_time(value if value.tzinfo else value.replace(tzinfo=UTC))


def _rows(selection: Selection, statement: Sql) -> list[Any]:
    return selection.columns.read(run(Statement(statement.text, statement.parameters)))
