from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed
from provisioning.services import lookups
from provisioning.services.configurations import ConfigurationDeleted, resume_configuration


class Command(Deed):
    help = "Let the identity provider of a paused configuration call again."
    refusals = (lookups.NotThere, ConfigurationDeleted)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")

    def perform(self, options: dict[str, Any]) -> None:
        found = lookups.configuration(options["configuration"])
        resume_configuration(configuration=found, actor=operator("resumeconfiguration"), at=timezone.now())
        document = {"id": found.public_id, "name": found.name, "paused_at": None}
        self.emit(document, [f"{found.name} works. Its identity provider may call at any moment."], options)
