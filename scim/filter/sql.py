"""A parsed filter → one SQL condition that answers as ``scim.filter.match`` does on the documents that are shown.

Values of clients are bound parameters, always. SQL knows a third answer, NULL, for what is absent; it counts as
false, as in the oracle, because ``and`` and ``or`` keep it from becoming true and every ``not`` is ``IS NOT TRUE``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

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
                return self.some_element(field, condition)
            case Compare(field, Operator.NE, value):
                return _opposite(self.condition(Compare(field, Operator.EQ, value), find))
            case Compare(field) | Present(field) if field.attribute.multi_valued and find is None:
                return self.some_element(Field(field.extension, field.attribute), _of_element(node))
            case Compare(field) | Present(field):
                return self.single(node, find(field) if find else self.layout.place(field, self.context))

    def single(self, node: Compare | Present, place: Place) -> Sql:
        if isinstance(node, Present):
            return _present(place)
        return self.compare(place, node.operator, node.comparand)

    def some_element(self, field: Field, condition: Node | None) -> Sql:
        """Say that some element of a complex attribute satisfies ``condition``, or that there is one."""
        if condition and not field.attribute.multi_valued:
            there = _present(self.layout.place(field, self.context))
            inside = self.condition(condition, lambda sub: self.layout.place(_within(field, sub), self.context))
            return _joined(" AND ", [there, inside])
        rows = self.layout.several(field, self.context)
        tested = [self.condition(condition, row.place) if condition else Sql("TRUE") for row in rows]
        if condition and all(_pins(condition, row.found_by) for row in rows):
            return _among(rows, tested)
        found = _joined(" OR ", map(_exists, rows, tested))
        prefilter = self.layout.prefilters.get(str(field), _no_prefilter)(condition) if condition else None
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


def _exists(rows: Rows, tested: Sql) -> Sql:
    text = f"EXISTS (SELECT 1 FROM {rows.source.text} WHERE {rows.of_resource} AND {tested.text})"  # noqa: S608
    return Sql(text, _values(rows.source, tested))


def _among(several: Sequence[Rows], tested: Sequence[Sql]) -> Sql:
    """Say the same as ``_exists``, beginning with the elements: few of them are found by an index."""
    owners = " UNION ALL ".join(
        f"SELECT {rows.link} FROM {rows.source.text} WHERE {rows.condition} AND {test.text}"  # noqa: S608
        for rows, test in zip(several, tested, strict=True)
    )
    parameters = (value for rows, test in zip(several, tested, strict=True) for value in _values(rows.source, test))
    return Sql(f"{several[0].owner} IN ({owners})", tuple(parameters))


def _pins(condition: Node, found_by: str) -> bool:
    """Whether an element that satisfies ``condition`` has one certain value at ``found_by``."""
    terms = condition.terms if isinstance(condition, And) else (condition,)
    return any(
        isinstance(term, Compare) and term.operator is Operator.EQ and term.field.leaf.name == found_by
        for term in terms
    )


def _of_element(node: Compare | Present) -> Node | None:
    """Return what is asked of an element; None where there need only be one."""
    if node.field.sub:
        return replace(node, field=Field(None, node.field.sub))
    return None if node.field.attribute.sub_attributes else node


def _values(*parts: Sql) -> tuple[Any, ...]:
    return tuple(value for part in parts for value in part.parameters)


def _opposite(sql: Sql) -> Sql:
    return Sql(f"({sql.text}) IS NOT TRUE", sql.parameters)


def _joined(word: str, parts: Iterable[Sql]) -> Sql:
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    text = word.join(part.text for part in listed)
    return Sql(f"({text})", _values(*listed))


def _within(outer: Field, sub: Field) -> Field:
    return Field(outer.extension, outer.attribute, sub.attribute)


def _no_prefilter(_condition: Node) -> None:
    return None
