"""Requests as a hostile client makes them, byte by byte, through the real WSGI application; and what may come back."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from provisioning.models import ProvisioningConfiguration
from tests.scim.scenarios import Reply, check_manners
from tests.scim.service import make_token

_application = cache(get_wsgi_application)


class Caller:
    """One configuration's client; ``ask`` sends whatever it is given."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        self.token, self.base = make_token(configuration), f"/scim/v2/{configuration.public_id}"

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """``target`` is under the Tenant URL, percent-encoded as on the wire; texts are bytes in Latin-1."""
        given = {"Authorization": f"Bearer {self.token}"} | ({"Content-Type": "application/scim+json"} if body else {})
        return request(method, self.base + target, body, {**given, **(headers or {})})


def request(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """Send a request as gunicorn hands it on (PEP 3333); headers whose value is empty are sent empty."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    environ |= {_variable(name): value for name, value in headers.items()}
    started: list[Any] = []
    with _kept_connection():
        answer: Any = _application()(environ, lambda *given: started.append(given))  # type: ignore[arg-type]
        content = b"".join(answer)
        answer.close()
    status, found, *_ = started[0]
    names = {name.lower(): value for name, value in found}
    is_json = "json" in names.get("content-type", "")
    return Reply(int(status.split()[0]), names, json.loads(content) if is_json and content else content or None)


@contextmanager
def _kept_connection() -> Iterator[None]:
    """Let the end of a request not close the connection, on which the test's transaction is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def fault(reply: Reply, *, is_head: bool = False) -> str:
    """Say what is wrong with an answer to a hostile request; nothing where it is a success or a SCIM error."""
    if reply.status >= 500:
        return f"{reply.status}"
    if reply.status >= 400 and is_head:
        return "a body" if reply.body else ""
    if isinstance(reply.body, bytes):
        return f"{reply.status} with {reply.headers.get('content-type')}: {reply.body[:80]!r}"
    try:
        check_manners(reply)
    except AssertionError as error:
        return f"{reply.status}: {str(error)[:300]}"
    return ""


def _variable(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return variable if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{variable}"
