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

Heads = dict[int, Result]
"""What came of comparing exported heads, by the id of the subscription."""


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
        now, heads = timezone.now(), self._heads(options, only)
        compared = {} if heads is None else heads
        subscriptions = [only] if only else Subscription.objects.order_by("pk")
        results = [verify_and_note(one, compared.get(one.pk), now) for one in subscriptions]
        self.emit(_document(results, heads), _lines(results, heads), options)
        if heads is None:
            self.note(f"Nothing was exported yet to {settings.AUDIT_HEADS}: what is cut off may not show.", options)
        if any(result.count for result in (*results, *compared.values())):
            sys.exit(DIFFERENCES)

    def _heads(self, options: dict[str, Any], only: Subscription | None) -> Heads | None:
        """Compare with the exported heads; None when there are none. Raises ``HeadsUnreadable``."""
        path = options["heads"] or settings.AUDIT_HEADS
        if options["heads"] is None and not path.exists():
            return None
        return verify_heads(read(path), only)


def _document(results: list[Result], heads: Heads | None) -> dict[str, Any]:
    both = [*results, *heads.values()] if heads else results
    return {
        "entries": sum(result.entries for result in results),
        "heads": None if heads is None else sum(result.entries for result in heads.values()),
        "differences": sum(result.count for result in both),
        "subscriptions": [
            {"subscription": one.subscription, "entries": one.entries, "differences": one.count} for one in results
        ],
        "found": [asdict(one) for result in both for one in result.differences],
    }


def _lines(results: list[Result], heads: Heads | None) -> Iterator[str]:
    for result in results:
        yield f"{result.subscription}: {result.entries:,} entries, {_words(result.count)}."
        yield from (f"  {one.what}" for one in result.differences)
    if heads is not None:
        found = heads.values()
        yield f"Exported heads: {sum(one.entries for one in found):,}, {_words(sum(one.count for one in found))}."
        yield from (f"  {one.subscription}: {one.what}" for result in found for one in result.differences)


def _words(differences: int) -> str:
    return "as they were written" if differences == 0 else f"{differences:,} difference{'s' * (differences != 1)}"
