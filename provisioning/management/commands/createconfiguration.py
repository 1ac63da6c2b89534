from datetime import timedelta
from typing import Any, Final

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.license_types import LicenseType
from provisioning.management.credentials import SecretDeed, duration
from provisioning.models import ProvisioningConfiguration
from provisioning.services import configurations, lookups, trust
from provisioning.services.secrets import LifetimeTooLong

_CLASSIC: Final = ProvisioningConfiguration.Kind.CLASSIC


class Command(SecretDeed):
    help = "Create a provisioning configuration and print what the identity provider needs; the secret is printed once."
    refusals = (
        lookups.NotThere,
        configurations.ConfigurationNameTaken,
        configurations.EditionNotSupported,
        configurations.UserSynchronizationOn,
        configurations.ClassicInTheWay,
        configurations.BadTokenLifetime,
        trust.BadDirectory,
        trust.BadIssuer,
        LifetimeTooLong,
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("subscription", metavar="SUBSCRIPTION")
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--kind", choices=ProvisioningConfiguration.Kind.values, required=True)
        parser.add_argument("--default-license", choices=[one.slug for one in LicenseType], required=True)
        parser.add_argument(
            "--adopt-manual-accounts",
            action="store_true",
            help="let a user take over the manual account of that username",
        )
        parser.add_argument(
            "--user-patch-status",
            type=int,
            choices=ProvisioningConfiguration.UserPatchStatus.values,
            default=ProvisioningConfiguration.UserPatchStatus.CONTENT,
            help="what a changed user is answered with: 200 and the user, or 204 without content",
        )
        parser.add_argument(
            "--accept-bare-tokens", action="store_true", help="let filters compare with words without quotation marks"
        )
        _add_tokens(parser)

    def perform(self, options: dict[str, Any]) -> None:
        if options["kind"] != _CLASSIC:
            self.check_somewhere(options)
        now = timezone.now()
        credentials = configurations.create_configuration(
            subscription=lookups.subscription(options["subscription"]),
            name=options["name"],
            kind=ProvisioningConfiguration.Kind(options["kind"]),
            default_license_type=LicenseType.from_slug(options["default_license"]),
            settings=configurations.Settings(
                adopts_manual_accounts=options["adopt_manual_accounts"],
                user_patch_status=options["user_patch_status"],
                accepts_bare_tokens=options["accept_bare_tokens"],
                token_lifetime=int(options["token_lifetime"].total_seconds()),
            ),
            trusted=_trusted(options),
            secret_lifetime=options["expires_in"],
            actor=operator("createconfiguration"),
            at=now,
        )
        configuration, secret = credentials.configuration, credentials.client_secret
        self.emit_credentials(configuration, secret, options, expires_at=now + options["expires_in"])


def _add_tokens(parser: CommandParser) -> None:
    parser.add_argument(
        "--token-lifetime",
        metavar="DURATION",
        type=duration,
        default=timedelta(hours=1),
        help="how long an access token lives, from 60m (if it is not said) to 6h",
    )
    parser.add_argument(
        "--issuer", default="", help="whose tokens are trusted: for classic the ID of the Entra tenant, else an address"
    )
    parser.add_argument("--subject", default="", help="whom the issuer's tokens must be about")
    parser.add_argument("--audience", default="", help="for whom the issuer's tokens must be")
    parser.add_argument("--directory", default="", metavar="TENANT", help="the ID of the Entra tenant, if it matters")


def _trusted(options: dict[str, Any]) -> trust.Trusted:
    """Raises ``BadDirectory`` and ``BadIssuer``."""
    given = {name: options[name] for name in ("audience", "subject")}
    if options["kind"] == _CLASSIC:
        return trust.of_tenant(options["issuer"] or options["directory"], **given)
    directory = trust.directory_id(options["directory"]) if options["directory"] else ""
    if options["issuer"] or any(given.values()):
        return trust.of_issuer(options["issuer"], directory=directory, **given)
    return trust.Trusted(directory=directory)
