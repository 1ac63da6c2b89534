"""Look at all pools, and begin and end the notifications about them."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from django.db.models import Count, Sum

from licensing.models import WAITING, LicenseGrant, LicensePool, VaultStatus
from licensing.plans import alerts as plan
from provisioning.license_types import LicenseType
from provisioning.models import Notification
from provisioning.notification_kinds import KINDS, POOL_KINDS, Kind
from provisioning.services import notifications


def look(now: datetime) -> None:
    """Hold every pool of every subscription against the notifications that run: four statements, and more for news."""
    running, seen = _running(), _sight()
    for pool in LicensePool.objects.select_related("subscription").order_by("subscription_id", "license_type"):
        slug = LicenseType(pool.license_type).slug
        _keep_up(pool, seen(pool), running[pool.subscription_id, slug], now)


def _keep_up(pool: LicensePool, seen: plan.Pool, before: dict[Kind, str], now: datetime) -> None:
    license_type, subscription = LicenseType(pool.license_type), pool.subscription
    wanted = plan.running(seen, before.keys())
    for kind in POOL_KINDS:
        sentence = plan.sentence(kind, seen, license_type.label)
        if kind in wanted and before.get(kind) != sentence:
            notifications.notice(
                subscription=subscription, kind=kind, subject=license_type.slug, sentence=sentence, at=now
            )
        elif kind in before and kind not in wanted:
            notifications.end(subscription=subscription, kind=kind, subject=license_type.slug, at=now)


def _running() -> dict[tuple[int, str], dict[Kind, str]]:
    """Return the sentences of the running notifications by subscription and type."""
    found: dict[tuple[int, str], dict[Kind, str]] = defaultdict(dict)
    for one in Notification.objects.filter(kind__in=[kind.name for kind in POOL_KINDS], ended_at=None):
        found[one.subscription_id, one.subject][KINDS[one.kind]] = one.sentence
    return found


def _sight() -> Callable[[LicensePool], plan.Pool]:
    """Count who waits and the sessions of all subscriptions, and return how a pool stands."""
    grants = LicenseGrant.objects.filter(WAITING).values_list("subscription_id", "wanted_type").order_by()
    waiting = {(pk, wanted): number for pk, wanted, number in grants.annotate(number=Count("pk"))}
    statuses = VaultStatus.objects.values_list("subscription_id").order_by()
    sessions = dict(statuses.annotate(number=Sum("concurrent_sessions")))

    def stand(pool: LicensePool) -> plan.Pool:
        is_limited = pool.license_type != LicenseType.CONCURRENT
        return plan.Pool(
            used=pool.granted if is_limited else sessions.get(pool.subscription_id, 0),
            purchased=pool.purchased,
            waiting=waiting.get((pool.subscription_id, pool.license_type), 0),
            is_limited=is_limited,
        )

    return stand
