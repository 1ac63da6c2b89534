"""The manners of the wire: media types, sizes, hostile bodies, and failures before any view (3-scim §3.2)."""

import io
import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory

from provisioning.models import LoginAccount
from scim.bulk.messages import REQUEST_URN
from scim.errors import PayloadTooLarge, ScimError
from scim.http import MAX_BODY_BYTES, MEDIA_TYPE, check_accept, read_json
from scim.schema import USER
from tests.factories import make_configuration
from tests.scim.scenarios import ERROR, MESSAGES
from tests.scim.service import Service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return Service(make_configuration())


ACCEPTED = [
    "",
    "*/*",
    "application/json",
    "application/scim+json; charset=utf-8",
    "APPLICATION/SCIM+JSON",
    "text/html, application/*;q=0.1",
    "text/html;q=0.9,*/*;q=0.001",
    "application/scim+json;q=0, application/json",
    "application/json;q=0, */*",
    "image/*, nonsense, ;;,",
]
REFUSED = [
    "text/html",
    "application/xml, text/*",
    "*/*;q=0",
    "*/*; q=0.000",
    "application/scim+json;q=0, application/json;q=0, */*",
    "application/*;q=0, */*;q=1",
]


@pytest.mark.parametrize("header", ACCEPTED)
def test_who_takes_json_is_answered(header: str):  # R-CRD-10
    check_accept(RequestFactory().get("/", HTTP_ACCEPT=header))


@pytest.mark.parametrize("header", REFUSED)
def test_who_takes_no_json_is_refused(service, header: str):
    reply = service.ask("GET", "/Users", Accept=header)

    assert (reply.status, reply.body["status"]) == (406, "406")


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "application/scim+json;charset=utf-8", 'Application/SCIM+JSON; Charset="UTF-8"'],
)
def test_json_in_utf_8_is_read_and_a_missing_type_is_forgiven(service, kind: str):  # R-CRD-09
    headers = {"Content-Type": kind}

    assert service.ask("POST", "/Users", {"schemas": ["x"], "userName": "ada@x"}, **headers).status == 201


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "?"],
)
def test_other_media_types_and_character_sets_are_refused(service, kind: str):
    reply = service.ask("POST", "/Users", {"schemas": ["x"], "userName": "ada@x"}, **{"Content-Type": kind})

    assert (reply.status, reply.body["status"]) == (415, "415")


@pytest.mark.parametrize("size", [-1, 0, 1])
def test_a_body_in_chunks_has_the_same_limit(size: int):
    made = RequestFactory().post("/scim/v2/x/Users", content_type=MEDIA_TYPE).environ
    stream = io.BytesIO(b"{}".ljust(MAX_BODY_BYTES + size))
    request = WSGIRequest({**made, "wsgi.input": stream, "CONTENT_LENGTH": "", "wsgi.input_terminated": True})

    if size <= 0:
        assert read_json(request) == {}
    else:
        with pytest.raises(PayloadTooLarge):
            read_json(request)


@pytest.mark.parametrize(("number", "status"), [(7999, 204), (8000, 204), (8001, 413)])
def test_a_patch_takes_eight_thousand_members(service, number: int, status: int):
    members = [{"value": f"{place}"} for place in range(number)]

    reply = service.patch(f"/Groups/{service.make_group('G')}", {"op": "add", "path": "members", "value": members})

    assert reply.status == status
    assert "8000" in (reply.body or {"detail": "8000"})["detail"]


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


BODIES = {
    "lone surrogate": rb'{"schemas": ["x"], "userName": "\ud800"}',
    "invalid UTF-8": b'{"schemas": ["x"], "userName": "\xff\xfe"}',
    "NUL": rb'{"schemas": ["x"], "userName": "a\u0000b"}',
    "huge number": b'{"schemas": ["x"], "userName": "a", "urn:x": {"n": 1e999}}',
    "many digits": b'{"schemas": ["x"], "userName": "a", "urn:x": {"n": ' + b"9" * 400 + b"}}",
    "depth bomb": nested(100_000).encode(),
    "deep list": b'{"schemas": ["x"], "userName": ' + nested(1000).encode() + b"}",
    "deep extension": b'{"schemas": ["x"], "userName": "a", "urn:x": {"n": ' + nested(1000).encode() + b"}}",
    "deep addresses": b'{"schemas": ["x"], "userName": "a", "emails": ' + nested(1000).encode() + b"}",
    "not a number": b'{"schemas": ["x"], "userName": NaN}',
    "two documents": b"{}{}",
    "a mark first": b"\xef\xbb\xbf{",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Bulk"])
def test_hostile_bodies_are_refused(service, path: str, body: bytes):
    reply = service.ask("POST", path, body)

    assert (reply.status, reply.body["schemas"]) == (400, [ERROR])


@pytest.mark.parametrize("value", ["1e999", "9" * 400, nested(1000), r'"\ud800"', r'"a\u0000b"'], ids=range(5))
@pytest.mark.parametrize("place", ["title", "emails", "active", "urn:x:n", "name.givenName", "members"])
def test_hostile_values_of_a_patch_are_refused_or_do_nothing(service, place: str, value: str):
    path = f"/Users/{service.make_user('ada@x')}"
    operations = f'[{{"op": "add", "path": "{place}", "value": {value}}}]'
    body = f'{{"schemas": ["{MESSAGES}:PatchOp"], "Operations": {operations}}}'.encode()

    assert service.ask("PATCH", path, body).status in {200, 400}
    assert service.ask("GET", path).status == 200


def test_hostile_data_of_one_operation_leaves_the_others(service):
    deep = '{"schemas": ["x"], "userName": "a", "urn:x": {"a": ' + nested(990) + "}}"
    operations = [f'{{"method": "POST", "path": "/Users", "bulkId": "{n}", "data": {deep}}}' for n in range(2)]
    good = json.dumps({"method": "POST", "path": "/Users", "bulkId": "g", "data": {"schemas": ["x"], "userName": "g"}})
    body = f'{{"schemas": ["{REQUEST_URN}"], "Operations": [{",".join([*operations, good])}]}}'

    answers = service.ask("POST", "/Bulk", body.encode()).body["Operations"]

    assert [answer["status"] for answer in answers] == ["400", "400", "201"]


def test_of_keys_that_stand_twice_the_last_counts(service):
    body = b'{"schemas": ["x"], "userName": "a", "userName": "b", "title": "1", "TITLE": "2"}'

    reply = service.ask("POST", "/Users", body)

    assert (reply.status, reply.body["userName"], reply.body["title"]) == (201, "b", "2")


def ask_without_view(path: str, method: str = "GET", **more: Any) -> Any:
    return Client(raise_request_exception=False).generic(method, path, **more)


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("/scim/v2/x/Users", {"SERVER_NAME": "evil.example"}, 400),
        ("/scim/v2/x/Users", {"HTTP_HOST": "a b/c"}, 400),
        ("/scim/", {}, 404),
        ("/scim/nothing", {}, 404),
        ("/scim/v2", {}, 404),
        ("/scim/openapi.json", {"method": "POST"}, 405),
        ("/scim/v2/x/Users/%ff%00%zz", {}, 401),
        ("/scim/v2/%2e%2e/%2F", {}, 401),
        ("/scim/v2/x/Users", {"method": "FOO"}, 401),
    ],
)
def test_what_fails_before_the_view_is_a_scim_error(path: str, more: dict[str, Any], status: int):
    response = ask_without_view(path, **more)

    assert (response.status_code, response["Content-Type"]) == (status, MEDIA_TYPE)
    assert response["Content-Length"] == str(len(response.content))
    assert json.loads(response.content)["status"] == str(status)


@pytest.mark.parametrize("path", ["/scim/v1/x/Users", "/scim/V3/x", "/scim/v22/x/"])
def test_another_version_of_the_protocol_is_told_apart(path: str):  # RFC 7644 §3.13
    response = ask_without_view(path)

    assert (response.status_code, response.json()["scimType"]) == (400, "invalidVers")


def test_head_of_what_fails_before_the_view_has_no_body():
    response = ask_without_view("/scim/nothing", method="HEAD")

    assert (response.status_code, response.content) == (404, b"")
    assert int(response["Content-Length"]) > 0


def test_other_addresses_keep_their_pages():
    assert ask_without_view("/oauth/nothing")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("error", [OperationalError("no connection"), InterfaceError("connection already closed")])
def test_without_a_database_the_service_asks_for_patience(monkeypatch, error: Exception):
    service = Service(make_configuration())

    def fail(**_arguments: object) -> None:
        raise error

    monkeypatch.setattr("scim.views.base.authenticate", fail)
    reply = service.ask("GET", "/Users")

    assert (reply.status, reply.headers["retry-after"], reply.body["status"]) == (503, "10", "503")


@pytest.mark.parametrize("path", ["//Users", "/Users/", "/USERS//", "/users?aadOptscim062020"])
def test_slashes_and_letter_case_do_not_matter(service, path: str):  # E-CON-06
    service.make_user("ada@x")

    assert service.ask("GET", path).body["totalResults"] == 1
    assert service.ask("OPTIONS", path).headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert service.ask("HEAD", path).body is None


def test_a_slash_too_many_before_the_configuration_does_not_matter():
    configuration = make_configuration()
    service = Service(configuration)
    headers = {"Authorization": f"Bearer {service.token}"}

    response = ask_without_view(f"/scim/v2//{configuration.public_id}//Users", headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize("method", ["FOO", "TRACE", "CONNECT", "get"])
def test_methods_that_nobody_knows_are_not_allowed(service, method: str):
    reply = service.ask(method, "/Users")

    assert reply.status == (200 if method == "get" else 405)


@pytest.mark.parametrize("identifier", ["%ff", "%00", "%zz", "a" * 5000, "..", "٣"])
def test_odd_ids_are_not_found(service, identifier: str):
    for method, body in (("GET", None), ("PUT", {"schemas": [USER.schema.urn], "userName": "x"}), ("DELETE", None)):
        reply = service.ask(method, f"/Users/{identifier}", body)
        assert isinstance(reply.body, dict)
        assert reply.status in {404, 405}
    assert LoginAccount.objects.count() == 0


def test_every_error_says_when_it_is_worth_repeating():
    patient = {kind.__name__ for kind in ScimError.__subclasses__() if kind().retry_after}

    assert patient == {"TooManyRequests", "ServiceUnavailable"}
