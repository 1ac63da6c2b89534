from collections.abc import Iterator
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing.services.explanations import explain
from provisioning.commandline import DataCommand
from provisioning.services import lookups


class Command(DataCommand):
    help = "Say why a user has its license and its vault users, and what is pending."
    refusals = (lookups.NotThere,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--subscription", metavar="SUBSCRIPTION", help="which, when several know the user")

    def handle(self, *_args: Any, **options: Any) -> None:
        named = options["subscription"]
        account = lookups.account(options["username"], lookups.subscription(named) if named else None)
        document = explain(account=account, now=timezone.now())
        self.emit(document, _lines(document), options)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['username']} ({document['state']})"
    yield f"License: {document['license']['why']}."
    yield f"Groups: {', '.join(document['groups']) or 'none'}."
    for vault in document["vaults"]:
        groups = f", in {', '.join(vault['groups'])}" if vault["groups"] else ""
        yield f"Vault {vault['vault']}: {vault['state']}{groups}. {vault['why']}."
    for sentence in document["pending"]:
        yield f"Pending: {sentence}"
