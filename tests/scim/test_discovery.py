"""What the service says of itself is complete, clean and true."""

from collections.abc import Iterator
from typing import Any

import pytest

from scim import discovery
from scim.discovery import Capabilities
from scim.documents import normalize
from scim.errors import Mutability, NotFound
from scim.patch import apply, parse
from scim.schema import ENTERPRISE_SCHEMA, INFO_SCHEMA, RESOURCE_TYPES, USER

BASE = "https://h/scim/v2/abc"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"


def every(value: Any) -> Iterator[Any]:
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from every(item)


def flattened(schema: dict[str, Any]) -> Iterator[str]:
    """Name attributes as Microsoft's gallery validation does (V-L-15)."""
    for attribute in schema["attributes"]:
        subs = {sub["name"]: sub for sub in attribute.get("subAttributes", [])}
        kinds = subs.get("type", {}).get("canonicalValues", [])
        if not subs:
            yield attribute["name"]
        elif not attribute["multiValued"]:
            yield from (f"{attribute['name']}.{sub}" for sub in subs)
        elif kinds:
            yield from (f'{attribute["name"]}[type eq "{kind}"].{sub}' for kind in kinds for sub in subs)
        else:
            yield from (f'{attribute["name"]}[primary eq "True"].{sub}' for sub in subs)


def read_only(attributes: list[dict[str, Any]], prefix: str = "") -> Iterator[str]:
    for attribute in attributes:
        if attribute["mutability"] == "readOnly":
            yield prefix + attribute["name"]
        yield from read_only(attribute.get("subAttributes", []), f"{prefix}{attribute['name']}.")


def test_schemas_lists_every_schema():  # E-CON-07
    answer = discovery.schemas(BASE)

    assert answer["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert [schema["id"] for schema in answer["Resources"]] == [
        f"{CORE}User",
        f"{CORE}Group",
        ENTERPRISE_SCHEMA.urn,
        INFO_SCHEMA.urn,
    ]
    assert (answer["totalResults"], answer["startIndex"], answer["itemsPerPage"]) == (4, 1, 4)
    for schema in answer["Resources"]:
        assert schema["schemas"] == [f"{CORE}Schema"]
        assert schema["meta"] == {"resourceType": "Schema", "location": f"{BASE}/Schemas/{schema['id']}"}
        assert schema["name"]
        assert schema["description"]


@pytest.mark.parametrize(
    "answer",
    [
        discovery.schemas(BASE),
        discovery.resource_types(BASE),
        discovery.service_provider_config(BASE, Capabilities()),
    ],
    ids=["Schemas", "ResourceTypes", "ServiceProviderConfig"],
)
def test_answers_have_no_nulls_and_camel_case_keys(answer: dict[str, Any]):  # H-11
    values = list(every(answer))
    keys = [key for value in values if isinstance(value, dict) for key in value if key != "Resources"]

    assert None not in values
    assert all(key[0].islower() and key.isalnum() for key in keys)


@pytest.mark.parametrize(
    ("urn", "mapped"),
    [
        (f"{CORE}User", 'emails[type eq "work"].value'),
        (f"{CORE}User", 'phoneNumbers[type eq "mobile"].value'),
        (f"{CORE}User", 'phoneNumbers[type eq "fax"].value'),
        (f"{CORE}User", 'addresses[type eq "work"].streetAddress'),
        (f"{CORE}User", 'addresses[type eq "other"].formatted'),
        (f"{CORE}User", 'roles[primary eq "True"].value'),
        (f"{CORE}User", "name.formatted"),
        (f"{CORE}User", "active"),
        (f"{CORE}Group", "displayName"),
        (ENTERPRISE_SCHEMA.urn, "manager.value"),
        (INFO_SCHEMA.urn, "info1"),
        (INFO_SCHEMA.urn, "info2"),
    ],
)
def test_what_entra_maps_can_be_discovered(urn: str, mapped: str):  # V-L-15
    assert mapped in set(flattened(discovery.schema(urn.upper(), BASE)))


def test_an_attribute_says_what_the_rfc_wants_of_it():  # RFC 7643 §7
    attributes = {a["name"]: a for a in discovery.schema(f"{CORE}User", BASE)["attributes"]}

    assert attributes["userName"] == {
        "name": "userName",
        "type": "string",
        "multiValued": False,
        "description": "Name to sign in with.",
        "required": True,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "server",
    }
    assert (attributes["password"]["returned"], attributes["password"]["mutability"]) == ("never", "writeOnly")
    assert attributes["groups"]["mutability"] == "readOnly"
    assert attributes["profileUrl"]["referenceTypes"] == ["external"]


def test_resource_types_name_their_schemas():  # R-DIS-03
    answer = discovery.resource_types(BASE)

    assert [(r["id"], r["endpoint"], r["schema"]) for r in answer["Resources"]] == [
        ("User", "/Users", f"{CORE}User"),
        ("Group", "/Groups", f"{CORE}Group"),
    ]
    assert answer["Resources"][0]["schemaExtensions"] == [
        {"schema": ENTERPRISE_SCHEMA.urn, "required": False},
        {"schema": INFO_SCHEMA.urn, "required": False},
    ]
    assert discovery.resource_type("user", BASE) == answer["Resources"][0]


def test_the_configuration_has_every_required_member():  # R-DIS-01, R-BLK-04
    without = Capabilities(max_results=7, bulk=False, sort=False, etag=False)
    config = discovery.service_provider_config(BASE, without)

    assert config["schemas"] == [f"{CORE}ServiceProviderConfig"]
    assert config["patch"] == {"supported": True}
    assert config["bulk"] == {"supported": False, "maxOperations": 1000, "maxPayloadSize": 2097152}
    assert config["filter"] == {"supported": True, "maxResults": 7}
    assert [config[name] for name in ("changePassword", "sort", "etag")] == [{"supported": False}] * 3
    assert {"type", "name", "description"} <= config["authenticationSchemes"][0].keys()


@pytest.mark.parametrize(
    "find",
    [lambda: discovery.schema("urn:x", BASE), lambda: discovery.resource_type("Device", BASE)],
    ids=["schema", "resource type"],
)
def test_what_is_unknown_is_not_found(find: Any):
    with pytest.raises(NotFound):
        find()


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda r: r.name)
def test_what_is_published_as_read_only_cannot_be_patched(resource_type: Any):  # R-DIS-07, R-MOD-11
    document = {"schemas": [resource_type.schema.urn], "userName": "a", "displayName": "D"}
    paths = list(read_only(discovery.schema(resource_type.schema.urn, BASE)["attributes"]))
    assert paths
    for path in paths:
        operation = {"op": "replace", "path": path, "value": "x"}
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        with pytest.raises(Mutability):
            apply(parse(body, resource_type), document, resource_type)


def test_what_is_published_as_never_returned_is_not_kept():  # R-MOD-14
    published = [a["name"] for a in discovery.schema(f"{CORE}User", BASE)["attributes"] if a["returned"] == "never"]
    raw = {"schemas": [f"{CORE}User"], "userName": "a"} | dict.fromkeys(published, "secret")

    assert normalize(USER, raw).document == {"schemas": [f"{CORE}User"], "userName": "a"}
    assert published == ["password"]
