import argparse
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning import call_files, exports
from provisioning.actor import operator
from provisioning.commandline import DataCommand
from provisioning.models import ProvisioningLogEntry, Subscription
from provisioning.queries import logs
from provisioning.services import lookups
from provisioning.services.exports import record_export

_FILTERS = ("configuration", "result", "operation", "type", "search", "from", "to")


class Command(DataCommand):
    help = "Print the provisioning log, newest first: as CSV, or with --json as one JSON document a line."
    refusals = (lookups.NotThere,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("what", choices=["log"])
        parser.add_argument("--subscription", metavar="S", help="of one subscription; without it, of all")
        parser.add_argument("--configuration", metavar="C", help="name, client ID or Tenant URL")
        parser.add_argument("--result", choices=["succeeded", "failed"], default="")
        parser.add_argument("--operation", choices=logs.OPERATIONS, default="")
        parser.add_argument("--type", choices=["User", "Group"], default="")
        parser.add_argument("--search", metavar="TEXT", default="", help="a part of a name, or a whole ID")
        parser.add_argument(
            "--from", metavar="DAY", type=day, help="such as 2026-05-12, in the subscription's time zone"
        )
        parser.add_argument("--to", metavar="DAY", type=day)

    def handle(self, *_args: Any, **options: Any) -> None:
        entries = _entries(options)
        if options["json"]:
            for line in exports.json_lines(map(call_files.document, entries)):
                self.stdout.write(line)
        else:
            for line in exports.csv_lines(call_files.TITLES, map(call_files.cells, entries)):
                self.stdout.write(line, ending="")


def day(text: str) -> date:
    """Return the day that was typed; what is none is a usage error."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it like 2026-05-12.") from error


def _entries(options: dict[str, Any]) -> Iterator[ProvisioningLogEntry]:
    configuration = lookups.configuration(options["configuration"]) if options["configuration"] else None
    wanted = logs.Wanted(
        search=options["search"],
        result=options["result"],
        operation=options["operation"],
        resource_type=options["type"],
        configuration=configuration,
        first_day=options["from"],
        last_day=options["to"],
    )
    if options["subscription"]:
        subscriptions = [lookups.subscription(options["subscription"])]
    else:
        subscriptions = [configuration.subscription] if configuration else list(Subscription.objects.order_by("name"))
    narrowed = {name: [None, str(options[name])] for name in _FILTERS if options[name]}
    for subscription in subscriptions:
        record_export(
            subscription=subscription,
            what="provisioning log",
            narrowed=narrowed,
            actor=operator("export"),
            at=timezone.now(),
        )
    return (entry for subscription in subscriptions for entry in logs.all_calls(subscription, wanted))
