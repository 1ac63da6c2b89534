"""What surrounds the resources: who may call, how large a body may be, what is logged, what a failure looks like."""

import io
import logging
from datetime import timedelta

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from django.utils import timezone
from oauth2_provider.models import AccessToken

from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from provisioning.services.configurations import pause_configuration, resume_configuration
from scim import http
from scim.errors import InvalidSyntax, PayloadTooLarge
from scim.http import MAX_BODY_BYTES, read_json
from scim.resources import users
from scim.schema import USER
from tests.factories import ACTOR, NOON, make_configuration, make_subscription
from tests.scim.service import Service

pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration() -> ProvisioningConfiguration:
    return make_configuration()


@pytest.fixture
def service(configuration):
    return Service(configuration)


def rows(configuration: ProvisioningConfiguration) -> list[tuple[str, int]]:
    entries = ProvisioningLogEntry.objects.filter(configuration=configuration).order_by("pk")
    return list(entries.values_list("operation", "status"))


def test_a_token_opens_its_own_configuration_only():
    subscription = make_subscription()
    own, other = Service(make_configuration(subscription)), Service(make_configuration(subscription))
    user = own.make_user("ada@x")
    own.token, other.token = other.token, own.token

    assert own.ask("GET", f"/Users/{user}").status == 401
    assert other.ask("GET", "/Users").status == 401


def test_what_another_configuration_owns_is_as_if_it_never_was():
    subscription = make_subscription()
    own, other = Service(make_configuration(subscription)), Service(make_configuration(subscription))
    user, group = other.make_user("ada@x"), other.make_group("Legal")
    never = own.ask("GET", "/Users/0000")

    for path in (f"/Users/{user}", f"/Groups/{group}"):
        for method in ("GET", "PATCH", "DELETE", "PUT"):
            body = {
                "schemas": [USER.schema.urn, "urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "userName": "x",
                "displayName": "x",
                "Operations": [],
            }
            reply = own.ask(method, path, body if method in {"PATCH", "PUT"} else None)
            assert (reply.status, reply.body) == (404, never.body)
    assert own.ask("GET", f"/Users?filter=id+eq+%22{user}%22").body["totalResults"] == 0
    assert other.ask("GET", f"/Users/{user}").status == 200


def test_an_expired_token_opens_nothing(service):
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))

    reply = service.ask("GET", "/Users")

    assert reply.status == 401
    assert reply.headers["www-authenticate"] == 'Bearer realm="mfmanage", error="invalid_token"'


def test_a_paused_configuration_answers_403_until_it_is_resumed(configuration, service):
    pause_configuration(configuration=configuration, actor=ACTOR, at=NOON)
    paused = service.ask("GET", "/Users")
    resume_configuration(configuration=configuration, actor=ACTOR, at=NOON)

    assert (paused.status, paused.body["status"]) == (403, "403")
    assert paused.body["detail"] == "The configuration is paused. An admin of the portal can resume it."
    entry = ProvisioningLogEntry.objects.get()
    assert (entry.status, entry.is_success, entry.resource_type) == (403, False, "User")
    assert service.ask("GET", "/Users").status == 200


@pytest.mark.parametrize(("size", "status"), [(-1, 201), (0, 201), (1, 413)])
def test_a_body_may_be_two_mebibytes_long(service, size: int, status: int):
    start, end = b'{"schemas":["x"],"userName":"a","note":"', b'"}'
    body = start + b"x" * (MAX_BODY_BYTES + size - len(start) - len(end)) + end

    reply = service.ask("POST", "/Users", body)

    assert reply.status == status


class Endless(io.RawIOBase):
    """A body that never ends; ``given`` counts what was read of it."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "a body is read in bounds"
        self.given += size
        return b" " * size


def request_with(stream: io.RawIOBase | io.BytesIO, **environ: object) -> WSGIRequest:
    made = RequestFactory().post("/scim/v2/x/Users", content_type="application/scim+json").environ
    return WSGIRequest({**made, "wsgi.input": stream, "CONTENT_LENGTH": "", **environ})


def test_a_body_that_says_it_is_too_long_is_refused_unread():
    stream = Endless()

    with pytest.raises(PayloadTooLarge):
        read_json(request_with(stream, CONTENT_LENGTH=str(MAX_BODY_BYTES + 1)))
    assert stream.given == 0


def test_a_body_in_chunks_is_read_to_the_limit_and_no_further():
    stream = Endless()

    with pytest.raises(PayloadTooLarge):
        read_json(request_with(stream, **{"wsgi.input_terminated": True}))
    assert stream.given == MAX_BODY_BYTES + 1


def test_a_body_in_chunks_is_understood():
    request = request_with(io.BytesIO(b'{"a": 1}'), **{"wsgi.input_terminated": True})

    assert read_json(request) == {"a": 1}


def test_without_a_length_and_without_chunks_there_is_no_body():
    with pytest.raises(InvalidSyntax):
        read_json(request_with(Endless()))


def test_a_fault_of_the_service_is_a_scim_error_and_is_logged(configuration, service, monkeypatch, caplog):
    def fail(**_arguments: object) -> None:
        raise ZeroDivisionError("a secret reason")

    monkeypatch.setattr(users, "create", fail)
    with caplog.at_level(logging.ERROR):
        reply = service.ask("POST", "/Users", {"schemas": ["x"], "userName": "ada@x"})

    assert (reply.status, reply.headers["content-type"]) == (500, "application/scim+json")
    assert "secret" not in str(reply.body)
    assert "ZeroDivisionError" in caplog.text
    assert rows(configuration) == [("create", 500)]


def test_refused_calls_are_logged_with_what_they_were_about(configuration, service):
    service.ask("POST", "/Users", {"schemas": ["x"], "userName": "ada@x", "active": "maybe"})
    service.ask("POST", "/Groups", b"{")
    service.ask("DELETE", "/Users/nobody")
    service.ask("GET", "/Users?filter=x")

    logged = ProvisioningLogEntry.objects.filter(configuration=configuration).order_by("pk")
    assert [(row.operation, row.resource_type, row.resource_id, row.resource_name, row.status) for row in logged] == [
        ("create", "User", "", "ada@x", 400),
        ("create", "Group", "", "", 400),
        ("delete", "User", "nobody", "", 404),
        ("query", "User", "", "", 400),
    ]
    assert all(row.detail and row.request_id and row.duration_us > 0 and not row.is_success for row in logged)


def test_reading_and_finding_are_not_logged(configuration, service):
    user = service.make_user("ada@x")
    before = rows(configuration)

    service.ask("GET", f"/Users/{user}")
    service.ask("GET", "/Users?filter=userName+eq+%22nobody%22")
    service.ask("GET", "/Groups")

    assert rows(configuration) == before


def test_nobody_knows_who_calls_without_a_token_and_nothing_is_logged(configuration, service):
    service.token = "wrong"
    service.ask("POST", "/Users", {"schemas": ["x"], "userName": "ada@x"})

    assert rows(configuration) == []


@pytest.mark.parametrize("name", ["\0", "\udfff", 7, ["x", "y"], {"a": 1}, None])
def test_an_odd_name_is_refused_and_logged_without_it(configuration, service, name: object):
    reply = service.ask("POST", "/Users", {"schemas": ["x"], "userName": name})

    assert reply.status == 400
    assert rows(configuration) == [("create", 400)]


def test_too_many_parameters_are_a_scim_error(service):
    reply = service.ask("GET", "/Users?" + "&".join(f"p{number}=1" for number in range(1100)))

    assert (reply.status, reply.body["scimType"]) == (400, "invalidSyntax")


def test_an_answer_has_no_more_than_it_needs():
    empty = http.ScimResponse(None, 204)

    assert empty.content == b""
    assert "Content-Type" not in empty.headers
