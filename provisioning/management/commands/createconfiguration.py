from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed, Refused, may_print_secret, write_secret
from provisioning.license_types import LicenseType
from provisioning.models import ProvisioningConfiguration
from provisioning.services import configurations, lookups
from provisioning.services.secrets import LIFETIME

_LABELS = {
    "tenant_url": "Tenant URL",
    "token_endpoint": "Token endpoint",
    "client_id": "Client ID",
    "client_secret": "Client secret",
}


class Command(Deed):
    help = "Create a provisioning configuration and print what Microsoft Entra ID needs; the secret is printed once."
    refusals = (
        lookups.NotThere,
        configurations.ConfigurationNameTaken,
        configurations.EditionNotSupported,
        configurations.UserSynchronizationOn,
        configurations.KindNotAvailable,
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
        parser.add_argument("--secret-file", metavar="FILE", help="write the secret there (mode 0600), do not print it")

    def perform(self, options: dict[str, Any]) -> None:
        secret_goes_somewhere = options["secret_file"] or options["dry_run"] or may_print_secret(options)
        if not secret_goes_somewhere:
            raise Refused("The secret is printed once: use --json, --secret-file FILE, or a terminal.", returncode=2)
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
            actor=operator("createconfiguration"),
            at=now,
        )
        document = _document(credentials)
        document["secret_expires_at"] = (now + LIFETIME).isoformat()
        if options["dry_run"]:
            del document["client_secret"]
        elif options["secret_file"]:
            write_secret(options["secret_file"], document.pop("client_secret"))
        self.emit(document, [f"{label}: {document[key]}" for key, label in _LABELS.items() if key in document], options)


def _document(credentials: configurations.Credentials) -> dict[str, str]:
    configuration = credentials.configuration
    return {
        "id": configuration.public_id,
        "name": configuration.name,
        "kind": configuration.kind,
        "tenant_url": configuration.tenant_url,
        "token_endpoint": configuration.token_endpoint,
        "client_id": configuration.client_id,
        "client_secret": credentials.client_secret,
    }
