"""What PATCH refuses, and by which error."""

from typing import Any

import pytest

from scim.errors import InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget, PayloadTooLarge, ScimError
from scim.patch import parse
from scim.patch.operations import MAX_CHANGES
from scim.schema import USER
from scim.schema.checks import MAX_ELEMENTS
from tests.scim.patching import ANNA, BARE, CORE, CUSTOM, ENT, PATCH_OP, op, patch


@pytest.mark.parametrize(
    ("operation", "error", "named"),
    [
        pytest.param(op("Replace", "active", "maybe"), InvalidValue, "active", id="E-PAT-05"),
        pytest.param(op("Replace", "active", 0), InvalidValue, "active", id="E-PAT-05 number"),
        pytest.param(op("Replace", "active", {}), InvalidValue, "active", id="E-PAT-05 object"),
        pytest.param(op("Remove", "userName"), Mutability, "userName", id="E-PAT-33, R-PAT-10"),
        pytest.param(op("Replace", "userName", ""), InvalidValue, "userName", id="D-09 required"),
        pytest.param(op("Replace", "userName", None), InvalidValue, "userName", id="required null"),
        pytest.param(op("replace", None, {"userName": " "}), InvalidValue, "userName", id="required blank"),
        pytest.param(op("remove"), NoTarget, "path", id="R-PAT-08"),
        pytest.param(op("replace", 'emails[type eq "fax"]', {"value": "x"}), NoTarget, "emails", id="R-PAT-14"),
        pytest.param(op("replace", 'emails[type sw "fax"].value', "x"), NoTarget, "emails", id="D-01 another filter"),
        pytest.param(op("replace", 'emails[type eq "a" or type eq "b"].value', "x"), NoTarget, "emails", id="D-01 or"),
        pytest.param(
            op("replace", 'emails[type eq "a" and type eq "b"].value', "x"), NoTarget, "emails", id="D-01 contradiction"
        ),
        pytest.param(op("replace", 'manager[displayName eq "B"].value', "x"), NoTarget, "manager", id="D-01 read-only"),
        pytest.param(op("replace", "emails[type eq", "x"), InvalidPath, "emails", id="R-PAT-18"),
        pytest.param(op("replace", "shoeSize", "x"), InvalidPath, "shoeSize", id="R-PAT-19, D-10"),
        pytest.param(op("replace", f"{ENT}:shoeSize", "x"), InvalidPath, "shoeSize", id="R-PAT-19 extension"),
        pytest.param(op("replace", f"{CORE}:role", "x"), InvalidPath, "role", id="Q-27"),
        pytest.param(
            op("replace", "urn:ietf:params:scim:schemas:core:2.0:Group:displayName", "x"),
            InvalidPath,
            "Group",
            id="another core",
        ),
        pytest.param(
            op("replace", f'{CUSTOM}:tags[value eq "1"]', "x"), InvalidPath, "tags", id="brackets in a custom extension"
        ),
        pytest.param(op("replace", "urn:x", "x"), InvalidPath, "urn:x", id="no URN"),
        pytest.param(op("move", "title", "x"), InvalidSyntax, "move", id="R-PAT-20"),
        pytest.param(op("replace", "title", 7), InvalidValue, "title", id="R-PAT-21"),
        pytest.param(op("replace", "title", ["a", "b"]), InvalidValue, "title", id="two for one"),
        pytest.param(op("replace", "name", "Anna"), InvalidValue, "name", id="string for a complex"),
        pytest.param(op("replace", ENT, "x"), InvalidValue, ENT, id="string for an extension"),
        pytest.param(op("replace", "id", "x"), Mutability, "id", id="R-PAT-22"),
        pytest.param(op("replace", "id", "Anna-1"), Mutability, "id", id="R-PAT-22 explicit, even the same"),
        pytest.param(op("replace", None, {"id": "other"}), Mutability, "id", id="R-PAT-22 another id"),
        pytest.param(op("replace", "meta.created", "x"), Mutability, "meta", id="R-PAT-22 meta"),
        pytest.param(
            op("replace", None, {"meta": {"version": "x"}}), Mutability, "meta", id="R-PAT-22 meta without path"
        ),
        pytest.param(op("add", "groups", [{"value": "g"}]), Mutability, "groups", id="R-PAT-22 groups"),
        pytest.param(op("remove", 'groups[value eq "g"]'), Mutability, "groups", id="R-PAT-22 brackets"),
        pytest.param(op("replace", "manager.displayName", "B"), Mutability, "displayName", id="R-MOD-20"),
        pytest.param(op("replace", "title"), InvalidValue, "title", id="no value"),
        pytest.param(op("replace", None, "x"), InvalidValue, "object", id="string without a path"),
        pytest.param(op("replace", None), InvalidValue, "object", id="neither path nor value"),
        pytest.param({"op": "replace", "path": 7, "value": 1}, InvalidPath, "path", id="path is a number"),
        pytest.param({"path": "title", "value": "x"}, InvalidSyntax, "op", id="no op"),
        pytest.param("x", InvalidSyntax, "Operations", id="an operation is a string"),
        pytest.param(op("replace", "title", "\0"), InvalidValue, "title", id="NUL"),
        pytest.param(op("replace", f"{CUSTOM}:a", "\0"), InvalidValue, CUSTOM, id="NUL in a custom extension"),
        pytest.param(
            op("add", 'phoneNumbers[type eq "untyped"].primary', "+49 30"), InvalidValue, "primary", id="V-S-22"
        ),
        pytest.param(
            op("add", "emails", [str(n) for n in range(MAX_ELEMENTS - 1)]), InvalidValue, "emails", id="too many values"
        ),
    ],
)
def test_a_wrong_operation_is_refused(operation: object, error: type[ScimError], named: str):
    operations = [op("replace", "title", "before"), operation, op("replace", "nickName", "after")]

    with pytest.raises(error) as caught:  # E-PAT-35: nothing is returned, the document is as it was
        patch(ANNA, *operations, read_only={"id": "Anna-1"})
    assert named in caught.value.detail


def test_several_elements_without_a_primary_need_a_filter():  # E-OPT-05
    document = {**BARE, "emails": [{"value": "a"}, {"value": "b"}]}

    with pytest.raises(InvalidPath, match="type eq"):
        patch(document, op("replace", "emails.value", "x"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="list"),
        pytest.param({}, id="empty"),
        pytest.param({"Operations": []}, id="R-PAT-04 no schemas"),
        pytest.param({"schemas": [CORE], "Operations": []}, id="R-PAT-04 other schemas"),
        pytest.param({"schemas": PATCH_OP, "Operations": []}, id="schemas is a string"),
        pytest.param({"schemas": [PATCH_OP]}, id="no Operations"),
        pytest.param({"schemas": [PATCH_OP], "Operations": {}}, id="Operations is an object"),
    ],
)
def test_what_is_no_patch_is_refused(body: object):
    with pytest.raises(InvalidSyntax):
        parse(body, USER)


def test_names_of_the_message_are_read_in_any_letter_case():
    body = {"SCHEMAS": [PATCH_OP.upper()], "operations": [{"OP": "replace", "PATH": "title", "VALUE": "x"}], "id": "x"}

    assert len(parse(body, USER)) == 1


def test_1000_changes_are_taken_and_1001_are_not():
    def body(count: int) -> dict[str, Any]:
        return {"schemas": [PATCH_OP], "Operations": [op("replace", "title", "x")] * count}

    assert len(parse(body(MAX_CHANGES - 1), USER)) == MAX_CHANGES - 1
    assert len(parse(body(MAX_CHANGES), USER)) == MAX_CHANGES
    with pytest.raises(PayloadTooLarge):
        parse(body(MAX_CHANGES + 1), USER)


def test_a_condition_counts_by_its_nodes():
    condition = " or ".join(f'value eq "{number}"' for number in range(99))  # with the or: 100 nodes
    remove = op("remove", f"emails[{condition}]")

    assert len(parse({"schemas": [PATCH_OP], "Operations": [remove] * 10}, USER)) == 10
    with pytest.raises(PayloadTooLarge):
        parse({"schemas": [PATCH_OP], "Operations": [remove] * 10 + [op("remove", "emails[not (value pr)]")]}, USER)
