"""Licenses of a subscription at a glance, and what about licenses and vaults needs a person."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Sum

from licensing.models import WAITING, Ending, LicenseGrant, LicensePool, VaultStatus
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import Subscription

_FEW: Final = 1_000


@dataclass(frozen=True, slots=True)
class PoolView:
    """One row of the licenses table; ``total`` is what was purchased.

    Concurrent licenses are limited by sessions, not by grants: its ``free`` is None, and ``in_use`` counts sessions.
    """

    license_type: LicenseType
    total: int
    granted: int
    waiting: int
    in_use: int
    free: int | None

    @property
    def over(self) -> int:
        """Return how many more are granted than were purchased."""
        return max(0, self.granted - self.total) if self.free is not None else 0


def pools(subscription: Subscription) -> list[PoolView]:
    """Return a row for every type, highest first: three statements, or four while very many wait."""
    known = {pool.license_type: pool for pool in LicensePool.objects.filter(subscription=subscription)}
    waiting = _waiting(subscription)
    sessions = VaultStatus.objects.filter(subscription=subscription).aggregate(number=Sum("concurrent_sessions"))
    return [
        _row(one, known.get(one, LicensePool()), waiting.get(one, 0), sessions["number"] or 0) for one in LICENSED_TYPES
    ]


def _waiting(subscription: Subscription) -> Mapping[int, int]:
    """Return how many wait for each type; mostly few, whom the index of the queue gives, and then no others are read.

    PostgreSQL expects that nearly everybody waits: without that order it would read all grants.
    """
    rows = LicenseGrant.objects.filter(WAITING, subscription=subscription)
    first = rows.order_by("wanted_type", "asked_at", "username_key").values_list("wanted_type", flat=True)[:_FEW]
    found = Counter(first)
    if found.total() < _FEW:
        return found
    return dict(rows.order_by().values_list("wanted_type").annotate(number=Count("pk")))


def _row(license_type: LicenseType, pool: LicensePool, waiting: int, sessions: int) -> PoolView:
    purchased, granted = pool.purchased, pool.granted
    if license_type is LicenseType.CONCURRENT:
        return PoolView(license_type, purchased, granted, waiting, sessions, None)
    return PoolView(license_type, purchased, granted, waiting, granted, max(0, purchased - granted))


def unwell_vaults(subscription: Subscription) -> list[VaultStatus]:
    """Return the vaults that cannot be kept in step, with the reason; not those whose own synchronization is on."""
    statuses = VaultStatus.objects.filter(subscription=subscription, vault__user_synchronization=False)
    return list(statuses.exclude(state=Ending.READY).select_related("vault__subscription").order_by("vault__name"))
