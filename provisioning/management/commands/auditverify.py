import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandParser
from django.utils import timezone

from provisioning.commandline import DIFFERENCES, DataCommand
from provisioning.models import Subscription
from provisioning.services import lookups
from provisioning.services.audit_heads import HeadsUnreadable, read
from provisioning.services.audit_verification import Result, verify_and_note, verify_heads


class Command(DataCommand):
    help = "Check that audit logs are as they were written; exit 3 when something differs."
    refusals = (lookups.NotThere, HeadsUnreadable)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--subscription", metavar="S", help="of one subscription; without it, of all")
        parser.add_argument(
            "--heads",
            metavar="FILE",
            type=Path,
            help="a copy of the exported heads; without it, the file of MFMANAGE_AUDIT_HEADS, if it is there",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        only = lookups.subscription(options["subscription"]) if options["subscription"] else None
        now = timezone.now()
        results = [verify_and_note(one, now) for one in ([only] if only else Subscription.objects.order_by("pk"))]
        heads = self._heads(options, only)
        self.emit(_document(results, heads), _lines(results, heads), options)
        if heads is None:
            self.note(f"Nothing was exported yet to {settings.AUDIT_HEADS}: what is cut off may not show.", options)
        if any(result.count for result in (*results, heads) if result):
            sys.exit(DIFFERENCES)

    def _heads(self, options: dict[str, Any], only: Subscription | None) -> Result | None:
        """Compare with the exported heads; None when there are none. Raises ``HeadsUnreadable``."""
        path = options["heads"] or settings.AUDIT_HEADS
        if options["heads"] is None and not path.exists():
            return None
        return verify_heads(read(path), only)


def _document(results: list[Result], heads: Result | None) -> dict[str, Any]:
    return {
        "entries": sum(result.entries for result in results),
        "heads": heads.entries if heads else None,
        "differences": sum(result.count for result in (*results, heads) if result),
        "subscriptions": [
            {"subscription": one.subscription, "entries": one.entries, "differences": one.count} for one in results
        ],
        "found": [asdict(one) for result in (*results, heads) if result for one in result.differences],
    }


def _lines(results: list[Result], heads: Result | None) -> Iterator[str]:
    for result in results:
        yield f"{result.subscription}: {result.entries:,} entries, {_words(result.count)}."
        yield from (f"  {one.what}" for one in result.differences)
    if heads:
        yield f"Exported heads: {heads.entries:,}, {_words(heads.count)}."
        yield from (f"  {one.subscription}: {one.what}" for one in heads.differences)


def _words(differences: int) -> str:
    return "as they were written" if differences == 0 else f"{differences:,} difference{'s' * (differences != 1)}"
