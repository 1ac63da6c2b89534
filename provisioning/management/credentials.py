"""What commands have in common that make or end a client secret or a bearer token of a configuration.

One that is made is printed once, or written to a file. One that is ended is named by its last four characters.
"""

import argparse
import sys
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from django.core.management import CommandParser

from provisioning import durations
from provisioning.commandline import Deed, Refused, may_print_secret, write_secret
from provisioning.models import BearerToken, ClientSecret, ProvisioningConfiguration
from provisioning.services import lookups
from provisioning.services.secrets import LIFETIME

Credential: TypeAlias = ClientSecret | BearerToken

_LABELS: Final = {
    "tenant_url": "Tenant URL",
    "token_endpoint": "Token endpoint",
    "client_id": "Client ID",
    "client_secret": "Client secret",
    "bearer_token": "Bearer token",
}


class SecretDeed(Deed):
    """A deed that makes a client secret or a bearer token."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--expires-in",
            metavar="DURATION",
            type=duration,
            default=LIFETIME,
            help="how long it works, such as 90d; at most 730d, and 365d if it is not said",
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
        document = _document(configuration) | {"client_secret": secret, "secret_expires_at": expires_at.isoformat()}
        self.emit_once("client_secret", document | more, options)

    def emit_bearer_token(
        self, configuration: ProvisioningConfiguration, token: str, options: dict[str, Any], *, expires_at: datetime
    ) -> None:
        """Print what an identity provider needs that knows no OAuth."""
        document = {name: _document(configuration)[name] for name in ("id", "name", "kind", "tenant_url")}
        document |= {"bearer_token": token, "token_expires_at": expires_at.isoformat()}
        self.emit_once("bearer_token", document, options)

    def emit_once(self, key: str, document: dict[str, str | None], options: dict[str, Any]) -> None:
        """Print the document, without what is secret in it, ``key``, if that goes to a file or is not kept."""
        if options["dry_run"]:
            del document[key]
        elif options["secret_file"]:
            write_secret(options["secret_file"], str(document.pop(key)))
        self.emit(document, [f"{label}: {document[key]}" for key, label in _LABELS.items() if key in document], options)


class Revocation(Deed):
    """A deed that revokes one of two things at most, which an operator names by its last four characters.

    ``what`` is what they are called, ``option`` the option that names one; ``also`` says what ends besides, and
    ``maker`` is the command that makes another one.
    """

    what: str
    option: str
    also: str = ""
    maker: str

    @abstractmethod
    def live(self, configuration: ProvisioningConfiguration) -> Sequence[Credential]:
        """Return what could be revoked, the newest first."""

    @abstractmethod
    def revoke(self, configuration: ProvisioningConfiguration, chosen: Credential) -> None:
        """Revoke that one."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument(
            f"--{self.option}",
            dest="ending",
            metavar="LAST_FOUR",
            help=f"how the {self.what} ends; needed while there are two",
        )
        parser.add_argument("--yes", action="store_true", help="revoke without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask before the transaction begins: nobody waits for who thinks."""
        if not (options["yes"] or options["dry_run"]):
            found = lookups.configuration(options["configuration"])
            chosen = self._chosen(self.live(found), options["ending"])
            self._ask(chosen)
            options["ending"] = chosen.last_four
        super().handle(*args, **options)

    def perform(self, options: dict[str, Any]) -> None:
        found = lookups.configuration(options["configuration"])
        live = self.live(found)
        chosen = self._chosen(live, options["ending"])
        self.revoke(found, chosen)
        left = [one.last_four for one in live if one.pk != chosen.pk]
        document = {"id": found.public_id, "name": found.name, "revoked": chosen.last_four, "left": left}
        said = f"The one that ends with {left[0]} stays." if left else f"None is left: {self.maker} makes a new one."
        self.emit(document, [f"The {self.what} that ended with {chosen.last_four} is revoked. {said}"], options)

    def _ask(self, chosen: Credential) -> None:
        """Have its end typed. Raises ``Refused`` when it is another, or nobody can be asked."""
        if not sys.stdin.isatty():
            raise Refused("It asks before it revokes, and there is no terminal. Add --yes to revoke without asking.")
        self.stderr.write(f"Type “{chosen.last_four}” to revoke the {self.what} that ends so{self.also}:")
        if input() != chosen.last_four:
            raise Refused("That is not its end. Nothing is revoked.")

    def _chosen(self, live: Sequence[Credential], ending: str | None) -> Credential:
        """Return the one that is meant. Raises ``Refused`` when that is none, or not clear."""
        found = [one for one in live if ending in {None, one.last_four}]
        if len(found) == 1:
            return found[0]
        names = ", ".join(one.last_four for one in live)
        if not live:
            raise Refused(f"It has no valid {self.what}, so there is nothing to revoke.")
        raise Refused(f"Name the {self.option} with --{self.option}, by its last four characters: {names}.")


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
