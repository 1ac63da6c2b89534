import argparse
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import CommandParser
from django.utils import timezone

from provisioning import durations
from provisioning.commandline import DataCommand
from provisioning.services.pruning import count_prunable, prune_log


class Command(DataCommand):
    help = "Remove old rows of the provisioning log, and old counts of calls."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--older-than",
            metavar="DURATION",
            type=duration,
            default=settings.LOG_RETENTION,
            help="such as 12h or 90d; without it, what MFMANAGE_LOG_RETENTION says",
        )
        parser.add_argument("--dry-run", action="store_true", help="count, remove nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        before = timezone.now() - options["older_than"]
        pruned = count_prunable(before=before) if options["dry_run"] else prune_log(before=before)
        verb = "would be removed" if options["dry_run"] else "removed"
        line = f"{pruned.log_entries:,} calls and {pruned.call_counts:,} counts from before {before:%-d %B %Y} {verb}."
        self.emit({"before": before.isoformat(), **asdict(pruned)}, [line], options)


def duration(text: str) -> timedelta:
    """Return the duration that was typed; what is none is a usage error."""
    try:
        return durations.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
