"""What commands have in common that make a client secret: it is printed once, or written to a file."""

import argparse
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.management import CommandParser

from provisioning import durations
from provisioning.commandline import Deed, Refused, may_print_secret, write_secret
from provisioning.models import ProvisioningConfiguration
from provisioning.services.secrets import LIFETIME

_LABELS: Final = {
    "tenant_url": "Tenant URL",
    "token_endpoint": "Token endpoint",
    "client_id": "Client ID",
    "client_secret": "Client secret",
}


class SecretDeed(Deed):
    """A deed that makes a client secret."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--expires-in",
            metavar="DURATION",
            type=duration,
            default=LIFETIME,
            help="how long the secret works, such as 90d; at most 730d, and 365d if it is not said",
        )
        parser.add_argument("--secret-file", metavar="FILE", help="write the secret there (mode 0600), do not print it")

    def check_somewhere(self, options: dict[str, Any]) -> None:
        """Raise ``Refused`` when the secret would go nowhere."""
        if not (options["secret_file"] or options["dry_run"] or may_print_secret(options)):
            raise Refused("The secret is printed once: use --json, --secret-file FILE, or a terminal.", returncode=2)

    def emit_credentials(
        self,
        configuration: ProvisioningConfiguration,
        secret: str,
        options: dict[str, Any],
        *,
        expires_at: datetime,
        **more: str | None,
    ) -> None:
        """Print what the identity provider needs, the secret included unless it goes to a file or is not kept.

        A classic configuration needs the Tenant URL alone, and has no secret.
        """
        if not secret:
            classic = {name: _document(configuration)[name] for name in ("id", "name", "kind", "tenant_url")}
            self.emit({**classic, "issuer": configuration.issuer}, [f"Tenant URL: {classic['tenant_url']}"], options)
            return
        document = _document(configuration) | {
            "client_secret": secret,
            "secret_expires_at": expires_at.isoformat(),
            **more,
        }
        if options["dry_run"]:
            del document["client_secret"]
        elif options["secret_file"]:
            write_secret(options["secret_file"], str(document.pop("client_secret")))
        self.emit(document, [f"{label}: {document[key]}" for key, label in _LABELS.items() if key in document], options)


def duration(text: str) -> timedelta:
    """Return the duration that was typed, of which 0 is one too; what is none is a usage error."""
    try:
        return timedelta(0) if text.strip() in {"0", "0m", "0h", "0d"} else durations.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _document(configuration: ProvisioningConfiguration) -> dict[str, str | None]:
    return {
        "id": configuration.public_id,
        "name": configuration.name,
        "kind": configuration.kind,
        "tenant_url": configuration.tenant_url,
        "token_endpoint": configuration.token_endpoint,
        "client_id": configuration.client_id,
    }
