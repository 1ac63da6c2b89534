"""Why an account has its license or waits (1-product §1.4, rule 8), from what the engine recorded."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q

from licensing.models import WAITING, LicenseGrant
from licensing.plans.licenses import NONE, SourceKind
from licensing.plans.why import WhyFacts, why
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount


@dataclass(frozen=True, slots=True)
class Reason:
    """What an account wants and has; ``place`` is 0 unless it waits. ``why`` is a sentence without a full stop."""

    wanted: LicenseType
    granted: LicenseType
    place: int
    queue: int
    why: str

    @property
    def is_waiting(self) -> bool:
        return self.place > 0


def reason(account: LoginAccount, *, now: datetime) -> Reason:
    """Return why the account has its license: one statement, two more when it waits."""
    grants = LicenseGrant.objects.select_related("source_group", "account__configuration", "subscription")
    grant = grants.filter(account=account).first()
    if grant is None:
        return Reason(NONE, NONE, 0, 0, why(WhyFacts(today=now.date(), looked_at=False)))
    place, queue = _place(grant) if grant.is_waiting else (0, 0)
    wanted, granted = LicenseType(grant.wanted_type), LicenseType(grant.granted_type)
    return Reason(wanted, granted, place, queue, why(_facts(grant, account, now, place, queue)))


def _place(grant: LicenseGrant) -> tuple[int, int]:
    """Return the account's place among those who wait for the same type, and how many they are."""
    queue = LicenseGrant.objects.filter(WAITING, subscription_id=grant.subscription_id, wanted_type=grant.wanted_type)
    before = Q(asked_at__lt=grant.asked_at) | Q(asked_at=grant.asked_at, username_key__lt=grant.username_key)
    return queue.filter(before).count() + 1, queue.count()


def _facts(grant: LicenseGrant, account: LoginAccount, now: datetime, place: int, queue: int) -> WhyFacts:
    zone = _zone(grant.subscription.time_zone)
    source = SourceKind(grant.source_kind)
    configuration = grant.account.configuration
    named = grant.source_group if source is SourceKind.GROUP else configuration
    return WhyFacts(
        today=now.astimezone(zone).date(),
        is_enabled=account.is_enabled,
        is_removed=account.is_removed,
        wanted=LicenseType(grant.wanted_type),
        granted=LicenseType(grant.granted_type),
        source=source,
        source_name=str(named) if named else "",
        asked_on=_day(grant.asked_at, zone),
        granted_on=_day(grant.granted_at, zone),
        release_due_on=_day(grant.release_due_at, zone),
        place=place,
        queue=queue,
    )


def _day(at: datetime | None, zone: ZoneInfo) -> date | None:
    return None if at is None else at.astimezone(zone).date()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
