"""The HTTP side: a token, requests as Entra sends them, and failures under Entra's names."""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, quote_plus, urlsplit

import httpx
import orjson

from mfmanage.entra.mapping import Json

TIMEOUT = 60.0
"""Seconds within which a service must answer Entra."""

TRIES = 2
"""How often a request is sent that nothing answers: once more, so that a create whose answer was lost meets 409."""

THROTTLED_TRIES = 4
LONGEST_WAIT = 60.0
"""Seconds of ``Retry-After`` that are waited for; a longer wait is left to the next cycle."""

RENEWAL_MARGIN = 60.0
DEFAULT_LIFETIME = 3600
LONGEST_EXCERPT = 200
SCIM = "SystemForCrossDomainIdentityManagement"

CODES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: f"{SCIM}BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "InsufficientRights",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.CONFLICT: "EntryConflict",
    HTTPStatus.UNPROCESSABLE_ENTITY: "UnprocessableEntity",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.NOT_IMPLEMENTED: "NotImplemented",
}


class ConnectionFailed(Exception):
    """The service cannot be used at all; the text is a sentence for the operator."""


class CredentialsRefused(ConnectionFailed):
    """The token endpoint refuses the client; the text is a sentence for the operator."""


class RequestFailed(Exception):
    """One request failed: ``code`` is what Entra's provisioning log shows, ``status`` 0 when nothing was answered."""

    def __init__(self, code: str, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


class CredentialsIn(StrEnum):
    """Where the token request carries id and secret; Entra offers *Both*, against RFC 6749 §2.3."""

    BODY = "body"
    HEADER = "header"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """The four values of a provisioning configuration, as an admin types them into Entra."""

    tenant_url: str
    token_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    credentials_in: CredentialsIn = CredentialsIn.BODY

    @property
    def base_url(self) -> str:
        """The Tenant URL without trailing slash and without flags."""
        return urlsplit(self.tenant_url)._replace(query="", fragment="").geturl().rstrip("/")


class Client:
    """Sends requests with a token that it renews itself; counts requests and writes. Several threads may share it."""

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.requests = 0
        self.writes = 0
        self._clock = clock
        self._sleep = sleep
        self._http = httpx.Client(timeout=TIMEOUT, headers={"User-Agent": ""}, transport=transport or wire())
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def call(self, method: str, path: str, *, query: dict[str, str] | None = None, body: Json | None = None) -> Any:
        """Send one SCIM request and return the parsed answer, ``None`` if it is empty.

        A token about to expire is renewed before, a refused one once after; silence is met by asking once
        more, 429 by waiting as long as the answer says. Raises ``RequestFailed`` for an answer of 400 and
        above, for one that is not JSON and for none; ``ConnectionFailed`` when no token can be got.
        """
        request = self._http.build_request(
            method,
            f"{self.connection.base_url}{path}{_encoded(query or {})}",
            content=None if body is None else orjson.dumps(body),
            headers={} if body is None else {"Content-Type": "application/scim+json; charset=utf-8"},
        )
        token = self._fresh_token()
        response = self._send_patiently(request, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._send_patiently(request, self.renew_token(refused=token))
        return _parsed(method, response)

    def renew_token(self, *, refused: str = "") -> str:
        """Get a token from the token endpoint, unless another thread has replaced the ``refused`` one already.

        Raises ``CredentialsRefused`` or ``ConnectionFailed``.
        """
        with self._lock:
            if self._token == refused or not refused:
                self._get_token()
            return self._token

    def _fresh_token(self) -> str:
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._get_token()
            return self._token

    def _get_token(self) -> None:
        response = self._ask_for_token()
        document = _document(response)
        if not response.is_success or not isinstance(document.get("access_token"), str):
            raise _token_refusal(response, document)
        self._token = document["access_token"]
        lifetime = document.get("expires_in")
        seconds = lifetime if isinstance(lifetime, int) else DEFAULT_LIFETIME
        self._renew_at = self._clock() + seconds - RENEWAL_MARGIN

    def _ask_for_token(self) -> httpx.Response:
        connection = self.connection
        form = {"grant_type": "client_credentials"}
        headers = {}
        if connection.credentials_in is not CredentialsIn.BODY:
            headers["Authorization"] = _basic(connection.client_id, connection.client_secret)
        if connection.credentials_in is not CredentialsIn.HEADER:
            form |= {"client_id": connection.client_id, "client_secret": connection.client_secret}
        try:
            return self._http.post(connection.token_endpoint, data=form, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectionFailed(
                f"The token endpoint {connection.token_endpoint} cannot be reached: {_said(error)}."
            ) from error

    def _send_patiently(self, request: httpx.Request, token: str) -> httpx.Response:
        request.headers["Authorization"] = f"Bearer {token}"
        response = self._send_twice(request)
        for _ in range(THROTTLED_TRIES - 1):
            seconds = _retry_after(response)
            if seconds is None:
                break
            self._sleep(seconds)
            response = self._send_twice(request)
        return response

    def _send_twice(self, request: httpx.Request) -> httpx.Response:
        for _ in range(TRIES - 1):
            try:
                return self._send(request)
            except RequestFailed:
                continue
        return self._send(request)

    def _send(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests += 1
            self.writes += request.method != "GET"
        try:
            return self._http.send(request)
        except httpx.TimeoutException as error:
            raise RequestFailed("Timeout", f"No answer within {TIMEOUT:.0f} seconds.") from error
        except httpx.HTTPError as error:
            raise RequestFailed("WebExceptionProtocolError", f"{_said(error)}.") from error


def wire() -> httpx.BaseTransport:
    """Return what sends requests over HTTP, or over HTTPS with the authorities that this machine trusts."""
    return httpx.HTTPTransport(verify=_trust())


@cache
def _trust() -> ssl.SSLContext:
    """Read the trusted authorities once: it takes longer than all else about a client."""
    return httpx.create_ssl_context()


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a 429 asks to wait, ``None`` if it is none or asks for nothing that can be waited for."""
    text = response.headers.get("Retry-After", "")
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS or not (text.isascii() and text.isdigit()):
        return None
    seconds = float(text)
    return seconds if seconds <= LONGEST_WAIT else None


def _encoded(query: dict[str, str]) -> str:
    """Encode as Entra does: a space is ``+``, a quotation mark ``%22``."""
    return "?" * bool(query) + "&".join(f"{key}={quote_plus(value)}" for key, value in query.items())


def _basic(client_id: str, client_secret: str) -> str:
    """Return a Basic header with both parts form-encoded first, as RFC 6749 §2.3.1 asks."""
    auth = httpx.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe=""))
    request = next(auth.auth_flow(httpx.Request("POST", "http://token")))
    return request.headers["Authorization"]


def _document(response: httpx.Response) -> Json:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _token_refusal(response: httpx.Response, document: Json) -> ConnectionFailed:
    error = document.get("error")
    if error == "invalid_client":
        return CredentialsRefused(
            "The token endpoint refused the client (invalid_client). Check the client ID and the client secret."
        )
    if error:
        reason = document.get("error_description") or "it gave no reason"
        return CredentialsRefused(f"The token endpoint refused the request ({error}): {reason}")
    return ConnectionFailed(
        f"{response.request.url} answered {response.status_code} without a token. Check the token endpoint."
    )


def _parsed(method: str, response: httpx.Response) -> Any:
    status = response.status_code
    if status >= HTTPStatus.BAD_REQUEST:
        raise RequestFailed(_code(method, status), _detail(response), status)
    if not response.is_success:
        raise RequestFailed("WebExceptionProtocolError", f"The service answered {status}.", status)
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        raise RequestFailed(f"{SCIM}ServiceIncompatible", "The answer is not JSON.", status) from error


def _code(method: str, status: int) -> str:
    if method == "GET" and status == HTTPStatus.CONFLICT:
        return f"{SCIM}ServiceIncompatibleFiltering"
    if method == "DELETE" and status == HTTPStatus.BAD_REQUEST:
        return f"{SCIM}ServiceIncompatible"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED:
        return "InternalServerError"
    if status == HTTPStatus.NOT_FOUND:
        return "InvalidAnchor" if method in {"PATCH", "DELETE"} else f"{SCIM}ServiceIncompatible"
    return CODES.get(status, "WebExceptionProtocolError")


def _detail(response: httpx.Response) -> str:
    said = str(_document(response).get("detail") or response.text.strip()[:LONGEST_EXCERPT]).rstrip(".")
    return f"The service answered {response.status_code}{': ' if said else ''}{said}."


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
