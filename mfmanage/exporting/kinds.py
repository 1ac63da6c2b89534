"""What a kind of export consists of, and what all of them share."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.models import Subscription
from provisioning.services import lookups
from provisioning.services.exports import record_export


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of export: its options, its rows, and a row as the cells under ``titles`` and as a JSON document.

    ``rows`` reads what the options ask for, piece by piece, after it has noted in the audit log who took it.
    """

    help: str
    add_arguments: Callable[[CommandParser], None]
    titles: Sequence[str]
    rows: Callable[[dict[str, Any]], Iterator[Any]]
    cells: Callable[[Any], Sequence[Any]]
    document: Callable[[Any], dict[str, Any]]


def add_subscription(parser: CommandParser) -> None:
    """Let the operator name one subscription."""
    parser.add_argument("--subscription", metavar="S", help="of one subscription; without it, of all")


def subscriptions(options: dict[str, Any]) -> list[Subscription]:
    """Return the one that was named, or all of them. Raises ``NotThere``."""
    if options["subscription"]:
        return [lookups.subscription(options["subscription"])]
    return list(Subscription.objects.order_by("name"))


def note(what: str, subscriptions: Iterable[Subscription], narrowed: dict[str, list[Any]] | None = None) -> None:
    """Note in the audit log of each subscription that an operator took ``what`` out."""
    for subscription in subscriptions:
        record_export(
            subscription=subscription,
            what=what,
            narrowed=narrowed or {},
            actor=operator("export"),
            at=timezone.now(),
        )


def day(text: str) -> date:
    """Return the day that was typed; what is none is a usage error."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it like 2026-05-12.") from error
