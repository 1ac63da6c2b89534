"""Send the mails that are due: one to a person with all that is new; a mail server that fails is tried again later."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Final, TypeAlias
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
FAILURES: Final = (SMTPException, OSError, ValueError)
"""The server's refusals, the network's, and addresses that make no mail."""
log = structlog.get_logger(__name__)


def send_due(now: datetime) -> int:
    """Tell people what has not been told yet; return how many mails have gone. A failure is kept with its mails."""
    notifications.tell(now)
    people = list(_due(now).values(*_PERSON).order_by(*_PERSON).distinct())
    return _send_all(people, now) if people else 0


Person: TypeAlias = Mapping[str, int | None]
"""The row ids that name a person, one of which is null."""
_PERSON: Final = ("account_id", "trusted_person_id")


def _due(now: datetime) -> QuerySet[NotificationMail]:
    return NotificationMail.objects.filter(due_at__lte=now)


def _send_all(people: Sequence[Person], now: datetime) -> int:
    connection, sent = get_connection(), 0
    try:
        for person in people:
            if error := opened(connection):
                _failed(_due(now), error, now)
                break
            sent += _send_to(person, connection, now)
    finally:
        connection.close()
    return sent


def opened(connection: BaseEmailBackend) -> Exception | None:
    """Open the connection unless it is open; return why that cannot be done."""
    try:
        connection.open()
    except FAILURES as error:
        return error
    return None


def _send_to(person: Person, connection: BaseEmailBackend, now: datetime) -> bool:
    """Send a person's mail, unless another worker is about to; return whether it has gone."""
    if not _due(now).filter(**person).update(due_at=now + LEASE):
        return False
    mine = NotificationMail.objects.filter(**person, due_at=now + LEASE)
    rows = list(mine.select_related(*_RELATED).order_by("notification__since", "pk"))
    try:
        connection.send_messages([_message(rows)])
    except FAILURES as error:
        _failed(mine, error, now)
        connection.close()
        return False
    for is_over in (False, True):
        # What has ended while its beginning was on its way must still be told.
        gone = [row.pk for row in rows if row.is_over == is_over]
        NotificationMail.objects.filter(pk__in=gone, is_over=is_over).delete()
    return True


_RELATED: Final = ("notification__subscription", "account", "trusted_person__vault")


def _failed(mails: QuerySet[NotificationMail], error: Exception, now: datetime) -> None:
    """Try these again later, each time after a longer while."""
    log.warning("mail could not be sent", error=reason(error), mails=mails.count())
    for attempts in set(mails.values_list("attempts", flat=True)):
        wait = min(timedelta(minutes=2 ** min(attempts, 10)), LONGEST_WAIT)
        alike = mails.filter(attempts=attempts)
        alike.update(due_at=now + wait, attempts=F("attempts") + 1, problem=reason(error))


def reason(error: Exception) -> str:
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
    account, trusted, subscription = rows[0].account, rows[0].trusted_person, rows[0].notification.subscription
    kinds = [KINDS[row.notification.kind] for row in rows]
    context = {
        "account": account,
        "trusted": trusted,
        "subscription": subscription,
        "name": " ".join(subscription.name.split()),
        "news": [
            (row.notification, kind, settings.BASE_URL + address(subscription, kind.page), row.is_over)
            for row, kind in zip(rows, kinds, strict=True)
        ],
        "choices": settings.BASE_URL + address(subscription, "notifications"),
    }
    with timezone.override(ZoneInfo(subscription.time_zone)):
        subject = render_to_string("mail/notification_subject.txt", context).strip()
        body = render_to_string("mail/notification.txt", context)
    return EmailMessage(subject, body, to=[account.email if account else trusted.email if trusted else ""])
