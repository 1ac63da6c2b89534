"""Licenses of a subscription at a glance, and what about licenses and vaults needs a person."""

from dataclasses import dataclass

from django.db.models import Count

from licensing.models import WAITING, Ending, LicenseGrant, LicensePool, VaultStatus
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import Subscription


@dataclass(frozen=True, slots=True)
class PoolView:
    """One row of the licenses table. ``free`` is None for Concurrent, which is limited by sessions."""

    license_type: LicenseType
    free: int | None
    in_use: int
    waiting: int
    total: int

    @property
    def over(self) -> int:
        """Return how many more are granted than were purchased."""
        return max(0, self.in_use - self.total) if self.free is not None else 0


def pools(subscription: Subscription) -> list[PoolView]:
    """Return a row for every type, highest first: two statements."""
    known = {pool.license_type: pool for pool in LicensePool.objects.filter(subscription=subscription)}
    rows = LicenseGrant.objects.filter(WAITING, subscription=subscription).values_list("wanted_type")
    waiting = dict(rows.annotate(number=Count("pk")))
    return [_row(one, known.get(one, LicensePool()), waiting.get(one, 0)) for one in LICENSED_TYPES]


def _row(license_type: LicenseType, pool: LicensePool, waiting: int) -> PoolView:
    is_limited = license_type is not LicenseType.CONCURRENT
    free = max(0, pool.purchased - pool.granted) if is_limited else None
    return PoolView(license_type, free, pool.granted, waiting, pool.purchased)


def unwell_vaults(subscription: Subscription) -> list[VaultStatus]:
    """Return the vaults that cannot be kept in step, with the reason; not those whose own synchronization is on."""
    statuses = VaultStatus.objects.filter(subscription=subscription, vault__user_synchronization=False)
    return list(statuses.exclude(state=Ending.READY).select_related("vault").order_by("vault__name"))
