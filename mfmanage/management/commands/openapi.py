"""``manage.py openapi``: print the OpenAPI description of a service that this installation offers or asks."""

import json
from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from licensing.clients import openapi as vault_agent
from provisioning.commandline import DataCommand
from scim.discovery import Capabilities
from scim.openapi.document import describe


class Command(DataCommand):
    help = "Print the OpenAPI 3.1 description of the SCIM service and the token endpoint, or of the vault agent."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--vault-agent", action="store_true", help="the vault agent contract instead")

    def handle(self, *_args: Any, **options: Any) -> None:
        document = vault_agent.describe() if options["vault_agent"] else describe(settings.BASE_URL, Capabilities())
        self.emit(document, [json.dumps(document, indent=2)], options)
