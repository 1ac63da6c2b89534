"""Rows for answers, by SQL whose text is at hand: the ORM takes longer to write such a statement than to run it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, models

from provisioning.models import ProvisioningConfiguration
from scim.filter.places import Sql
from scim.filter.sql import where
from scim.resources.queries import Query
from scim.schema.table import ResourceType


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read of a table: SQL of ``columns``, the row's id among them, and of what makes a row SCIM's."""

    resource_type: ResourceType
    model: type[models.Model]
    columns: str
    known: str


class Page(NamedTuple):
    """``total`` counts all rows that match."""

    rows: list[Any]
    total: int


def one(selection: Selection, configuration: ProvisioningConfiguration, scim_id: str) -> Any:
    """Return the configuration's row of that id, or None."""
    found = Sql("scim_id = %s", (scim_id,))
    return next(iter(_rows(selection, configuration, found, "")), None)


def page_of(selection: Selection, configuration: ProvisioningConfiguration, query: Query) -> Page:
    """Return one page in the order of creation; counting costs a statement only where the page does not tell."""
    condition = Sql("TRUE")
    if query.condition:
        condition = where(query.condition, selection.resource_type, configuration.tenant_url)
    offset = query.start_index - 1
    rows = []
    if query.count:
        rows = list(_rows(selection, configuration, condition, f" ORDER BY id LIMIT {query.count} OFFSET {offset}"))
    if len(rows) < query.count and (rows or offset == 0):
        return Page(rows, offset + len(rows))
    return Page(rows, _count(selection, configuration, condition))


def _rows(selection: Selection, configuration: ProvisioningConfiguration, condition: Sql, order: str) -> Any:
    statement = f"SELECT {selection.columns} {_from(selection, condition)}{order}"
    return selection.model._default_manager.raw(statement, [configuration.pk, *condition.parameters])  # noqa: SLF001


def _count(selection: Selection, configuration: ProvisioningConfiguration, condition: Sql) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_from(selection, condition)}", [configuration.pk, *condition.parameters])
        return int(cursor.fetchone()[0])


def _from(selection: Selection, condition: Sql) -> str:
    """Names of tables and columns are the product's own; whatever a client sent is a parameter."""
    table = selection.model._meta.db_table  # noqa: SLF001
    return f"FROM {table} WHERE configuration_id = %s AND {selection.known} AND {condition.text}"
