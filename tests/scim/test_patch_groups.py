"""PATCH of groups: members never touch the document."""

from typing import Any

import pytest

from scim.errors import InvalidFilter, InvalidPath, InvalidValue, Mutability, PayloadTooLarge, ScimError
from scim.patch import Patched, SetChange, SetKind, apply, parse
from scim.patch.operations import MAX_SET_VALUES
from scim.schema import GROUP

URN = GROUP.schema.urn
LEGAL: dict[str, Any] = {"schemas": [URN], "displayName": "Legal"}


def patch(*operations: object) -> Patched:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}
    return apply(parse(body, GROUP), LEGAL, GROUP, read_only={"id": "g1"})


def op(op_: str, path: str | None = None, *values: object) -> dict[str, Any]:
    return {"op": op_} | ({"path": path} if path else {}) | ({"value": values[0]} if values else {})


def add(*ids: str) -> SetChange:
    return SetChange(SetKind.ADD, ids)


def remove(*ids: str) -> SetChange:
    return SetChange(SetKind.REMOVE, ids)


def replace(*ids: str) -> SetChange:
    return SetChange(SetKind.REPLACE, ids)


CLEAR = SetChange(SetKind.CLEAR)


@pytest.mark.parametrize(
    ("operations", "changes"),
    [
        pytest.param([op("Add", "members", [{"$ref": None, "value": "u"}])], [add("u")], id="E-GRP-11"),
        pytest.param([op("add", "members", [{"value": "u"}])], [add("u")], id="E-GRP-12"),
        pytest.param(
            [op("add", "members", [{"value": "a"}, {"value": "b"}]), op("add", "members", [{"value": "c"}])],
            [add("a", "b", "c")],
            id="E-GRP-13",
        ),
        pytest.param([op("Remove", "members", [{"$ref": None, "value": "u"}])], [remove("u")], id="E-GRP-15, Q-01"),
        pytest.param([op("Remove", "members", [{"value": "a"}, {"value": "b"}])], [remove("a", "b")], id="E-GRP-16"),
        pytest.param([op("remove", 'members[value eq "u"]')], [remove("u")], id="E-GRP-18, Q-48"),
        pytest.param([op("remove", f'members[value eq "{u}"]') for u in "abc"], [remove("a", "b", "c")], id="E-OPT-11"),
        pytest.param(
            [op("remove", 'members[value eq "a" or value eq "b"]')], [remove("a", "b")], id="several in brackets"
        ),
        pytest.param(
            [op("remove", 'members[value eq "a"]', [{"value": "b"}])],
            [remove("a")],
            id="brackets count, value does not",
        ),
        pytest.param([op("remove", "members")], [CLEAR], id="E-GRP-19"),
        pytest.param([op("remove", "members", None)], [CLEAR], id="D-03 null"),
        pytest.param([op("Remove", "members", [])], [], id="E-GRP-20, D-03"),
        pytest.param([op("add", "members", "u")], [add("u")], id="E-GRP-21"),
        pytest.param([op("add", "members", ["u"])], [add("u")], id="E-GRP-21 list"),
        pytest.param(
            [{"name": "addMember", **op("add", "members", [{"displayName": "U", "value": "u"}])}],
            [add("u")],
            id="E-GRP-22",
        ),
        pytest.param([op("Replace", "members", [{"value": "a"}, {"value": "b"}])], [replace("a", "b")], id="E-GRP-24"),
        pytest.param([op("Replace", "members", [])], [CLEAR], id="E-GRP-25, Q-21"),
        pytest.param([op("add", "members", [])], [], id="adding nobody"),
        pytest.param([op("add", "members", None)], [], id="adding null"),
        pytest.param([op("add", "members", ["a", "a"])], [add("a")], id="twice"),
        pytest.param([op("add", None, {"members": [{"value": "u"}]})], [add("u")], id="R-PAT-05"),
        pytest.param([op("replace", None, {"Members": [{"Value": "u"}]})], [replace("u")], id="O-OK-13 without path"),
        pytest.param([op("replace", None, {"displayName": "Legal"})], [], id="D-22, Q-22"),
        pytest.param(
            [op("remove", 'members[value eq "a"]'), op("add", "members", [{"value": "b", "display": "B"}])],
            [remove("a"), add("b")],
            id="O-OK-13",
        ),
        pytest.param([op("add", f"{URN}:members", ["u"])], [add("u")], id="E-PAT-26"),
        pytest.param(
            [op("add", "members", ["a"]), op("remove", "members", ["a"])], [remove("a")], id="the last word: removed"
        ),
        pytest.param(
            [op("remove", "members", ["a"]), op("add", "members", ["a"])], [add("a")], id="the last word: added"
        ),
        pytest.param([op("add", "members", ["a"]), op("remove", "members")], [CLEAR], id="all removed at last"),
        pytest.param(
            [op("replace", "members", ["a", "b"]), op("remove", "members", ["a"]), op("add", "members", ["c"])],
            [replace("b", "c")],
            id="replaced, then changed",
        ),
        pytest.param([op("remove", "members"), op("add", "members", ["a"])], [replace("a")], id="cleared, then filled"),
    ],
)
def test_operations_on_members_become_changes_of_the_set(operations: list[object], changes: list[SetChange]):
    patched = patch(*operations)

    assert patched.sets == ({"members": tuple(changes)} if changes else {})
    assert patched.document == LEGAL
    assert patched.changed is False


def test_a_group_is_renamed_and_its_members_change_in_one_patch():  # E-GRP-23
    patched = patch(
        op("Replace", "displayName", "Law"),
        op("Add", "members", [{"value": "a"}]),
        op("Remove", "members", [{"value": "b"}]),
    )

    assert patched == Patched(LEGAL | {"displayName": "Law"}, {"members": (remove("b"), add("a"))}, changed=True)


def test_a_group_push_of_okta_renames_and_keeps_the_members():  # O-OK-12
    patched = patch(op("replace", None, {"id": "g1", "displayName": "Law"}))

    assert patched == Patched(LEGAL | {"displayName": "Law"}, {}, changed=True)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        pytest.param(op("add", "members", [{}]), InvalidValue, id="E-GRP-27, Q-23"),
        pytest.param(op("add", "members", [{"value": None}]), InvalidValue, id="E-GRP-27 null"),
        pytest.param(op("add", "members", [{"value": ""}]), InvalidValue, id="D-08 empty"),
        pytest.param(op("replace", "members", ""), InvalidValue, id="D-08 empty string"),
        pytest.param(op("remove", "members", [{"value": "a b"}]), InvalidValue, id="D-08 malformed"),
        pytest.param(op("add", "members", 7), InvalidValue, id="number"),
        pytest.param(op("remove", 'members[value eq ""]'), InvalidValue, id="D-08 in brackets"),
        pytest.param(op("remove", 'members[value sw "a"]'), InvalidFilter, id="another operator"),
        pytest.param(op("remove", 'members[type eq "User"]'), InvalidFilter, id="another sub-attribute"),
        pytest.param(op("remove", 'members[value eq "a" and value eq "b"]'), InvalidFilter, id="and"),
        pytest.param(op("replace", 'members[value eq "a"].value', "b"), Mutability, id="R-MOD-13"),
        pytest.param(op("replace", 'members[value eq "a"]', {"value": "b"}), Mutability, id="R-MOD-13 whole"),
        pytest.param(op("remove", "members.value"), Mutability, id="R-MOD-13 sub"),
        pytest.param(op("remove", "displayName"), Mutability, id="R-PAT-10"),
        pytest.param(op("replace", "displayName", ""), InvalidValue, id="no name"),
        pytest.param(op("replace", "userName", "x"), InvalidPath, id="a user's attribute"),
        pytest.param(op("replace", "manager", "x"), InvalidPath, id="a user's extension"),
        pytest.param(op("replace", None, {"id": "g2"}), Mutability, id="another id"),
    ],
)
def test_a_wrong_operation_is_refused(operation: object, error: type[ScimError]):
    with pytest.raises(error):
        patch(op("add", "members", ["u"]), operation)


def test_8000_members_are_taken_and_8001_are_not():
    ids = [f"u{number}" for number in range(MAX_SET_VALUES + 1)]

    for count in (MAX_SET_VALUES - 1, MAX_SET_VALUES):
        assert len(patch(op("add", "members", ids[:count])).sets["members"][0].values) == count
    with pytest.raises(PayloadTooLarge):
        patch(op("add", "members", ids))
    with pytest.raises(PayloadTooLarge):
        patch(op("add", "members", ids[1:]), op("remove", 'members[value eq "u0"]'))
