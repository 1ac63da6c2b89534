"""What rows are sorted by, in SQL: what ``scim.filter.order`` says in plain Python."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.db import connection

from scim.filter.dialects import DIALECTS, Dialect
from scim.filter.order import SIGNIFICANT
from scim.filter.places import LAYOUTS, Context, Layout, Sql
from scim.schema.table import Field, ResourceType
from scim.schema.values import parse_time


class SortKey(NamedTuple):
    """``value`` is NULL where there is none; ``placeholder`` stands for one that was read before.

    Such a value comes as JSON holds it; ``restore`` makes it what the statement takes.
    """

    value: Sql
    placeholder: str
    restore: Callable[[Any], Any] = lambda value: value

    def behind(self, value: Any, tie: Sql, *, is_descending: bool) -> Sql:
        """Say that a row comes behind one of this ``value``; ``tie`` says it where both have the same."""
        beyond, equal = self._beyond(value, is_descending=is_descending), self._equal(value)
        return Sql(
            f"({beyond.text} OR {equal.text} AND {tie.text})",
            (*beyond.parameters, *equal.parameters, *tie.parameters),
        )

    def _beyond(self, value: Any, *, is_descending: bool) -> Sql:
        text, parameters = self.value.text, self.value.parameters
        if value is None:
            return Sql(f"{text} IS NOT NULL", parameters) if is_descending else Sql("FALSE")
        if is_descending:
            return Sql(f"{text} < {self.placeholder}", (*parameters, self.restore(value)))
        return Sql(f"{text} > {self.placeholder} OR {text} IS NULL", (*parameters, self.restore(value), *parameters))

    def _equal(self, value: Any) -> Sql:
        text, parameters = self.value.text, self.value.parameters
        if value is None:
            return Sql(f"{text} IS NULL", parameters)
        return Sql(f"{text} = {self.placeholder}", (*parameters, self.restore(value)))


def sort_key(field: Field, resource_type: ResourceType, base: str) -> SortKey:
    """Return by what rows of the resource type's table are sorted; ``base`` is as for ``scim.filter.sql.where``."""
    context, layout = Context(DIALECTS[connection.vendor], base), LAYOUTS[resource_type]
    if field.attribute.multi_valued and not field.attribute.sub("primary"):
        return _text(_least(field, layout, context), context)
    place = layout.preferred(field, context) if field.attribute.multi_valued else layout.place(field, context)
    if place.moment:
        return SortKey(Sql(place.moment), "%s", partial(_moment, context.dialect))
    if field.leaf.is_text:
        return _text(place.value, context)
    return SortKey(place.value, context.dialect.scalar_placeholder)


def _moment(dialect: Dialect, text: str) -> Any:
    at = parse_time(text)
    return dialect.moment(at) if at else text


def _text(value: Sql, context: Context) -> SortKey:
    beginning = context.dialect.beginning.format(text=value.text, length=SIGNIFICANT)
    return SortKey(Sql(f"{beginning}{context.dialect.by_code_point}", value.parameters), "%s")


def _least(field: Field, layout: Layout, context: Context) -> Sql:
    several = [(rows, rows.place(field).value) for rows in layout.several(field, context)]
    found = " UNION ALL ".join(
        f"SELECT {value.text} AS value FROM {rows.source.text} WHERE {rows.of_resource}"  # noqa: S608
        for rows, value in several
    )
    parameters = tuple(p for rows, value in several for p in (*value.parameters, *rows.source.parameters))
    return Sql(f"(SELECT min(value{context.dialect.by_code_point}) FROM ({found}) AS every)", parameters)  # noqa: S608
