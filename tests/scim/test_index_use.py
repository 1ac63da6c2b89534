"""What an identity provider looks for is found by an index, among many rows, on PostgreSQL."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction

from provisioning.models import GroupMembership, LoginAccount, ProvisioningConfiguration, UserGroup
from scim.schema import ENTERPRISE_SCHEMA
from tests.database_role import analyze
from tests.factories import make_configuration, recount
from tests.scim.service import Service, statements

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

USERS, GROUPS, MEMBERS = 10_000, 1_000, 20
MANY = {LoginAccount: USERS, UserGroup: GROUPS}


@pytest.fixture(scope="module")
def service(django_db_setup, django_db_blocker) -> Iterator[Service]:
    """Fill the database once for all tests of this module, and leave nothing."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_service()
        transaction.set_rollback(True)


def make_service() -> Service:
    configuration = make_configuration()
    service = Service(configuration)
    boss = service.make_user("boss", emails=[{"type": "work", "value": "boss@x"}], externalId="e", displayName="Boss")
    service.make_user("template", manager={"value": boss}, displayName="T", emails=[{"type": "work", "value": "t@x"}])
    service.make_group("template")
    fill(configuration)
    return service


def fill(configuration: ProvisioningConfiguration) -> None:
    """Make copies of the last user and the last group, all different where they must be."""
    copied(
        LoginAccount,
        username_key="'u' || n",
        external_id="'e' || n",
        display_name_key="'d' || n",
        email_key="n || '@x'",
    )
    copied(UserGroup, display_name_key="'g' || n", external_id="'e' || n")
    first_user, first_group = LoginAccount.objects.get(username_key="u1").pk, UserGroup.objects.get(external_id="e1").pk
    execute(
        f"INSERT INTO {GroupMembership._meta.db_table} (subscription_id, group_id, account_id) "
        f"SELECT {configuration.subscription_id}, {first_group} + n % {GROUPS}, {first_user} + (n * 7919) % {USERS} "
        f"FROM generate_series(0, {GROUPS * MEMBERS - 1}) AS n ON CONFLICT DO NOTHING"
    )
    execute("UPDATE provisioning_loginaccount SET is_enabled = false WHERE id % 997 = 0")
    recount(configuration)
    analyze()


def copied(model: Any, **changed: str) -> None:
    changed |= {"scim_id": "gen_random_uuid()::text", "modified_at": "modified_at + n * interval '1 minute'"}
    if model is LoginAccount:
        changed["uid"] = "gen_random_uuid()"
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changed.get(name, name) for name in names)
    template = model.objects.order_by("-pk").values_list("pk", flat=True)[0]
    execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {values} FROM {model._meta.db_table}, "
        f"generate_series(1, {MANY[model]}) AS n WHERE id = {template} ORDER BY n"
    )


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def plan_of(service: Service, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return the nodes of the plan of the statement that reads the page, carried out."""
    asked = partial(service.ask, "GET", f"{path}?{urlencode(parameters)}")
    reply, page = asked(), statements(asked)[1]
    assert reply.status == 200, reply.body
    assert reply.body["Resources"], "nothing was found, so the plan says nothing"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {page.replace('%', '%%')}")
        return list(nodes(cursor.fetchone()[0][0]["Plan"]))


def looked_at(plan: list[dict[str, Any]]) -> float:
    """Return how many rows the plan touched, those it threw away included."""
    scans = [node for node in plan if "Relation Name" in node or "Index Name" in node]
    return sum(
        float(node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * float(node["Actual Loops"])
        for node in scans
    )


def check(plan: list[dict[str, Any]], at_most: int) -> None:
    scanned = [node.get("Relation Name") for node in plan if node["Node Type"] == "Seq Scan"]
    assert not set(scanned) & {model._meta.db_table for model in (LoginAccount, UserGroup, GroupMembership)}, scanned
    assert looked_at(plan) <= at_most


def ids(service: Service) -> dict[str, str | None]:
    member = GroupMembership.objects.select_related("group", "account").order_by("-pk")[0]
    boss = LoginAccount.objects.get(username_key="boss")
    return {"user": member.account.scim_id, "group": member.group.scim_id, "boss": boss.scim_id}


def test_users_are_found_by_indexes(service):
    known = ids(service)
    moment = LoginAccount.objects.order_by("-modified_at")[30].modified_at.isoformat()
    for text in (
        'userName eq "U4711"',
        'externalId eq "e4711"',
        'displayName eq "D4711"',
        'emails[type eq "work"].value eq "boss@x"',
        'emails[type eq "work" and value eq "BOSS@x"]',
        f'id eq "{known["user"]}"',
        f'id eq "{known["user"]}" and manager eq "{known["boss"]}"',
        f'{ENTERPRISE_SCHEMA.urn}:manager eq "{known["boss"]}" and id eq "{known["user"]}"',
        'userName eq "u4711" and active eq true',
        f'meta.lastModified gt "{moment}"',
        f'groups.value eq "{known["group"]}"',
    ):
        check(plan_of(service, "/Users", filter=text), 400)


def test_users_that_are_inactive_are_few_and_found_by_an_index(service):
    check(plan_of(service, "/Users", filter="active eq false"), 100)
    check(plan_of(service, "/Users", filter="active eq true", count=10), 60)


def test_groups_are_found_by_indexes(service):
    known = ids(service)
    for text in (
        'displayName eq "G471"',
        'externalId eq "e471"',
        f'id eq "{known["group"]}"',
        f'id eq "{known["group"]}" and members eq "{known["user"]}"',
        f'members eq "{known["user"]}"',
        f'members.value eq "{known["user"]}"',
        f'members[value eq "{known["user"]}"]',
        f'members[value eq "{known["user"]}" and type eq "User"]',
        f'members eq "{known["user"]}" or displayName eq "g471"',
    ):
        check(
            plan_of(service, "/Groups", filter=text, excludedAttributes="members"), 100 if " or " not in text else 4200
        )


def test_a_page_by_cursor_is_read_from_an_index_however_deep(service):
    query = {"count": 50, "excludedAttributes": "groups"}
    costs = []
    cursor = ""
    for _ in range(3):
        reply = service.ask("GET", f"/Users?{urlencode({**query, 'cursor': cursor})}")
        plan = plan_of(service, "/Users", **query, cursor=cursor)
        assert not any("Sort" in node["Node Type"] for node in plan)
        check(plan, 120)
        costs.append(looked_at(plan))
        cursor = reply.body["nextCursor"]
    assert max(costs) <= costs[0] + 2


def test_rows_that_are_skipped_are_looked_up_in_an_index_only(service):
    plan = plan_of(service, "/Users", startIndex=1_001, count=10)

    below = [node for node in plan if node["Node Type"] == "Limit"][-1]["Plans"]
    skipped = next(node for node in below if node["Parent Relationship"] != "InitPlan")
    assert re.fullmatch(r"Index (Only )?Scan", skipped["Node Type"])
    wide = [node for node in plan if node.get("Alias") != skipped.get("Alias")]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in wide if "Relation Name" in node) < 200


def test_what_no_index_knows_is_looked_for_in_every_row(service):
    """The control of the tests above."""
    assert looked_at(plan_of(service, "/Users", filter='displayName ew "9999"')) >= USERS
