"""Plain SQL that several statements share."""

import pytest
from django.db import connection

from provisioning.sql import Statement, execute, run, run_with

pytestmark = pytest.mark.django_db
NUMBERED = {"postgresql": "serial PRIMARY KEY", "sqlite": "integer PRIMARY KEY"}
DEED = Statement("INSERT INTO deeds (name) VALUES (%s) RETURNING id", ["deed"])


@pytest.fixture(autouse=True)
def tables():
    for table in ("deeds", "others"):
        columns = f"id {NUMBERED[connection.vendor]}, name text, deed integer"
        execute(Statement(f"CREATE TEMPORARY TABLE {table} ({columns})"))
    yield
    for table in ("deeds", "others"):
        execute(Statement(f"DROP TABLE {table}"))


def other(name):
    return Statement("INSERT INTO others (name, deed) SELECT %s, {id} {deed} WHERE true", [name])


def test_what_goes_with_a_deed_knows_its_id_and_happens_in_order():
    run_with(DEED, other("not this one"))

    [(deed,)] = run_with(DEED, *(other(name) for name in ("first", "second", "third")))

    rows = run(Statement("SELECT name FROM others WHERE deed = %s ORDER BY id", [deed]))
    assert [name for (name,) in rows] == ["first", "second", "third"]


def test_nothing_goes_with_a_deed_that_does_nothing():
    nothing = Statement("INSERT INTO deeds (name) SELECT 'deed' WHERE false RETURNING id")

    assert run_with(nothing, other("first")) == []

    assert run(Statement("SELECT count(*) FROM others")) == [(0,)]
