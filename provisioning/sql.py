"""Plain SQL for hot paths: the ORM takes longer to write such a statement anew than the database to run it.

Names of tables and columns stand in the text, which is the product's own; whatever came from outside is a parameter.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import orjson
from django.db import connection, models, transaction

T = TypeVar("T")
Model = TypeVar("Model", bound=models.Model)
Row = tuple[Any, ...]


class Statement(NamedTuple):
    """``parameters`` are what a cursor takes: ``parameter`` makes them."""

    text: str
    parameters: Sequence[Any] = ()


def run(statement: Statement) -> list[Row]:
    """Return the rows of a statement that returns some."""
    with connection.cursor() as cursor:
        cursor.execute(statement.text, statement.parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def execute(statement: Statement) -> None:
    """Carry out a statement that returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(statement.text, statement.parameters)


def run_with(deed: Statement, *others: Statement) -> list[Row]:
    """Return the rows of ``deed``; for each of them the others are carried out too, all of it or nothing.

    Each of the others has ``{deed}`` where its FROM stands, and ``{id}`` for the id that the deed returns first. One
    statement on PostgreSQL, whose data-modifying WITH needs no transaction around it; as many as there are on SQLite,
    in a transaction.
    """
    if connection.vendor == "postgresql":
        return run(_combined(deed, others))
    with transaction.atomic(savepoint=False):
        rows = run(deed)
        if rows:
            _run_each(others, deed="", id=rows[0][0])
    return rows


def run_alone(*others: Statement) -> None:
    """Carry out what is meant for ``run_with`` after a deed that took several statements, in its transaction."""
    _run_each(others, deed="")


def ids(numbers: Iterable[int]) -> str:
    """Return row ids as the JSON parameter of ``id_list``."""
    return json.dumps(sorted(numbers))


def id_list(parameter: str = "%s") -> str:
    """Return the subquery that reads row ids from one JSON parameter, whatever their number."""
    return _ID_LISTS[connection.vendor].format(parameter=parameter)


def _run_each(others: Sequence[Statement], **names: object) -> None:
    for text, parameters in others:
        execute(Statement(text.format(**names), parameters))


def _combined(deed: Statement, others: Sequence[Statement]) -> Statement:
    """Each of the others reads from ``deed``, and rows are locked in the order of the arguments.

    PostgreSQL carries out the parts that nobody reads from the last to the first, so they stand here backwards.
    """
    backwards = others[::-1]
    texts = [other.text.format(deed="FROM deed", id="deed.id") for other in backwards]
    parts = [f"deed AS ({deed.text})", *(f"other{number} AS ({text})" for number, text in enumerate(texts))]
    parameters = [value for statement in (deed, *backwards) for value in statement.parameters]
    return Statement(f"WITH {', '.join(parts)} SELECT * FROM deed", parameters)  # noqa: S608


def page_order(column: str = "id") -> str:
    """Return by what pages go (``LoginAccount``): a column's own value, in an order that is not the column's."""
    return _SAME[connection.vendor].format(column)


def parameter(value: Any) -> Any:
    """Return what the database takes for a value of a model's field."""
    match value:
        case dict():
            return orjson.dumps(value).decode()
        case datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case UUID():
            return value.hex
    return value


def insertion(model: type[models.Model], names: Sequence[str]) -> str:
    """Return the text up to ``VALUES (…)``; ``names`` are those of columns."""
    marks = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608, SLF001


@dataclass(frozen=True)
class Columns(Generic[T]):
    """Columns to select from a model's table, and what ``make`` makes of the values that come back.

    What is selected behind them reaches ``make`` as the database gave it.
    """

    model: type[models.Model]
    names: tuple[str, ...]
    make: Callable[[list[Any]], T]

    @cached_property
    def text(self) -> str:
        return ", ".join(f"{self.model._meta.db_table}.{name}" for name in self.names)  # noqa: SLF001

    def read(self, rows: Iterable[Row]) -> list[T]:
        """Make something of each row that a statement returned."""
        converters = self._converters
        made = []
        for row in rows:
            values = list(row)
            for index, convert in converters:
                values[index] = convert(values[index])
            made.append(self.make(values))
        return made

    @cached_property
    def _converters(self) -> list[tuple[int, Callable[[Any], Any]]]:
        found = [(index, _converter(self.model._meta.get_field(name))) for index, name in enumerate(self.names)]  # noqa: SLF001
        return [(index, convert) for index, convert in found if convert]


def whole(model: type[Model]) -> Columns[Model]:
    """Return all columns of a model, of which instances are made."""
    names = tuple(field.attname for field in model._meta.concrete_fields)  # noqa: SLF001
    return Columns(model, names, partial(model.from_db, "default", names))


def _converter(field: Any) -> Callable[[Any], Any] | None:
    """Return what makes Python's value of the database's, or None where they are the same."""
    if isinstance(field, models.JSONField):
        return orjson.loads
    steps = [*connection.ops.get_db_converters(field.cached_col), *field.get_db_converters(connection)]

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, field.cached_col, connection)
        return value

    return convert if steps else None


_SAME = {"postgresql": "LEAST({0}, {0})", "sqlite": "MIN({0}, {0})"}
_ID_LISTS = {
    "postgresql": "SELECT value::bigint FROM jsonb_array_elements_text({parameter}::jsonb) AS listed(value)",
    "sqlite": "SELECT value FROM json_each({parameter})",
}
