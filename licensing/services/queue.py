"""Who waits for a license of a type, in the order in which free seats are given (1-product §1.4, rule 4)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from licensing.models import WAITING, LicenseGrant
from licensing.plans.licenses import SourceKind
from licensing.plans.why import source_words
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, Subscription
from provisioning.queries.pages import Page, fetch

TITLES: Final = ("Place", "Username", "Full name", "Waits for", "Has meanwhile", "Asked", "Reason")
_KEYS = ("asked_at", "username_key", "id")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Waiter:
    """A row of the queue; ``reason`` is what gives the type that the account waits for."""

    place: int
    account: LoginAccount
    waits_for: LicenseType
    has: LicenseType
    asked_at: datetime | None
    reason: str


def waiting(subscription: Subscription, license_type: LicenseType) -> QuerySet[LicenseGrant]:
    """Return the queue of a type."""
    rows = LicenseGrant.objects.filter(WAITING, subscription=subscription, wanted_type=license_type)
    rows = rows.select_related("account__configuration", "source_group")
    return rows.defer("account__document", "account__search", "source_group__document", "source_group__search")


def page_of(queue: QuerySet[LicenseGrant], cursor: str) -> tuple[Page[LicenseGrant], list[Waiter]]:
    """Return a page of the queue, and its rows with their places: two statements."""
    page = fetch(queue, keys=_KEYS, cursor=cursor)
    return page, list(_placed(page.rows, _place(queue, page.rows[0]))) if page.rows else []


def everybody(queue: QuerySet[LicenseGrant]) -> Iterator[Waiter]:
    """Return the whole queue, read in pieces: however many wait, memory does not grow."""
    place, page = 1, fetch(queue, keys=_KEYS, cursor="", size=_CHUNK)
    while page.rows:
        yield from _placed(page.rows, place)
        place += len(page.rows)
        page = fetch(queue, keys=_KEYS, cursor=page.next, size=_CHUNK) if page.next else Page([])


def cells(waiter: Waiter) -> list[Any]:
    """Return the cells under ``TITLES``; the time is UTC (RFC 3339)."""
    return [
        waiter.place,
        waiter.account.username,
        waiter.account.full_name,
        waiter.waits_for.label,
        waiter.has.label,
        waiter.asked_at.isoformat() if waiter.asked_at else "",
        waiter.reason,
    ]


def _place(queue: QuerySet[LicenseGrant], grant: LicenseGrant) -> int:
    before = Q(asked_at__lt=grant.asked_at) | Q(asked_at=grant.asked_at, username_key__lt=grant.username_key)
    return queue.filter(before, asked_at__lte=grant.asked_at).count() + 1


def _placed(grants: Iterable[LicenseGrant], first: int) -> Iterator[Waiter]:
    for place, grant in enumerate(grants, first):
        wanted, granted = LicenseType(grant.wanted_type), LicenseType(grant.granted_type)
        yield Waiter(place, grant.account, wanted, granted, grant.asked_at, _reason(grant))


def _reason(grant: LicenseGrant) -> str:
    source = SourceKind(grant.source_kind)
    named = grant.source_group if source is SourceKind.GROUP else grant.account.configuration
    return source_words(source, str(named) if named else "")
