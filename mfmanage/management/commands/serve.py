from typing import Any

from django.conf import settings
from django.core.management import CommandParser, call_command

from mfmanage import embedded
from mfmanage.supervisor import ChildDied, ChildNotReady, Supervisor
from provisioning.commandline import DataCommand, Refused


class Command(DataCommand):
    help = "Run an embedded installation until Ctrl-C: server, worker and scheduler, on one SQLite database."
    refusals = (ChildDied, ChildNotReady)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise Refused("serve is for the embedded installation. On PostgreSQL run gunicorn and Celery (README.md).")
        port = options["port"]
        embedded.check_port_free(port)
        call_command("migrate", verbosity=0)
        with Supervisor([embedded.server(port), embedded.worker(port)]) as running:
            document = {"url": f"http://127.0.0.1:{port}", "data": str(settings.DATA_DIR)}
            self.emit(document, [f"The portal is at {document['url']} — Ctrl-C stops it."], options)
            self.stdout.flush()
            running.wait()
