from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.management.credentials import SecretDeed
from provisioning.services import bearer_tokens, lookups


class Command(SecretDeed):
    help = "Make a bearer token for an identity provider that knows no OAuth; it is printed once."
    refusals = (lookups.NotThere, *bearer_tokens.REFUSALS)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")

    def perform(self, options: dict[str, Any]) -> None:
        self.check_somewhere(options)
        found, now = lookups.configuration(options["configuration"]), timezone.now()
        token = bearer_tokens.create_token(
            configuration=found, lifetime=options["expires_in"], actor=operator("issuebearertoken"), at=now
        )
        self.emit_bearer_token(found, token, options, expires_at=now + options["expires_in"])
