from typing import Any
from uuid import UUID

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed, Refused
from provisioning.services import lookups, vaults


class Command(Deed):
    help = "Register a vault of a subscription."
    refusals = (lookups.NotThere, vaults.VaultNameTaken, vaults.VaultRegistered)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("subscription", metavar="SUBSCRIPTION")
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--agent-url", default="", metavar="URL", help="the vault agent of its vault server")
        parser.add_argument("--guid", type=UUID, help="register the vault of its server that has this GUID")
        parser.add_argument("--user-synchronization", choices=["on", "off"], default="off")

    def perform(self, options: dict[str, Any]) -> None:
        if options["agent_url"]:
            try:
                vaults.check_agent_address(options["agent_url"])
            except vaults.BadAgentAddress as error:
                raise Refused(str(error), returncode=2) from error
        vault = vaults.create_vault(
            subscription=lookups.subscription(options["subscription"]),
            name=options["name"],
            agent_url=options["agent_url"],
            guid=options["guid"],
            user_synchronization=options["user_synchronization"] == "on",
            actor=operator("createvault"),
            at=timezone.now(),
        )
        document = {
            "id": vault.pk,
            "name": vault.name,
            "guid": f"{{{vault.guid}}}".upper(),
            "agent_url": vault.agent_url,
        }
        self.emit(
            document, [f"Vault {vault.name} {document['guid']} {vault.agent_url or '(in-process emulation)'}"], options
        )
