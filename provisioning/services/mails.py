"""Send the mails that are due: one to a person with all that is new; a mail server that fails is tried again later."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from provisioning.addresses import address
from provisioning.models import NotificationMail
from provisioning.notification_kinds import KINDS
from provisioning.services import notifications

LEASE: Final = timedelta(minutes=5)
"""For so long a mail is left to the worker that is about to send it."""
LONGEST_WAIT: Final = timedelta(hours=6)
_FAILURES: Final = (SMTPException, OSError, ValueError)
"""The server's refusals, the network's, and addresses that make no mail."""
log = structlog.get_logger(__name__)


def send_due(now: datetime) -> int:
    """Tell people what has not been told yet; return how many mails have gone. A failure is kept with its mails."""
    notifications.tell(now)
    due = NotificationMail.objects.filter(due_at__lte=now).order_by("account_id")
    accounts = list(due.values_list("account_id", flat=True).distinct())
    return _send_all(accounts, now) if accounts else 0


def _send_all(account_ids: Sequence[int], now: datetime) -> int:
    connection, sent = get_connection(), 0
    try:
        for number, pk in enumerate(account_ids):
            if error := _opened(connection):
                _failed(NotificationMail.objects.filter(account__in=account_ids[number:], due_at__lte=now), error, now)
                break
            sent += _send_to(pk, connection, now)
    finally:
        connection.close()
    return sent


def _opened(connection: BaseEmailBackend) -> Exception | None:
    """Open the connection unless it is open; return why that cannot be done."""
    try:
        connection.open()
    except _FAILURES as error:
        return error
    return None


def _send_to(account_id: int, connection: BaseEmailBackend, now: datetime) -> bool:
    """Send a person's mail, unless another worker is about to; return whether it has gone."""
    due = NotificationMail.objects.filter(account_id=account_id, due_at__lte=now)
    if not due.update(due_at=now + LEASE):
        return False
    mine = NotificationMail.objects.filter(account_id=account_id, due_at=now + LEASE)
    rows = list(mine.select_related("notification__subscription", "account").order_by("notification__since", "pk"))
    try:
        connection.send_messages([_message(rows)])
    except _FAILURES as error:
        _failed(mine, error, now)
        connection.close()
        return False
    NotificationMail.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return True


def _failed(mails: QuerySet[NotificationMail], error: Exception, now: datetime) -> None:
    """Try these again later, each time after a longer while."""
    log.warning("mail could not be sent", error=_reason(error), mails=mails.count())
    for attempts in set(mails.values_list("attempts", flat=True)):
        wait = min(timedelta(minutes=2 ** min(attempts, 10)), LONGEST_WAIT)
        alike = mails.filter(attempts=attempts)
        alike.update(due_at=now + wait, attempts=F("attempts") + 1, problem=_reason(error))


def _reason(error: Exception) -> str:
    """Return what the server or the network said."""
    code: int
    said: bytes | str
    if isinstance(error, SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    else:
        return str(error) or type(error).__name__
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


def _message(rows: Sequence[NotificationMail]) -> EmailMessage:
    """Return the mail to the person of these rows, who belongs to one subscription."""
    account, subscription = rows[0].account, rows[0].notification.subscription
    news = [(row.notification, KINDS[row.notification.kind]) for row in rows]
    context = {
        "account": account,
        "subscription": subscription,
        "name": " ".join(subscription.name.split()),
        "news": [(one, kind, settings.BASE_URL + address(subscription, kind.page)) for one, kind in news],
        "choices": settings.BASE_URL + address(subscription, "notifications"),
    }
    with timezone.override(ZoneInfo(subscription.time_zone)):
        subject = render_to_string("mail/notification_subject.txt", context).strip()
        body = render_to_string("mail/notification.txt", context)
    return EmailMessage(subject, body, to=[account.email])
