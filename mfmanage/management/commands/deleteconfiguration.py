import sys
from dataclasses import asdict
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing.services import previews
from provisioning.actor import operator
from provisioning.commandline import DataCommand, Refused
from provisioning.models import ProvisioningConfiguration
from provisioning.services import deletion, lookups
from provisioning.services.configurations import ConfigurationDeleted
from provisioning.services.deletion import Extent

ACTOR = operator("deleteconfiguration")


class Command(DataCommand):
    help = "Delete a configuration, or undo that within 24 hours; users stay as manual ones."
    refusals = (lookups.NotThere, ConfigurationDeleted, deletion.NotDeleted, deletion.DeletionFinal)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--yes", action="store_true", help="delete without asking")
        choice.add_argument("--dry-run", action="store_true", help="print what would go and who would lose a license")
        choice.add_argument("--undo", action="store_true", help="bring a deleted configuration back")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = lookups.configuration(options["configuration"])
        if options["dry_run"]:
            self._preview(found, options)
        elif options["undo"]:
            self._restore(found, options)
        else:
            self._delete(found, options)

    def _preview(self, found: ProvisioningConfiguration, options: dict[str, Any]) -> None:
        if found.deleted_at is not None:
            raise ConfigurationDeleted(found)
        reach = deletion.extent(found)
        preview = previews.configuration_deletion(configuration=found, at=timezone.now())
        self.emit(asdict(reach) | preview, [_words(reach), *previews.lines(preview)], options)

    def _delete(self, found: ProvisioningConfiguration, options: dict[str, Any]) -> None:
        if found.deleted_at is not None:
            raise ConfigurationDeleted(found)
        if not options["yes"]:
            self._ask(found)
        at = timezone.now()
        reach = deletion.delete_configuration(configuration=found, actor=ACTOR, at=at)
        until = at + deletion.UNDO
        document = {"configuration": found.name, **asdict(reach), "undo_until": until.isoformat()}
        undo = f"Until {until:%-d %B %Y %H:%M} UTC, --undo brings it back."
        self.emit(document, [f"{found.name} is deleted. {_words(reach)} {undo}"], options)

    def _ask(self, found: ProvisioningConfiguration) -> None:
        """Have the name typed. Raises ``Refused`` when it is another, or nobody can be asked."""
        if not sys.stdin.isatty():
            raise Refused("It asks before it deletes, and there is no terminal. Add --yes to delete without asking.")
        self.stderr.write(f"{_words(deletion.extent(found))} Type “{found.name}” to delete it:")
        if input() != found.name:
            raise Refused("That is not its name. Nothing is deleted.")

    def _restore(self, found: ProvisioningConfiguration, options: dict[str, Any]) -> None:
        reach = deletion.restore_configuration(configuration=found, actor=ACTOR, at=timezone.now())
        document = {"configuration": found.name, **asdict(reach), "undo_until": None}
        line = f"{found.name} is back. Its old secrets stay revoked: the identity provider needs a new one."
        self.emit(document, [line], options)


def _words(reach: Extent) -> str:
    return f"{reach.users:,} users as manual ones; without {reach.groups:,} user groups and {reach.links:,} links."
