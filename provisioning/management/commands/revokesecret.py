import sys
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed, Refused
from provisioning.models import ClientSecret
from provisioning.services import lookups, rotation
from provisioning.services.configurations import ConfigurationDeleted


class Command(Deed):
    help = "Revoke a client secret of a configuration, and all its tokens, at once."
    refusals = (lookups.NotThere, ConfigurationDeleted, rotation.SecretEnded)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument("--secret", metavar="LAST_FOUR", help="how the secret ends; needed while there are two")
        parser.add_argument("--yes", action="store_true", help="revoke without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask before the transaction begins: nobody waits for who thinks."""
        if not (options["yes"] or options["dry_run"]):
            found = lookups.configuration(options["configuration"])
            chosen = _chosen(rotation.live(found, at=timezone.now()), options["secret"])
            self._ask(chosen)
            options["secret"] = chosen.last_four
        super().handle(*args, **options)

    def perform(self, options: dict[str, Any]) -> None:
        found = lookups.configuration(options["configuration"])
        live = rotation.live(found, at=timezone.now())
        chosen = _chosen(live, options["secret"])
        rotation.revoke_secret(
            configuration=found, secret_id=chosen.pk, actor=operator("revokesecret"), at=timezone.now()
        )
        left = [secret.last_four for secret in live if secret.pk != chosen.pk]
        document = {"id": found.public_id, "name": found.name, "revoked": chosen.last_four, "left": left}
        said = f"The one that ends with {left[0]} stays." if left else "None is left: rotatesecret makes a new one."
        self.emit(document, [f"The client secret that ended with {chosen.last_four} is revoked. {said}"], options)

    def _ask(self, chosen: ClientSecret) -> None:
        """Have the end of the secret typed. Raises ``Refused`` when it is another, or nobody can be asked."""
        if not sys.stdin.isatty():
            raise Refused("It asks before it revokes, and there is no terminal. Add --yes to revoke without asking.")
        self.stderr.write(f"Type “{chosen.last_four}” to revoke the client secret that ends so, and all tokens:")
        if input() != chosen.last_four:
            raise Refused("That is not its end. Nothing is revoked.")


def _chosen(live: list[ClientSecret], ending: str | None) -> ClientSecret:
    """Return the one that is meant. Raises ``Refused`` when that is none, or not clear."""
    found = [secret for secret in live if ending in {None, secret.last_four}]
    if len(found) == 1:
        return found[0]
    names = ", ".join(secret.last_four for secret in live)
    if not live:
        raise Refused("It has no valid client secret, so there is nothing to revoke.")
    raise Refused(f"Name the secret with --secret, by its last four characters: {names}.")
