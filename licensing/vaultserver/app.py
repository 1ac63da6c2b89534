"""The emulated vault server over HTTP: authentication, version, faults, errors; the calls are in ``routes``."""

import hashlib
import hmac
import socket
import ssl
import struct
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import orjson
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from licensing.clients import wire
from licensing.clients.agent import CONTRACT_VERSION, AgentError, AgentRefused, AgentUnavailable, ErrorCode
from licensing.clients.calls import REFUSALS, VERSION_HEADER
from licensing.clients.wire import MalformedDocument
from licensing.vaultserver import page
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import InjectedGarbage, InjectedOutage, InjectedReset
from licensing.vaultserver.routes import ROUTES
from licensing.vaultserver.store import BackupNotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY = 16 * 2**20
GARBAGE = b'[{"key": "\xff'
STATUS: dict[str, int] = {code: refusal.status for code, refusal in REFUSALS.items() if refusal.status}
ADMIN_STATUS: dict[str, int] = {
    ErrorCode.USER_NOT_FOUND: 404,
    ErrorCode.ACCOUNT_NOT_FOUND: 404,
    ErrorCode.USERNAME_TAKEN: 409,
}
"""What only items of the contract fail with, but calls of the admin API as a whole."""
HTTP_CODES: dict[int | None, ErrorCode] = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.NOT_FOUND}


class Application:
    """The WSGI application: who shows ``token``, or a client certificate that TLS trusts, may call everything."""

    def __init__(self, server: VaultServer, *, token: str) -> None:
        self._server = server
        self._digest = _digest(token)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = LARGEST_BODY
        try:
            response = self._answer(request)
        except InjectedReset:
            _break_connection(environ)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if not _shows_certificate(request) and not hmac.compare_digest(_digest(_presented(request)), self._digest):
            return _unauthorized()
        try:
            if request.path == "/":
                return Response(page.render(self._server, request.args.get("vault")), mimetype="text/html")
            return self._call(request)
        except InjectedGarbage:
            return Response(GARBAGE, headers={VERSION_HEADER: str(CONTRACT_VERSION)}, mimetype="application/json")
        except (AgentRefused, AgentUnavailable, InjectedOutage, BackupNotFound, HTTPException, ValueError) as error:
            return _error_response(error)

    def _call(self, request: Request) -> Response:
        endpoint, arguments = ROUTES.bind_to_environ(request.environ).match()
        # A page of another site can send a form to this server, but not JSON.
        if request.method != "GET" and request.mimetype != "application/json":
            raise MalformedDocument("The body must be application/json.")
        act = partial(endpoint, self._server, request, **arguments)
        if not request.path.startswith("/v1/"):
            return _json_response(act())
        _check_version(request)
        response = _json_response(self._server.faults.around(arguments.get("vault"), act))
        if request.method == "GET":
            response.add_etag()
            response.make_conditional(request.environ)
        return response


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _shows_certificate(request: Request) -> bool:
    """Say whether the connection was made with a client certificate; an untrusted one makes no connection."""
    connection = request.environ.get("werkzeug.socket")
    return isinstance(connection, ssl.SSLSocket) and bool(connection.getpeercert())


def _presented(request: Request) -> str:
    """Return the bearer token, or the password that a browser sends in its place."""
    credentials = request.authorization
    if credentials is None:
        return ""
    return credentials.token or credentials.password or ""


def _check_version(request: Request) -> None:
    asked = request.headers.get(VERSION_HEADER, str(CONTRACT_VERSION))
    if asked != str(CONTRACT_VERSION):
        sentence = f"This agent speaks version {CONTRACT_VERSION} of the contract, not {asked}."
        raise AgentRefused(ErrorCode.VERSION_NOT_SUPPORTED, sentence)


def _json_response(answer: object, status: int = 200) -> Response:
    response = Response(orjson.dumps(wire.dump(answer)), status=status, mimetype="application/json")
    response.headers[VERSION_HEADER] = str(CONTRACT_VERSION)
    return response


def _unauthorized() -> Response:
    sentence = "The vault agent does not accept these credentials."
    response = _json_response(AgentError(ErrorCode.UNAUTHORIZED, sentence), 401)
    # Chromium asks for no password when both stand in one header.
    for scheme in ("Bearer", 'Basic realm="Vault server"'):
        response.headers.add("WWW-Authenticate", scheme)
    return response


def _error_response(error: Exception) -> Response:
    match error:
        case AgentRefused():
            body = AgentError(error.code, error.sentence, retryable=error.retryable)
            return _json_response(body, (STATUS | ADMIN_STATUS).get(error.code, 400))
        case AgentUnavailable() | InjectedOutage():
            return _json_response(AgentError(ErrorCode.UNAVAILABLE, str(error), retryable=True), 503)
        case HTTPException():
            body = AgentError(HTTP_CODES.get(error.code, ErrorCode.INVALID_REQUEST), error.description or error.name)
            response = _json_response(body, error.code or 500)
            if isinstance(error, MethodNotAllowed):
                response.allow.update(error.valid_methods or ())
            return response
        case BackupNotFound():
            return _json_response(AgentError(ErrorCode.NOT_FOUND, str(error)), 404)
    return _json_response(AgentError(ErrorCode.INVALID_REQUEST, str(error)), 400)


def _break_connection(environ: "WSGIEnvironment") -> NoReturn:
    """Reset the connection, as when the network fails after the work was done."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
