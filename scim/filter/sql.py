"""A parsed filter → one SQL condition that answers as ``scim.filter.match`` does on the documents that are shown.

Values of clients are bound parameters, always. SQL knows a third answer, NULL, for what is absent; it counts as
false, as in the oracle, because ``and`` and ``or`` keep it from becoming true and every ``not`` is ``IS NOT TRUE``.
"""

from collections.abc import Callable, Iterable

from django.db import connection

from scim.filter.ast import And, Compare, Literal, Node, Not, Operator, Or, Present, ValuePath
from scim.filter.dialects import DIALECTS
from scim.filter.literals import ORDER
from scim.filter.places import LAYOUTS, Context, Layout, Place, Rows, Sql
from scim.schema.table import Field, ResourceType
from scim.schema.values import parse_time

Find = Callable[[Field], Place]

_SYMBOLS = {Operator.EQ: "=", Operator.GT: ">", Operator.GE: ">=", Operator.LT: "<", Operator.LE: "<="}


def where(node: Node, resource_type: ResourceType, base: str) -> Sql:
    """Return the condition on rows of the resource type's table.

    ``base`` is the Tenant URL, which addresses of resources begin with.
    """
    context = Context(DIALECTS[connection.vendor], base)
    return _Compiler(LAYOUTS[resource_type], context).condition(node)


class _Compiler:
    """One filter on one resource type in one dialect."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self.layout, self.context, self.dialect = layout, context, context.dialect

    def condition(self, node: Node, find: Find | None = None) -> Sql:
        """Return the condition of ``node``, inside the element that ``find`` finds values of, if there is one."""
        match node:
            case And(terms) | Or(terms):
                word = " AND " if isinstance(node, And) else " OR "
                return _joined(word, (self.condition(term, find) for term in terms))
            case Not(term):
                return _opposite(self.condition(term, find))
            case ValuePath(field, condition):
                return self.value_path(field, condition)
            case Present(field):
                return self.some(field, _present, find)
            case Compare(field, Operator.NE):
                return _opposite(self.some(field, lambda place: self.compare(place, Operator.EQ, node.comparand), find))
            case Compare(field, operator):
                return self.some(field, lambda place: self.compare(place, operator, node.comparand), find)

    def some(self, field: Field, holds: Callable[[Place], Sql], find: Find | None) -> Sql:
        """Say that some value of ``field`` satisfies ``holds``."""
        if find:
            return holds(find(field))
        if not field.attribute.multi_valued:
            return holds(self.layout.place(field, self.context))
        rows = self.layout.several(field, self.context)
        if field.leaf.sub_attributes:
            return _joined(" OR ", (_exists(row) for row in rows))
        return _joined(" OR ", (_exists(row, holds(row.place(field))) for row in rows))

    def value_path(self, field: Field, condition: Node) -> Sql:
        if not field.attribute.multi_valued:
            there = _present(self.layout.place(field, self.context))
            inside = self.condition(condition, lambda sub: self.layout.place(_within(field, sub), self.context))
            return _joined(" AND ", [there, inside])
        rows = self.layout.several(field, self.context)
        found = _joined(" OR ", (_exists(row, self.condition(condition, row.place)) for row in rows))
        prefilter = self.layout.prefilters.get(str(field), _no_prefilter)(condition)
        return _joined(" AND ", [prefilter, found]) if prefilter else found

    def compare(self, place: Place, operator: Operator, comparand: Literal) -> Sql:
        if operator in self.dialect.texts:
            return self.compare_text(place, operator, comparand)
        if place.moment and (moment := parse_time(str(comparand))):
            return Sql(f"{place.moment} {_SYMBOLS[operator]} %s", (self.dialect.moment(moment),))
        if place.flag:
            return Sql(place.flag if comparand else f"NOT {place.flag}")
        if operator is Operator.EQ and place.key and comparand != "":
            return Sql(f"{place.key} = %s", (comparand,))
        order = self.dialect.by_code_point if operator in ORDER and isinstance(comparand, str) else ""
        text = f"{place.value.text}{order} {_SYMBOLS[operator]} {place.comparand}"
        return Sql(text, (*place.value.parameters, comparand))

    def compare_text(self, place: Place, operator: Operator, comparand: Literal) -> Sql:
        if comparand == "":
            return _present(place)
        template = self.dialect.texts[operator]
        times = template.count("%s")
        return Sql(template.format(text=place.value.text), (*place.value.parameters, *[comparand] * times))


def _present(place: Place) -> Sql:
    return Sql(f"{place.value.text} IS NOT NULL", place.value.parameters)


def _exists(rows: Rows, condition: Sql | None = None) -> Sql:
    conditions = [Sql(rows.condition)] if rows.condition else []
    tested = _joined(" AND ", [*conditions, condition] if condition else conditions or [Sql("TRUE")])
    text = f"EXISTS (SELECT 1 FROM {rows.source.text} WHERE {tested.text})"  # noqa: S608  no client's text
    return Sql(text, (*rows.source.parameters, *tested.parameters))


def _opposite(sql: Sql) -> Sql:
    return Sql(f"({sql.text}) IS NOT TRUE", sql.parameters)


def _joined(word: str, parts: Iterable[Sql]) -> Sql:
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    text = word.join(part.text for part in listed)
    return Sql(f"({text})", tuple(value for part in listed for value in part.parameters))


def _within(outer: Field, sub: Field) -> Field:
    return Field(outer.extension, outer.attribute, sub.attribute)


def _no_prefilter(_condition: Node) -> None:
    return None
