"""Client secrets that expire soon: people are told at each threshold, once for each secret (1-product §1.2, rule 5)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.template.defaultfilters import date as format_date
from django.utils.timezone import localtime

from provisioning.models import ClientSecret, Notification
from provisioning.notification_kinds import SECRET_EXPIRES
from provisioning.services import notifications

THRESHOLDS: Final = (1, 7, 30, 60)
"""Days before the expiry, the last one first."""


def threshold(secret: ClientSecret, at: datetime) -> int | None:
    """Return the threshold that a secret has come to; None: it lives for longer."""
    left = secret.expires_at - at
    return next((days for days in THRESHOLDS if left <= timedelta(days=days)), None)


def look(now: datetime) -> None:
    """Begin a notification for every secret that has come to a threshold, and end those that are not true any more."""
    concerned = _expiring(now)
    for secret in concerned:
        _warn(secret, now)
    _end({_subject(secret, now) for secret in concerned}, now)


def _expiring(now: datetime) -> list[ClientSecret]:
    """Return the live secrets that nothing replaces yet and that have come to a threshold."""
    soon = Q(expires_at__gt=now, expires_at__lte=now + timedelta(days=max(THRESHOLDS)))
    rows = ClientSecret.objects.filter(soon, revoked_at=None, retires_at=None, configuration__deleted_at=None)
    return list(rows.select_related("configuration__subscription").order_by("pk"))


@transaction.atomic
def _warn(secret: ClientSecret, now: datetime) -> None:
    """Note the threshold on the secret and begin the notification, in one transaction: so it is told, and told once."""
    days = threshold(secret, now)
    fresh = ClientSecret.objects.filter(Q(warned_days=None) | Q(warned_days__gt=days), pk=secret.pk)
    if fresh.update(warned_days=days):
        subscription = secret.configuration.subscription
        day = format_date(localtime(secret.expires_at, ZoneInfo(subscription.time_zone)), "j F Y")
        notifications.notice(
            subscription=subscription,
            kind=SECRET_EXPIRES,
            subject=_subject(secret, now),
            sentence=f"The client secret {secret} of “{secret.configuration.name}” expires on {day}.",
            at=now,
        )


def _end(concerned: Iterable[str], now: datetime) -> None:
    running = Notification.objects.filter(kind=SECRET_EXPIRES.name, ended_at=None).exclude(subject__in=concerned)
    for one in running.select_related("subscription"):
        notifications.end(subscription=one.subscription, kind=SECRET_EXPIRES, subject=one.subject, at=now)


def _subject(secret: ClientSecret, now: datetime) -> str:
    return f"{secret.pk}/{threshold(secret, now)}"
