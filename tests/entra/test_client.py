"""The token, the requests as they go over the wire, and failures under Entra's names."""

import socket

import pytest

from mfmanage.entra import service as scim
from mfmanage.entra.client import (
    Client,
    Connection,
    ConnectionFailed,
    CredentialsIn,
    CredentialsRefused,
    RequestFailed,
)
from tests.entra.builders import connect

BOTH = {scim.USERS: "userName", scim.GROUPS: "displayName"}


def test_credentials_go_in_the_body_by_default(service):
    with Client(connect(service)) as client:
        scim.find(client, scim.USERS, "userName", "x")

    [request] = service.token_requests
    assert request.body == ("grant_type=client_credentials&client_id=the+client&client_secret=a+secret%2Fwith%2Bsigns")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers


def test_credentials_go_in_the_header_alone_when_asked(service):
    with Client(connect(service, credentials_in=CredentialsIn.HEADER)) as client:
        scim.find(client, scim.USERS, "userName", "x")

    [request] = service.token_requests
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.body == "grant_type=client_credentials"


def test_credentials_go_in_both_places_when_asked(service):
    with Client(connect(service, credentials_in=CredentialsIn.BOTH)) as client:
        client.renew_token()

    [request] = service.token_requests
    assert request.headers["Authorization"].startswith("Basic ")
    assert "client_secret=a+secret" in request.body


def test_a_query_is_encoded_as_entra_does(service):
    with Client(connect(service)) as client:
        scim.find(client, scim.USERS, "userName", "sean.o'brien\"\\@contoso.com")
        scim.find(client, scim.GROUPS, "displayName", "Legal/Päivi")

    assert [request.target for request in service.requests] == [
        "/scim/Users?filter=userName+eq+%22sean.o%27brien%5C%22%5C%5C%40contoso.com%22",
        "/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22Legal%2FP%C3%A4ivi%22",
    ]


def test_a_write_says_its_content_type_and_no_user_agent(service):
    with Client(connect(service)) as client:
        scim.create(client, scim.USERS, {"userName": "Päivi"})

    [request] = service.requests
    assert request.headers["Content-Type"] == "application/scim+json; charset=utf-8"
    assert request.headers["User-Agent"] == ""
    assert request.headers["Authorization"].startswith("Bearer ")
    assert request.body == {"userName": "Päivi"}


def test_one_token_serves_until_a_minute_before_it_expires(service):
    now = [0.0]
    with Client(connect(service), clock=lambda: now[0]) as client:
        for now[0] in (0, 1800, 3539):
            scim.find(client, scim.USERS, "userName", "x")
        assert len(service.token_requests) == 1
        now[0] = 3540
        scim.find(client, scim.USERS, "userName", "x")

    assert len(service.token_requests) == 2


def test_a_refused_token_is_renewed_once_and_the_request_repeated(service):
    with Client(connect(service)) as client:
        scim.find(client, scim.USERS, "userName", "x")
        service.live_tokens.clear()
        scim.find(client, scim.USERS, "userName", "x")

    assert len(service.token_requests) == 2
    assert client.requests == 3


def test_a_token_refused_twice_fails_the_request(service):
    service.fail("GET", "/Users", 401)
    service.fail("GET", "/Users", 401)

    with Client(connect(service)) as client, pytest.raises(RequestFailed) as failed:
        scim.find(client, scim.USERS, "userName", "x")

    assert failed.value.code == "Unauthorized"
    assert len(service.token_requests) == 2


def test_a_wrong_secret_is_one_sentence(service):
    with Client(connect(service, client_secret="wrong")) as client, pytest.raises(CredentialsRefused) as refused:
        scim.probe(client, BOTH)

    assert str(refused.value) == (
        "The token endpoint refused the client (invalid_client). Check the client ID and the client secret."
    )
    assert service.requests == []


def test_the_secret_is_not_shown_with_the_connection(service):
    assert service.secret not in repr(connect(service))


def test_an_address_that_gives_no_token_is_named(service):
    wrong = f"{service.address}/scim/Nothing"
    with Client(connect(service, token_endpoint=wrong)) as client, pytest.raises(ConnectionFailed) as failed:
        scim.probe(client, BOTH)

    assert str(failed.value) == f"{wrong} answered 400 without a token. Check the token endpoint."


def test_a_token_endpoint_that_is_down_is_named(service):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}/token"
        with Client(connect(service, token_endpoint=nowhere)) as client, pytest.raises(ConnectionFailed) as failed:
            scim.probe(client, BOTH)

    assert str(failed.value).startswith(f"The token endpoint {nowhere} cannot be reached: ")


@pytest.mark.parametrize("address", ["/Users", "/Groups"])
def test_a_connection_test_that_is_not_answered_with_200_says_where(service, address):
    service.fail("GET", address, 403)

    with Client(connect(service)) as client, pytest.raises(ConnectionFailed) as failed:
        scim.probe(client, BOTH)

    assert str(failed.value) == (f"The connection test failed at {address}. The service answered 403: Made to fail.")


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        ("GET", 404, "SystemForCrossDomainIdentityManagementServiceIncompatible"),
        ("GET", 409, "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering"),
        ("POST", 400, "SystemForCrossDomainIdentityManagementBadRequest"),
        ("POST", 403, "InsufficientRights"),
        ("POST", 404, "SystemForCrossDomainIdentityManagementServiceIncompatible"),
        ("POST", 405, "MethodNotAllowed"),
        ("POST", 409, "EntryConflict"),
        ("POST", 418, "WebExceptionProtocolError"),
        ("POST", 422, "UnprocessableEntity"),
        ("POST", 429, "TooManyRequests"),
        ("POST", 499, "WebExceptionProtocolError"),
        ("POST", 500, "InternalServerError"),
        ("POST", 501, "NotImplemented"),
        ("POST", 503, "InternalServerError"),
        ("PATCH", 404, "InvalidAnchor"),
        ("DELETE", 400, "SystemForCrossDomainIdentityManagementServiceIncompatible"),
    ],
)
def test_a_failure_has_the_code_of_entras_log(service, method, status, code):
    service.fail(method, "/Users", status)

    with Client(connect(service)) as client, pytest.raises(RequestFailed) as failed:
        client.call(method, "/Users", query={"filter": 'userName eq "x"'}, body={} if method == "POST" else None)

    assert (failed.value.code, failed.value.status) == (code, status)
    assert failed.value.detail == f"The service answered {status}: Made to fail."


def test_a_service_that_breaks_off_is_a_protocol_error(service):
    with Client(connect(service)) as client:
        client.renew_token()
        client.connection = connect(service, tenant_url="http://127.0.0.1:1/")
        with pytest.raises(RequestFailed) as failed:
            scim.find(client, scim.USERS, "userName", "x")

    assert failed.value.code == "WebExceptionProtocolError"


@pytest.mark.parametrize("answer", [["no object"], {"userName": "without id"}, {"id": 7}])
def test_an_answer_that_is_no_resource_is_incompatible(service, answer):
    user = service.add("Users", userName="x")
    service.distort = lambda _: answer

    with Client(connect(service)) as client, pytest.raises(RequestFailed) as failed:
        scim.get(client, scim.USERS, user["id"])

    assert failed.value.code == "SystemForCrossDomainIdentityManagementServiceIncompatible"


def test_members_that_were_not_asked_for_are_an_error(service):
    legal = service.add("Groups", displayName="Legal")
    service.distort = lambda resource: {**resource, "members": []}

    with Client(connect(service)) as client, pytest.raises(RequestFailed) as failed:
        scim.get(client, scim.GROUPS, legal["id"])

    assert failed.value.code == "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse"


@pytest.mark.parametrize("ending", ["", "/", "?aadOptscim062020", "/?aadOptscim062020"])
def test_the_tenant_url_may_end_in_a_slash_and_a_flag(ending):
    connection = Connection(
        tenant_url=f"https://h/scim/v2/c{ending}", token_endpoint="", client_id="", client_secret=""
    )

    assert connection.base_url == "https://h/scim/v2/c"
