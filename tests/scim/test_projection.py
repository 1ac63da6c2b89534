"""Which parts of a resource are answered."""

from typing import Any

import pytest

from scim.errors import InvalidValue
from scim.projection import Projection, read_projection
from scim.schema import ENTERPRISE_SCHEMA, GROUP, USER

ENT = ENTERPRISE_SCHEMA.urn
CORE = USER.schema.urn
CUSTOM = "urn:example:acme:2.0:User"
ANNA: dict[str, Any] = {
    "schemas": [CORE, ENT, CUSTOM],
    "id": "1",
    "userName": "anna",
    "active": False,
    "name": {"givenName": "Anna", "familyName": "M"},
    "emails": [{"value": "a", "type": "work"}, {"value": "b", "display": "B"}],
    ENT: {"department": "D", "manager": {"value": "m", "displayName": "Boss"}},
    CUSTOM: {"Tags": ["x"], "other": 1},
    "meta": {"resourceType": "User", "version": 'W/"1"'},
}
MINIMUM = {"schemas": ANNA["schemas"], "id": "1"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param("userName,emails", {"userName": "anna", "emails": ANNA["emails"]}, id="E-QRY-17, R-PRJ-01"),
        pytest.param("id", {}, id="E-QRY-08"),
        pytest.param("ID", {}, id="E-QRY-09 capital"),
        pytest.param('emails[type eq "work"]', {"emails": ANNA["emails"]}, id="E-QRY-18"),
        pytest.param("active", {"active": False}, id="false is a value"),
        pytest.param("NAME.givenname", {"name": {"givenName": "Anna"}}, id="R-PRJ-04 sub, any case"),
        pytest.param("name.givenName , name.familyName", {"name": ANNA["name"]}, id="R-PRJ-04 spaces"),
        pytest.param("name,name.givenName", {"name": ANNA["name"]}, id="the whole and a part"),
        pytest.param("name.givenName,name", {"name": ANNA["name"]}, id="a part and the whole"),
        pytest.param("emails.display", {"emails": [{"display": "B"}]}, id="R-PRJ-04 of several"),
        pytest.param(f"{CORE}:userName", {"userName": "anna"}, id="R-PRJ-04 core URN"),
        pytest.param(ENT.upper(), {ENT: ANNA[ENT]}, id="R-PRJ-04 extension"),
        pytest.param(f"{ENT}:manager.value", {ENT: {"manager": {"value": "m"}}}, id="R-PRJ-04 in an extension"),
        pytest.param("department", {ENT: {"department": "D"}}, id="bare extension name"),
        pytest.param(f"{CUSTOM}:tags", {CUSTOM: {"Tags": ["x"]}}, id="custom extension"),
        pytest.param(CUSTOM, {CUSTOM: ANNA[CUSTOM]}, id="custom extension, whole"),
        pytest.param("meta.version", {"meta": {"version": 'W/"1"'}}, id="meta"),
        pytest.param("shoeSize,name.shoeSize", {}, id="R-PRJ-05"),
        pytest.param("title,addresses.locality", {}, id="what is absent"),
        pytest.param(["userName", "active"], {"userName": "anna", "active": False}, id="R-SEA-01 list"),
    ],
)
def test_only_what_is_listed_is_answered(attributes: str | list[str], expected: dict[str, Any]):
    assert read_projection(USER, attributes).apply(ANNA) == MINIMUM | expected


def test_the_core_urn_stands_for_all_core_attributes():
    answered = read_projection(USER, CORE).apply(ANNA)

    assert answered.keys() == ANNA.keys() - {ENT, CUSTOM, "meta"}


@pytest.mark.parametrize(
    ("excluded", "gone"),
    [
        pytest.param("emails", {"emails": None}, id="R-PRJ-02"),
        pytest.param("EMAILS, active", {"emails": None, "active": None}, id="any case, spaces"),
        pytest.param("id,schemas,title", {}, id="R-MOD-14 always"),
        pytest.param("emails.value", {"emails": [{"type": "work"}, {"display": "B"}]}, id="sub of several"),
        pytest.param("name.givenName,name.familyName", {"name": None}, id="all parts"),
        pytest.param(f"{ENT}:manager", {ENT: {"department": "D"}}, id="in an extension"),
        pytest.param(f"{ENT}:manager.displayName", {ENT: {"department": "D", "manager": {"value": "m"}}}, id="deeper"),
        pytest.param(f"{ENT},{CUSTOM}", {ENT: None, CUSTOM: None}, id="extensions"),
        pytest.param("shoeSize", {}, id="R-PRJ-05"),
        pytest.param("", {}, id="empty"),
        pytest.param(" , ", {}, id="only commas"),
    ],
)
def test_what_is_excluded_is_not_answered(excluded: str, gone: dict[str, Any]):
    expected = {name: value for name, value in {**ANNA, **gone}.items() if value is not None}

    assert read_projection(USER, None, excluded).apply(ANNA) == expected


def test_members_are_not_read_where_nobody_wants_them():  # E-GRP-05
    group = {"schemas": [], "id": "g", "displayName": "G", "members": [{"value": "u"}]}
    projection = read_projection(GROUP, None, "Members")

    assert projection.apply(group) == {"schemas": [], "id": "g", "displayName": "G"}
    assert not projection.wants("members")
    assert not read_projection(GROUP, "id,displayName").wants("members")
    assert read_projection(GROUP, "members.value").wants("members")
    assert read_projection(GROUP, None, "members.display").wants("members")
    assert read_projection(GROUP).wants("members")


def test_both_parameters_exclude_each_other():  # R-PRJ-03
    with pytest.raises(InvalidValue):
        read_projection(USER, "userName", "emails")


def test_without_parameters_the_resource_is_answered_as_it_is():
    assert read_projection(USER, None, None) == Projection()
    assert Projection().apply(ANNA) is ANNA
