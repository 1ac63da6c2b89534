from typing import Any

from django.core.management import CommandParser

from mfmanage.exporting.licenses import LICENSES
from mfmanage.exporting.log import LOG
from mfmanage.exporting.users import USERS
from provisioning import exports
from provisioning.commandline import DataCommand
from provisioning.services import lookups

KINDS = {"log": LOG, "licenses": LICENSES, "users": USERS}


class Command(DataCommand):
    help = "Print data as CSV, or with --json as one JSON document a line; however much it is, it is streamed."
    refusals = (lookups.NotThere,)

    def add_arguments(self, parser: CommandParser) -> None:
        parsers = parser.add_subparsers(dest="what", required=True, metavar="|".join(KINDS))
        for what, kind in KINDS.items():
            own = parsers.add_parser(what, help=kind.help, description=kind.help)
            super().add_arguments(own)
            kind.add_arguments(own)

    def handle(self, *_args: Any, **options: Any) -> None:
        kind = KINDS[options["what"]]
        rows = kind.rows(options)
        if options["json"]:
            for line in exports.json_lines(map(kind.document, rows)):
                self.stdout.write(line)
        else:
            for line in exports.csv_lines(kind.titles, map(kind.cells, rows)):
                self.stdout.write(line, ending="")
