"""Days of a subscription's time zone as moments."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from provisioning.models import Subscription


def within(subscription: Subscription, first_day: date | None, last_day: date | None) -> Q:
    """Return that ``at`` is on one of the days; None: they have no beginning, or no end."""
    days = Q()
    if first_day:
        days &= Q(at__gte=_midnight(first_day, subscription))
    if last_day:
        days &= Q(at__lt=_midnight(last_day + timedelta(days=1), subscription))
    return days


def _midnight(day: date, subscription: Subscription) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(subscription.time_zone))
