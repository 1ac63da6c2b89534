"""Secrets and bearer tokens that expire soon: people are told at each threshold, once for each (1-product §1.2.5)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.template.defaultfilters import date as format_date
from django.utils.timezone import localtime

from provisioning.models import BearerToken, ClientSecret, Notification
from provisioning.notification_kinds import SECRET_EXPIRES
from provisioning.services import bearer_tokens, notifications

THRESHOLDS: Final = (1, 7, 30, 60)
"""Days before the expiry, the last one first."""

Credential: TypeAlias = ClientSecret | BearerToken


def threshold(credential: Credential, at: datetime) -> int | None:
    """Return the threshold that a secret or a token has come to; None: it lives for longer."""
    left = credential.expires_at - at
    return next((days for days in THRESHOLDS if left <= timedelta(days=days)), None)


def look(now: datetime) -> None:
    """Begin a notification for all that has come to a threshold, and end those that are not true any more."""
    concerned = _expiring(now)
    for credential in concerned:
        _warn(credential, now)
    _end({_subject(credential, now) for credential in concerned}, now)


def _expiring(now: datetime) -> list[Credential]:
    """Return the live secrets and bearer tokens that nothing replaces yet and that have come to a threshold."""
    soon = Q(expires_at__lte=now + timedelta(days=max(THRESHOLDS)), configuration__deleted_at=None)
    secrets = ClientSecret.objects.filter(soon, expires_at__gt=now, revoked_at=None, retires_at=None)
    tokens = bearer_tokens.unreplaced(at=now).filter(soon)
    return [
        *secrets.select_related("configuration__subscription").order_by("pk"),
        *tokens.select_related("configuration__subscription").order_by("pk"),
    ]


@transaction.atomic
def _warn(credential: Credential, now: datetime) -> None:
    """Note the threshold on the row and begin the notification, in one transaction: so it is told, and told once."""
    days = threshold(credential, now)
    rows = type(credential)._default_manager.filter(pk=credential.pk)  # noqa: SLF001
    if rows.filter(Q(warned_days=None) | Q(warned_days__gt=days)).update(warned_days=days):
        subscription = credential.configuration.subscription
        day = format_date(localtime(credential.expires_at, ZoneInfo(subscription.time_zone)), "j F Y")
        what = f"{credential._meta.verbose_name} {credential}"  # noqa: SLF001
        notifications.notice(
            subscription=subscription,
            kind=SECRET_EXPIRES,
            subject=_subject(credential, now),
            sentence=f"The {what} of “{credential.configuration.name}” expires on {day}.",
            at=now,
        )


def _end(concerned: Iterable[str], now: datetime) -> None:
    running = Notification.objects.filter(kind=SECRET_EXPIRES.name, ended_at=None).exclude(subject__in=concerned)
    for one in running.select_related("subscription"):
        notifications.end(subscription=one.subscription, kind=SECRET_EXPIRES, subject=one.subject, at=now)


def _subject(credential: Credential, now: datetime) -> str:
    """Return what the notification is about: a row of one of the two tables, and how near its expiry is."""
    row = f"{credential.pk}/{threshold(credential, now)}"
    return f"bearer/{row}" if isinstance(credential, BearerToken) else row
