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
STOP_NOTICED_WITHIN = 0.02


class CannotListen(Exception):
    """Another process listens at the address, or it is none of this machine."""


class _Handler(WSGIRequestHandler):
    # Otherwise the body of an answer waits for the other side to acknowledge the head.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: what is called thousands of times a second is no news."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address; port 0 takes a free one. Raises ``CannotListen``."""
    try:
        return socket.create_server((host, port), backlog=128, reuse_port=False)
    except OSError as error:
        # Python adds the address a second time, in brackets.
        reason = str(error.strerror).partition(" (while")[0]
        raise CannotListen(f"Cannot listen at {host}:{port}: {reason}.") from error


@contextmanager
def serving(application: "WSGIApplication", listener: socket.socket) -> Iterator[str]:
    """Serve in the background while the block runs; gives the base URL. The caller closes ``listener``."""
    host, port = listener.getsockname()[:2]
    server = ThreadedWSGIServer(host, port, application, handler=_Handler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, args=(STOP_NOTICED_WITHIN,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
