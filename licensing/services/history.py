"""What was purchased, granted and waited for on each day of a subscription's calendar."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from licensing.models import LicenseDay
from licensing.plans import forecast
from licensing.services import overview
from licensing.services.overview import PoolView
from provisioning.license_types import LicenseType
from provisioning.models import Subscription

_DAY = timedelta(days=1)
_LAST_LOOK = ("purchased", "granted", "waiting")


@dataclass(frozen=True, slots=True)
class Day:
    """A pool on one day. For Concurrent, ``in_use`` is the most sessions at once."""

    day: date
    purchased: int
    granted: int
    waiting: int
    in_use: int


Series = Mapping[LicenseType, Sequence[Day]]
"""For every type a number of days without a gap; the last one is today."""


def today(subscription: Subscription, now: datetime) -> date:
    """Return the day of the subscription's calendar."""
    return now.astimezone(ZoneInfo(subscription.time_zone)).date()


def record(subscription: Subscription, now: datetime) -> None:
    """Write down how every pool stands; the last look of a day stays, and of sessions the most."""
    pools, day = overview.pools(subscription), today(subscription, now)
    LicenseDay.objects.bulk_create(
        [_look(subscription, pool, day) for pool in pools],
        update_conflicts=True,
        unique_fields=["subscription", "license_type", "day"],
        update_fields=_LAST_LOOK,
    )
    sessions = next(pool.in_use for pool in pools if pool.license_type is LicenseType.CONCURRENT)
    most = When(license_type=LicenseType.CONCURRENT, then=Greatest("in_use", Value(sessions)))
    LicenseDay.objects.filter(subscription=subscription, day=day).update(in_use=Case(most, default=F("granted")))


def _look(subscription: Subscription, pool: PoolView, day: date) -> LicenseDay:
    return LicenseDay(
        subscription=subscription,
        license_type=pool.license_type,
        day=day,
        purchased=pool.total,
        granted=pool.granted,
        waiting=pool.waiting,
        in_use=pool.in_use,
    )


def series(subscription: Subscription, pools: Iterable[PoolView], *, now: datetime, days: int) -> Series:
    """Return the last ``days`` days of every type, or fewer when history is younger: one statement.

    A day on which nobody looked has the numbers of the one before; today's are those of ``pools``.
    """
    last = today(subscription, now)
    looks = _looks(subscription, last - (days - 1) * _DAY, last)
    return {pool.license_type: list(_filled(looks.get(pool.license_type, []), pool, last))[-days:] for pool in pools}


def _looks(subscription: Subscription, first: date, last: date) -> dict[LicenseType, list[Day]]:
    """Return what was written down until ``last``, from the last look at ``first`` or before it on."""
    rows = LicenseDay.objects.filter(subscription=subscription)
    earlier = rows.filter(license_type=OuterRef("license_type"), day__lte=first).order_by("-day")
    start = Coalesce(Subquery(earlier.values("day")[:1]), Value(first))
    found: dict[LicenseType, list[Day]] = {}
    for row in rows.filter(day__gte=start, day__lte=last).order_by("license_type", "day"):
        day = Day(row.day, row.purchased, row.granted, row.waiting, row.in_use)
        found.setdefault(LicenseType(row.license_type), []).append(day)
    return found


def _filled(looks: Sequence[Day], pool: PoolView, last: date) -> Iterator[Day]:
    """Yield the looks and the days between them, then today."""
    present = Day(last, pool.total, pool.granted, pool.waiting, pool.in_use)
    for place, look in enumerate(looks):
        until = looks[place + 1].day if place + 1 < len(looks) else last
        yield from (replace(look, day=look.day + number * _DAY) for number in range((until - look.day).days))
    if looks and looks[-1].day == last and pool.license_type is LicenseType.CONCURRENT:
        present = replace(present, in_use=max(present.in_use, looks[-1].in_use))
    yield present


def forecasts(found: Series) -> dict[LicenseType, str]:
    """Return the end of a sentence for every type, such as ``full in about 23 days``, or an empty text.

    Concurrent licenses are used up by sessions, the others by those who have one or wait for one.
    """
    return {license_type: _forecast(license_type, days) for license_type, days in found.items()}


def _forecast(license_type: LicenseType, days: Sequence[Day]) -> str:
    by_sessions = license_type is LicenseType.CONCURRENT
    asked = [one.in_use if by_sessions else one.granted + one.waiting for one in days]
    return forecast.sentence(forecast.full_in_days(asked, days[-1].purchased))
