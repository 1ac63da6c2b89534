"""Bulk: each operation by itself, references resolved, and what became of each (RFC 7644 §3.7)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.models import (
    GroupMembership,
    GroupNesting,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    UserGroup,
)
from provisioning.services import groups, totals
from scim.bulk.messages import REQUEST_URN, RESPONSE_URN
from scim.http import MAX_BODY_BYTES
from scim.schema import ENTERPRISE_SCHEMA, GROUP, USER
from tests.factories import make_configuration
from tests.scim.scenarios import ERROR, Reply
from tests.scim.service import Service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return Service(make_configuration())


def bulk(service: Service, *operations: dict[str, Any], **more: Any) -> Reply:
    return service.ask("POST", "/Bulk", {"schemas": [REQUEST_URN], "Operations": list(operations), **more})


def results(service: Service, *operations: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    reply = bulk(service, *operations, **more)
    assert (reply.status, reply.body["schemas"]) == (200, [RESPONSE_URN]), reply.body
    answers: list[dict[str, Any]] = reply.body["Operations"]
    return answers


def statuses(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["status"] for answer in answers]


def user(bulk_id: str, **more: Any) -> dict[str, Any]:
    data = {"schemas": [USER.schema.urn], "userName": f"{bulk_id}@x", **more}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def group(bulk_id: str, *members: str) -> dict[str, Any]:
    data = {
        "schemas": [GROUP.schema.urn],
        "displayName": bulk_id,
        "members": [{"value": f"bulkId:{name}"} for name in members],
    }
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def patch(path: str, *operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "data": list(operations), **more}


def rows() -> list[tuple[str, str, int]]:
    return list(ProvisioningLogEntry.objects.order_by("pk").values_list("operation", "resource_type", "status"))


def test_every_method_is_done_and_told(service):  # R-BLK-01
    put, gone, legal = service.make_user("put@x"), service.make_user("gone@x"), service.make_group("Legal")
    ProvisioningLogEntry.objects.all().delete()

    answers = results(
        service,
        user("ada"),
        {"method": "PUT", "path": f"/Users/{put}", "data": {"schemas": [USER.schema.urn], "userName": "new@x"}},
        patch(f"/Users/{put}", {"op": "add", "path": "title", "value": "T"}, bulkId="p"),
        patch(f"/Groups/{legal}", {"op": "add", "path": "members", "value": [{"value": put}]}),
        {"method": "delete", "path": f"/Users/{gone.replace('-', '%2D')}"},
    )

    base = service.ask("GET", f"/Users/{put}").body["meta"]["location"].removesuffix(f"/Users/{put}")
    ada = LoginAccount.objects.get(username="ada@x").scim_id
    assert answers == [
        {"method": "POST", "bulkId": "ada", "version": 'W/"1"', "location": f"{base}/Users/{ada}", "status": "201"},
        {"method": "PUT", "version": 'W/"2"', "location": f"{base}/Users/{put}", "status": "200"},
        {
            "method": "PATCH",
            "bulkId": "p",
            "version": 'W/"3"',
            "location": f"{base}/Users/{put}",
            "status": "200",
        },
        {"method": "PATCH", "version": 'W/"2"', "location": f"{base}/Groups/{legal}", "status": "204"},
        {"method": "DELETE", "location": f"{base}/Users/{gone}", "status": "204"},
    ]
    assert rows() == [
        ("create", "User", 201),
        ("replace", "User", 200),
        ("update", "User", 200),
        ("update", "Group", 204),
        ("delete", "User", 204),
    ]
    assert ProvisioningLogEntry.objects.values("request_id").distinct().count() == 1


def test_what_fails_says_why_and_the_rest_is_done(service):
    taken = service.make_user("taken@x")

    answers = results(
        service,
        user("taken"),
        {"method": "DELETE", "path": "/Users/nobody"},
        {"method": "TRACE", "path": "/Users"},
        {"method": "PATCH", "path": "/Devices/1", "data": []},
        user("ada"),
    )

    assert statuses(answers) == ["409", "404", "400", "404", "201"]
    assert answers[0]["response"] == {
        "schemas": [ERROR],
        "status": "409",
        "scimType": "uniqueness",
        "detail": 'userName "taken@x" is already in use',
    }
    assert "location" not in answers[0], "a POST that failed made nothing that has a location"
    assert answers[1]["location"].endswith("/Users/nobody")
    assert answers[3]["location"].endswith("/Devices/1")
    assert not any("response" in answer for answer in answers[4:])
    logged = ProvisioningLogEntry.objects.filter(is_success=False).order_by("pk")
    assert [(row.operation, row.resource_name, row.status) for row in logged] == [
        ("create", "taken@x", 409),
        ("delete", "", 404),
        ("bulk", "", 400),
        ("update", "", 404),
    ]
    assert service.ask("GET", f"/Users/{taken}").headers["etag"] == 'W/"1"'


def test_references_are_resolved_forwards_and_backwards(service):  # R-BLK-02
    answers = results(
        service,
        group("Legal", "ada", "bob", "Inner"),
        user("ada", **{ENTERPRISE_SCHEMA.urn: {"manager": {"value": "bulkId:bob"}}}),
        patch("/Groups/bulkId:Inner", {"op": "add", "path": "members", "value": [{"value": "bulkId:ada"}]}),
        user("bob"),
        group("Inner"),
        {"method": "DELETE", "path": "/Users/bulkId:gone"},
        user("gone"),
    )

    assert statuses(answers) == ["201", "201", "204", "201", "201", "204", "201"]
    ids = {answer.get("bulkId"): answer["location"].rpartition("/")[2] for answer in answers}
    members = service.ask("GET", f"/Groups/{ids['Legal']}").body["members"]
    assert {member["value"] for member in members} == {ids["ada"], ids["bob"], ids["Inner"]}
    ada = service.ask("GET", f"/Users/{ids['ada']}").body
    assert ada[ENTERPRISE_SCHEMA.urn]["manager"]["value"] == ids["bob"]
    assert {found["display"] for found in ada["groups"]} == {"Legal", "Inner"}
    assert service.ask("GET", f"/Users/{ids['gone']}").status == 404


def test_groups_in_a_circle_are_each_others_members(service):
    answers = results(service, group("A", "B", "ada"), user("ada"), group("B", "A"))

    assert statuses(answers) == ["201", "201", "201"]
    assert sorted(answer["version"] for answer in answers) == ['W/"1"', 'W/"1"', 'W/"2"']
    for answer in answers:
        found = service.ask("GET", "/".join(["", *answer["location"].split("/")[-2:]]))
        assert found.headers["etag"] == answer["version"]
    pairs = GroupNesting.objects.values_list("group__display_name", "child__display_name")
    assert set(pairs) == {("A", "B"), ("B", "A")}
    assert GroupMembership.objects.get().group.display_name == "A"


def test_managers_in_a_circle_manage_each_other(service):
    def managed(name: str, by: str) -> dict[str, Any]:
        return user(name, **{ENTERPRISE_SCHEMA.urn: {"manager": {"value": f"bulkId:{by}"}, "division": "D"}})

    answers = results(service, managed("a", "b"), managed("b", "c"), managed("c", "a"), managed("self", "self"))

    assert statuses(answers) == ["201"] * 4
    ids = {answer["bulkId"]: answer["location"].rpartition("/")[2] for answer in answers}
    for name, manager in [("a", "b"), ("b", "c"), ("c", "a"), ("self", "self")]:
        shown = service.ask("GET", f"/Users/{ids[name]}").body[ENTERPRISE_SCHEMA.urn]
        assert (shown["manager"]["value"], shown["division"]) == (ids[manager], "D")


def test_a_circle_is_done_wholly_or_not_at_all(service):
    service.make_group("B")
    before = rows()

    answers = results(service, group("A", "B"), group("B", "A"), group("C", "A"))

    assert statuses(answers) == ["409", "409", "409"]
    assert answers[1]["response"]["scimType"] == "uniqueness"
    assert UserGroup.objects.get().display_name == "B"
    assert [row[2] for row in rows()[len(before) :]] == [409, 409, 409]


def test_a_circle_that_cannot_be_broken_is_a_conflict(service):
    answers = results(service, user("a", userName="bulkId:b"), user("b", manager="bulkId:a"))

    assert statuses(answers) == ["409", "409"]
    assert LoginAccount.objects.count() == 0


def test_what_cannot_be_resolved_is_refused(service):
    answers = results(
        service,
        group("A", "nobody"),
        user("bad", active="maybe"),
        group("B", "bad"),
        {"method": "DELETE", "path": "/Users/bulkId:?"},
    )

    assert statuses(answers) == ["400", "400", "409", "400"]
    assert [answer["response"].get("scimType") for answer in answers] == [
        "invalidValue",
        "invalidValue",
        None,
        "invalidValue",
    ]
    assert (LoginAccount.objects.count(), UserGroup.objects.count()) == (0, 0)


@pytest.mark.parametrize(("limit", "done"), [(1, 2), (2, 4), (3, 5), (None, 5)])
def test_after_so_many_errors_nothing_more_is_done(service, limit: int | None, done: int):
    gone = {"method": "DELETE", "path": "/Users/nobody"}

    answers = results(service, user("a"), gone, user("b"), gone, user("c"), failOnErrors=limit)

    assert statuses(answers) == ["201", "404", "201", "404", "201"][:done]
    assert LoginAccount.objects.count() == (done + 1) // 2


def test_a_version_is_insisted_on(service):
    path = f"/Users/{service.make_user('ada@x')}"
    rename = {"op": "replace", "path": "title", "value": "T"}

    answers = results(
        service,
        patch(path, rename, version='W/"2"'),
        patch(path, rename, version='W/"1"'),
        {"method": "DELETE", "path": path, "version": '"1"'},
        {"method": "DELETE", "path": path, "version": '"2"'},
    )

    assert statuses(answers) == ["412", "200", "412", "204"]


def test_the_configuration_says_what_a_patch_of_a_user_answers(service):
    account = service.make_user("ada@x")
    ProvisioningConfiguration.objects.update(user_patch_status=204)

    assert statuses(results(service, patch(f"/Users/{account}", {"op": "add", "path": "title", "value": "T"}))) == [
        "204"
    ]


def test_nothing_to_do_is_done(service):
    assert results(service) == []


@pytest.mark.parametrize(("number", "status"), [(999, 200), (1000, 200), (1001, 413)])
def test_the_number_of_operations_has_a_limit(service, number: int, status: int):  # R-BLK-03
    reply = bulk(service, *[{"method": "DELETE", "path": "/Devices/1"}] * number, failOnErrors=1)

    assert reply.status == status
    assert "1,000" in reply.body.get("detail", "1,000")


@pytest.mark.parametrize(("size", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_the_size_of_the_request_has_a_limit(service, size: int, status: int):  # R-BLK-03
    body = json.dumps({"schemas": [REQUEST_URN], "Operations": []}).encode()

    reply = service.ask("POST", "/Bulk", body.ljust(MAX_BODY_BYTES + size))

    assert reply.status == status
    assert "2,097,152" in reply.body.get("detail", "2,097,152")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"Operations": []}', b'"x"'])
def test_what_is_no_bulk_request_is_refused_and_logged_as_one(service, body: bytes):
    reply = service.ask("POST", "/Bulk", body)

    assert (reply.status, reply.body["scimType"]) == (400, "invalidSyntax")
    assert rows() == [("bulk", "", 400)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_bulk_is_posted(service, method: str):
    reply = service.ask(method, "/bulk/")

    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_fault_in_one_operation_leaves_the_others(service, monkeypatch, caplog):
    def fail(**_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scim.resources.groups.create", fail)

    assert statuses(results(service, user("a"), group("G"), user("b"))) == ["201", "500", "201"]
    assert "ZeroDivisionError" in caplog.text


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.django_db(transaction=True)
def test_nothing_is_half_done_when_the_process_ends_on_the_way(service, monkeypatch):
    configuration, real = ProvisioningConfiguration.objects.get(), groups.change_group

    def end(**arguments: Any) -> None:
        real(**arguments)
        raise Killed

    monkeypatch.setattr(groups, "change_group", end)
    with pytest.raises(Killed):
        bulk(service, user("ada"), group("Legal", "ada"), group("A", "B"), group("B", "A"))

    assert [group.display_name for group in UserGroup.objects.all()] == ["Legal"]
    assert rows() == [("create", "User", 201), ("create", "Group", 201)]
    assert totals.number_of(configuration, "Group") == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from("abcde"), st.sets(st.sampled_from("abcde"), max_size=3)), st.randoms())
def test_whatever_groups_refer_to_each_other_end_as_described(service, members: dict[str, set[str]], random: Any):
    wanted = {
        name: {other for other in others if other in members and other != name} for name, others in members.items()
    }
    names = list(members)
    random.shuffle(names)
    UserGroup.objects.all().delete()

    answers = results(service, *[group(name, *sorted(wanted[name])) for name in names])

    assert statuses(answers) == ["201"] * len(names)
    pairs = GroupNesting.objects.values_list("group__display_name", "child__display_name")
    assert set(pairs) == {(name, other) for name, others in wanted.items() for other in others}
