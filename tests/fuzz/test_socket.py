"""Hostile bytes on a real socket: gunicorn refuses what is not HTTP, the service all else, and both live on."""

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from mfmanage.embedded import free_port
from scim.http import MAX_BODY_BYTES
from tests.factories import make_configuration
from tests.scim.scenarios import Reply, check_manners
from tests.scim.service import make_token

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).parents[2]
USER = b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s"}'


class Raw(NamedTuple):
    """An answer as it came; ``status`` 0 is a connection that was closed without one."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def is_scim(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/scim+json")


class Peer:
    """Sends bytes to gunicorn. ``{base}``, ``{token}`` and ``{host}`` are put in."""

    def __init__(self, port: int, base: str, token: str) -> None:
        self.port, self.base = port, base
        self.known = {b"{base}": base.encode(), b"{token}": token.encode(), b"{host}": b"127.0.0.1:%d" % port}

    def send(self, request: bytes) -> Raw:
        for name, value in self.known.items():
            request = request.replace(name, value)
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it was read whole; the answer is on its way
            return parsed(received(connection))


def received(connection: socket.socket) -> bytes:
    content = b""
    try:
        while piece := connection.recv(65536):
            content += piece
    except ConnectionResetError:
        pass
    return content


def parsed(answer: bytes) -> Raw:
    head, _, content = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if answer else 0
    return Raw(status, dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line), content)


@contextmanager
def serving(environment: dict[str, str], words: Path) -> Iterator[int]:
    port = free_port()
    argv = [
        *(sys.executable, "-m", "gunicorn", "mfmanage.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", "4", "--limit-request-line", "8190", "--log-level", "warning"),
    ]
    with words.open("wb") as log, subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    """Return when gunicorn answers; it is asked again for as long as it may take to start."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
        client.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()


def get(path: bytes, *headers: bytes, version: bytes = b"HTTP/1.1", method: bytes = b"GET") -> bytes:
    lines = [method + b" {base}" + path + b" " + version, b"Host: {host}", b"Authorization: Bearer {token}", *headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def post(body: bytes, *headers: bytes, path: bytes = b"/Users") -> bytes:
    return get(path, b"Content-Type: application/scim+json", *headers, method=b"POST") + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", path: bytes = b"/Users") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return post(body + end, b"Transfer-Encoding: chunked", path=path)


def sized(body: bytes, length: int | None = None, *headers: bytes) -> bytes:
    return post(body, b"Content-Length: %d" % (len(body) if length is None else length), *headers)


UNDERSTOOD = {
    "HTTP/1.0": (get(b"/Users", version=b"HTTP/1.0"), 200),
    "no host, as HTTP/1.0 may": (b"GET {base}/Users HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n", 200),
    "one chunk": (chunked(USER % b"one"), 201),
    "a chunk for every byte": (chunked(*(bytes([byte]) for byte in USER % b"many")), 201),
    "more than it says": (sized(USER % b"more" + b"GARBAGE", len(USER % b"more")), 201),
    "a client that waits for a sign": (sized(USER % b"waiting", None, b"Expect: 100-continue"), 201),
    "two requests at once": (sized(USER % b"pipelined") + get(b"/Users"), 201),
    "an address with a host": (get(b"/Users").replace(b"GET {base}", b"GET http://{host}{base}"), 200),
}
REFUSED = {
    "less than it says": (sized(USER % b"less", 500), 400),
    "nothing, but says more": (sized(b"", 10), 400),
    "a chunk that ends too early": (chunked(end=b"ff\r\nabc"), 400),
    "a chunk whose size is none": (chunked(end=b"xyz\r\nabc\r\n"), 400),
    "a chunk of a negative size": (chunked(end=b"-5\r\nabc\r\n0\r\n\r\n"), 400),
    "chunks without an end": (chunked(b"{}", end=b""), 400),
    "chunks of a depth bomb": (chunked(*[b"[" * 1_000] * 100), 400),
    "chunks of too much": (chunked(*[b" " * 65_536] * 33), 413),
    "a length that is too much": (sized(b"", MAX_BODY_BYTES + 1), 413),
    "a compressed body": (sized(gzip.compress(USER % b"zip"), None, b"Content-Encoding: gzip"), 400),
    "neither length nor chunks": (post(b"{}"), 400),
    "a NUL in the query": (get(b"/Users?filter=userName%20eq%20%22%00%22"), 400),
    "a NUL in an id": (get(b"/Users/%00"), 404),
    "broken escapes": (get(b"/Users/%zz%"), 404),
    "a method nobody knows": (get(b"/Users", method=b"BREW"), 405),
    "another host": (get(b"/Users").replace(b"{host}", b"evil.example"), 400),
    "no token": (get(b"/Users").replace(b"Bearer {token}", b"Bearer"), 401),
}
NOT_HTTP = {
    "nothing": b"\r\n\r\n",
    "noise": bytes(range(256)) * 8,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300,
    "an unknown version": get(b"/Users", version=b"HTTP/9.9"),
    "no version": b"GET {base}/Users\r\n\r\n",
    "a lower-case method": get(b"/Users", method=b"get"),
    "a long line": get(b"/Users?filter=" + b"x" * 20_000),
    "a long header": get(b"/Users", b"X-Long: " + b"x" * 70_000),
    "many headers": get(b"/Users", *(b"X-%d: y" % number for number in range(500))),
    "a NUL in a header": get(b"/Users", b"X-Odd: a\0b"),
    "a header without a name": get(b"/Users", b": x"),
    "a folded header": get(b"/Users", b"X-Odd: a\r\n b"),
    "two lengths": post(b"{}", b"Content-Length: 2", b"Content-Length: 3"),
    "a length that is none": post(b"{}", b"Content-Length: abc"),
    "a negative length": post(b"{}", b"Content-Length: -1"),
    "a length and chunks": post(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "an unknown coding": post(b"{}", b"Transfer-Encoding: br, chunked"),
    "raw bytes in the query": get(b"/Users?filter=\xff\xfe"),
    "raw bytes in the path": get(b"/Users/\xff\xfe"),
    "no path": get(b"").replace(b"GET {base}", b"GET x"),
    "only a star": get(b"").replace(b"GET {base}", b"OPTIONS *"),
}
HTTP_ONLY = {501, 505}
"""What the protocol below may answer to what it does not know: a transfer coding (RFC 9112 §6.1), a version."""


def test_a_real_socket_takes_hostile_bytes(child_environment, tmp_path):
    configuration = make_configuration()
    words, wrong = tmp_path / "words", dict[str, str]()
    with serving(child_environment, words) as port:
        peer = Peer(port, f"/scim/v2/{configuration.public_id}", make_token(configuration))
        for what, (request, status) in (UNDERSTOOD | REFUSED).items():
            raw = peer.send(request)
            if raw.status != status or not raw.is_scim:
                wrong[what] = f"{raw.status} {raw.content[:200]!r}"
            elif status >= 400:
                check_manners(Reply(raw.status, raw.headers, json.loads(raw.content)))
        for what, request in NOT_HTTP.items():
            raw = peer.send(request)
            if raw.status >= 500 and raw.status not in HTTP_ONLY:
                wrong[what] = f"{raw.status} {raw.content[:200]!r}"
        alive = peer.send(get(b"/Users?count=0"))

    assert wrong == {}
    assert (alive.status, json.loads(alive.content)["totalResults"]) == (200, len(UNDERSTOOD) - 3)
    assert "Traceback" not in words.read_text(errors="replace")
