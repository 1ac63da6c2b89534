from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Refused
from provisioning.management.credentials import SecretDeed, duration
from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import lookups, rotation
from provisioning.services.configurations import ConfigurationDeleted
from provisioning.services.secrets import LifetimeTooLong

ACTOR = operator("rotatesecret")


class Command(SecretDeed):
    help = "Replace the client secret of a configuration: start, then complete or cancel. The new one is printed once."
    refusals = (
        lookups.NotThere,
        ConfigurationDeleted,
        LifetimeTooLong,
        rotation.NoRotation,
        rotation.OverlapTooLong,
        rotation.TwoSecrets,
        rotation.KindHasNone,
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument(
            "--overlap",
            metavar="DURATION",
            type=duration,
            default=rotation.OVERLAP,
            help="how long the old secret works on: 0 to 24h, and 1h if it is not said",
        )
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--complete", action="store_true", help="end the old secret of the running rotation now")
        choice.add_argument("--cancel", action="store_true", help="revoke the new secret; the old one works as before")

    def perform(self, options: dict[str, Any]) -> None:
        found = lookups.configuration(options["configuration"])
        if options["complete"] or options["cancel"]:
            self._end(found, options)
        else:
            self._start(found, options)

    def _start(self, found: ProvisioningConfiguration, options: dict[str, Any]) -> None:
        self.check_somewhere(options)
        now, lifetime, overlap = timezone.now(), options["expires_in"], options["overlap"]
        old = rotation.live(found, at=now)
        secret = rotation.start_rotation(configuration=found, overlap=overlap, lifetime=lifetime, actor=ACTOR, at=now)
        until = _retirement(old[0]) if old else None
        self.emit_credentials(found, secret, options, expires_at=now + lifetime, old_secret_works_until=until)
        if until:
            self.note(f"The old secret works until {until}.", options)

    def _end(self, found: ProvisioningConfiguration, options: dict[str, Any]) -> None:
        if options["secret_file"]:
            raise Refused("--complete and --cancel make no secret: leave --secret-file out.", returncode=2)
        deed = rotation.complete_rotation if options["complete"] else rotation.cancel_rotation
        deed(configuration=found, actor=ACTOR, at=timezone.now())
        [left] = rotation.live(found, at=timezone.now())
        document = {"id": found.public_id, "name": found.name, "secret": left.last_four}
        document["secret_expires_at"] = left.expires_at.isoformat()
        self.emit(document, [f"The client secret that ends with {left.last_four} is the only one now."], options)


def _retirement(old: ClientSecret) -> str | None:
    """Return until when the secret works now that another one replaces it."""
    old.refresh_from_db(fields=["retires_at"])
    return old.retires_at.isoformat() if old.retires_at else None
