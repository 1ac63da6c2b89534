"""Running the emulated vault server: one process, one thread per connection, gone at once when told to stop."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# How long a stop may go unnoticed, in seconds.
STOP_NOTICED_WITHIN = 0.02


class CannotListen(Exception):
    """Another process listens at the address, or it is none of this machine."""


class TlsUnusable(Exception):
    """A file of a certificate, of its key or of an authority cannot be used."""


class _Handler(WSGIRequestHandler):
    # Otherwise the body of an answer waits for the other side to acknowledge the head.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: what is called thousands of times a second is no news."""


class _Server(ThreadedWSGIServer):
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Agree on TLS first, in the connection's own thread; who shows no trusted certificate gets no answer."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with suppress(OSError), self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)


def server_tls(certificate: str, key: str, *, client_authority: str | None = None) -> ssl.SSLContext:
    """Return how to serve by TLS; with ``client_authority`` only to who shows a certificate of it.

    All are names of PEM files. Raises ``TlsUnusable``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")
        if client_authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_authority)
    except OSError as error:
        files = " and ".join(dict.fromkeys(filter(None, (certificate, key, client_authority))))
        raise TlsUnusable(f"{files} cannot be used as certificate, key and authority: {error}.") from error
    return context


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address; port 0 takes a free one. Raises ``CannotListen``."""
    try:
        return socket.create_server((host, port), backlog=128, reuse_port=False)
    except OSError as error:
        # Python adds the address a second time, in brackets.
        reason = str(error.strerror).partition(" (while")[0]
        raise CannotListen(f"Cannot listen at {host}:{port}: {reason}.") from error


@contextmanager
def serving(
    application: "WSGIApplication", listener: socket.socket, *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve in the background while the block runs; gives the base URL. The caller closes ``listener``."""
    host, port = listener.getsockname()[:2]
    server = _Server(host, port, application, handler=_Handler, fd=listener.fileno())
    server.tls = tls
    thread = threading.Thread(target=server.serve_forever, args=(STOP_NOTICED_WITHIN,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
