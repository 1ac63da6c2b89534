"""Bring licenses in line with what groups, defaults, pins and pools say (1-product §1.4).

A pass is one transaction over a batch of due accounts. It holds the pools' locks, so passes of one subscription
follow each other and no seat is given twice. Wishes come first: seats are given only when no account is due any more,
so that who gets one depends on the order of asking and on nothing else. The number of statements of a pass does not
depend on the number of accounts.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from licensing.models import WAITING, LicenseGrant, LicensePool
from licensing.plans import licenses as plan
from licensing.reconcilers.spreading import spread
from licensing.services import bulk, pools, presence, wishes
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import DueAccount, Subscription
from provisioning.sql import Statement, execute

LockedPools = dict[LicenseType, LicensePool]
BATCH = 5000
"""How many accounts, and how many of those who wait for a type, one pass looks at."""


@dataclass(slots=True)
class Tally:
    """What passes did: accounts looked at, licenses granted and released, vault users that became due."""

    accounts: int = 0
    granted: int = 0
    released: int = 0
    vault_users: int = 0

    def add(self, other: "Tally") -> None:
        self.accounts += other.accounts
        self.granted += other.granted
        self.released += other.released
        self.vault_users += other.vault_users


def reconcile(subscription_id: int, *, now: datetime, batch: int = BATCH) -> Tally:
    """Look at everything that is due in the subscription, until nothing is."""
    spread(subscription_id, now)
    tally, last = Tally(), None
    while last is None or last.accounts == batch or last.granted:
        last = _pass(subscription_id, now, batch)
        tally.add(last)
    return tally


@transaction.atomic
def _pass(subscription_id: int, now: datetime, batch: int) -> Tally:
    locked = pools.lock(subscription_id)
    subscription = Subscription.objects.get(pk=subscription_id)
    # Generations are read first: whatever changes meanwhile raises them, so that the account stays due.
    due = DueAccount.objects.filter(subscription_id=subscription_id).order_by("account_id")[:batch]
    generations = dict(due.values_list("account_id", "generation"))
    released: dict[LicenseType, int] = {}
    if generations:
        released = wishes.record(subscription_id, list(generations), wishes.release_policy(subscription), now)
        _change_pools(locked, {license_type: -number for license_type, number in released.items()})
    granted = [] if len(generations) == batch else _fill(subscription, locked, now, batch)
    due_users = presence.recompute(subscription_id, sorted(generations.keys() | granted), now)
    _observe(subscription_id, generations)
    return Tally(len(generations), len(granted), sum(released.values()), due_users)


def _fill(subscription: Subscription, locked: LockedPools, now: datetime, batch: int) -> list[int]:
    """Give free seats to those who wait, record who is left without one, and return the accounts that got a seat."""
    waiting = _waiting(subscription, locked)
    queues = {one: bytes(queue.values_list("granted_type", flat=True)[:batch]) for one, queue in waiting.items()}
    served = plan.fill(pools.free_seats(locked.values()), queues)
    granted = [pk for one, number in served.items() if number for pk in _grant(one, waiting[one][:number], now)]
    _change_pools(locked, plan.changes(queues, served))
    if not granted:
        _close_queues(subscription.pk, locked, now)
    return granted


def _waiting(subscription: Subscription, locked: LockedPools) -> dict[LicenseType, QuerySet[LicenseGrant]]:
    """Return who may get a seat of each type now, in the order of asking."""
    opened = pools.opened(subscription, locked.values())
    everybody = LicenseGrant.objects.filter(WAITING, subscription=subscription).order_by("asked_at", "username_key")
    unserved = everybody.filter(passed_over_at__isnull=True)
    return {one: (everybody if one in opened else unserved).filter(wanted_type=one) for one in LICENSED_TYPES}


def _grant(license_type: LicenseType, first: QuerySet[LicenseGrant], now: datetime) -> list[int]:
    """Give a license to the first of a queue, and return their accounts."""
    chosen, parameters = first.values("account_id").query.sql_with_params()
    given = [license_type, connection.ops.adapt_datetimefield_value(now), *parameters]
    with connection.cursor() as cursor:
        cursor.execute(_GRANT.format(chosen=chosen), given)
        return [row[0] for row in cursor.fetchall()]


def _close_queues(subscription_id: int, locked: LockedPools, now: datetime) -> None:
    """Record, once no seat can be given any more, whom that passed over, and that the pools were looked at."""
    LicenseGrant.objects.filter(WAITING, subscription_id=subscription_id, passed_over_at__isnull=True).update(
        passed_over_at=now
    )
    for pool in locked.values():
        if pool.generation != pool.observed_generation:
            LicensePool.objects.filter(pk=pool.pk).update(observed_generation=pool.generation)


def _change_pools(locked: LockedPools, changes: dict[LicenseType, int]) -> None:
    for license_type, by in sorted(changes.items()):
        pools.change_granted(locked[license_type], by)
        locked[license_type].granted += by


def _observe(subscription_id: int, generations: dict[int, int]) -> None:
    """Record that these accounts were looked at, except where something has changed since they were read."""
    if connection.vendor == "postgresql":
        # Foreign keys lock the accounts. A commit that did so only now would wait for a writer who has locked an
        # account and waits for its due row: so accounts first and due rows last, as everybody does.
        execute(Statement("SET CONSTRAINTS ALL IMMEDIATE"))
    rows = [
        {"subscription_id": subscription_id, "account_id": pk, "generation": read} for pk, read in generations.items()
    ]
    bulk.remove(DueAccount, rows, key=["subscription_id", "account_id"], same=["generation"])


_GRANT = """
UPDATE licensing_licensegrant SET granted_type = %s, granted_at = %s
WHERE account_id IN ({chosen}) RETURNING account_id"""
