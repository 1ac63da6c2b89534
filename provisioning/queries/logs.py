"""The provisioning log as the portal lists it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Q, QuerySet

from provisioning.models import (
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    Subscription,
    UserGroup,
)
from provisioning.queries.days import within
from provisioning.queries.pages import Page, fetch

NEWEST_FIRST: Final = ("-at", "-id")
OPERATIONS: Final = ("create", "replace", "update", "delete", "query", "bulk")
_EXPORT_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the provisioning log is narrowed to; an empty value narrows nothing. Days are the subscription's.

    ``search`` is a part of a name, or a whole id of a resource or a request; ``resource`` is the id of one resource.
    """

    search: str = ""
    resource: str = ""
    result: str = ""
    operation: str = ""
    resource_type: str = ""
    configuration: ProvisioningConfiguration | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A user or a user group, as the log knows it by its SCIM id."""

    resource_id: str
    name: str
    kind: str


def calls(subscription: Subscription, wanted: Wanted) -> tuple[QuerySet[ProvisioningLogEntry], Q]:
    """Return the rows that an index gives newest first, with their configurations, and the condition for the rest.

    One index holds subscription or configuration, all or only the failures, or one resource; time is in each.
    """
    rows = ProvisioningLogEntry.objects.select_related("configuration").filter(
        within(subscription, wanted.first_day, wanted.last_day)
    )
    rest = Q()
    if wanted.resource:
        rows = rows.filter(subscription=subscription, resource_id=wanted.resource)
        rest &= Q(configuration=wanted.configuration) if wanted.configuration else Q()
    elif wanted.configuration:
        rows = rows.filter(configuration=wanted.configuration)
    else:
        rows = rows.filter(subscription=subscription)
    if wanted.result == "failed":
        rows = rows.filter(is_success=False)
    return rows, rest & _unindexed(wanted)


def calls_page(subscription: Subscription, wanted: Wanted, cursor: str) -> Page[ProvisioningLogEntry]:
    rows, rest = calls(subscription, wanted)
    return fetch(rows, keys=NEWEST_FIRST, cursor=cursor, narrow=rest)


def all_calls(subscription: Subscription, wanted: Wanted) -> Iterator[ProvisioningLogEntry]:
    """Return every row that fits, newest first, read in pieces: however many there are, memory does not grow."""
    rows, rest = calls(subscription, wanted)
    page = fetch(rows, keys=NEWEST_FIRST, cursor="", size=_EXPORT_CHUNK, narrow=rest)
    yield from page.rows
    while page.next:
        page = fetch(rows, keys=NEWEST_FIRST, cursor=page.next, size=_EXPORT_CHUNK, narrow=rest)
        yield from page.rows


def call(subscription: Subscription, pk: int) -> ProvisioningLogEntry | None:
    rows = ProvisioningLogEntry.objects.filter(subscription=subscription).select_related("configuration")
    return rows.filter(pk=pk).first()


def named(subscription: Subscription, text: str) -> list[Found]:
    """Return the users and groups that have exactly this name, whatever its letter case, by the directory's indexes."""
    key = text.strip().casefold()
    accounts = LoginAccount.objects.filter(subscription=subscription, scim_id__isnull=False, username_key=key)
    groups = UserGroup.objects.filter(subscription=subscription, deleted_at=None, display_name_key=key)
    return [
        *(Found(str(pk), name, "user") for pk, name in accounts.values_list("scim_id", "username")),
        *(Found(pk, name, "group") for pk, name in groups.values_list("scim_id", "display_name")[:5]),
    ]


def subject(entry: ProvisioningLogEntry) -> LoginAccount | UserGroup | None:
    """Return the user or group that the call was about, if it still is there."""
    if not entry.resource_id:
        return None
    if entry.resource_type == "Group":
        groups = UserGroup.objects.filter(subscription_id=entry.subscription_id, deleted_at=None)
        return groups.filter(scim_id=entry.resource_id).first()
    accounts = LoginAccount.objects.filter(subscription_id=entry.subscription_id)
    return accounts.filter(scim_id=entry.resource_id).first()


def _unindexed(wanted: Wanted) -> Q:
    rest = Q()
    if wanted.result == "succeeded":
        rest &= Q(is_success=True)
    if wanted.operation:
        rest &= Q(operation=wanted.operation)
    if wanted.resource_type:
        rest &= Q(resource_type=wanted.resource_type)
    return rest & _about(wanted.search) if wanted.search else rest


def _about(search: str) -> Q:
    return Q(resource_name__icontains=search) | Q(resource_id=search) | Q(request_id=search)
