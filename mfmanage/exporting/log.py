"""``export log``: the provisioning log, newest first."""

from collections.abc import Iterator
from typing import Any

from django.core.management import CommandParser

from mfmanage.exporting import kinds
from provisioning import call_files
from provisioning.models import ProvisioningLogEntry
from provisioning.queries import logs
from provisioning.services import lookups

_FILTERS = ("configuration", "result", "operation", "type", "search", "from", "to")


def _add_arguments(parser: CommandParser) -> None:
    kinds.add_subscription(parser)
    parser.add_argument("--configuration", metavar="C", help="name, client ID or Tenant URL")
    parser.add_argument("--result", choices=["succeeded", "failed"], default="")
    parser.add_argument("--operation", choices=logs.OPERATIONS, default="")
    parser.add_argument("--type", choices=["User", "Group"], default="")
    parser.add_argument("--search", metavar="TEXT", default="", help="a part of a name, or a whole ID")
    parser.add_argument(
        "--from", metavar="DAY", type=kinds.day, help="such as 2026-05-12, in the subscription's time zone"
    )
    parser.add_argument("--to", metavar="DAY", type=kinds.day)


def _rows(options: dict[str, Any]) -> Iterator[ProvisioningLogEntry]:
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
    if configuration is None or options["subscription"]:
        subscriptions = kinds.subscriptions(options)
    else:
        subscriptions = [configuration.subscription]
    kinds.note(
        "provisioning log", subscriptions, {name: [None, str(options[name])] for name in _FILTERS if options[name]}
    )
    return (entry for subscription in subscriptions for entry in logs.all_calls(subscription, wanted))


LOG = kinds.Kind(
    help="The provisioning log, newest first.",
    add_arguments=_add_arguments,
    titles=call_files.TITLES,
    rows=_rows,
    cells=call_files.cells,
    document=call_files.document,
)
