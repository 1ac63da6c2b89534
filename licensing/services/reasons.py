"""Why an account has its license or waits (1-product §1.4, rule 8), from what the engine recorded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection

from licensing.models import LicenseGrant
from licensing.plans.licenses import NONE, SourceKind
from licensing.plans.why import WhyFacts, why
from licensing.services import bulk
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What an account wants and has, and what gives it; ``place`` is 0 unless it waits.

    ``why`` is a sentence without a full stop.
    """

    why: str
    wanted: LicenseType = NONE
    granted: LicenseType = NONE
    source: SourceKind = SourceKind.NOTHING
    place: int = 0
    queue: int = 0
    asked_at: datetime | None = None
    granted_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        return self.place > 0


def reason(account: LoginAccount, *, now: datetime) -> Reason:
    """Return why the account has its license: one statement, one more when it waits."""
    return many([account], now)[account.pk]


def many(accounts: Iterable[LoginAccount], now: datetime) -> dict[int, Reason]:
    """Return for each account, by id, why it has its license: one statement, one more when any of them waits."""
    known = {account.pk: account for account in accounts}
    rows = LicenseGrant.objects.select_related("source_group", "account__configuration", "subscription")
    rows = rows.defer("account__document", "account__search", "source_group__document", "source_group__search")
    grants = {grant.account_id: grant for grant in rows.filter(account__in=known)}
    places = _places([grant for grant in grants.values() if grant.is_waiting])
    return {pk: _reason(account, grants.get(pk), places.get(pk, (0, 0)), now) for pk, account in known.items()}


def _reason(account: LoginAccount, grant: LicenseGrant | None, place: tuple[int, int], now: datetime) -> Reason:
    if grant is None:
        return Reason(why=why(WhyFacts(today=now.date(), looked_at=False)))
    facts = _facts(grant, account, now, *place)
    return Reason(
        why=why(facts),
        wanted=facts.wanted,
        granted=facts.granted,
        source=facts.source,
        place=facts.place,
        queue=facts.queue,
        asked_at=grant.asked_at,
        granted_at=grant.granted_at,
    )


def _places(waiting: list[LicenseGrant]) -> dict[int, tuple[int, int]]:
    """Return the place of each account among those who wait for the same type, and how many they are."""
    if not waiting:
        return {}
    statement = _PLACES.format(subscriptions=bulk.id_list(), accounts=bulk.id_list())
    subscriptions = bulk.ids({grant.subscription_id for grant in waiting})
    with connection.cursor() as cursor:
        cursor.execute(statement, [subscriptions, bulk.ids(grant.account_id for grant in waiting)])
        return {account_id: (place, queue) for account_id, place, queue in cursor}


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


# As licensing.models.WAITING, whose index gives the order.
_PLACES = """
SELECT account_id, place, queue FROM (
    SELECT account_id,
        row_number() OVER (PARTITION BY subscription_id, wanted_type ORDER BY asked_at, username_key) AS place,
        count(*) OVER (PARTITION BY subscription_id, wanted_type) AS queue
    FROM licensing_licensegrant
    WHERE subscription_id IN ({subscriptions}) AND wanted_type > 0 AND NOT (wanted_type = granted_type)
) AS queues WHERE account_id IN ({accounts})"""
