from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed
from provisioning.services import lookups
from provisioning.services.configurations import ConfigurationDeleted, pause_configuration


class Command(Deed):
    help = "Refuse the calls of a configuration's identity provider until it is resumed; everything is kept."
    refusals = (lookups.NotThere, ConfigurationDeleted)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")

    def perform(self, options: dict[str, Any]) -> None:
        found = lookups.configuration(options["configuration"])
        pause_configuration(configuration=found, actor=operator("pauseconfiguration"), at=timezone.now())
        found.refresh_from_db(fields=["paused_at"])
        paused_at = found.paused_at.isoformat() if found.paused_at else None
        document = {"id": found.public_id, "name": found.name, "paused_at": paused_at}
        self.emit(
            document, [f"{found.name} is paused. resumeconfiguration lets its identity provider in again."], options
        )
