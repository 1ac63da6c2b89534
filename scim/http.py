"""SCIM over HTTP (RFC 7644 §3.1, §3.8, §3.12): bearer tokens, bodies in, JSON out."""

import re
from typing import Any, Final

import orjson
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from scim.discovery import Capabilities
from scim.errors import (
    InvalidSyntax,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
)

MEDIA_TYPE: Final = "application/scim+json"
OPERATIONS: Final = {"POST": "create", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}
"""What the provisioning log calls each method that writes."""
MAX_BODY_BYTES: Final = Capabilities().max_payload_size
_LONGEST_LENGTH: Final = 18
_CUT_OFF: Final = "The body ended before its length."
_LONGEST_ID: Final = 36

_SPOKEN = frozenset({MEDIA_TYPE, "application/json"})
_ANSWERED = _SPOKEN | {"", "*/*", "application/*"}
_UTF_8 = frozenset({"utf-8", "utf8"})
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*(;|$)", re.ASCII | re.IGNORECASE)


class ScimResponse(HttpResponse):
    """An answer with a JSON body, or none."""

    def __init__(self, body: object = None, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content = b"" if body is None else orjson.dumps(body)
        super().__init__(content, MEDIA_TYPE, status, headers=headers)
        if body is None:
            del self.headers["Content-Type"]


def bearer_token(request: HttpRequest) -> str:
    """Return the token (RFC 6750 §2.1), or an empty text."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def check_id(text: str) -> str:
    """Return the id of a resource as it stands in a path. Raises ``NotFound`` for what can be nobody's."""
    if len(text) > _LONGEST_ID or not text.isascii() or not text.isprintable():
        raise NotFound
    return text


def check_accept(request: HttpRequest) -> None:
    """Raise ``NotAcceptable`` unless JSON will do for the client (R-CRD-10)."""
    header = request.META.get("HTTP_ACCEPT", "")
    if header not in _ANSWERED and not any(_accepts(header, kind) for kind in _SPOKEN):
        raise NotAcceptable


def _accepts(header: str, kind: str) -> bool:
    """Whether ``header`` accepts a media type; what names it more closely counts (RFC 9110 §12.5.1), no name is any."""
    accepted: dict[str, bool] = {}
    for part in header.split(","):
        named = part.partition(";")[0].strip().lower() or "*/*"
        accepted[named] = accepted.get(named, False) or not _REFUSED.search(part)
    return next((accepted[named] for named in (kind, "application/*", "*/*") if named in accepted), False)


def read_json(request: HttpRequest) -> Any:
    """Return the JSON of the body; of keys that stand twice the last counts.

    Raises ``UnsupportedMediaType``, ``PayloadTooLarge`` and ``InvalidSyntax``.
    """
    if request.content_type and request.content_type not in _SPOKEN:
        raise UnsupportedMediaType
    if (request.content_params or {}).get("charset", "utf-8").lower() not in _UTF_8:
        raise UnsupportedMediaType("JSON is UTF-8 (RFC 8259 §8.1); send it so, and say so, or nothing.")
    try:
        return orjson.loads(_read_body(request))
    except orjson.JSONDecodeError as error:
        raise InvalidSyntax(f"The body is not JSON: {error}.") from error


def _read_body(request: HttpRequest) -> bytes:
    """Read a body that is as long as it says, or one in chunks that ends by itself; none that is too long."""
    if request.META.get("CONTENT_LENGTH"):
        return _read_declared(request)
    if not request.META.get("wsgi.input_terminated"):
        return b""
    try:
        body: bytes = request.META["wsgi.input"].read(MAX_BODY_BYTES + 1)
    except Exception as error:  # each server has a class of its own for broken chunks
        raise InvalidSyntax("The chunks of the body cannot be read.") from error
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def _read_declared(request: HttpRequest) -> bytes:
    declared = request.META["CONTENT_LENGTH"]
    if not (declared.isascii() and declared.isdecimal()):
        raise InvalidSyntax("Content-Length must be a number.")
    if len(declared) > _LONGEST_LENGTH or int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        body = request.body
    except UnreadablePostError as error:
        raise InvalidSyntax(_CUT_OFF) from error
    if len(body) < int(declared):
        raise InvalidSyntax(_CUT_OFF)
    return body


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {MAX_BODY_BYTES:,} bytes. Split the request.")
