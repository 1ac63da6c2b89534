import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management import CommandParser, call_command

from mfmanage import demo, demo_outcome, embedded
from mfmanage.entra import output
from mfmanage.entra.client import ConnectionFailed
from mfmanage.entra.directory import Directory
from mfmanage.entra.fields import DirectoryInvalid
from mfmanage.entra.reading import load
from mfmanage.supervisor import ChildDied, ChildNotReady, Supervisor
from provisioning.commandline import DataCommand

SAMPLE = Path(demo.__file__).parent / "entra" / "sample.json"
MARK = ".mfmanage-demo"
"""A folder with this file in it was made by the demo, and may be removed by it."""


class Command(DataCommand):
    help = "Show the whole product on sample data: provisioning over HTTP, licenses, vault users. Ctrl-C ends it."
    refusals = (ChildDied, ChildNotReady, ConnectionFailed, DirectoryInvalid, demo.NotSettled)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--directory", type=Path, default=SAMPLE, metavar="FILE", help="instead of the sample")
        parser.add_argument("--keep", action="store_true", help="keep the data folder")
        parser.add_argument(
            "--once", action="store_true", help="end after provisioning; exit 0 when all is as expected"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        directory = load(options["directory"])
        embedded.check_port_free(options["port"])
        if not (settings.DATA_DIR / MARK).exists():
            _start_over_in_a_new_folder(options["port"])
        try:
            self._show(directory, options)
        finally:
            if options["keep"]:
                self.note(f"The data is kept in {settings.DATA_DIR}", options)
            else:
                shutil.rmtree(settings.DATA_DIR, ignore_errors=True)

    def _show(self, directory: Directory, options: dict[str, Any]) -> None:
        port, vault_port = options["port"], embedded.free_port()
        self.note("Setting up an embedded installation …", options)
        call_command("migrate", verbosity=0)
        contoso = demo.furnish(agent_url=f"http://127.0.0.1:{vault_port}")
        children = [embedded.vault_server(port, vault_port), embedded.server(port), embedded.worker(port)]
        with (
            (settings.DATA_DIR / "processes.log").open("w") as log,
            Supervisor(children, forward=_into(log)) as running,
        ):
            document = self._provision(contoso, directory, running, options)
            self.emit(document, _lines(document), options)
            self.stdout.flush()
            if options["once"]:
                sys.exit(0 if document["ok"] else 1)
            self.note(f"\nThe portal is at {settings.BASE_URL}", options)
            self.note(f"Sign in as {demo.ADMIN} with the password {contoso.password}", options)
            self.note("Ctrl-C stops everything.", options)
            running.wait()

    def _provision(
        self, contoso: demo.Contoso, directory: Directory, running: Supervisor, options: dict[str, Any]
    ) -> dict[str, Any]:
        self.note("Provisioning as Microsoft Entra ID does, over HTTP, in two cycles …", options)
        with output.progress_bar(quiet=options["quiet"]) as bar:
            summary, users = demo.provision(
                contoso,
                directory,
                report=lambda result: output.advance(bar, result),
                check=running.check,
            )
        return demo_outcome.describe(contoso.credentials.configuration, directory, summary, users)


def _into(log: TextIO) -> Callable[[str], object]:
    """Return what keeps the lines of the processes; should one die, its last lines are shown all the same."""
    return lambda line: log.closed or log.write(f"{line}\n")


def _start_over_in_a_new_folder(port: int) -> None:
    """Run this command again as an installation of its own, whatever the environment says of another."""
    folder = Path(tempfile.mkdtemp(prefix="mfmanage-demo-"))
    (folder / MARK).touch()
    own = {name: value for name, value in os.environ.items() if not name.startswith("MFMANAGE_")}
    own |= {"MFMANAGE_DATA_DIR": str(folder), "MFMANAGE_BASE_URL": f"http://127.0.0.1:{port}"}
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.argv], own)  # noqa: S606


def _lines(document: dict[str, Any]) -> list[str]:
    licenses = ", ".join(f"{slug} {number}" for slug, number in document["licenses"].items())
    users = ", ".join(f"{document[deed]} {deed}" for deed in ("created", "updated", "disabled", "deleted"))
    return [
        f"Users: {users}.",
        f"Licenses granted: {licenses}; {document['waiting']} wait.",
        f"Vault users: {document['vault_users']}.",
        "Everything is as expected." if document["ok"] else "This is NOT the expected outcome.",
    ]
