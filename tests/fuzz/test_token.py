"""The token endpoint answers every request with a token or an error of RFC 6749 §5.2, whatever is sent to it."""

import base64
import itertools
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from provisioning.oauth import description
from provisioning.oauth.credentials import JWT_BEARER
from provisioning.services.configurations import Credentials
from provisioning.services.secrets import make_secret
from tests.factories import make_credentials
from tests.fuzz.wsgi import request
from tests.scim.scenarios import Reply

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
GRANT = "grant_type=client_credentials"
ISSUE = description.paths("http://localhost")["/oauth/token"]["post"]
SCHEMAS = description.schemas()
WAYS = list(itertools.product(["right", "wrong", "nobody", "empty", "none"], repeat=2))


@pytest.fixture
def credentials() -> Credentials:
    return make_credentials(at=timezone.now())


def ask(body: bytes | str, method: str = "POST", **headers: str) -> Reply:
    content = body.encode() if isinstance(body, str) else body
    return request(
        method, "/oauth/token", content, {"Content-Type": FORM} | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def fault(reply: Reply) -> str:
    """Compare an answer with what is published; nothing where they agree."""
    answer = ISSUE["responses"].get(str(reply.status))
    if answer is None:
        return f"{reply.status} is not described"
    schema = SCHEMAS[answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    if not Draft202012Validator(schema).is_valid(reply.body):
        return f"{reply.status}: {reply.body}"
    for name, header in answer["headers"].items():
        value = reply.headers.get(name.lower())
        if value is None or header["schema"].get("const", value) != value:
            return f"{reply.status}: {name}: {value}"
    return ""


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def pair(client_id: str, secret: str) -> str:
    return urlencode({"client_id": client_id, "client_secret": secret})


def ways(credentials: Credentials) -> dict[str, tuple[str, str]]:
    """Return the ways to send a pair (header, body), each right, wrong, of nobody, or not at all."""
    own = credentials.configuration.client_id
    return {
        "right": (own, credentials.client_secret),
        "wrong": (own, make_secret()),
        "nobody": ("nobody", credentials.client_secret),
        "empty": (own, ""),
        "none": ("", ""),
    }


@pytest.mark.parametrize(("header", "body"), WAYS)
def test_header_and_body_must_agree_and_be_right(credentials: Credentials, header: str, body: str):  # D-30
    found = ways(credentials)
    headers = {} if header == "none" else {"Authorization": basic(*found[header])}
    sent = GRANT if body == "none" else f"{GRANT}&{pair(*found[body])}"
    said = {way for way in (header, body) if way != "none"}

    reply = ask(sent, **headers)

    # An empty secret in the body is none (RFC 6749 §2.3.1: an empty one may be omitted), so the header alone decides.
    is_right = said == {"right"} or (header, body) == ("right", "empty")
    assert (reply.status, fault(reply)) == (200 if is_right else 401, "")


TRIED = {
    "no scope": ("", 200, ""),
    "the scope": ("&scope=scim", 200, ""),
    "an empty scope": ("&scope=", 200, ""),
    "another scope": ("&scope=admin", 400, "invalid_scope"),
    "one scope too many": ("&scope=scim+admin", 400, "invalid_scope"),
    "parameters that it does not know": ("&resource=https%3A%2F%2Fx&audience=y&z", 200, ""),
    "a resource that is no address": ("&resource=x", 400, "invalid_target"),
    "a parameter twice": ("&scope=scim&scope=scim", 400, "invalid_request"),
    "another grant, too": ("&grant_type=password", 400, "invalid_request"),
    "a parameter without a value": ("&client_assertion=", 200, ""),
}


@pytest.mark.parametrize(("more", "status", "error"), TRIED.values(), ids=TRIED.keys())
def test_what_stands_beside_the_credentials(credentials: Credentials, more: str, status: int, error: str):
    reply = ask(f"{GRANT}&{pair(*ways(credentials)['right'])}{more}")

    assert (reply.status, reply.body.get("error", ""), fault(reply)) == (status, error, "")


@pytest.mark.parametrize(
    "grant",
    ["password", "authorization_code", "refresh_token", "implicit", "", "\xfc", "urn:x:y", "client_credentials "],
)
def test_other_grants_are_unsupported(credentials: Credentials, grant: str):
    reply = ask(urlencode({"grant_type": grant}) + "&username=a&password=b&code=c&refresh_token=d&" + pair("a", "b"))

    assert fault(reply) == ""
    assert reply.status == 400
    assert reply.body["error"] in {"unsupported_grant_type", "invalid_request"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "BREW", ""])
def test_only_post_is_answered(method: str):
    reply = ask(GRANT, method)

    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")


AUTHORIZATIONS = [
    *(
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        "Basic YQ==",
        "Basic /w==",
        "Basic \xff",
        "Basic Og==",
        "Basic \0",
        "basic Og==",
    ),
    *(
        "Bearer x",
        "Digest x",
        "Basic YTpi YTpi",
        "Basic " + "A" * 60_000,
        "Basic " + base64.b64encode(b":" * 9_000).decode(),
    ),
    *(
        basic("a\0", "b\0"),
        basic("%00", "%00"),
        basic("%", "%zz"),
        basic("%ED%A0%80", "%ff"),
        basic("a", "b:c:d"),
        basic("\u20ac", "\U0001f642"),
    ),
]


@pytest.mark.parametrize("authorization", AUTHORIZATIONS)
def test_no_header_makes_it_fail(authorization: str):
    replies = [
        ask(GRANT, Authorization=authorization),
        ask(f"{GRANT}&client_id=a&client_secret=b", Authorization=authorization),
    ]

    assert [(reply.status, fault(reply)) for reply in replies] == [(401, "")] * 2


CONTENT = [
    *(
        b"",
        b"%",
        b"=",
        b"&&&",
        b"\xff\xfe=\xff",
        b"%00=%00",
        b"grant_type",
        b"grant_type=",
        b"grant_type=%00",
        b"grant_type=%FF",
    ),
    *(
        b"grant_type=%ED%A0%80",
        b"{}",
        b'{"grant_type":"client_credentials"}',
        b"[" * 100_000,
        b"a=b;c=d",
        b"\0",
        b"%zz",
    ),
    b"grant_type=client_credentials&client_id=%00&client_secret=%00",
    b"grant_type=client_credentials&client_id=%FF&client_secret=%ED%A0%80",
    b"grant_type=client_credentials&client_id=" + b"x" * 100_000 + b"&client_secret=" + b"y" * 100_000,
    b"grant_type=client_credentials&client_id=a&client_id=a&client_secret=b",
    b"grant_type=client_credentials&client_id[]=a&client_secret[]=b",
    b"grant_type=client_credentials&client_assertion_type=x&client_assertion=y",
    b"&".join(b"p%d=1" % number for number in range(1_001)),
    b"x" * (2 * 1024 * 1024 + 1),
]
TYPES = [
    "",
    ";",
    "\xff",
    "text/plain",
    "application/json",
    f"{FORM}; charset=\xff",
    f"{FORM};charset=utf-16",
    "multipart/form-data",
]


@pytest.mark.parametrize("content", CONTENT, ids=lambda content: repr(content[:40]))
def test_no_body_makes_it_fail(content: bytes):
    reply = ask(content)

    assert fault(reply) == ""
    assert reply.status in {400, 401}


@pytest.mark.parametrize("kind", TYPES)
def test_no_content_type_makes_it_fail(kind: str):
    reply = ask(f"{GRANT}&{pair('a', 'b')}", Content_Type=kind)

    assert fault(reply) == ""
    assert reply.status in {400, 401}


HEADERS = [
    *(("Content-Length", value) for value in ("abc", "-1", "1e3", "9" * 30, "", "\xb2")),
    *(("Origin", value) for value in ("https://evil.example", "null", "\xff", "\0")),
    *(("Host", value) for value in ("evil.example", "", "a b", "[::1", "\xff")),
    *(("Cookie", "sessionid=\xff"), ("Accept", "text/html"), ("Content-Encoding", "gzip"), ("X-Request-ID", "\0")),
]


@pytest.mark.parametrize(("name", "value"), HEADERS)
def test_no_other_header_makes_it_fail(name: str, value: str):
    reply = ask(f"{GRANT}&{pair('a', 'b')}", **{name: value})

    assert fault(reply) == ""
    assert reply.status in {400, 401}


@pytest.mark.parametrize("query", ["a=b", "%00", "%FF", "\xfc", "client_id=a&client_secret=b", "&"])
def test_nothing_may_stand_in_the_address(credentials: Credentials, query: str):
    body = f"{GRANT}&{pair(*ways(credentials)['right'])}".encode()
    reply = request("POST", f"/oauth/token?{query}", body, {"Content-Type": FORM})

    assert (reply.status, reply.body["error"], fault(reply)) == (400, "invalid_request", "")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["grant_type", "client_id", "client_secret", "scope", "client_assertion", "client_assertion_type", "x", ""]
        ),
        st.one_of(st.text(max_size=20), st.sampled_from(["client_credentials", "scim", JWT_BEARER, "e30.e30.x"])),
    ),
    authorization=st.one_of(st.none(), st.binary(max_size=30), st.text(max_size=20)),
)
def test_nothing_makes_it_fail(fields: dict[str, str], authorization: Any):
    headers = {}
    if isinstance(authorization, bytes):
        headers["Authorization"] = "Basic " + base64.b64encode(authorization).decode()
    elif authorization is not None:
        headers["Authorization"] = authorization.encode().decode("latin-1")

    reply = ask(urlencode(fields), **headers)

    assert fault(reply) == ""
    assert reply.status in {400, 401}
