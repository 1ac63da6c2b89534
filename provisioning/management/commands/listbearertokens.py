from datetime import datetime
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.commandline import DataCommand
from provisioning.models import BearerToken
from provisioning.services import bearer_tokens, lookups


class Command(DataCommand):
    help = "List the valid bearer tokens of a configuration, the newest first, by their last four characters."
    refusals = (lookups.NotThere,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = lookups.configuration(options["configuration"])
        tokens = [_document(token) for token in bearer_tokens.live(found, at=timezone.now())]
        document = {"id": found.public_id, "name": found.name, "tokens": tokens}
        if not tokens:
            self.note(f"{found.name} has no valid bearer token.", options)
        self.emit(document, map(_line, tokens), options)


def _document(token: BearerToken) -> dict[str, str | None]:
    return {
        "last_four": token.last_four,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "last_used_at": _text(token.last_used_at),
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _line(token: dict[str, str | None]) -> str:
    used = f"last used {token['last_used_at']}" if token["last_used_at"] else "not used yet"
    return f"{token['last_four']}: created {token['created_at']}, expires {token['expires_at']}, {used}"
