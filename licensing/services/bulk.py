"""Write many rows in one statement, on both databases: the rows travel as one JSON parameter.

``bulk_create`` and ``bulk_update`` take a parameter for every value, and so a statement for every few hundred rows on
SQLite; neither can raise a counter or write under a condition.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from django.db import connection
from django.db.models import AutoField, BooleanField, CharField, Field, ForeignKey, IntegerField, Model, TextField

from provisioning import sql

AnyField: TypeAlias = "Field[Any, Any]"
Row: TypeAlias = Mapping[str, Any]
"""Values by attribute name (``account_id``, not ``account``)."""


def put(
    model: type[Model],
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    changing: Sequence[str],
    raising: Sequence[str] = (),
) -> None:
    """Insert ``rows``; where ``key`` is there already, change ``changing`` and add one to ``raising`` instead."""
    if not rows:
        return
    fields = _fields(model, rows[0])
    table, names = _table(model), ", ".join(_column(field) for field in fields)
    sets = [f"{column} = EXCLUDED.{column}" for column in _columns(model, changing)]
    sets += [f"{column} = {table}.{column} + 1" for column in _columns(model, raising)]
    statement = (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {_source(fields)} WHERE true "  # noqa: S608
        f"ON CONFLICT ({', '.join(_columns(model, key))}) DO UPDATE SET {', '.join(sets)}"
    )
    _run(statement, [_document(fields, rows)])


def change(
    model: type[Model],
    rows: Sequence[Row],
    *,
    changing: Sequence[str],
    key: str = "id",
    same: str = "",
    while_same: Sequence[str] = (),
) -> int:
    """Change ``changing`` of the rows with these keys; return how many there were.

    ``while_same`` are changed only where ``same`` is still as given.
    """
    if not rows:
        return 0
    fields, table = _fields(model, rows[0]), _table(model)
    sets = [f"{column} = given.{column}" for column in _columns(model, changing)]
    for guard in _columns(model, [same] if same else []):
        is_same = f"{table}.{guard} = given.{guard}"
        sets += [
            f"{column} = CASE WHEN {is_same} THEN given.{column} ELSE {table}.{column} END"
            for column in _columns(model, while_same)
        ]
    (own,) = _columns(model, [key])
    statement = f"UPDATE {table} SET {', '.join(sets)} FROM {_source(fields)} WHERE {table}.{own} = given.{own}"  # noqa: S608
    return _run(statement, [_document(fields, rows)])


def remove(model: type[Model], rows: Sequence[Row], *, key: Sequence[str], same: Sequence[str]) -> None:
    """Delete the rows with these keys, but only where ``same`` is still as given; they are locked in order of key."""
    if not rows:
        return
    fields, table = _fields(model, rows[0]), _table(model)
    names = ", ".join(_columns(model, key))
    own = ", ".join(f"{table}.{column}" for column in _columns(model, key))
    match = " AND ".join(f"{table}.{column} = given.{column}" for column in _columns(model, [*key, *same]))
    lock = f"FOR UPDATE OF {table}" if connection.vendor == "postgresql" else ""
    chosen = f"SELECT {own} FROM {table}, {_source(fields)} WHERE {match} ORDER BY {own} {lock}"  # noqa: S608
    _run(f"DELETE FROM {table} WHERE ({names}) IN ({chosen})", [_document(fields, rows)])  # noqa: S608


def ids(numbers: Iterable[int]) -> str:
    """Return row ids as the JSON parameter of ``id_list``."""
    return sql.ids(numbers)


def id_list(parameter: str = "%s") -> str:
    """Return the subquery that reads row ids from one JSON parameter."""
    return sql.id_list(parameter)


def _run(statement: str, parameters: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _source(fields: Sequence[AnyField]) -> str:
    """Return a table expression named ``given`` that reads the JSON parameter."""
    if connection.vendor == "postgresql":
        types = ", ".join(f"{_column(field)} {field.rel_db_type(connection)}" for field in fields)
        return f"jsonb_to_recordset(%s::jsonb) AS given({types})"
    values = ", ".join(f"json_extract(value, '$.{field.column}') AS {_column(field)}" for field in fields)
    return f"(SELECT {values} FROM json_each(%s)) AS given"  # noqa: S608


def _document(fields: Sequence[AnyField], rows: Sequence[Row]) -> str:
    """Return the rows as JSON; only values of fields that the database stores in a form of its own are converted."""
    columns = [(field.column, field.attname, _converter(field)) for field in fields]
    prepared = [
        {column: row[name] if convert is None else convert(row[name], connection) for column, name, convert in columns}
        for row in rows
    ]
    return orjson.dumps(prepared, default=str).decode()


def _converter(field: AnyField) -> Callable[[Any, Any], Any] | None:
    target = field.target_field if isinstance(field, ForeignKey) else field
    return None if isinstance(target, _PLAIN) else field.get_db_prep_save


_PLAIN = (AutoField, BooleanField, CharField, IntegerField, TextField)


def _fields(model: type[Model], names: Iterable[str]) -> list[AnyField]:
    known = {field.attname: field for field in model._meta.concrete_fields}  # noqa: SLF001
    return [known[name] for name in names]


def _columns(model: type[Model], names: Iterable[str]) -> list[str]:
    return [_column(field) for field in _fields(model, names)]


def _column(field: AnyField) -> str:
    return connection.ops.quote_name(field.column or "")


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001
