"""The schema table says what RFC 7643 §4 and §8.7 say, and finds attributes by any of their names."""

import pytest

from scim.errors import (
    Forbidden,
    InternalError,
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    InvalidVersion,
    MethodNotAllowed,
    Mutability,
    NotAcceptable,
    NoTarget,
    NotFound,
    NotImplementedByService,
    PayloadTooLarge,
    PreconditionFailed,
    ScimError,
    Sensitive,
    TooMany,
    TooManyRequests,
    Unauthorized,
    Uniqueness,
    UnsupportedMediaType,
)
from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, RESOURCE_TYPES, USER, Attribute, Type
from scim.schema import Mutability as Change

ENT = ENTERPRISE_SCHEMA.urn
INFO = INFO_SCHEMA.urn
CORE = USER.schema.urn


def every_attribute() -> list[Attribute]:
    tops = [a for r in RESOURCE_TYPES for a in (*r.attributes, *(a for e in r.extensions for a in e.attributes))]
    return tops + [sub for top in tops for sub in top.sub_attributes]


@pytest.mark.parametrize(
    ("error", "status", "scim_type"),
    [
        (InvalidFilter, "400", "invalidFilter"),
        (TooMany, "400", "tooMany"),
        (Uniqueness, "409", "uniqueness"),
        (Mutability, "400", "mutability"),
        (InvalidSyntax, "400", "invalidSyntax"),
        (InvalidPath, "400", "invalidPath"),
        (NoTarget, "400", "noTarget"),
        (InvalidValue, "400", "invalidValue"),
        (InvalidVersion, "400", "invalidVers"),
        (Sensitive, "403", "sensitive"),
        (Unauthorized, "401", None),
        (Forbidden, "403", None),
        (NotFound, "404", None),
        (MethodNotAllowed, "405", None),
        (NotAcceptable, "406", None),
        (PreconditionFailed, "412", None),
        (PayloadTooLarge, "413", None),
        (UnsupportedMediaType, "415", None),
        (TooManyRequests, "429", None),
        (InternalError, "500", None),
        (NotImplementedByService, "501", None),
    ],
)
def test_an_error_has_the_body_of_rfc_7644_3_12(error: type[ScimError], status: str, scim_type: str | None):
    body = error("What is wrong.").body()

    assert body.pop("schemas") == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body == {"status": status, "detail": "What is wrong."} | ({"scimType": scim_type} if scim_type else {})
    assert error().body()["detail"].endswith(".")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("userName", "userName", id="plain"),
        pytest.param("USERNAME", "userName", id="R-MOD-01 any letter case"),
        pytest.param("name.FamilyName", "name.familyName", id="E-QRY-04 sub in any letter case"),
        pytest.param(f"{CORE}:userName", "userName", id="E-PAT-26 core URN"),
        pytest.param(f"{CORE.upper()}:NAME.givenname", "name.givenName", id="E-PAT-26 core URN, upper case"),
        pytest.param("manager", f"{ENT}:manager", id="E-PAT-17 bare extension name"),
        pytest.param("manager.value", f"{ENT}:manager.value", id="bare extension name with sub"),
        pytest.param(f"{ENT}:department", f"{ENT}:department", id="E-PAT-21 extension"),
        pytest.param(f"{ENT}.department", f"{ENT}:department", id="customappsso joins by a dot"),
        pytest.param(f"{ENT}:manager.VALUE", f"{ENT}:manager.value", id="E-PAT-19 extension with sub"),
        pytest.param(f"{INFO}:info1", f"{INFO}:info1", id="E-PAT-27 the URN has dots"),
        pytest.param("roles.displayName", "roles.display", id="E-GRP-22 alias"),
        pytest.param("groups.$ref", "groups.$ref", id="reference"),
        pytest.param("meta.lastmodified", "meta.lastModified", id="common attribute"),
        pytest.param("shoeSize", None, id="unknown"),
        pytest.param("name.shoeSize", None, id="unknown sub"),
        pytest.param("name.givenName.x", None, id="too deep"),
        pytest.param("name.", None, id="ends with a dot"),
        pytest.param(f"{ENT}:shoeSize", None, id="unknown in extension"),
        pytest.param(f"{ENT}", None, id="the extension itself is no attribute"),
        pytest.param(f"{CORE}:manager", None, id="the core URN does not lead into an extension"),
        pytest.param("urn:example:other:User:x", None, id="unknown URN"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_an_attribute_is_found_by_its_notation(text: str, expected: str | None):
    field = USER.locate(text)

    assert (str(field) if field else None) == expected


def test_a_group_does_not_know_the_attributes_of_a_user():
    assert GROUP.locate("userName") is None
    assert GROUP.locate("manager") is None
    assert str(GROUP.locate("Members.Value")) == "members.value"


def test_every_attribute_of_the_rfc_is_in_the_table():
    names = {attribute.name for attribute in USER.schema.attributes}

    assert names == {
        "userName",
        "name",
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "active",
        "password",
        "emails",
        "phoneNumbers",
        "ims",
        "photos",
        "addresses",
        "groups",
        "entitlements",
        "roles",
        "x509Certificates",
    }
    assert {a.name for a in ENTERPRISE_SCHEMA.attributes} == {
        "employeeNumber",
        "costCenter",
        "organization",
        "division",
        "department",
        "manager",
    }


@pytest.mark.parametrize("name", ["emails", "phoneNumbers", "addresses", "ims", "photos"])
def test_types_of_mapped_attributes_are_published(name: str):
    field = USER.resolve(None, name, "type")

    assert field is not None
    assert field.leaf.canonical_values  # V-L-15: gallery validation flattens by them


def test_the_table_holds_together():
    for attribute in every_attribute():
        assert bool(attribute.sub_attributes) == (attribute.type is Type.COMPLEX), attribute.name
        assert bool(attribute.reference_types) <= (attribute.type is Type.REFERENCE), attribute.name
        assert attribute.description.endswith("."), attribute.name


@pytest.mark.parametrize(
    ("name", "case_exact"),
    [("userName", False), ("id", True), ("externalId", True), ("meta.version", True), ("manager.$ref", True)],
    ids="R-MOD-03 {}".format,
)
def test_letter_case_matters_as_the_rfc_says(name: str, case_exact: object):
    field = USER.locate(name)

    assert field is not None
    assert field.leaf.case_exact is case_exact


def test_members_are_kept_outside_the_document():
    assert [a.name for r in RESOURCE_TYPES for a in r.attributes if a.kept_as_set] == ["members"]


def test_what_a_client_cannot_write_says_so():
    assert {a.name for a in USER.attributes if a.mutability is Change.READ_ONLY} == {
        "schemas",
        "id",
        "meta",
        "groups",
    }
