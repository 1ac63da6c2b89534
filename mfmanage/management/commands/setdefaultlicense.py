from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing.services import previews
from provisioning.actor import operator
from provisioning.commandline import DataCommand
from provisioning.license_types import LicenseType
from provisioning.services import configurations, lookups


class Command(DataCommand):
    help = "Set the license type that every user of a configuration asks for first."
    refusals = (lookups.NotThere, configurations.ConfigurationDeleted)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument("type", metavar="TYPE", choices=[one.slug for one in LicenseType])
        parser.add_argument(
            "--dry-run", action="store_true", help="print who would gain, lose and wait; change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        found = lookups.configuration(options["configuration"])
        license_type = LicenseType.from_slug(options["type"])
        if options["dry_run"]:
            preview = previews.default_license(configuration=found, license_type=license_type, at=timezone.now())
            self.emit(preview, previews.lines(preview), options)
            return
        actor, now = operator("setdefaultlicense"), timezone.now()
        configurations.set_default_license(configuration=found, license_type=license_type, actor=actor, at=now)
        document = {"configuration": found.name, "default_license_type": license_type.slug}
        self.emit(document, [f"{found.name}: {license_type.label}."], options)
