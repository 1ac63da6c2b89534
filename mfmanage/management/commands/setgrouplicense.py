from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing.services import previews
from provisioning.actor import operator
from provisioning.commandline import DataCommand
from provisioning.license_types import LicenseType
from provisioning.services import group_settings, lookups


class Command(DataCommand):
    help = "Give the members of a provisioned user group a right to a license type."
    refusals = (lookups.NotThere,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument("group", metavar="GROUP")
        parser.add_argument("type", metavar="TYPE", choices=[one.slug for one in LicenseType])
        parser.add_argument(
            "--dry-run", action="store_true", help="print who would gain, lose and wait; change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        group = lookups.group(lookups.configuration(options["configuration"]), options["group"])
        license_type = LicenseType.from_slug(options["type"])
        if options["dry_run"]:
            preview = previews.group_license(group=group, license_type=license_type, at=timezone.now())
            self.emit(preview, previews.lines(preview), options)
            return
        group_settings.set_group_license(
            group=group, license_type=license_type, actor=operator("setgrouplicense"), at=timezone.now()
        )
        document = {"group": group.display_name, "license_type": license_type.slug}
        self.emit(document, [f"{group.display_name}: {license_type.label}."], options)
