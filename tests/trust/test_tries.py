"""What a tenant is answered does not depend on another tenant's rows, and nothing that it sends changes them.

Each batch of generated requests is asked twice: beside the other tenant, and as if that one had never been. The answers
must be the same to the byte, those of exports and of refusals too: whether an id, a name, a cursor or a version is
another tenant's or nobody's cannot be told apart.
"""

import gc
import os
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from provisioning import tenancy
from tests.audit_log import unguarded
from tests.trust.lines import no_filters, no_row_level_security
from tests.trust.routes import routes
from tests.trust.rules import RULES
from tests.trust.test_routes import undone
from tests.trust.tries import (
    Pool,
    Try,
    is_portals,
    make_pool,
    portal_cursors,
    reads_of_scim,
    visits,
    writes_of_scim,
)
from tests.trust.world import Role, Tenant, make_tenant

TRIES = "MFM_TRUST_TRIES"
BATCH = 20
PAGES = [route for route in routes() if route.name in RULES]
VARYING = re.compile(r'(?:csrfmiddlewaretoken|X-CSRFToken|form_id)"(?: value=|: ?)"[^"]+"|>(?:now|[^<>]+ ago)<')
"""What no two pages share: tokens against forgery, ids of forms, how long ago; else the clock stands still."""
ASKED_AT = timezone.now()
CHANGE_NOTHING = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")
DEPENDS = r"(?s)assert|returned more than one|belongs to another|UNIQUE|unique"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]


@dataclass(frozen=True)
class World:
    """``batches`` are lists of generated requests by their kind; made once, because that takes as long as a request."""

    pool: Pool
    other: Tenant
    batches: dict[str, st.SearchStrategy[list[Try]]]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        own, other = make_tenant("Contoso"), make_tenant("Fabrikam")
        pool, cursors = make_pool(own, other), [*portal_cursors(own), *portal_cursors(other)]
        kinds = {
            "reads": reads_of_scim(pool),
            "pages": visits(pool, PAGES, cursors, "GET"),
            "writes": writes_of_scim(pool),
            "forms": visits(pool, PAGES, cursors, "POST"),
        }
        batches = {name: st.lists(one, min_size=BATCH, max_size=BATCH) for name, one in kinds.items()}
        gc.freeze()  # what stands by now stays: to look through it again and again takes a twentieth of the time
        yield World(pool, other, batches)
        gc.unfreeze()


def bounded(share: int) -> settings:
    """Return what Hypothesis is told: always the same few requests, or that share of as many as were asked for."""
    asked = int(os.environ.get(TRIES, "0"))
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=max(1, asked // share // BATCH) if asked else 3,
        derandomize=not asked,
        database=None,
        deadline=None,
        # What fails names its one request, so nothing is to be made smaller.
        phases=[Phase.generate],
        suppress_health_check=[*checks, HealthCheck.large_base_example],
    )


def send(pool: Pool, one: Try) -> tuple[int, str]:
    """Return status and text of the answer to the tenant, without what no two answers share."""
    if not is_portals(one):
        reply = pool.service.ask(one.method, one.path, one.body, **one.headers)
        return reply.status, str(reply.body)
    client, headers = pool.own.browsers[Role.SUBSCRIPTION_ADMIN], {"X-Request-ID": "one-of-many"}
    client.cookies.pop(django_settings.MESSAGE_COOKIE_NAME, None)  # what an earlier answer had to say
    if one.method == "GET":
        found = client.get(one.path, headers=headers)
    else:
        found = client.post(one.path, one.body or {}, headers=headers)
    content = b"".join(found) if found.streaming else found.content
    return found.status_code, VARYING.sub("", content.decode()) + found.headers.get("Location", "")


def answer(pool: Pool, one: Try) -> tuple[int, str]:
    with undone(), patch.object(timezone, "now", lambda: ASKED_AT):
        return send(pool, one)


def forget(tenant: Tenant) -> None:
    """Take all rows of the tenant away, past the triggers that keep the audit log."""
    with unguarded(), connection.cursor() as cursor:
        for table, column in tenancy.tables().items():
            cursor.execute(f"DELETE FROM {table} WHERE {column} = %s", [tenant.subscription.pk])


def rows_of(tenant: Tenant) -> list[Any]:
    found = []
    with connection.cursor() as cursor:
        for table, column in tenancy.tables().items():
            cursor.execute(f"SELECT * FROM {table} WHERE {column} = %s", [tenant.subscription.pk])
            found += sorted(map(repr, cursor.fetchall()))
    return found


def difference(first: str, second: str) -> str:
    """Return the first lines that differ."""
    pairs = zip(first.splitlines(), second.splitlines(), strict=False)
    return "\n".join(next((pair for pair in pairs if pair[0] != pair[1]), (first[-200:], second[-200:])))


class Writes:
    """Notices whether a statement may have changed a row: all do that are not known to change none."""

    seen = False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        self.seen |= not sql.startswith(CHANGE_NOTHING)
        return execute(sql, params, many, context)


def check_answers(world: World, batch: list[Try]) -> None:
    beside = [answer(world.pool, one) for one in batch]
    with undone():
        forget(world.other)
        alone = [answer(world.pool, one) for one in batch]
    for one, first, second in zip(batch, beside, alone, strict=True):
        assert first == second, f"{one}\n{difference(first[1], second[1])}"
        assert first[0] < 500, one


def check_rows(world: World, batch: list[Try]) -> None:
    """Compare the other tenant's rows after each request that may have changed some of whomever."""
    with undone():
        before = rows_of(world.other)
        for one in batch:
            writes = Writes()
            with connection.execute_wrapper(writes):
                send(world.pool, one)
            assert not writes.seen or rows_of(world.other) == before, one


@bounded(4)
@given(data=st.data())
def test_answers_of_scim_do_not_depend_on_another_tenant(world, data):
    check_answers(world, data.draw(world.batches["reads"]))


@bounded(4)
@given(data=st.data())
def test_pages_and_exports_do_not_depend_on_another_tenant(world, data):
    check_answers(world, data.draw(world.batches["pages"]))


@bounded(4)
@given(data=st.data())
def test_writes_of_scim_change_nothing_of_another_tenant(world, data):
    check_rows(world, data.draw(world.batches["writes"]))


@bounded(4)
@given(data=st.data())
def test_forms_change_nothing_of_another_tenant(world, data):
    check_rows(world, data.draw(world.batches["forms"]))


@pytest.mark.parametrize(
    ("kind", "check"),
    [("reads", check_answers), ("pages", check_answers), ("writes", check_rows), ("forms", check_rows)],
)
def test_the_same_requests_tell_when_the_filters_are_gone(world, kind, check):
    """The control. Without its filters the program may fail where it finds what it did not look for, too."""
    context = no_row_level_security() if connection.vendor == "postgresql" else nullcontext()

    @bounded(1)
    @given(data=st.data())
    def look(data):
        check(world, data.draw(world.batches[kind]))

    with context, no_filters(), pytest.raises(Exception, match=DEPENDS):
        look()
