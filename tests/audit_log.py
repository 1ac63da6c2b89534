"""What every test needs of the audit log: tables that can be emptied, and an eye on the order of locks."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

UNGUARDED = "SET LOCAL session_replication_role = replica"
"""Switches triggers off until the transaction ends; only a superuser may, as which the tests connect."""
_LOCKS = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR (NO KEY UPDATE|SHARE|KEY SHARE))\b")
_HEAD = 'UPDATE "provisioning_audithead"'


class LockedAfterTheHead(AssertionError):
    """A deed went on taking locks while it held the head of the audit log's chain."""


def let_tables_be_emptied(monkeypatch: Any) -> None:
    """Let Django empty all tables between tests, the audit log included, whose triggers refuse that."""
    emptying = type(connection.ops).sql_flush

    def sql_flush(ops: BaseDatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        statements = emptying(ops, *args, **kwargs)
        return [UNGUARDED, *statements] if statements else []

    monkeypatch.setattr(type(connection.ops), "sql_flush", sql_flush)


@contextmanager
def head_locked_last() -> Iterator[None]:
    """Fail a deed that takes a lock after the head of the audit log's chain: two such could wait for each other."""
    with connection.execute_wrapper(_Watch()):
        yield


class _Watch:
    """Sees each statement of the test's own connection."""

    def __init__(self) -> None:
        self.held: Callable[[], None] | None = None

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not self._is_in_deed() or not self._is_held():
            self.held = None
        if self.held and _LOCKS.search(sql) and "provisioning_audit" not in sql:
            raise LockedAfterTheHead(f"Record in the audit log last, or use audit.recorded_last: {sql}")
        if sql.startswith(_HEAD) and self._is_in_deed():
            self._hold()
        return execute(sql, params, many, context)

    def _hold(self) -> None:
        """Know from the hooks of the commit whether the transaction that holds the head is still under way."""

        def held() -> None:
            return None

        self.held = held
        transaction.on_commit(held)

    def _is_held(self) -> bool:
        return any(hook is self.held for _, hook, _ in connection.run_on_commit)

    def _is_in_deed(self) -> bool:
        """Whether a transaction is under way beside the one that the test runs in; a new one begins by a savepoint."""
        return any(not block._from_testcase for block in connection.atomic_blocks)
