"""How many statements a request takes (3-scim §3.3): the first one authenticates."""

from functools import partial
from urllib.parse import urlencode

import pytest
from django.db import connection

from provisioning.models import GroupMembership, LoginAccount, UserGroup
from scim.schema import ENTERPRISE_SCHEMA, USER
from tests.factories import NOON, make_configuration, recount
from tests.scim.service import Service, statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    service = Service(make_configuration())
    service.ask("GET", "/ServiceProviderConfig")  # the first contact of all is remembered
    return service


def on(*, postgresql: int, sqlite: int) -> int:
    """PostgreSQL writes the deed and its log row by one statement, SQLite takes one for each."""
    return postgresql if connection.vendor == "postgresql" else sqlite


def touches(statement: str, table: str) -> bool:
    return f"provisioning_{table}" in statement


def test_reading_a_user_takes_two_statements_whatever_groups_and_manager_it_has(service):
    manager = service.make_user("boss@x", displayName="Boss")
    user = service.make_user("ada@x", **{ENTERPRISE_SCHEMA.urn: {"manager": manager}})
    for number in range(3):
        service.make_group(f"G{number}", members=[{"value": user}])

    taken = statements(lambda: service.ask("GET", f"/Users/{user}"))

    assert len(taken) == 2
    assert len(service.ask("GET", f"/Users/{user}").body["groups"]) == 3


def test_groups_that_are_not_wanted_are_not_read(service):
    user = service.make_user("ada@x")

    taken = statements(lambda: service.ask("GET", f"/Users/{user}?excludedAttributes=groups"))

    assert not any(touches(statement, "groupmembership") for statement in taken)


@pytest.mark.parametrize(
    "found", ['userName eq "ADA@x"', 'userName eq "nobody@x"', 'emails[type eq "work"].value eq "a"']
)
def test_looking_for_a_user_takes_two_statements(service, found: str):
    service.make_user("ada@x")

    taken = statements(lambda: service.ask("GET", f"/Users?{urlencode({'filter': found})}"))

    assert len(taken) == 2


def test_a_full_page_is_counted_by_one_more_statement(service):
    for number in range(3):
        service.make_user(f"u{number}@x")

    assert len(statements(lambda: service.ask("GET", "/Users?count=2"))) == 3
    assert len(statements(lambda: service.ask("GET", "/Users?count=3"))) == 2
    assert len(statements(lambda: service.ask("GET", "/Users?count=0"))) == 2


def test_creating_a_user_takes_one_statement_besides(service):
    manager = service.make_user("boss@x", displayName="Boss")

    assert len(statements(lambda: service.make_user("ada@x", active=True))) == on(postgresql=2, sqlite=5)
    assert len(statements(lambda: service.make_user("b@x", **{ENTERPRISE_SCHEMA.urn: {"manager": manager}}))) == on(
        postgresql=3, sqlite=6
    )


def test_disabling_a_user_takes_two_statements_besides_and_those_that_count_the_hour(service):
    user = service.make_user("ada@x")
    service.make_group("G", members=[{"value": user}])
    disable = {"op": "Replace", "path": "active", "value": "False"}

    assert len(statements(lambda: service.patch(f"/Users/{user}", disable))) == on(postgresql=5, sqlite=6)
    assert len(statements(lambda: service.patch(f"/Users/{user}", disable))) == 3, "nothing to write but the log"


def test_enabling_a_user_takes_two_statements_besides(service):
    user = service.make_user("ada@x", active=False)
    enable = {"op": "Replace", "path": "active", "value": "True"}

    assert len(statements(lambda: service.patch(f"/Users/{user}", enable))) == on(postgresql=3, sqlite=5)


def fill_group(service: Service, group_id: str, size: int) -> None:
    group = UserGroup.objects.get(scim_id=group_id)
    accounts = LoginAccount.objects.bulk_create(
        LoginAccount(
            subscription_id=group.subscription_id,
            configuration_id=group.configuration_id,
            scim_id=f"{group_id[:8]}-{number}",
            username=f"{group_id}-{number}",
            username_key=f"{group_id}-{number}",
            created_at=NOON,
            modified_at=NOON,
        )
        for number in range(size)
    )
    GroupMembership.objects.bulk_create(
        GroupMembership(subscription_id=group.subscription_id, group=group, account=account) for account in accounts
    )
    recount(group.configuration)


@pytest.mark.parametrize("operation", ["add", "remove"])
def test_changing_one_member_costs_the_same_in_a_small_and_in_a_large_group(service, operation: str):
    taken = []
    for size in (10, 2000):
        user, group = service.make_user(f"u{size}@x"), service.make_group(f"G{size}")
        fill_group(service, group, size)
        if operation == "remove":
            service.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})
        change = {"op": operation, "path": "members", "value": [{"value": user}]}
        taken.append(statements(partial(service.patch, f"/Groups/{group}", change)))

    assert len(taken[0]) == len(taken[1]) == on(postgresql=6, sqlite=7)
    assert not any("SELECT" in statement[:7] and touches(statement, "groupmembership") for statement in taken[1])


def test_adding_a_hundred_members_takes_as_many_statements_as_adding_one(service):
    users = [service.make_user(f"u{number}@x") for number in range(101)]
    one, hundred = service.make_group("One"), service.make_group("Hundred")

    def add(group: str, ids: list[str]) -> list[str]:
        values = [{"value": identifier} for identifier in ids]
        return statements(lambda: service.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": values}))

    assert len(add(one, users[:1])) == len(add(hundred, users[1:]))


def test_a_group_without_its_members_leaves_the_membership_table_alone(service):
    group = service.make_group("G", members=[{"value": service.make_user("ada@x")}])

    for path in (f"/Groups/{group}?excludedAttributes=members", "/Groups?excludedAttributes=members"):
        taken = statements(partial(service.ask, "GET", path))
        assert len(taken) == 2
        assert not any(touches(statement, "groupmembership") for statement in taken)


def test_the_members_of_a_page_of_groups_are_read_by_one_statement(service):
    user = service.make_user("ada@x")
    for number in range(5):
        service.make_group(f"G{number}", members=[{"value": user}])

    taken = statements(lambda: service.ask("GET", "/Groups"))

    assert len(taken) == 3


def test_a_page_of_users_takes_two_statements(service):
    manager = service.make_user("boss@x", displayName="Boss")
    users = [service.make_user(f"u{n}@x", **{ENTERPRISE_SCHEMA.urn: {"manager": manager}}) for n in range(5)]
    service.make_group("G", members=[{"value": user} for user in users])

    taken = statements(lambda: service.ask("GET", "/Users"))

    assert len(taken) == 2


def test_replacing_a_user_takes_two_statements_besides(service):
    user = service.make_user("ada@x")
    body = {"schemas": [USER.schema.urn], "userName": "ada@x", "title": "T"}

    assert len(statements(lambda: service.ask("PUT", f"/Users/{user}", body))) == on(postgresql=3, sqlite=5)


PAGES = [
    ("/Users?count=2", "account_scim_page"),
    ("/Users?count=2&startIndex=3", "account_scim_page"),
    ("/Users?count=2&filter=title+pr", "account_scim_page"),
    ("/Groups?count=2&excludedAttributes=members", "group_scim_page"),
]


@pytest.mark.postgresql
@pytest.mark.parametrize(("path", "index"), PAGES)
def test_a_page_never_walks_past_the_rows_of_other_configurations(service, path: str, index: str):
    page = statements(lambda: service.ask("GET", path))[1]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert index in plan
