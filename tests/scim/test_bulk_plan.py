"""A BulkRequest is read and put in order by plain Python: every reference is there before it is needed."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.bulk import references
from scim.bulk.messages import METHODS, REQUEST_URN, Operation, Request, read
from scim.bulk.order import in_order
from scim.bulk.plan import plan
from scim.errors import ScimError
from scim.patch.operations import PATCH_URN
from scim.schema import ENTERPRISE_SCHEMA, GROUP, USER

LIMIT = 1000


def request(*operations: Any, **more: Any) -> Request:
    return read({"schemas": [REQUEST_URN], "Operations": list(operations), **more}, LIMIT)


def one(**members: Any) -> Operation:
    return request(members).operations[0]


def post(bulk_id: str, data: dict[str, Any], path: str = "/Groups") -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def group(bulk_id: str, *members: str) -> dict[str, Any]:
    return post(bulk_id, {"displayName": bulk_id, "members": [{"value": f"bulkId:{name}"} for name in members]})


def steps(*operations: dict[str, Any]) -> list[tuple[Operation, ...]]:
    return plan(request(*operations).operations)


def order(*operations: dict[str, Any]) -> list[list[int]]:
    return [[operation.number for operation in step] for step in steps(*operations)]


@pytest.mark.parametrize(
    ("body", "status", "scim_type"),
    [
        ([], 400, "invalidSyntax"),
        (None, 400, "invalidSyntax"),
        ({"Operations": []}, 400, "invalidSyntax"),
        ({"schemas": REQUEST_URN, "Operations": []}, 400, "invalidSyntax"),
        ({"schemas": [PATCH_URN], "Operations": []}, 400, "invalidSyntax"),
        ({"schemas": [REQUEST_URN]}, 400, "invalidSyntax"),
        ({"schemas": [REQUEST_URN], "Operations": {}}, 400, "invalidSyntax"),
        ({"schemas": [REQUEST_URN], "Operations": [7]}, 400, "invalidSyntax"),
        ({"schemas": [REQUEST_URN], "Operations": [], "failOnErrors": 0}, 400, "invalidValue"),
        ({"schemas": [REQUEST_URN], "Operations": [], "failOnErrors": "1"}, 400, "invalidValue"),
        ({"schemas": [REQUEST_URN], "Operations": [], "failOnErrors": True}, 400, "invalidValue"),
        ({"schemas": [REQUEST_URN], "Operations": [{}] * (LIMIT + 1)}, 413, None),
    ],
)
def test_what_is_no_bulk_request_is_refused(body: object, status: int, scim_type: str | None):
    with pytest.raises(ScimError) as caught:
        read(body, LIMIT)

    assert (caught.value.status, caught.value.scim_type) == (status, scim_type)


@pytest.mark.parametrize("number", [LIMIT - 1, LIMIT])
def test_as_many_operations_as_are_published_are_read(number: int):
    assert len(request(*[{}] * number).operations) == number


def test_too_many_operations_are_told_the_limit():
    with pytest.raises(ScimError, match="1,000"):
        request(*[{}] * (LIMIT + 1))


def test_names_of_members_may_have_any_letter_case():
    found = read({"SCHEMAS": [REQUEST_URN.upper()], "operations": [{"METHOD": "delete", "Path": "/users/1"}]}, LIMIT)

    assert (found.operations[0].method, found.operations[0].resource_type) == ("DELETE", USER)


@pytest.mark.parametrize(
    ("path", "resource_type", "target"),
    [
        ("/Users/1", USER, "1"),
        ("Users/1", USER, "1"),
        ("//USERS//1/", USER, "1"),
        ("/groups/bulkId:x", GROUP, "bulkId:x"),
        ("/Groups/a%20b", GROUP, "a%20b"),
    ],
)
def test_a_path_is_understood_however_it_is_written(path: str, resource_type: object, target: str):
    found = one(method="PUT", path=path, data={})

    assert (found.resource_type, found.target, found.refusal) == (resource_type, target, None)


@pytest.mark.parametrize(
    ("members", "status", "scim_type"),
    [
        ({}, 400, "invalidSyntax"),
        ({"method": "GET", "path": "/Users"}, 400, "invalidSyntax"),
        ({"method": 7, "path": "/Users"}, 400, "invalidSyntax"),
        ({"method": "DELETE"}, 400, "invalidSyntax"),
        ({"method": "DELETE", "path": "/"}, 400, "invalidSyntax"),
        ({"method": "DELETE", "path": ["/Users/1"]}, 400, "invalidSyntax"),
        ({"method": "DELETE", "path": "/Devices/1"}, 404, None),
        ({"method": "DELETE", "path": "/Users/1/2"}, 404, None),
        ({"method": "DELETE", "path": "/Users"}, 405, None),
        ({"method": "POST", "path": "/Users/1", "bulkId": "a", "data": {}}, 405, None),
        ({"method": "POST", "path": "/Users", "data": {}}, 400, "invalidSyntax"),
        ({"method": "POST", "path": "/Users", "bulkId": 7, "data": {}}, 400, "invalidSyntax"),
        ({"method": "POST", "path": "/Users", "bulkId": "", "data": {}}, 400, "invalidSyntax"),
        ({"method": "POST", "path": "/Users", "bulkId": "a"}, 400, "invalidSyntax"),
        ({"method": "PUT", "path": "/Users/1", "data": []}, 400, "invalidSyntax"),
        ({"method": "PATCH", "path": "/Users/1", "data": "x"}, 400, "invalidSyntax"),
        ({"method": "DELETE", "path": "/Users/1", "version": 1}, 400, "invalidValue"),
    ],
)
def test_a_wrong_operation_is_refused_by_itself(members: dict[str, Any], status: int, scim_type: str | None):
    refusal = one(**members).refusal

    assert refusal is not None
    assert (refusal.status, refusal.scim_type) == (status, scim_type)


def test_a_patch_may_be_the_bare_list_of_the_rfcs_example():  # RFC 7644 §3.7.3
    operations = [{"op": "remove", "path": "nickName"}]

    assert one(method="PATCH", path="/Users/1", data=operations).data == {
        "schemas": [PATCH_URN],
        "Operations": operations,
    }


def test_without_references_the_order_of_the_request_stays():
    assert order(group("a"), {"method": "DELETE", "path": "/Users/1"}, group("b")) == [[0], [1], [2]]


def test_what_is_named_comes_before_what_names_it():
    put = {"method": "PUT", "path": "/Groups/1", "data": {"members": ["bulkId:c"]}}

    assert order(group("a", "b"), put, group("b", "c"), group("c")) == [[3], [2], [0], [1]]


def test_a_reference_in_a_path_counts():
    delete = {"method": "DELETE", "path": "/Groups/bulkId:a"}

    assert order(delete, group("a")) == [[1], [0]]
    assert steps(delete, group("a"))[1][0].needs == {"a"}


def test_a_circle_is_one_step_whose_parts_are_completed_later():
    [[a, b]] = steps(group("a", "b", "stays"), group("b", "a"), group("stays"))[1:]

    assert a.data["members"] == [{"value": "bulkId:stays"}]
    assert (a.later, a.needs) == ({"members": [{"value": "bulkId:b"}]}, {"stays"})
    assert (b.data["members"], b.later, b.needs) == ([{"value": "bulkId:a"}], {}, {"a"})


def test_managers_in_a_circle_are_taken_out_of_their_extension():
    def user(name: str, manager: object) -> dict[str, Any]:
        return post(name, {"userName": name, ENTERPRISE_SCHEMA.urn: {"manager": manager, "division": "D"}}, "/Users")

    [[a, b]] = steps(user("a", {"value": "bulkId:b"}), user("b", "bulkId:a"))

    assert a.data == {"userName": "a", ENTERPRISE_SCHEMA.urn: {"division": "D"}}
    assert a.later == {ENTERPRISE_SCHEMA.urn: {"manager": {"value": "bulkId:b"}}}
    assert b.later == {}


def test_what_names_itself_is_completed_later():
    [[a]] = steps(group("a", "a"))

    assert (a.data["members"], a.later) == ([], {"members": [{"value": "bulkId:a"}]})


def test_a_circle_that_cannot_be_broken_is_a_conflict():  # RFC 7644 §3.7.1
    a = post("a", {"userName": "bulkId:b"}, "/Users")
    b = post("b", {"userName": "b", "manager": "bulkId:a"}, "/Users")

    assert [operation.refusal.status for operation in steps(a, b)[0] if operation.refusal] == [409, 409]


def test_a_stranger_is_an_invalid_value():
    [[found]] = steps(group("a", "nobody"))

    assert found.refusal is not None
    assert (found.refusal.status, found.refusal.scim_type) == (400, "invalidValue")


def test_a_bulk_id_that_several_have_is_nobodys():
    refusals = [step[0].refusal for step in steps(group("a"), group("a"), group("b", "a"))]

    assert [refusal.scim_type for refusal in refusals if refusal] == ["invalidValue"] * 3


def test_others_than_creations_may_repeat_a_bulk_id():
    put = {"method": "PUT", "path": "/Groups/bulkId:a", "bulkId": "a", "data": {"members": ["bulkId:a"]}}

    assert order(put, put, group("a")) == [[2], [0], [1]]
    assert all(operation.refusal is None and not operation.later for [operation] in steps(put, put, group("a")))


def test_long_chains_and_deep_data_do_not_exhaust_the_stack():
    chain = [group(str(number), str(number + 1)) for number in range(LIMIT - 1)] + [group(str(LIMIT - 1))]
    deep: Any = "bulkId:0"
    for _ in range(LIMIT):
        deep = [deep]

    assert order(*chain) == [[number] for number in reversed(range(LIMIT))]
    assert references.names({"a": deep}) == {"0"}
    assert len(steps(*chain[:-1], group(str(LIMIT - 1), "0"))[0]) == LIMIT


@given(st.lists(st.lists(st.integers(0, 11), max_size=3), min_size=12, max_size=12))
def test_circles_come_after_all_that_they_lead_to(edges: list[list[int]]):
    circles = in_order(edges)

    place = {node: number for number, circle in enumerate(circles) for node in circle}
    assert sorted(place) == list(range(12))
    assert all(place[other] <= place[node] for node in range(12) for other in edges[node])
    reach = reachable(edges)
    assert all(
        (place[a] == place[b]) == (a == b or (b in reach[a] and a in reach[b])) for a in range(12) for b in range(12)
    )


def reachable(edges: list[list[int]]) -> list[set[int]]:
    reach = [set(others) for others in edges]
    for _ in edges:
        reach = [found.union(*(reach[other] for other in found)) for found in reach]
    return reach


NAMES = "abcdef"
REFERENCES = st.lists(st.sampled_from([*NAMES, "stranger"]).map("bulkId:{}".format), max_size=3)
DATA = st.fixed_dictionaries(
    {"displayName": st.just("G")},
    optional={
        "members": st.lists(st.builds(lambda text: {"value": text}, st.sampled_from(NAMES).map("bulkId:{}".format))),
        "urn:x": st.fixed_dictionaries(
            {}, optional={"list": REFERENCES, "deep": st.builds(lambda r: {"r": r}, REFERENCES)}
        ),
    },
)
OPERATIONS = st.lists(
    st.builds(
        lambda method, name, data, target: {
            "method": method,
            "path": "/Groups" if method == "POST" else f"/Groups/{target}",
            "bulkId": name,
            "data": data,
        },
        st.sampled_from(METHODS),
        st.sampled_from(NAMES),
        DATA,
        st.sampled_from(["1", "bulkId:a", "bulkId:f", "bulkId:stranger"]),
    ),
    max_size=8,
)


@given(OPERATIONS)
def test_every_plan_can_be_carried_out(operations: list[dict[str, Any]]):
    before = copy.deepcopy(operations)

    planned = steps(*operations)

    assert operations == before
    assert sorted(operation.number for step in planned for operation in step) == list(range(len(operations)))
    created: set[str] = set()
    for step in planned:
        for operation in step:
            if operation.refusal is None:
                assert operation.needs <= created
                assert references.names(operation.data) <= created
            if operation.method == "POST":
                created.add(operation.bulk_id)
        assert all(references.names(operation.later) <= created for operation in step if operation.refusal is None)
    others = [operation.number for step in planned for operation in step if operation.method != "POST"]
    assert others == sorted(others), "only creations are brought forward"


@given(DATA, st.sets(st.sampled_from(NAMES)))
def test_a_split_loses_and_invents_nothing(data: dict[str, Any], pending: set[str]):
    kept, later = references.split(data, pending)

    assert not references.names(kept) & pending
    assert references.names(kept) | references.names(later) == references.names(data)
    count = re.compile("bulkId:")
    assert len(count.findall(f"{kept}{later}")) == len(count.findall(str(data)))


@given(DATA)
def test_what_is_filled_names_nothing_any_more(data: dict[str, Any]):
    references.fill(data, {name: f"id of {name}" for name in [*NAMES, "stranger"]})

    assert references.names(data) == set()
    assert all(member["value"].startswith("id of ") for member in data.get("members", []))
