"""What every test needs of the audit log: tables that can be emptied, and an eye on the order of locks."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.transaction import Atomic

_LOCKS = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR (NO KEY UPDATE|SHARE|KEY SHARE))\b")
_PRODUCT = tuple(f"{Path(__file__).parents[1] / app}/" for app in ("licensing", "mfmanage", "provisioning", "scim"))
_HEAD = 'UPDATE "provisioning_audithead"'


class LockedAfterTheHead(AssertionError):
    """A deed went on taking locks while it held the head of the audit log's chain."""


def let_tables_be_emptied(monkeypatch: Any) -> None:
    """Let Django empty all tables between tests, the audit log included, whose triggers refuse that."""
    emptying = type(connection.ops).sql_flush

    def sql_flush(ops: BaseDatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        statements = emptying(ops, *args, **kwargs)
        off, on = _switches()
        return [*off, *statements, *on] if statements else []

    monkeypatch.setattr(type(connection.ops), "sql_flush", sql_flush)


@contextmanager
def unguarded() -> Iterator[None]:
    """Switch the triggers off that keep the audit log; stand in a transaction, with which that ends on PostgreSQL."""
    off, on = _switches()
    with connection.cursor() as cursor:
        for statement in off:
            cursor.execute(statement)
        yield
        for statement in on:
            cursor.execute(statement)


def _switches() -> tuple[list[str], list[str]]:
    """Return what switches triggers off, which only a superuser may, as which the tests connect, and on again."""
    if connection.vendor == "postgresql":
        return ["SET LOCAL session_replication_role = replica"], []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit_%'")
        triggers: list[tuple[str, str]] = cursor.fetchall()
    return [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]


@contextmanager
def head_locked_last() -> Iterator[None]:
    """Fail a deed that takes a lock after the head of the audit log's chain: two such could wait for each other."""
    with connection.execute_wrapper(_Watch()):
        yield


def around_deeds() -> Atomic:
    """Return a transaction of the test's own, in which it may do deeds one after the other within one call."""
    block: Any = transaction.atomic()
    block._from_testcase = True
    return cast("Atomic", block)


class _Watch:
    """Sees each statement of the test's own connection, and knows in which call of the product the head was locked."""

    def __init__(self) -> None:
        self.hook: Callable[[], None] | None = None
        self.entry: FrameType | None = None

    def __call__(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if not _is_in_transaction():
            self.hook = None
        if _LOCKS.search(sql) and "provisioning_audit" not in sql and self._is_held():
            raise LockedAfterTheHead(f"Record in the audit log last, or use audit.recorded_last: {sql}")
        if sql.startswith(_HEAD) and _is_in_transaction():
            self._hold()
        return execute(sql, params, many, context)

    def _hold(self) -> None:
        """Know from the hooks of the commit whether the transaction that holds the head is still under way."""
        self.hook, self.entry = lambda: None, _entry()
        transaction.on_commit(self.hook)

    def _is_held(self) -> bool:
        """A test may do many deeds in a transaction of its own: they are calls of the product one after the other."""
        hooks: Iterable[Any] = connection.run_on_commit
        is_under_way = any(hook is self.hook for _, hook, _ in hooks)
        return bool(self.hook and is_under_way and self.entry in list(_frames()))


def _is_in_transaction() -> bool:
    """Whether there is one beside that in which the test runs; in that, a new one begins by a savepoint."""
    blocks: Iterable[Any] = connection.atomic_blocks
    return any(not block._from_testcase for block in blocks)


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back


def _entry() -> FrameType | None:
    """Return the product's function that the test called, or None when the test itself records."""
    ours = [frame for frame in _frames() if frame.f_code.co_filename.startswith(_PRODUCT)]
    return ours[-1] if ours else None
