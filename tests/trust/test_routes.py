"""Every address, by every method, as every role, for one's own things, a stranger's, and as nobody (1-product §1.6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from provisioning.permissions import ROLES, Role
from tests.audit_log import around_deeds
from tests.trust.routes import Route, routes
from tests.trust.rules import ABOVE, MACHINES, RULES
from tests.trust.world import Tenant, make_tenant

METHODS = ("GET", "POST", "PUT", "DELETE")
PAGES = [route for route in routes() if route.name in RULES]
_SESSION = "provisioning_portalsession"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]


@pytest.fixture(scope="module")
def tenants(django_db_setup, django_db_blocker) -> Iterator[tuple[Tenant, Tenant]]:
    """One's own subscription and another one; what a request changes there is undone by ``undone``."""
    with django_db_blocker.unblock(), undone():
        yield make_tenant("Contoso"), make_tenant("Fabrikam")


@contextmanager
def undone() -> Iterator[None]:
    with around_deeds():
        yield
        transaction.set_rollback(True)


@contextmanager
def changing_nothing() -> Iterator[None]:
    """Fail when a statement writes anything but a session."""

    def check(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        writes = any(word in sql for word in ("INSERT ", "UPDATE ", "DELETE ")) and " FOR UPDATE" not in sql
        assert not writes or _SESSION in sql, sql
        return execute(sql, params, many, context)

    with connection.execute_wrapper(check):
        yield


def ask(client: Client, method: str, route: Route, numbered: Tenant, named: Tenant) -> Any:
    """Return the answer to the route's address with the number of one tenant and the things of perhaps another."""
    rule = RULES[route.name]
    ids = {kind: thing.pk for kind, thing in named.things.items()}
    names = [name for name in route.parameters if name != "number"]
    values = dict(zip(names, (ids[kind] for kind in rule.names), strict=True))
    address = route.address(number=numbered.subscription.number, **values)
    with undone():
        answer = client.generic(method, f"{address}?{rule.query.format(**ids)}")
        if answer.streaming:
            b"".join(answer)
    return answer


def refusals(client: Client, route: Route, numbered: Tenant, named: Tenant) -> dict[str, int]:
    with changing_nothing():
        return {method: ask(client, method, route, numbered, named).status_code for method in METHODS}


def by_page(pages: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", pages, ids=lambda route: route.name)


NOT_FOUND = dict.fromkeys(METHODS, 404)
FOUND = {200, 302, 303, 405, 409, 422}


def test_every_address_has_a_rule_and_every_rule_an_address():
    people = [route for route in routes() if not route.pattern.startswith(tuple(MACHINES))]
    names = {route.name for route in people}

    assert [route.pattern for route in people if route.name not in RULES | ABOVE] == []
    assert RULES.keys() | ABOVE.keys() <= names
    assert all(any(route.pattern.startswith(begin) for route in routes()) for begin in MACHINES)


@by_page(PAGES)
def test_a_page_names_a_number_and_carries_the_permission_of_its_rule(route: Route):
    assert "number" in route.parameters
    assert route.view.permission is RULES[route.name].permission


@by_page(PAGES)
@pytest.mark.parametrize("role", Role)
def test_every_role_finds_what_the_table_lets_it_find_and_nothing_else(tenants, route: Route, role: Role):
    own = tenants[0]
    client = own.browsers[role]
    if RULES[route.name].permission not in ROLES[role]:
        assert refusals(client, route, own, own) == NOT_FOUND
    else:
        answers = {method: ask(client, method, route, own, own).status_code for method in METHODS}
        assert set(answers.values()) <= FOUND, answers


@by_page(PAGES)
def test_nobody_is_sent_to_the_sign_in_page(tenants, route: Route):
    own = tenants[0]

    assert refusals(Client(), route, own, own) == dict.fromkeys(METHODS, 302)


@by_page(PAGES)
@pytest.mark.parametrize("role", Role)
def test_another_subscription_is_not_found_by_people_of_any_role(tenants, route: Route, role: Role):
    own, other = tenants

    assert refusals(own.browsers[role], route, other, other) == NOT_FOUND


@by_page([route for route in PAGES if RULES[route.name].names])
@pytest.mark.parametrize("role", [role for role in Role if ROLES[role]])
def test_another_subscriptions_things_are_as_if_they_were_not_there(tenants, route: Route, role: Role):
    own, other = tenants
    client = own.browsers[role]

    answers = refusals(client, route, own, other)

    assert set(answers.values()) <= {404, 405}
    if role is Role.SUBSCRIPTION_ADMIN:
        assert answers == refusals(client, route, own, MISSING)


class _Nothing:
    pk = 999_999_999


MISSING = Tenant(None, dict.fromkeys({name for rule in RULES.values() for name in rule.names}, _Nothing()), {})  # type: ignore[arg-type]
