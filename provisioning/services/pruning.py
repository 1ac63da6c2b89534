"""Old rows of the log and expired tokens are removed, a few at a time, so that nobody waits for them (3-scim §3.4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db.models import Model, QuerySet
from oauth2_provider.models import AccessToken

from provisioning.models import AccountStop, CallCount, ProvisioningConfiguration, ProvisioningLogEntry, Subscription

_BATCH: Final = 2_000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows of each table were older."""

    log_entries: int
    call_counts: int


def prune_log(*, before: datetime) -> Pruned:
    """Remove calls, and counts of calls, from before that time; each batch is a transaction of its own."""
    return Pruned(
        log_entries=sum(_remove(rows) for rows in _old_calls(before)),
        call_counts=sum(rows.delete()[0] for rows in _old_counts(before)),
    )


def count_prunable(*, before: datetime) -> Pruned:
    """Return what ``prune_log`` would remove."""
    return Pruned(
        log_entries=sum(rows.count() for rows in _old_calls(before)),
        call_counts=sum(rows.count() for rows in _old_counts(before)),
    )


def prune_stops(*, before: datetime) -> int:
    """Remove what the hourly limit counts no longer; return how many rows."""
    configurations = ProvisioningConfiguration.objects.values_list("pk", flat=True)
    return sum(AccountStop.objects.filter(configuration_id=pk, at__lt=before).delete()[0] for pk in configurations)


def prune_tokens(*, before: datetime) -> int:
    """Remove access tokens that had expired by then, which open nothing; return how many."""
    return _remove(AccessToken.objects.filter(expires__lt=before).order_by("pk"))


def _old_calls(before: datetime) -> list[QuerySet[ProvisioningLogEntry]]:
    """Return the old rows of each subscription, which an index finds."""
    subscriptions = Subscription.objects.values_list("pk", flat=True)
    rows = ProvisioningLogEntry.objects.order_by("at", "id")
    return [rows.filter(subscription_id=pk, at__lt=before) for pk in subscriptions]


def _old_counts(before: datetime) -> list[QuerySet[CallCount]]:
    configurations = ProvisioningConfiguration.objects.values_list("pk", flat=True)
    return [CallCount.objects.filter(configuration_id=pk, minute__lt=before) for pk in configurations]


def _remove(rows: QuerySet[Row]) -> int:
    """Remove the rows by batches, in their order; return how many."""
    removed = 0
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
        removed += rows.model._default_manager.filter(pk__in=batch).delete()[0]  # noqa: SLF001
    return removed
