"""The list of internal users, a page at a time: fast in a subscription of a million (docs/performance.md).

What few accounts fit is found by an index and sorted; what many fit is walked in the order of the list, and searched
there in stretches for what no index finds.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Q, QuerySet

from provisioning.models import LoginAccount, ProvisioningConfiguration, Subscription
from provisioning.queries import accounts
from provisioning.queries.accounts import Wanted
from provisioning.queries.pages import COUNT_LIMIT, STRETCH, Page, fetch, fetch_few, number_words

SORTS: Final = {"name": "full_name", "username": "username_key", "email": "email_key", "change": "modified_at"}
"""The column that each word of the address sorts by; ``-`` in front of the word turns the order."""
FIRST_SORT: Final = "name"
_BY_CONFIGURATION: Final = {"email_key", "modified_at"}
"""Columns whose indexes begin with the configuration: the list is put together from one part of each."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page, and how many accounts fit; None: too many to know, for they would all have to be looked at."""

    page: Page[LoginAccount]
    number: int | None

    @property
    def words(self) -> str:
        """How many fit, in words, as far as that is known."""
        return "" if self.number is None else number_words(self.number)

    @property
    def is_complete(self) -> bool:
        """Whether the exact number is known."""
        return self.number is not None and self.number <= COUNT_LIMIT


def listing(subscription: Subscription, wanted: Wanted, *, sort: str, cursor: str) -> Listing:
    """Return a page of those who fit, in the order of ``sort``: a word of ``SORTS``, perhaps turned by ``-``."""
    turned, key = sort.startswith("-"), SORTS[sort.removeprefix("-")]
    keys = (f"-{key}", "-id") if turned else (key, "id")
    lead, remaining = _led(wanted, key)
    rows = accounts.people(subscription).filter(lead)
    found, rest = accounts.conditions(subscription, remaining)
    holds = [one.holds for one in found]
    led = LoginAccount.objects.filter(lead, subscription=subscription)
    if (found or rest) and any(_are_few(one) for one in (*(one.rows for one in found), led)):
        rows = rows.filter(*holds, rest)
        return Listing(fetch_few(rows, keys=keys, cursor=cursor), rows.order_by().count())
    parts = _parts(subscription) if key in _BY_CONFIGURATION and not lead else ()
    page = fetch(rows, keys=keys, cursor=cursor, narrow=Q(*holds) & rest, stretch=STRETCH, parts=parts)
    return Listing(page, _number(rows, holds, rest))


def _led(wanted: Wanted, key: str) -> tuple[Q, Wanted]:
    """Return the condition that the index of the order begins with, and what else is wanted."""
    if key == "full_name" and wanted.state in {"disabled", "removed"}:
        return accounts.STATES[wanted.state], replace(wanted, state="")
    if key != "full_name" and wanted.configuration:
        return accounts.source(wanted.configuration), replace(wanted, configuration="")
    return Q(), wanted


def _are_few(rows: QuerySet[Any, Any]) -> bool:
    return rows.order_by()[: STRETCH + 1].count() <= STRETCH


def _number(rows: QuerySet[LoginAccount], holds: list[Q], rest: Q) -> int | None:
    """Return how many fit, counted until they are more than the limit; those of one condition are known to be."""
    if rest or len(holds) > 1:
        return None
    return COUNT_LIMIT + 1 if holds else rows.order_by()[: COUNT_LIMIT + 1].count()


def _parts(subscription: Subscription) -> list[Q]:
    configurations = ProvisioningConfiguration.objects.filter(subscription=subscription).values_list("pk", flat=True)
    return [*(Q(configuration_id=pk) for pk in configurations), Q(configuration=None)]


class TooManyFound(Exception):
    """More accounts fit than can be chosen at once."""

    def __init__(self) -> None:
        super().__init__(f"At most {COUNT_LIMIT:,} users can be changed at once. Narrow the filter first.")


def everybody(subscription: Subscription, wanted: Wanted) -> list[int]:
    """Return the ids of all who fit, at most ``COUNT_LIMIT``. Raises ``TooManyFound``."""
    found = listing(subscription, wanted, sort=FIRST_SORT, cursor="")
    if not found.is_complete:
        raise TooManyFound
    ids = accounts.internal_users(subscription, wanted).order_by("pk").values_list("pk", flat=True)
    return list(ids[:COUNT_LIMIT])
