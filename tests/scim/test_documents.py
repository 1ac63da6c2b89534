"""What POST and PUT bodies become."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim.documents import normalize
from scim.errors import InvalidSyntax, InvalidValue, ScimError
from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER, Attribute, ResourceType, Schema, Type
from scim.schema.checks import MAX_ELEMENTS

ENT = ENTERPRISE_SCHEMA.urn
INFO = INFO_SCHEMA.urn
CORE = USER.schema.urn
CUSTOM = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"


def user(raw: dict[str, Any], resource_type: ResourceType = USER) -> dict[str, Any]:
    """Normalize ``raw`` with what is required added; return what was made of the rest."""
    sent = {"schemas": [resource_type.schema.urn], "userName": "a", "displayName": "D"} | raw
    document = normalize(resource_type, sent).document
    return {
        key: value
        for key, value in document.items()
        if key != "schemas" and value != {"userName": "a", "displayName": "D"}.get(key)
    }


B1 = {
    "schemas": [CORE, ENT],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee@testuser.com",
    "active": True,
    "displayName": "givenName familyName",
    "emails": [{"primary": True, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
    "roles": [],
}


def test_the_body_of_entra_is_kept_as_sent():  # E-USR-20
    document = normalize(USER, B1).document

    assert document == {key: value for key, value in B1.items() if key not in {"meta", "roles"}} | {"schemas": [CORE]}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            {"addresses": None, "phoneNumbers": None, "title": None, "department": None, "manager": None, "roles": []},
            {},
            id="E-USR-21 nulls, also of stray enterprise attributes",
        ),
        pytest.param({"department": "Legal"}, {ENT: {"department": "Legal"}}, id="E-USR-21 stray with a value"),
        pytest.param(
            {"department": "A", ENT: {"department": "B"}},
            {ENT: {"department": "B"}},
            id="the extension's own value wins",
        ),
        pytest.param({ENT: {"department": "B"}, "department": "A"}, {ENT: {"department": "B"}}, id="in any order"),
        pytest.param({"schemas": [CORE, "urn:ietf:…:enterprise:2.0User"]}, {}, id="E-USR-22"),
        pytest.param({ENT: {"division": "x"}}, {ENT: {"division": "x"}}, id="E-USR-23"),
        pytest.param({"active": "True"}, {"active": True}, id="E-USR-24"),
        pytest.param({"active": "fALSE"}, {"active": False}, id="D-04"),
        pytest.param(
            {"Active": True, "EMAILS": [{"Value": "x", "Primary": "true"}], ENT.lower(): {"Manager": {"Value": "m"}}},
            {"active": True, "emails": [{"value": "x", "primary": True}], ENT: {"manager": {"value": "m"}}},
            id="E-USR-25",
        ),
        pytest.param({"meta": {"created": "x"}, "groups": [{"value": "g"}]}, {}, id="E-USR-26, O-OK-04 groups"),
        pytest.param({"id": "mine"}, {}, id="E-USR-27"),
        pytest.param({"password": "secret"}, {}, id="O-OK-04 password"),
        pytest.param(
            {"emails": [{"type": "work", "value": "a"}, {"type": "work", "value": "b"}]},
            {"emails": [{"type": "work", "value": "a"}, {"type": "work", "value": "b"}]},
            id="E-USR-36",
        ),
        pytest.param(
            {"roles": [{"primary": True, "type": "WindowsAzureActiveDirectoryRole", "value": "Admin"}]},
            {"roles": [{"primary": True, "type": "WindowsAzureActiveDirectoryRole", "value": "Admin"}]},
            id="E-USR-37",
        ),
        pytest.param(
            {"roles": [{"displayName": "Admin", "value": "Admin"}]},
            {"roles": [{"display": "Admin", "value": "Admin"}]},
            id="2.5 displayName",
        ),
        pytest.param({"roles": ["Admin"]}, {"roles": [{"value": "Admin"}]}, id="bare strings"),
        pytest.param({ENT: {"manager": "m"}}, {ENT: {"manager": {"value": "m"}}}, id="E-USR-38"),
        pytest.param({ENT: {"manager": [{"value": "m"}]}}, {ENT: {"manager": {"value": "m"}}}, id="D-07 list"),
        pytest.param(
            {ENT: {"manager": {"value": "m", "displayName": "Boss", "$ref": "x"}}},
            {ENT: {"manager": {"value": "m"}}},
            id="R-MOD-20 what the service says about a manager",
        ),
        pytest.param({INFO: {"info1": "x", "INFO2": "y"}}, {INFO: {"info1": "x", "info2": "y"}}, id="E-USR-40"),
        pytest.param({CUSTOM: {"Tags": [1, {"a": None}]}}, {CUSTOM: {"Tags": [1, {}]}}, id="unknown extension"),
        pytest.param({CUSTOM: {}}, {}, id="unknown extension without data"),
        pytest.param({"adreses": [], "shoeSize": 47}, {}, id="E-USR-41"),
        pytest.param({"name": {"shoeSize": 47, "givenName": "G"}}, {"name": {"givenName": "G"}}, id="unknown sub"),
        pytest.param({"title": "", "name": {"givenName": ""}}, {}, id="D-09"),
        pytest.param({"title": ["x"]}, {"title": "x"}, id="list of one"),
        pytest.param({"emails": {"value": "x"}}, {"emails": [{"value": "x"}]}, id="Q-38"),
        pytest.param({"emails": [{"type": "work", "value": ""}, None, {}]}, {}, id="elements of nothing but labels"),
        pytest.param(
            {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
            {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": False}]},
            id="R-MOD-09",
        ),
        pytest.param(
            {"emails": [{"type": "work", "value": "a"}, {"type": "work", "value": "a", "display": "A"}]},
            {"emails": [{"type": "work", "value": "a", "display": "A"}]},
            id="R-MOD-10",
        ),
        pytest.param(
            {"addresses": [{"type": "work", "locality": "a"}, {"locality": "a", "type": "work"}, {"locality": "a"}]},
            {"addresses": [{"type": "work", "locality": "a"}, {"locality": "a"}]},
            id="R-MOD-10 without a value",
        ),
        pytest.param(
            {"emails": [{"type": "zeppelin", "value": "a"}]},
            {"emails": [{"type": "zeppelin", "value": "a"}]},
            id="R-MOD-17",
        ),
        pytest.param({"title": " D385N05’TEST\U0001f600\n"}, {"title": " D385N05’TEST\U0001f600\n"}, id="SO-5"),
        pytest.param({"x509Certificates": [{"value": "QUJD"}]}, {"x509Certificates": [{"value": "QUJD"}]}, id="binary"),
    ],
)
def test_a_body_is_normalized(raw: dict[str, Any], expected: dict[str, Any]):
    assert user(raw) == expected


def test_schemas_lists_what_has_data():  # R-MOD-06
    sent = {"schemas": [CORE, ENT], "userName": "a", INFO: {"info1": "x"}, CUSTOM: {"a": 1}, ENT: {"department": None}}

    assert normalize(USER, sent).document["schemas"] == [CORE, CUSTOM, INFO]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        pytest.param({"userName": None}, "userName", id="E-USR-28"),
        pytest.param({"userName": "  "}, "userName", id="E-USR-28 blank"),
        pytest.param({"userName": 7}, "userName", id="number for a string"),
        pytest.param({"active": "maybe"}, "active", id="E-PAT-05"),
        pytest.param({"active": 0}, "active", id="E-PAT-05 number"),
        pytest.param({"active": {}}, "active", id="E-PAT-05 object"),
        pytest.param({"name": "Anna"}, "name", id="string for a complex"),
        pytest.param({"name": [{"givenName": "a"}, {"givenName": "b"}]}, "name", id="two for one"),
        pytest.param({"title": ["a", "b"]}, "title", id="two strings for one"),
        pytest.param({"emails": 7}, "emails", id="number for a list"),
        pytest.param({"emails": [7]}, "emails", id="number in a list"),
        pytest.param({"emails": [{"value": {"a": 1}}]}, "emails.value", id="object for a string"),
        pytest.param({ENT: "x"}, ENT, id="string for an extension"),
        pytest.param({ENT: {"manager": "a b"}}, f"{ENT}:manager.value", id="D-08 an id with a space"),
        pytest.param({ENT: {"manager": "x" * 256}}, f"{ENT}:manager.value", id="D-08 an id that is too long"),
        pytest.param({ENT: {"manager": 7}}, f"{ENT}:manager", id="D-08 a number for a manager"),
        pytest.param({ENT: {"department": 7}}, f"{ENT}:department", id="number in an extension"),
        pytest.param({"title": "a\0b"}, "title", id="NUL"),
        pytest.param({"title": "\ud800"}, "title", id="half a surrogate pair"),
        pytest.param({"profileUrl": "\udfff"}, "profileUrl", id="half a surrogate pair in a reference"),
        pytest.param({CUSTOM: {"a": "\0"}}, CUSTOM, id="NUL in an unknown extension"),
        pytest.param({CUSTOM: {"a\0": "b"}}, CUSTOM, id="NUL in a key"),
        pytest.param({CUSTOM: {"a": 2**63}}, CUSTOM, id="integer over 64 bit"),
        pytest.param({CUSTOM: {"a": float("inf")}}, CUSTOM, id="infinity"),
        pytest.param({"x509Certificates": ["ü"]}, "x509Certificates.value", id="no base64"),
        pytest.param({"emails": ["x"] * (MAX_ELEMENTS + 1)}, "emails", id="too many values"),
        pytest.param({"password": 7}, "password", id="number for the password"),
    ],
)
def test_a_wrong_value_is_refused_by_name(raw: dict[str, Any], named: str):
    with pytest.raises(InvalidValue) as caught:
        user(raw)
    assert named in caught.value.detail


@pytest.mark.parametrize("count", [MAX_ELEMENTS - 1, MAX_ELEMENTS])
def test_a_list_up_to_the_limit_is_kept(count: int):
    assert len(user({"emails": [str(number) for number in range(count)]})["emails"]) == count


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param([], id="list"),
        pytest.param("x", id="string"),
        pytest.param(None, id="null"),
        pytest.param({"userName": "a"}, id="R-MOD-06 no schemas"),
        pytest.param({"userName": "a", "schemas": []}, id="R-MOD-06 empty schemas"),
        pytest.param({"userName": "a", "schemas": CORE}, id="schemas is a string"),
        pytest.param({"userName": "a", "schemas": [1]}, id="schemas of numbers"),
    ],
)
def test_what_is_no_resource_is_refused(raw: object):
    with pytest.raises(InvalidSyntax):
        normalize(USER, raw)


def test_deep_json_is_refused():
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]

    with pytest.raises(InvalidValue, match="deeper"):
        user({CUSTOM: {"a": deep}})
    with pytest.raises(InvalidValue, match="title"):
        user({"title": deep})


GROUP_URN = GROUP.schema.urn


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        pytest.param({}, None, id="E-GRP-01 absent"),
        pytest.param({"members": []}, [], id="E-GRP-02"),
        pytest.param({"members": None}, [], id="null"),
        pytest.param(
            {"members": [{"value": "u1"}, {"value": "u2", "$ref": None, "type": "User"}]}, ["u1", "u2"], id="E-GRP-03"
        ),
        pytest.param({"Members": [{"Value": "u1", "displayName": "U"}, "u1"]}, ["u1"], id="E-GRP-22, twice"),
        pytest.param({"members": {"value": "u1"}}, ["u1"], id="Q-38"),
        pytest.param({"members": "u1"}, ["u1"], id="bare string"),
    ],
)
def test_members_are_ids_beside_the_document(raw: dict[str, Any], ids: list[str] | None):
    normalized = normalize(GROUP, {"schemas": [GROUP_URN, "http://foreign"], "displayName": "G"} | raw)

    assert normalized.sets.get("members") == ids
    assert normalized.document == {"schemas": [GROUP_URN], "displayName": "G"}


@pytest.mark.parametrize(
    "member", [{}, {"value": None}, {"value": ""}, "", " ", None, 7, ["u"], "a b", "\0", "x" * 256]
)
def test_a_member_without_a_well_formed_id_is_refused(member: object):  # E-GRP-27, D-08
    with pytest.raises(InvalidValue, match="members"):
        normalize(GROUP, {"schemas": [GROUP_URN], "displayName": "G", "members": [member]})


def test_a_group_needs_its_name():  # R-MOD-19
    with pytest.raises(InvalidValue, match="displayName"):
        normalize(GROUP, {"schemas": [GROUP_URN]})


DEVICE = ResourceType(
    "Device",
    "/Devices",
    "",
    Schema(
        "urn:x:Device",
        "Device",
        "",
        (
            Attribute("rank", type=Type.INTEGER),
            Attribute("weight", type=Type.DECIMAL),
            Attribute("seen", type=Type.DATE_TIME),
            Attribute("tags", multi_valued=True),
        ),
    ),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank", 7),
        ("rank", -(2**63)),
        ("weight", 1.5),
        ("weight", 2),
        ("seen", "2024-05-17T12:00:00+02:00"),
        ("tags", ["a", "b"]),
    ],
)
def test_a_value_of_another_type_is_kept(name: str, value: object):
    assert normalize(DEVICE, {"schemas": ["x"], name: value}).document[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank", 2**63),
        ("rank", 1.5),
        ("rank", True),
        ("rank", "7"),
        ("weight", float("nan")),
        ("seen", "2024-05-17"),
        ("seen", 1715940000),  # R-MOD-08: never epoch
        ("seen", "2024-02-30T00:00:00Z"),
        ("tags", [1]),
    ],
)
def test_a_value_of_another_type_is_checked(name: str, value: object):
    with pytest.raises(InvalidValue, match=name):
        normalize(DEVICE, {"schemas": ["x"], name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "type", "Primary", "manager", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [a.name for a in USER.attributes] + [ENT, ENT.upper(), INFO, CUSTOM, "manager", "DEPARTMENT", "x"]


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_any_json_is_a_document_or_an_error(raw: dict[str, Any]):
    try:
        document = normalize(USER, {"userName": "a"} | raw | {"schemas": [CORE]}).document
    except ScimError:
        return
    assert normalize(USER, document).document == document
