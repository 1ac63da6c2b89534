import signal
import sqlite3
import threading
from contextlib import closing
from ssl import SSLContext
from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from licensing.vaultserver.app import Application
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import FaultBoard, FaultsUnreadable, parse_faults
from licensing.vaultserver.serving import CannotListen, TlsUnusable, listen, server_tls, serving
from provisioning.commandline import DataCommand, Refused, read_text


class Command(DataCommand):
    help = "Serve an emulated vault server (docs/vault-agent.md) until it is stopped. Never touches the database."
    refusals = (CannotListen, TlsUnusable)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=8100, help="0 takes a free one (default: 8100)")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--data", metavar="FILE", default=":memory:", help="keeps its vaults (default: memory)")
        parser.add_argument("--faults", default="", help="such as latency=50ms,error=0.05,reset=0.02,refuse=USERNAME")
        parser.add_argument(
            "--token-file", metavar="FILE", help="the bearer token to ask for (default: the installation's own)"
        )
        parser.add_argument("--tls-certificate", metavar="FILE", help="serve by TLS with this certificate (PEM)")
        parser.add_argument("--tls-key", metavar="FILE", help="its private key (default: in the certificate's file)")
        parser.add_argument("--client-ca", metavar="FILE", help="let in only who shows a certificate of this authority")

    def handle(self, *_args: Any, **options: Any) -> None:
        token = _token(options["token_file"])
        tls = _tls(options)
        server = _server(options["data"], options["faults"])
        with (
            closing(server),
            listen(options["host"], options["port"]) as listener,
            serving(Application(server, token=token), listener, tls=tls) as url,
        ):
            stopped = threading.Event()
            signal.signal(signal.SIGTERM, lambda *_: stopped.set())
            self.emit({"url": url, "data": options["data"]}, [f"The vault server listens at {url}"], options)
            self.stdout.flush()
            stopped.wait()


def _token(file: str | None) -> str:
    token = read_text(file).strip() if file else settings.VAULT_AGENT_TOKEN
    if not token:
        raise Refused(f"{file} is empty; it must hold the bearer token.", returncode=2)
    return token


def _tls(options: dict[str, Any]) -> SSLContext | None:
    certificate, key = options["tls_certificate"], options["tls_key"]
    if certificate:
        return server_tls(certificate, key or certificate, client_authority=options["client_ca"])
    if key or options["client_ca"]:
        raise Refused("Give --tls-certificate, too.", returncode=2)
    return None


def _server(data: str, faults: str) -> VaultServer:
    try:
        return VaultServer(data, faults=FaultBoard(general=parse_faults(faults)))
    except FaultsUnreadable as error:
        raise Refused(str(error), returncode=2) from error
    except sqlite3.Error as error:
        raise Refused(f"{data} cannot be used as data file: {error}.") from error
