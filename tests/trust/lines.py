"""The two lines between subscriptions, each of which can be switched off to see that the other one holds alone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection

from provisioning import tenancy
from tests.database_role import APPLICATION

_OWN = re.compile(r"""((?:"?\w+"?\.)?"?\b(?:subscription|configuration)_id"?) = (%s)""")
"""How statements ask for the rows of one subscription or configuration, by the ORM and in plain SQL."""


@contextmanager
def no_filters() -> Iterator[None]:
    """Switch off the program's line: no statement is narrowed to a tenant, and no foreign object is noticed."""

    def widen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        head, where, rest = sql.partition(" WHERE ")
        return execute(head + where + _OWN.sub(r"(\1 = \2 OR true)", rest), params, many, context)

    with patch.object(tenancy, "check", lambda _: None), connection.execute_wrapper(widen):
        yield


@contextmanager
def row_level_security() -> Iterator[None]:
    """Switch on PostgreSQL's line: become the application."""
    with _role(APPLICATION):
        yield


@contextmanager
def no_row_level_security() -> Iterator[None]:
    """Switch off PostgreSQL's line: become the superuser, who made the database and passes it."""
    with _role("NONE"):
        yield


@contextmanager
def _role(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {name}")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")
