"""No request makes the service fail: each is done, or refused by a SCIM error (SO-6). Tables over all addresses."""

import json
from urllib.parse import quote

import pytest

from scim.schema import GROUP, RESOURCE_TYPES, USER
from scim.schema.table import ResourceType
from tests.factories import make_configuration
from tests.fuzz import hostile
from tests.fuzz.wsgi import Caller, fault
from tests.scim.scenarios import Reply

pytestmark = pytest.mark.django_db

OPERATIONS = hostile.operations()
WITH_BODY = [(method, path) for method, path, has_body in OPERATIONS if has_body]
PARAMETERS = ("filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", "excludedAttributes")


@pytest.fixture
def caller() -> Caller:
    return Caller(make_configuration())


def make(caller: Caller, resource_type: ResourceType) -> str:
    urn = resource_type.schema.urn
    body = f'{{"schemas":["{urn}"],"userName":"ada","displayName":"Ada","emails":[{{"value":"a@x","type":"work"}}]}}'
    reply = caller.ask("POST", resource_type.endpoint, body.encode())
    assert reply.status == 201
    return str(reply.body["id"])


def filled(caller: Caller, path: str) -> str:
    """Put a resource that is there into an address, or the first of the names that it may have."""
    if "{id}" in path:
        return path.replace("{id}", make(caller, GROUP if path.startswith("/Group") else USER))
    return path.replace("{name}", "User").replace("{urn}", USER.schema.urn)


def faults(replies: dict[str, Reply], method: str = "") -> dict[str, str]:
    """Return what is wrong, by what was sent."""
    found = {what: fault(reply, is_head=method == "HEAD") for what, reply in replies.items()}
    return {what: wrong for what, wrong in found.items() if wrong}


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_no_body_makes_it_fail(caller: Caller, method: str, path: str):
    target = filled(caller, path)

    assert faults({what: caller.ask(method, target, body) for what, body in hostile.BODIES.items()}) == {}


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_parameter_makes_it_fail(caller: Caller, name: str):
    for method, path in (("GET", "/Users"), ("GET", "/Groups"), ("GET", "/Users/{id}"), ("GET", "/Schemas")):
        target = filled(caller, path)
        replies = {what: caller.ask(method, f"{target}?{name}={value}") for what, value in hostile.VALUES.items()}

        assert faults(replies) == {}


@pytest.mark.parametrize(("method", "path", "has_body"), OPERATIONS)
def test_no_query_makes_it_fail(caller: Caller, method: str, path: str, has_body: bool):  # noqa: FBT001
    target, body = filled(caller, path), b"{}" if has_body else b""
    queries = ["?", "?&&=&=", "?%00=%00", "?" + "&".join(f"p{number}" for number in range(1_001)), "?filter=a&filter=b"]

    assert faults({query[:20]: caller.ask(method, target + query, body) for query in queries}, method) == {}


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in OPERATIONS if "{" in path])
def test_no_identifier_makes_it_fail(caller: Caller, method: str, path: str):
    body = b'{"schemas":["x"],"userName":"a","displayName":"a"}' if method in {"PUT", "PATCH"} else b""
    start = path.partition("{")[0]

    assert faults({name[:40]: caller.ask(method, start + name, body) for name in hostile.IDENTIFIERS}, method) == {}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_no_tenant_makes_it_fail(caller: Caller, method: str):
    base, replies = caller.base, {}
    for name in hostile.IDENTIFIERS:
        caller.base = f"/scim/v2/{name}"
        replies[name[:40]] = caller.ask(method, "/Users", b"{}" if method != "GET" else b"")
    caller.base = base

    assert faults(replies) == {}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/Users"), ("POST", "/Users"), ("PATCH", "/Users/{id}"), ("GET", "/Groups/{id}")]
)
def test_no_header_makes_it_fail(caller: Caller, method: str, path: str):
    target = filled(caller, path)
    body = b'{"schemas":["x"],"Operations":[]}' if method in {"POST", "PATCH"} else b""
    replies = {
        f"{name}: {value[:40]!r}": caller.ask(method, target, body, {name: value}) for name, value in hostile.HEADERS
    }

    assert faults(replies) == {}


@pytest.mark.parametrize("path", sorted({path for _, path, _ in OPERATIONS} | {"/Nothing", "", "/", "//Users//"}))
def test_no_method_makes_it_fail(caller: Caller, path: str):
    target = filled(caller, path)

    assert faults({verb[:20]: caller.ask(verb, target, b"{}") for verb in hostile.VERBS}) == {}


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda found: found.name)
@pytest.mark.parametrize("text", hostile.TEXTS)
def test_no_text_in_no_attribute_makes_it_fail(caller: Caller, resource_type: ResourceType, text: str):
    """What was accepted is stored and read again, so that what the database keeps can be answered."""
    wrong: dict[str, str] = {}
    for place, body in hostile.odd_resources(resource_type, text):
        reply = caller.ask("POST", resource_type.endpoint, body)
        wrong |= faults({f"POST {place}": reply})
        if reply.status == 201:
            target = f"{resource_type.endpoint}/{reply.body['id']}"
            wrong |= faults(
                {f"GET {place}": caller.ask("GET", target), f"PUT {place}": caller.ask("PUT", target, body)}
            )
            assert caller.ask("DELETE", target).status == 204

    assert wrong == {}


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda found: found.name)
@pytest.mark.parametrize("text", hostile.TEXTS)
def test_no_text_in_no_patch_makes_it_fail(caller: Caller, resource_type: ResourceType, text: str):
    target = f"{resource_type.endpoint}/{make(caller, resource_type)}"
    replies = {
        f"{place}: {body[-120:]!r}": caller.ask("PATCH", target, body)
        for place, body in hostile.odd_operations(resource_type, text)
    }

    assert faults(replies) == {}


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda found: found.name)
def test_no_filter_on_any_attribute_makes_it_fail(caller: Caller, resource_type: ResourceType):
    make(caller, resource_type)
    wrong: dict[str, str] = {}
    for name in [attribute.name for attribute in resource_type.attributes]:
        for literal in ('"\\u2028"', '"%_\\\\"', '"İß"', "null", '"' + "x" * 2_000 + '"', "1e308", "-0", "true"):
            for operator in ("eq", "ne", "co", "gt"):
                text = f"{name} {operator} {literal}"
                reply = caller.ask("GET", f"{resource_type.endpoint}?filter={quote(text)}")
                wrong |= faults({text[:60]: reply})

    assert wrong == {}


def test_the_locations_of_a_bulk_are_addresses_whatever_its_paths_are(caller: Caller):
    paths = ["\u00dd\t\u0000", "/Users/\u00e9 x", "/Users/a%20b", "/Nothing/%zz", "/Groups/\n"]
    operations = [{"method": "DELETE", "path": path} for path in paths]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}

    reply = caller.ask("POST", "/Bulk", json.dumps(body).encode())

    assert [operation["location"].rpartition("/")[2] for operation in reply.body["Operations"]] == [
        *("%C3%9D%09%00", "%C3%A9%20x", "a%20b", "%25zz", "%0A"),
    ]
