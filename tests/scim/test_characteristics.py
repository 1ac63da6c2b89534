"""What discovery says of every attribute is what POST, PUT, PATCH, filter and projection do (R-DIS-07)."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import scim2_server

from scim import discovery
from scim.schema import GROUP, USER
from tests.factories import make_configuration
from tests.scim.attributes import OTHERS, SAMPLES, WRONG, Row, published
from tests.scim.service import Service

ROWS = published()
WRITTEN = [row for row in ROWS if row.is_written]
GIVEN = [row for row in ROWS if not row.is_written]
RFC = pathlib.Path(scim2_server.__file__).parent / "resources" / "default-schemas.json"
CHARACTERISTICS = {"multiValued": False, "required": False, "caseExact": False, "mutability": "readWrite"}
CHARACTERISTICS |= {"returned": "default", "uniqueness": "none", "canonicalValues": None, "referenceTypes": None}
DEVIATIONS = {  # docs/decisions/0012: what RFC 7643 §8.7.1 has, and what this service does
    ("Group", "displayName", "uniqueness"): ("none", "server"),
    ("Group", "members.value", "required"): (False, True),
    ("Group", "members.display", "mutability"): ("readWrite", "readOnly"),
}


@pytest.fixture
def service(db) -> Service:
    return Service(make_configuration())


def base(row: Row) -> dict[str, Any]:
    name = "userName" if row.resource_type is USER else "displayName"
    return {"schemas": [row.resource_type.schema.urn], name: "the one"}


def make(service: Service, row: Row, value: Any) -> tuple[str, dict[str, Any]]:
    """Create a resource with ``value`` for the whole attribute; return its path and what GET shows."""
    reply = service.ask("POST", row.resource_type.endpoint, row.put(base(row), value))
    assert reply.status == 201, reply.body
    path = f"{row.resource_type.endpoint}/{reply.body['id']}"
    return path, shown(service, path)


def shown(service: Service, path: str) -> dict[str, Any]:
    reply = service.ask("GET", path)
    assert reply.status == 200, reply.body
    return dict(reply.body)


def found(service: Service, row: Row, condition: str) -> int | str:
    """Return how many resources the filter finds, or why it is refused."""
    reply = service.ask("GET", f"{row.resource_type.endpoint}?filter={quote(condition)}")
    return int(reply.body["totalResults"]) if reply.status == 200 else str(reply.body["scimType"])


def refusal(reply: Any) -> tuple[int, str | None]:
    return reply.status, (reply.body or {}).get("scimType")


def flattened(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for attribute in schema["attributes"]:
        yield attribute["name"], attribute
        for sub in attribute.get("subAttributes") or []:
            yield f"{attribute['name']}.{sub['name']}", sub


def test_the_schemas_are_those_of_the_rfc_but_for_what_was_decided():  # RFC 7643 §4.1, §4.2, §4.3, §8.7.1
    ours = {schema["id"]: schema for schema in discovery.schemas("")["Resources"]}
    deviations = {}
    for schema in json.loads(RFC.read_text(encoding="utf-8")):
        rfc, mine = dict(flattened(schema)), dict(flattened(ours[schema["id"]]))
        assert rfc.keys() == mine.keys()
        for name, attribute in rfc.items():
            assert attribute["type"] == mine[name]["type"]
            pairs = {
                key: (attribute.get(key, usual), mine[name].get(key, usual)) for key, usual in CHARACTERISTICS.items()
            }
            changed = {key: pair for key, pair in pairs.items() if (pair[0] or None) != (pair[1] or None)}
            deviations |= {(ours[schema["id"]]["name"], name, key): pair for key, pair in changed.items()}

    assert deviations == DEVIATIONS


def test_what_is_published_is_what_is_tried(service):
    assert service.ask("GET", "/Schemas").body["Resources"] == [
        service.ask("GET", f"/Schemas/{schema['id']}").body for schema in discovery.schemas("")["Resources"]
    ]
    assert {str(row) for row in ROWS} >= {"userName", "name.givenName", "emails.value", "members.value"}
    assert {row.leaf["type"] for row in WRITTEN} == {"string", "boolean", "reference", "binary", "complex"}


@pytest.mark.parametrize("row", WRITTEN, ids=str)
def test_the_service_does_what_its_schemas_say(service, row: Row):
    path, resource = make(service, row, row.whole(SAMPLES))

    check_returned(service, row, path, resource)
    check_filter(service, row)
    check_uniqueness(service, row)
    check_put(service, row, path)
    check_patch(service, row, path)
    check_types(service, row, path)


def check_returned(service: Service, row: Row, path: str, resource: dict[str, Any]) -> None:
    """What was sent comes back unchanged, by default and where it is asked for, and not where it is excluded."""
    kept = row.with_part(SAMPLES[row.leaf["type"]]) if row.leaf["type"] != "complex" else row.whole(SAMPLES)
    kept = kept if row.sub is None else SAMPLES[row.leaf["type"]]
    asked = service.ask("GET", f"{path}?attributes={quote(str(row))}").body
    excluded = service.ask("GET", f"{path}?excludedAttributes={quote(str(row))}").body
    if row.leaf["returned"] == "never":
        assert [row.get(body) for body in (resource, asked, excluded)] == [None, None, None]
        return
    assert row.leaf["returned"] == "default"
    assert (row.get(resource), row.get(asked), row.get(excluded)) == (kept, kept, None)
    assert asked.keys() == {"schemas", "id", row.urn or row.attribute["name"]}


def check_filter(service: Service, row: Row) -> None:
    """Equality heeds letter case where the attribute is caseExact; what has no order is not compared by it."""
    kind: str = row.leaf["type"]
    sample: Any = SAMPLES.get(kind)
    if row.leaf["returned"] == "never":
        assert found(service, row, f'{row} eq "{sample}"') == found(service, row, f"{row} pr") == "sensitive"
        return
    assert found(service, row, f"{row} pr") == 1
    if kind == "complex":
        return
    assert found(service, row, f"{row} eq {json.dumps(sample)}") == 1
    assert found(service, row, f"{row} ne {json.dumps(sample)}") == 0
    assert found(service, row, f"{row} eq {json.dumps(OTHERS[kind])}") == 0
    if kind == "boolean":
        assert found(service, row, f"{row} gt {json.dumps(not sample)}") == "invalidFilter"
        assert found(service, row, f'{row} eq "True"') == 1  # D-18
        return
    assert found(service, row, f"{row} eq {json.dumps(sample.swapcase())}") == (0 if row.leaf["caseExact"] else 1)
    assert found(service, row, f"{row} co {json.dumps(sample[1:3])}") == 1
    assert found(service, row, f'{row} gt ""') == ("invalidFilter" if kind == "binary" else 1)


def check_uniqueness(service: Service, row: Row) -> None:
    """Only what is unique is refused a second time, in whatever letter case that does not matter."""
    second = {**base(row), "userName": "another", "displayName": "another"}
    value = SAMPLES["string"].swapcase() if str(row) == row.attribute["name"] and row.leaf["type"] == "string" else None
    body = row.put(second, value or row.whole(SAMPLES))
    expected = (409, "uniqueness") if row.leaf["uniqueness"] == "server" else (201, None)
    assert refusal(service.ask("POST", row.resource_type.endpoint, body)) == expected


def check_put(service: Service, row: Row, path: str) -> None:
    """PUT changes it, and takes it away by leaving it out, unless it is required."""
    value = row.whole(OTHERS)
    reply = service.ask("PUT", path, row.put(base(row), value))
    assert reply.status == 200, reply.body
    assert row.get(shown(service, path)) == (None if row.leaf["returned"] == "never" else row_part(row, value))
    if row.attribute["required"]:
        without = {name: kept for name, kept in base(row).items() if name != row.attribute["name"]}
        assert refusal(service.ask("PUT", path, without)) == (400, "invalidValue")
        assert refusal(service.ask("POST", row.resource_type.endpoint, without)) == (400, "invalidValue")
    elif row.attribute["name"] != "active":  # stays as it was: nobody comes back by an omission
        assert service.ask("PUT", path, base(row)).status == 200
        assert row.get(shown(service, path)) is None


def row_part(row: Row, whole: Any) -> Any:
    if row.sub is None:
        return whole
    return (whole[0] if isinstance(whole, list) else whole)[row.sub["name"]]


def check_patch(service: Service, row: Row, path: str) -> None:
    """PATCH adds, replaces and removes it; what is required is not removed."""
    assert service.ask("PUT", path, row.put(base(row), row.whole(SAMPLES))).status == 200
    never = row.leaf["returned"] == "never"
    for word, values in (("replace", OTHERS), ("add", SAMPLES)):
        value = values[row.leaf["type"]] if row.leaf["type"] != "complex" else row.whole(values)
        if word == "add" and row.attribute["multiValued"] and row.sub is None:
            continue  # adds an element; cases/rfc7644 has it
        reply = service.patch(path, {"op": word, "path": row.path(), "value": value})
        assert reply.status in {200, 204}, reply.body
        assert row.get(shown(service, path)) == (None if never else value)
    removal = service.patch(path, {"op": "remove", "path": row.path()})
    if row.leaf["required"]:
        assert refusal(removal) == (400, "mutability")
        assert row.get(shown(service, path)) == SAMPLES[row.leaf["type"]]
    else:
        assert removal.status in {200, 204}, removal.body
        assert row.get(shown(service, path)) is (True if row.attribute["name"] == "active" else None)


def check_types(service: Service, row: Row, path: str) -> None:
    """A value of another type is refused, several values where there is one, and canonical values are suggestions."""
    for wrong in WRONG.get(row.leaf["type"], [] if row.attribute["multiValued"] and row.sub else [5, True]):
        body = row.put(base(row), row.with_part(wrong))
        assert refusal(service.ask("PUT", path, body)) == (400, "invalidValue"), wrong
        patched = service.patch(path, {"op": "replace", "path": str(row.place), "value": row.with_part(wrong)})
        assert refusal(patched) == (400, "invalidValue"), wrong
    two = [row_value(row, SAMPLES), row_value(row, OTHERS)]
    reply = service.ask("PUT", path, row.put(base(row), row.with_part(two)))
    if row.leaf["multiValued"]:
        assert (reply.status, len(row.get(reply.body))) == (200, 2)
    else:
        assert refusal(reply) == (400, "invalidValue")
    assert SAMPLES["string"] not in row.leaf.get("canonicalValues", [])


def row_value(row: Row, values: dict[str, Any]) -> Any:
    whole = row.whole(values)
    return values[row.leaf["type"]] if row.leaf["type"] != "complex" else whole[0] if isinstance(whole, list) else whole


@pytest.fixture
def related(service) -> dict[str, str]:
    """A user with a manager and a group: whatever the service says of relations is there."""
    manager = service.make_user("Boss", displayName="Big Boss")
    extension = {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": manager}}
    user = service.make_user("Worker", displayName="Hard Worker", **extension)
    group = service.make_group("The Group", members=[{"value": user}])
    return {"User": f"/Users/{user}", "Group": f"/Groups/{group}"}


@pytest.mark.parametrize("row", GIVEN, ids=str)
def test_what_the_service_gives_is_shown_found_and_not_written(service, related, row: Row):
    path = related[row.resource_type.name]
    before = shown(service, path)
    value = row.get(before)

    assert value, "the service says it"
    check_given_filter(service, row, value)
    check_given_projection(service, row, path, value)
    if row.is_read_only:
        check_read_only(service, row, path, before)


def check_given_filter(service: Service, row: Row, value: Any) -> None:
    assert found(service, row, f"{row} pr") == 1
    if row.leaf["type"] != "complex":
        assert found(service, row, f"{row} eq {json.dumps(value)}") == 1
        folds = not row.leaf["caseExact"] or value.swapcase() == value
        assert found(service, row, f"{row} eq {json.dumps(value.swapcase())}") == (1 if folds else 0)


def check_given_projection(service: Service, row: Row, path: str, value: Any) -> None:
    assert row.get(service.ask("GET", f"{path}?attributes={quote(str(row))}").body) == value
    assert row.get(service.ask("GET", f"{path}?excludedAttributes={quote(str(row))}").body) is None


def check_read_only(service: Service, row: Row, path: str, before: dict[str, Any]) -> None:
    """POST and PUT ignore it, PATCH refuses it (R-MOD-11)."""
    forged = row.with_part("forged") if row.sub else [{"value": "forged"}]
    for word in ("add", "replace", "remove"):
        reply = service.patch(path, {"op": word, "path": str(row), "value": "forged"})
        assert refusal(reply) == (400, "mutability"), word
    assert shown(service, path) == before
    part = row.with_part("forged") if row.sub else forged
    if row.attribute["name"] == "groups":
        reply = service.ask("PUT", path, row.put(before, part))
        assert (reply.status, row.get(reply.body)) == (200, row.get(before))
    created = service.ask("POST", row.resource_type.endpoint, {**row.put(base(row), part), "externalId": "new"})
    assert created.status == 201, created.body
    assert "forged" not in json.dumps(row.get(created.body))


@pytest.mark.parametrize("resource_type", [USER, GROUP], ids=lambda resource_type: resource_type.name)
@pytest.mark.parametrize("attribute", USER.common, ids=lambda attribute: attribute.name)
def test_what_every_resource_has_is_as_rfc_7643_3_1_says(service, related, resource_type, attribute):
    path = related[resource_type.name]
    assert service.patch(path, {"op": "replace", "path": "externalId", "value": "Ext"}).status in {200, 204}
    before = shown(service, path)

    assert attribute.name in before
    excluded = service.ask("GET", f"{path}?excludedAttributes={attribute.name}").body
    assert (attribute.name in excluded) is (attribute.returned == "always")
    if attribute.mutability == "readOnly":
        reply = service.patch(path, {"op": "replace", "path": attribute.name, "value": "forged"})
        assert refusal(reply) == (400, "mutability")
        assert shown(service, path) == before
