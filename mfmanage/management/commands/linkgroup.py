from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing.services import previews
from provisioning.actor import operator
from provisioning.commandline import DataCommand
from provisioning.models import GroupLink
from provisioning.services import links, lookups


class Command(DataCommand):
    help = "Link a provisioned user group to a user group of a vault."
    refusals = (
        lookups.NotThere,
        links.TargetBuiltIn,
        links.TargetEmptied,
        links.TargetLinked,
        links.TargetUnknown,
        previews.PreviewUnavailable,
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("configuration", metavar="CONFIGURATION")
        parser.add_argument("group", metavar="GROUP")
        parser.add_argument("vault", metavar="VAULT")
        parser.add_argument("vault_group", metavar="VAULTGROUP")
        parser.add_argument("--mode", choices=GroupLink.Mode.values, default=GroupLink.Mode.REPLACE)
        parser.add_argument("--create", action="store_true", help="create the vault's user group when it is missing")
        parser.add_argument("--dry-run", action="store_true", help="print what would happen; change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        configuration = lookups.configuration(options["configuration"])
        group = lookups.group(configuration, options["group"])
        vault = lookups.vault(configuration.subscription, options["vault"])
        mode = GroupLink.Mode(options["mode"])
        if options["dry_run"]:
            preview = previews.link(group=group, vault=vault, target_name=options["vault_group"], mode=mode)
            self.emit(preview, previews.lines(preview), options)
            return
        link = links.link_group(
            group=group,
            vault=vault,
            target_name=options["vault_group"],
            create_target=options["create"],
            mode=mode,
            actor=operator("linkgroup"),
            at=timezone.now(),
        )
        names = {"group": group.display_name, "vault": vault.name, "vault_group": link.target.name}
        self.emit({"id": link.pk, **names, "mode": mode.value}, [" → ".join(names.values())], options)
