"""The published description: valid OpenAPI 3.1, true to the table, and complete to the last address and method."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import resolve
from jsonschema_rs import Draft202012Validator, meta
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from provisioning.oauth.views import ClientCredentialsTokenView
from scim import urls
from scim.discovery import Capabilities
from scim.openapi.attributes import Direction, attribute_schema
from scim.openapi.document import describe
from scim.openapi.messages import every_error
from scim.schema import RESOURCE_TYPES, USER
from scim.schema.table import Attribute, Mutability, Returned, Type
from scim.schema.user import EMAILS
from scim.views.discovery import NotOfferedView
from tests.commandline import manage

BASE = "https://h"
DOCUMENT = describe(BASE, Capabilities())
METHODS = {"get", "head", "post", "put", "patch", "delete", "options"}
SAMPLES = {"id": "some-id", "name": "User", "urn": USER.schema.urn}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS & item.keys())


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def address(path: str) -> str:
    filled = re.sub(r"{(\w+)}", lambda found: SAMPLES[found[1]], path)
    return filled if path.startswith("/oauth") else f"/scim/v2/abc{filled}"


def described(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def test_it_is_valid_openapi():
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_in_it_is_valid_json_schema(name: str):
    meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **described(name)})


def test_what_is_referred_to_is_there_and_what_is_there_is_referred_to():
    there = {
        f"#/components/{kind}/{name}"
        for kind, parts in DOCUMENT["components"].items()
        for name in parts
        if kind != "securitySchemes"
    }

    assert there == set(references(DOCUMENT)) | unused()


def unused() -> set[str]:
    """Answers for what is no operation: a method that is not supported, and a Tenant URL that has no such address."""
    return {"#/components/responses/405", "#/components/headers/Allow"}


def test_every_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))


def test_every_address_and_method_that_is_described_is_routed_and_the_other_way_around():
    for path, item in DOCUMENT["paths"].items():
        view = resolve(address(path)).func.view_class
        if view is NotOfferedView:
            assert (path, set(item)) == ("/Me", METHODS - {"options"})
        elif view is ClientCredentialsTokenView:
            assert METHODS & item.keys() == {"post"}
        else:
            assert {method.upper() for method in METHODS & item.keys()} == set(view().allowed_methods) | {"OPTIONS"}


def test_no_routed_address_goes_without_a_description():
    addresses = [address(path).removeprefix("/scim/v2/") for path in DOCUMENT["paths"]]

    undescribed = [
        str(route.pattern)
        for route in urls.urlpatterns[:-1]
        if not any(route.pattern.match(known) for known in addresses)
    ]

    assert undescribed == []


def test_every_error_has_its_answer_and_its_kind():
    assert {str(error.status) for error in every_error()} == set(DOCUMENT["components"]["responses"])
    error = Draft202012Validator(described("Error"))
    assert [found.__name__ for found in every_error() if not error.is_valid(found().body())] == []


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda found: found.name)
def test_attributes_are_described_as_the_table_has_them(resource_type: Any):
    answered, sent = described(resource_type.name), described(f"{resource_type.name}ToWrite")

    for attribute in resource_type.attributes:
        assert (attribute.name in answered["properties"]) == (attribute.returned is not Returned.NEVER)
        is_sent = attribute.mutability is not Mutability.READ_ONLY or attribute.name == "schemas"
        assert (attribute.name in sent["properties"]) == is_sent
        assert (attribute.name in answered["required"]) == (attribute.returned is Returned.ALWAYS)
    for extension in resource_type.extensions:
        assert set(answered["properties"][extension.urn]["properties"]) == {a.name for a in extension.attributes}
    assert answered["additionalProperties"] is False


def test_what_the_service_alone_writes_is_read_only_and_what_it_never_shows_is_write_only():
    user, sent = described("User"), described("UserToWrite")

    assert user["properties"]["meta"]["readOnly"] is True
    assert "readOnly" not in user["properties"]["userName"]
    assert sent["properties"]["password"]["writeOnly"] is True
    assert set(sent["required"]) == {"schemas", "userName"}


def test_canonical_values_are_examples_unless_the_service_alone_writes_them():
    kind = attribute_schema(EMAILS, Direction.ANSWERED)["items"]["properties"]["type"]
    own = described("User")["properties"]["groups"]["items"]["properties"]["type"]

    assert (kind["examples"], "enum" in kind) == (["work", "home", "other"], False)
    assert own["enum"] == ["direct", "indirect"]


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (Type.BOOLEAN, {"type": "boolean"}),
        (Type.DECIMAL, {"type": "number"}),
        (Type.INTEGER, {"type": "integer", "format": "int64"}),
        (Type.DATE_TIME, {"type": "string", "format": "date-time"}),
        (Type.BINARY, {"type": "string", "contentEncoding": "base64"}),
        (Type.REFERENCE, {"type": "string", "format": "uri"}),
    ],
)
def test_every_type_has_its_form(type_: Type, expected: dict[str, str]):
    attribute = Attribute("any", "Anything.", type_)

    assert attribute_schema(attribute, Direction.SENT) == {"description": "Anything.", **expected}


def test_everything_but_the_token_endpoint_asks_for_a_token():
    assert DOCUMENT["security"] == [{"clientCredentials": ["scim"]}]
    assert [path for path, _, operation in operations() if "security" in operation] == ["/oauth/token"]
    flow = DOCUMENT["components"]["securitySchemes"]["clientCredentials"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == f"{BASE}/oauth/token"


def test_it_is_served_without_a_token_and_beside_all_tenant_urls(client, settings):
    answer = client.get("/scim/openapi.json")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == json.loads(json.dumps(describe(settings.BASE_URL, Capabilities())))
    assert client.post("/scim/openapi.json").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_it_is_printed_for_people_and_for_programs(capsys, settings):
    wanted = json.loads(json.dumps(describe(settings.BASE_URL, Capabilities())))
    for words, lines in ((["openapi"], 1000), (["openapi", "--json"], 1)):
        answer = manage(capsys, *words)

        assert (answer.code, answer.document) == (0, wanted)
        assert answer.out.count("\n") >= lines
