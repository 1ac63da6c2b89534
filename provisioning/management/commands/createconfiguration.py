from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.license_types import LicenseType
from provisioning.management.credentials import SecretDeed
from provisioning.models import ProvisioningConfiguration
from provisioning.services import configurations, lookups
from provisioning.services.secrets import LifetimeTooLong


class Command(SecretDeed):
    help = "Create a provisioning configuration and print what Microsoft Entra ID needs; the secret is printed once."
    refusals = (
        lookups.NotThere,
        configurations.ConfigurationNameTaken,
        configurations.EditionNotSupported,
        configurations.UserSynchronizationOn,
        configurations.KindNotAvailable,
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

    def perform(self, options: dict[str, Any]) -> None:
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
            ),
            secret_lifetime=options["expires_in"],
            actor=operator("createconfiguration"),
            at=now,
        )
        configuration, secret = credentials.configuration, credentials.client_secret
        self.emit_credentials(configuration, secret, options, expires_at=now + options["expires_in"])
