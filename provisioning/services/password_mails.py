"""Send the mails with links to set a password; a link is made when its mail goes, anew for each attempt."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse

from provisioning import tenancy
from provisioning.models import LoginAccount, PasswordMail, User
from provisioning.services.invitations import comes_by_sign_on, may_set_password
from provisioning.services.mails import FAILURES, LEASE, LONGEST_WAIT, opened, reason
from provisioning.services.password_links import digest

Kind = PasswordMail.Kind
LIFETIMES: Final = {Kind.INVITATION: timedelta(days=7), Kind.RESET: timedelta(hours=1)}
"""How long a link opens, from when it was sent."""
_KEPT: Final = timedelta(days=30)
"""How long the page of a user says that an invitation was not followed."""
_STILL_TRUE: Final = Q(account__is_enabled=True, account__role__gt=LoginAccount.Role.NO_ROLE)
"""An invitation is sent to nobody whose role has gone meanwhile."""
log = structlog.get_logger(__name__)


def send_due(now: datetime) -> int:
    """Send what waits; return how many mails have gone."""
    with tenancy.everybody():
        PasswordMail.objects.filter(kind=Kind.RESET, sent_at=None, asked_at__lt=now - LIFETIMES[Kind.RESET]).delete()
        PasswordMail.objects.filter(~_STILL_TRUE, kind=Kind.INVITATION, sent_at=None).delete()
        for mail in PasswordMail.objects.filter(user=None, due_at__lte=now):
            _look_up(mail)
        due = PasswordMail.objects.filter(due_at__lte=now).select_related("user", "account__subscription")
        return _send_all(list(due.order_by("asked_at", "pk")), now)


def prune(*, now: datetime) -> None:
    """Forget links that have been dead for long."""
    PasswordMail.objects.filter(expires_at__lt=now - _KEPT).delete()


def _look_up(mail: PasswordMail) -> None:
    """Find whose address was typed; who is not known, or may not come in, gets no mail."""
    user = User.objects.filter(email__iexact=mail.email, is_active=True).first()
    if user is None or not may_set_password(user):
        mail.delete()
    else:
        PasswordMail.objects.filter(pk=mail.pk).update(user=user)


def _send_all(mails: list[PasswordMail], now: datetime) -> int:
    if not mails:
        return 0
    connection, sent = get_connection(), 0
    try:
        for mail in mails:
            sent += _send(mail, connection, now)
    finally:
        connection.close()
    return sent


def _send(mail: PasswordMail, connection: BaseEmailBackend, now: datetime) -> bool:
    """Send one mail, unless another worker is about to; return whether it has gone."""
    key = "" if _is_news(mail) else secrets.token_urlsafe(32)
    mine = PasswordMail.objects.filter(pk=mail.pk, due_at=mail.due_at)
    if not mine.update(
        due_at=now + LEASE, digest=digest(key) if key else "", expires_at=now + LIFETIMES[Kind(mail.kind)]
    ):
        return False
    if error := opened(connection) or _failure(_message(mail, key), connection):
        _failed(mail, error, now)
        return False
    PasswordMail.objects.filter(pk=mail.pk).update(due_at=None, sent_at=now, problem="")
    if not key:
        PasswordMail.objects.filter(pk=mail.pk).delete()
    return True


def _failure(message: EmailMessage, connection: BaseEmailBackend) -> Exception | None:
    try:
        connection.send_messages([message])
    except FAILURES as error:
        connection.close()
        return error
    return None


def _failed(mail: PasswordMail, error: Exception, now: datetime) -> None:
    """Try again later, each time after a longer while, with another link."""
    log.warning("mail with a link could not be sent", error=reason(error), kind=mail.kind)
    wait = min(timedelta(minutes=2 ** min(mail.attempts, 10)), LONGEST_WAIT)
    PasswordMail.objects.filter(pk=mail.pk).update(
        due_at=now + wait, digest="", attempts=mail.attempts + 1, problem=reason(error)
    )


def _is_news(mail: PasswordMail) -> bool:
    """Whether an invitation goes to who has a way to come in already: a password, or the organization's sign-in."""
    assert mail.user is not None
    return mail.account is not None and (mail.user.has_usable_password() or comes_by_sign_on(mail.account))


def _entrance(account: LoginAccount | None) -> str:
    """Return where the person signs in."""
    if account is not None and comes_by_sign_on(account):
        return reverse("sign_on", args=[account.subscription.number])
    return reverse("account_login")


def _message(mail: PasswordMail, key: str) -> EmailMessage:
    assert mail.user is not None
    context: dict[str, Any] = {
        "person": mail.user,
        "account": mail.account,
        "subscription": " ".join(mail.account.subscription.name.split()) if mail.account else "",
        "role": LoginAccount.Role(mail.account.role).label if mail.account else "",
        "link": f"{settings.BASE_URL}{reverse('password_link', args=[key])}" if key else "",
        "sign_in": f"{settings.BASE_URL}{_entrance(mail.account)}",
        "days": LIFETIMES[Kind.INVITATION].days,
    }
    subject = render_to_string(f"mail/{mail.kind}_subject.txt", context).strip()
    return EmailMessage(subject, render_to_string(f"mail/{mail.kind}.txt", context), to=[mail.user.email])
