"""The provisioning log and the audit log as the portal lists them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from provisioning.models import AuditEntry, ProvisioningConfiguration, ProvisioningLogEntry, Subscription
from provisioning.queries.pages import Page, fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the provisioning log is narrowed to; an empty value narrows nothing. Days are the subscription's."""

    search: str = ""
    result: str = ""
    operation: str = ""
    configuration: ProvisioningConfiguration | None = None
    first_day: date | None = None
    last_day: date | None = None


def calls(subscription: Subscription, wanted: Wanted) -> QuerySet[ProvisioningLogEntry]:
    """Return the rows that fit, with their configurations."""
    rows = ProvisioningLogEntry.objects.filter(subscription=subscription).select_related("configuration")
    if wanted.configuration:
        rows = rows.filter(configuration=wanted.configuration)
    if wanted.result:
        rows = rows.filter(is_success=wanted.result == "succeeded")
    if wanted.operation:
        rows = rows.filter(operation=wanted.operation)
    if wanted.first_day:
        rows = rows.filter(at__gte=_midnight(wanted.first_day, subscription))
    if wanted.last_day:
        rows = rows.filter(at__lt=_midnight(wanted.last_day + timedelta(days=1), subscription))
    return rows.filter(_about(wanted.search)) if wanted.search else rows


def calls_page(subscription: Subscription, wanted: Wanted, cursor: str) -> Page[ProvisioningLogEntry]:
    return fetch(calls(subscription, wanted), keys=("-id",), cursor=cursor)


def call(subscription: Subscription, pk: int) -> ProvisioningLogEntry | None:
    rows = ProvisioningLogEntry.objects.filter(subscription=subscription).select_related("configuration")
    return rows.filter(pk=pk).first()


def acts_page(subscription: Subscription, *, only_of: str, cursor: str) -> Page[AuditEntry]:
    """Return a page of the audit log, newest first; ``only_of`` is a person's username, or empty for everybody."""
    rows = AuditEntry.objects.filter(subscription=subscription)
    if only_of:
        rows = rows.filter(actor_kind="person", actor_name=only_of)
    return fetch(rows, keys=("-id",), cursor=cursor)


def _about(search: str) -> Q:
    return Q(resource_name__icontains=search) | Q(resource_id=search) | Q(request_id=search)


def _midnight(day: date, subscription: Subscription) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(subscription.time_zone))
