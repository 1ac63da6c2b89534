"""An example of every address of the installation, so that a new one is looked at by itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.urls import resolve

from tests.trust.routes import Route, routes
from tests.trust.rules import MACHINES, RULES
from tests.trust.world import Tenant

EVERY = routes()
PEOPLE = [route for route in EVERY if not route.pattern.startswith(tuple(MACHINES))]
MACHINE = [route for route in EVERY if route not in PEOPLE]


def name_of(route: Route) -> str:
    return route.name or example(route.pattern)


def address_of(route: Route, tenant: Tenant) -> str:
    """Return the address with the things of ``tenant`` in it, or with numbers where no rule says which."""
    kinds = RULES[route.name].names if route.name in RULES else ()
    things = iter([tenant.things[kind].pk for kind in kinds])
    values = {name: tenant.subscription.number if name == "number" else next(things, 1) for name in route.parameters}
    return route.address(**values)


def example(pattern: str) -> str:
    """Return an address that fits a pattern of ``path``, or of the few regular expressions in ``scim.urls``."""
    text = re.sub(r"\(\?P<\w+>\[\^/\][+*]\)", "x", pattern)
    text = re.sub(r"\(\?:[^()]*\)\?", "", text)
    text = re.sub(r"\[(\w)\w\]", r"\1", text)
    if "^" in text and not text.endswith("$"):
        text += "/no/such"
    return "/" + text.replace("/+", "/").replace("/*", "").replace("\\.", ".").replace("^", "").replace("$", "")


def view_of(address: str) -> Any:
    return resolve(address).func


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside, a transaction as those are in which Django's test cases run."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


def ask(client: Client, method: str, address: str, **more: Any) -> Any:
    """Return the answer; it is read to its end, and what it changed is undone."""
    with undone():
        answer = client.generic(method, address, **more)
        if answer.streaming:
            b"".join(answer)
    return answer


@contextmanager
def written() -> Iterator[set[str]]:
    """Collect the names of the tables that are written to."""
    tables: set[str] = set()

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        found = re.match(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)', sql)
        if found:
            tables.add(found[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield tables
