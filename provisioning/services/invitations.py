"""How somebody comes to a sign-in of the portal: the email of an account that gets a role is invited."""

from datetime import datetime
from functools import partial
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from provisioning import tenancy
from provisioning.models import LoginAccount, PasswordMail, SingleSignOn, User
from provisioning.permissions import roles_of
from provisioning.signals import mail_waiting

_LONGEST_USERNAME = 150
_LONGEST_EMAIL = 254
_OFF = "django.core.mail.backends.dummy.EmailBackend"


def mail_is_off() -> bool:
    """Return whether the operator has named no way for mail (``MFMANAGE_MAIL``)."""
    return bool(settings.EMAIL_BACKEND == _OFF)


def connect(account: LoginAccount) -> None:
    """Set the portal user of an account that has a role: the one of its email, made if there is none yet.

    A user who has never come in follows the email, so that a mistyped one opens nothing; the caller saves the account.
    """
    if not account.role or (account.user is not None and not _is_new(account.user)):
        return
    if account.user is None or account.user.email != account.email.lower():
        account.user = _user(account)


def invite(account: LoginAccount, at: datetime) -> None:
    """Have the person told by mail that they may come in; links that were mailed for the account before are dead.

    Without mail, or without an address, nothing happens: the page of the user says what to do.
    """
    PasswordMail.objects.filter(account=account).delete()
    if account.user is None or mail_is_off():
        return
    kind = PasswordMail.Kind.INVITATION
    PasswordMail.objects.create(kind=kind, user=account.user, account=account, asked_at=at, due_at=at)
    announce()


def invitation_of(account: LoginAccount) -> PasswordMail | None:
    """Return the invitation that the person has not followed yet."""
    return PasswordMail.objects.filter(account=account).first()


def comes_by_sign_on(account: LoginAccount) -> bool:
    """Whether the account is provisioned, and its subscription has a single sign-on (1-product §1.6)."""
    sign_ons = SingleSignOn.objects.filter(subscription=account.subscription_id, is_enabled=True)
    return account.configuration_id is not None and sign_ons.exists()


def may_set_password(user: User) -> bool:
    """Whether a mail may let the person set a password: who has one, or comes in somewhere where that is the way."""
    with tenancy.everybody():
        accounts = list(roles_of(user)) if user.is_active else []
        return any(user.has_usable_password() or not comes_by_sign_on(account) for account in accounts)


def announce() -> None:
    """Tell the workers, after the commit, that mail waits; a failing receiver changes nothing."""
    transaction.on_commit(partial(mail_waiting.send_robust, sender=None), robust=True)


def _is_new(user: User) -> bool:
    """Whether nobody has ever come in as this user."""
    return user.last_login is None and not user.has_usable_password()


def _user(account: LoginAccount) -> User | None:
    """Return the portal user of the account's email; None where there is no email that a user can have."""
    email = account.email.lower()
    if not email or len(email) > _LONGEST_EMAIL:
        return None
    return User.objects.filter(email__iexact=email).first() or _made(email, account.full_name)


def _made(email: str, full_name: str) -> User:
    """Make a user without a password; whoever makes the same one at the same moment wins."""
    taken = len(email) > _LONGEST_USERNAME or User.objects.filter(username__iexact=email).exists()
    user = User(username=f"person-{uuid4().hex}" if taken else email, email=email, full_name=full_name[:200])
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        return User.objects.get(email=email)
    return user
