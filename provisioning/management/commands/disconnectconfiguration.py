import sys
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed, Refused
from provisioning.services import lookups
from provisioning.services.configurations import ConfigurationDeleted, disconnect_configuration


class Command(Deed):
    help = "Revoke all secrets and tokens of a configuration at once; its users, user groups and links stay."
    refusals = (lookups.NotThere, ConfigurationDeleted)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument("--yes", action="store_true", help="disconnect without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask before the transaction begins: nobody waits for who thinks."""
        if not (options["yes"] or options["dry_run"]):
            self._ask(lookups.configuration(options["configuration"]).name)
        super().handle(*args, **options)

    def perform(self, options: dict[str, Any]) -> None:
        found = lookups.configuration(options["configuration"])
        revoked = disconnect_configuration(
            configuration=found, actor=operator("disconnectconfiguration"), at=timezone.now()
        )
        document = {"id": found.public_id, "name": found.name, "revoked_secrets": revoked}
        line = f"{found.name} is disconnected. rotatesecret makes a new client secret, which connects it again."
        self.emit(document, [line], options)

    def _ask(self, name: str) -> None:
        """Have the name typed. Raises ``Refused`` when it is another, or nobody can be asked."""
        if not sys.stdin.isatty():
            raise Refused("It asks first, and there is no terminal. Add --yes to disconnect without asking.")
        self.stderr.write(f"Type “{name}” to revoke all its secrets and tokens:")
        if input() != name:
            raise Refused("That is not its name. Nothing is revoked.")
