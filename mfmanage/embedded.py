"""The processes of an embedded installation: the server, the worker that also schedules, the emulated vault server."""

import os
import socket
import sys
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings

from licensing.sweep import EMBEDDED_WORKER
from mfmanage.supervisor import Child
from provisioning.commandline import Refused


def server(port: int) -> Child:
    """Return the web server of the portal, the token endpoint and SCIM."""
    argv = [
        *(sys.executable, "-m", "gunicorn", "mfmanage.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "1", "--log-level", "warning"),
        *("--limit-request-line", "8190"),
    ]
    return Child("server", argv, _environment(port), ready=_answers(f"http://127.0.0.1:{port}/readyz"))


def worker(port: int) -> Child:
    """Return the Celery worker that sweeps what is due by itself; its work is safe to begin at any moment."""
    return Child("worker", [sys.executable, *EMBEDDED_WORKER], _environment(port), ready=lambda: True)


def vault_server(port: int, vault_port: int) -> Child:
    """Return the emulated vault server, which keeps its vaults in the installation's data folder."""
    data = settings.DATA_DIR / "vaultserver.sqlite3"
    argv = [
        sys.executable,
        str(settings.BASE_DIR / "manage.py"),
        "vaultserver",
        "--port",
        str(vault_port),
        "--data",
        str(data),
    ]
    return Child("vault server", argv, _environment(port), ready=_accepts(vault_port))


def check_port_free(port: int) -> None:
    """Raise ``Refused`` when another process listens on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise Refused(f"Port {port} cannot be used ({error}). Choose another with --port.") from error


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(port: int) -> dict[str, str]:
    """Return the children's environment: ours, with the address by which they are reached, from whatever folder."""
    ours = {"MFMANAGE_BASE_URL": f"http://127.0.0.1:{port}", "PYTHONUNBUFFERED": "1", **os.environ}
    return {**ours, "MFMANAGE_DATA_DIR": str(settings.DATA_DIR), "PYTHONPATH": str(settings.BASE_DIR)}


def _answers(address: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)  # noqa: PLR2004
        except (URLError, OSError):
            return False

    return ready


def _accepts(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return ready
