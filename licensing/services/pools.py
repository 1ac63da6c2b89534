"""License pools: what a subscription purchased of each type."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from licensing.models import LicensePool
from licensing.plans import licenses as plan
from licensing.services import history
from provisioning.actor import Actor
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import Subscription
from provisioning.services import audit
from provisioning.services.notices import announce

MOST = 10_000_000
"""The largest number that can be purchased of one type."""


class BadPurchase(ValueError):
    """A purchased number, or the type it is of, does not make sense."""


def parse_purchases(words: Iterable[str]) -> dict[LicenseType, int]:
    """Read ``named=120`` and the like. Raises ``BadPurchase``."""
    purchases = {}
    for word in words:
        slug, equals, number = word.partition("=")
        try:
            license_type = LicenseType.from_slug(slug)
        except ValueError as error:
            raise BadPurchase(str(error)) from error
        if not equals or not number.strip().removeprefix("-").isdecimal():
            raise BadPurchase(f"{word!r} does not say how many; write it like named=120.")
        purchases[license_type] = int(number)
    check_purchases(purchases)
    return purchases


def check_purchases(purchases: Mapping[LicenseType, int]) -> None:
    """Raise ``BadPurchase`` for a number that is below zero or above ten million, and for a type without licenses."""
    for license_type, number in purchases.items():
        if license_type not in LICENSED_TYPES:
            raise BadPurchase(f"{license_type.label} is nothing that can be purchased.")
        if not 0 <= number <= MOST:
            raise BadPurchase(f"{license_type.label}: {number:,} is not between 0 and {MOST:,} licenses.")


@transaction.atomic
def set_purchased(
    *, subscription: Subscription, purchases: Mapping[LicenseType, int], actor: Actor, at: datetime
) -> dict[LicenseType, int]:
    """Change purchased numbers, and return those of every type; types that are not named keep theirs.

    Nobody loses a license by a reduction: the pool is over-used until it is balanced (1-product §1.4, rule 5).
    Raises ``BadPurchase``.
    """
    check_purchases(purchases)
    pools = lock(subscription.pk)
    changes = {}
    for license_type, number in purchases.items():
        pool = pools[license_type]
        if pool.purchased != number:
            changes[license_type.slug] = [pool.purchased, number]
            _resize(pool, number)
    if changes:
        history.record(subscription, at)
        audit.record(
            subscription_id=subscription.pk,
            actor=actor,
            action="change purchased licenses",
            target=subscription.name,
            at=at,
            changes=changes,
        )
        announce(subscription.pk)
    return {license_type: pools[license_type].purchased for license_type in LICENSED_TYPES}


def purchased(subscription: Subscription) -> dict[LicenseType, int]:
    """Return what the subscription purchased of every type, highest first."""
    known = dict(LicensePool.objects.filter(subscription=subscription).values_list("license_type", "purchased"))
    return {license_type: known.get(license_type, 0) for license_type in LICENSED_TYPES}


def lock(subscription_id: int) -> dict[LicenseType, LicensePool]:
    """Return the subscription's pools, made where missing, locked in key order until the transaction ends.

    Whoever gives or takes a seat holds these locks, so that no seat is given twice.
    """
    pools = _locked(subscription_id)
    if len(pools) < len(LICENSED_TYPES):
        missing = [LicensePool(subscription_id=subscription_id, license_type=one) for one in LICENSED_TYPES]
        LicensePool.objects.bulk_create(missing, ignore_conflicts=True)
        pools = _locked(subscription_id)
    return pools


def free_seats(pools: Iterable[LicensePool]) -> plan.Seats:
    """Return the free seats of these pools."""
    by_type = {LicenseType(pool.license_type): pool for pool in pools}
    return plan.free_seats(
        {one: pool.purchased for one, pool in by_type.items()}, {one: pool.granted for one, pool in by_type.items()}
    )


def opened(subscription: Subscription, pools: Iterable[LicensePool]) -> set[LicenseType]:
    """Return the types whose free seats may go to everybody who waits (1-product §1.4, rule 4).

    Whoever waits for another type and was once left without a seat waits for the purchased number to change: that is
    the vendor's fill policy.
    """
    if subscription.fill_policy == Subscription.FillPolicy.ALWAYS:
        return set(LICENSED_TYPES)
    return {LicenseType(pool.license_type) for pool in pools if pool.generation != pool.observed_generation}


def change_granted(pool: LicensePool, by: int) -> None:
    """Record that ``by`` more (or fewer) licenses are granted; the ceiling of an over-used pool sinks with it.

    Raises ``IntegrityError`` when that would be more than the pool may grant: the database holds the promise.
    """
    changed = LicensePool.objects.filter(pk=pool.pk)
    if by > 0:
        changed.update(granted=F("granted") + by)
    else:
        changed.update(granted=F("granted") + by, ceiling=Greatest("purchased", F("granted") + by))


def _locked(subscription_id: int) -> dict[LicenseType, LicensePool]:
    pools = LicensePool.objects.select_for_update().filter(subscription_id=subscription_id).order_by("pk")
    return {LicenseType(pool.license_type): pool for pool in pools}


def _resize(pool: LicensePool, purchased: int) -> None:
    pool.purchased = purchased
    pool.ceiling = max(purchased, pool.granted)
    pool.generation += 1
    pool.save(update_fields=["purchased", "ceiling", "generation"])
