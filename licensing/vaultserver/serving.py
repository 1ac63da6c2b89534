"""Running the emulated vault server: one process, one thread per connection, gone at once when told to stop."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# How long a stop may go unnoticed, in seconds.
STOP_NOTICED_WITHIN = 0.05


class AddressInUse(Exception):
    """Another process listens at the address, or the address is not ours to listen at."""


class _Handler(WSGIRequestHandler):
    # Otherwise the body of an answer waits for the other side to acknowledge the head.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: what is called thousands of times a second is no news."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address; port 0 takes a free one. Raises ``AddressInUse``."""
    try:
        return socket.create_server((host, port), backlog=128, reuse_port=False)
    except OSError as error:
        raise AddressInUse(f"Cannot listen at {host}:{port}: {error.strerror}.") from error


@contextmanager
def serving(application: "WSGIApplication", listener: socket.socket) -> Iterator[str]:
    """Serve in the background while the block runs; gives the base URL."""
    host, port = listener.getsockname()[:2]
    server = ThreadedWSGIServer(host, port, application, handler=_Handler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, args=(STOP_NOTICED_WITHIN,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
        listener.close()
