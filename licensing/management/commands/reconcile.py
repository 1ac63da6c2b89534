import sys
from collections.abc import Iterator
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing import sweep
from provisioning.commandline import DataCommand, Refused
from provisioning.services import lookups

DIFFERENCES, PARTLY = 3, 4


class Command(DataCommand):
    help = "Bring licenses and vaults in line now, in this process, whatever the workers do."
    refusals = (lookups.NotThere,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--subscription", metavar="SUBSCRIPTION", help="only this one")
        parser.add_argument("--check", action="store_true", help="change nothing; exit 3 when something differs")

    def handle(self, *_args: Any, **options: Any) -> None:
        named = options["subscription"]
        subscription_id = lookups.subscription(named).pk if named else None
        act = sweep.check if options["check"] else sweep.reconcile_all
        result = act(timezone.now(), subscription_id=subscription_id)
        self.emit(result.document(), _lines(result), options)
        for problem in result.problems:
            self.stderr.write(problem)
        if options["check"] and result.differences:
            sys.exit(DIFFERENCES)
        if result.problems:
            raise Refused(f"{len(result.problems)} vault(s) could not be brought in line.", returncode=PARTLY)


def _lines(result: sweep.Result) -> Iterator[str]:
    users = result.vault_users
    yield (
        f"{result.licenses.accounts} accounts looked at: {result.licenses.granted} licenses granted, "
        f"{result.licenses.released} released, {result.waiting} waiting."
    )
    yield (
        f"Vault users: {users.created} created, {users.updated} updated, {users.enabled} enabled, "
        f"{users.disabled} disabled. {result.differences} differences."
    )
