"""Whose rows this thread may touch: one subscription's, everybody's, or, until that is said, nobody's (decision 25).

Every statement passes ``guard``. Outside a scope it refuses what touches a table of tenants. On PostgreSQL it tells the
database the scope before the first statement in it, for row-level security (``provisioning.rls``).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import connection

NOBODY: Final = ""
EVERYBODY: Final = "*"
_UNKNOWN: Final = "?"
SETTING: Final = "mfmanage.subscription"
"""The setting of a PostgreSQL session that holds the scope: empty, ``*``, or the id of a subscription."""
Scope = int | str
_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


class Unscoped(Exception):
    """A statement touches a table of tenants, and nobody has said whose rows are meant."""

    def __init__(self, statement: str) -> None:
        super().__init__(f"Enter tenancy.of(…) or tenancy.everybody() before this statement: {statement}")


class OtherSubscription(Exception):
    """A row of another subscription than the scope's was about to be used."""

    def __init__(self, row: Any) -> None:
        super().__init__(f"{row.__class__.__name__} {row.pk} belongs to another subscription. Filter by subscription.")


class Told(NamedTuple):
    """What a session of the database was told, and whether in a transaction: then that may be rolled back."""

    scope: Scope
    is_in_transaction: bool


def current() -> Scope:
    """Return the scope: the id of a subscription, ``EVERYBODY`` or ``NOBODY``."""
    scope = _scope.get()
    return settings.UNSCOPED if scope is None else scope


@contextmanager
def of(subscription_id: int) -> Iterator[None]:
    """Touch the rows of this subscription only."""
    with _entered(subscription_id):
        yield


@contextmanager
def everybody() -> Iterator[None]:
    """Touch the rows of all subscriptions: for operators, sweeps, and finding out which subscription is meant."""
    with _entered(EVERYBODY):
        yield


@contextmanager
def nobody() -> Iterator[None]:
    """Touch no rows of subscriptions until another scope is entered, which ends with this one at the latest."""
    with _entered(NOBODY):
        yield


def enter(subscription_id: int) -> None:
    """Touch the rows of this subscription only, from here to the end of the scope around."""
    _scope.set(subscription_id)


def enter_everybody() -> None:
    """Touch the rows of all subscriptions, from here to the end of the scope around."""
    _scope.set(EVERYBODY)


def each(scope: Scope, pieces: Iterator[Any]) -> Iterator[Any]:
    """Yield the pieces, each made in ``scope``, however late and by whomever it is asked for."""
    while True:
        with _entered(scope):
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def check(row: Any) -> None:
    """Raise ``OtherSubscription`` for a row outside the scope; one whose subscription was not read passes."""
    scope = _scope.get()
    if scope.__class__ is int and row.__dict__.get("subscription_id", scope) != scope:
        raise OtherSubscription(row)


def guard(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
    """Carry out a statement within the scope. Raises ``Unscoped``; an execute wrapper of Django's connections."""
    scope, used = current(), context["connection"]
    is_told = used.vendor == "postgresql"
    if is_told:
        _forget(used, sql)
    if scope == NOBODY:
        if _touches_tenants(sql):
            raise Unscoped(sql)
    elif is_told and scope != _UNKNOWN:
        _tell(used, scope, sql)
    return execute(sql, params, many, context)


def install(connection: Any, **_: Any) -> None:  # the signal's name for it
    """Have every statement of the connection pass the guard; whoever wraps statements for a while stands inside."""
    if guard not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, guard)


@contextmanager
def told_by_statement() -> Iterator[None]:
    """Let statements pass that find out the scope and tell it to the database themselves; ``note`` which one it is."""
    with _entered(_UNKNOWN):
        yield


def note(scope: Scope | None) -> None:
    """Remember what a statement has told the database; None: that is not known."""
    if connection.vendor == "postgresql":
        told = None if scope is None else Told(scope, connection.in_atomic_block)
        connection.connection.mfmanage_told = told


def _forget(used: Any, sql: str) -> None:
    """Forget what a rollback takes back: to a savepoint, or of the transaction before this statement, if it had one.

    Whether that one was rolled back is not known. That it is over shows by the session, which is idle: the object of an
    atomic block does not tell transactions apart, for a decorated function has the same one at every call.
    """
    session = used.connection
    told: Told | None = getattr(session, "mfmanage_told", None)
    if told is None:
        return
    is_over = told.is_in_transaction and session.pgconn.transaction_status == _IDLE
    if is_over or sql.startswith("ROLLBACK"):
        session.mfmanage_told = None


def _tell(used: Any, scope: Scope, sql: str) -> None:
    """Set the session's scope unless it is that already; savepoints touch no rows."""
    session = used.connection
    told: Told | None = getattr(session, "mfmanage_told", None)
    if sql.startswith(_SAVEPOINTS) or (told is not None and told.scope == scope):
        return
    session.execute("SELECT set_config(%s, %s, false)", (SETTING, str(scope)))
    session.mfmanage_told = Told(scope, used.in_atomic_block)


@lru_cache(maxsize=1024)
def _touches_tenants(sql: str) -> bool:
    return _tables().search(sql) is not None


@cache
def _tables() -> re.Pattern[str]:
    names = "|".join(sorted(tables()))
    return re.compile(rf"\b(?:{names})\b")


def tables() -> dict[str, str]:
    """Return the tables of tenants, each with its column that names the subscription."""
    from provisioning.models.tenants import TenantModel

    subscriptions = apps.get_model("provisioning", "Subscription")
    models = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    return {subscriptions._meta.db_table: "id"} | {model._meta.db_table: "subscription_id" for model in models}  # noqa: SLF001


_SAVEPOINTS: Final = ("SAVEPOINT", "RELEASE", "ROLLBACK")
_IDLE: Final = 0
"""The status of a session of PostgreSQL that is in no transaction (``PQTRANS_IDLE``)."""
