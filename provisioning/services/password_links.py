"""Links by which passwords are set: asked for by an admin or by who forgot a password, opened once.

A link is 256 random bits in a mail (OWASP ASVS 5.0, 6.4.3); the database knows its digest, from the moment it is sent.
"""

import hashlib
from datetime import datetime
from typing import Final, cast

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import LoginAccount, PasswordMail, PortalSession, User
from provisioning.services import manual_accounts as shared
from provisioning.services import sign_ins
from provisioning.services.invitations import announce, connect, invite, mail_is_off, may_set_password
from provisioning.services.people import PersonGone, RoleOutOfReach, may_touch

Kind = PasswordMail.Kind
_DEEDS: Final = {Kind.INVITATION: "accept invitation", Kind.RESET: "reset password"}


class CannotSend(Exception):
    """No mail with a link can go to the person; the sentence says why, and what to do."""


class LinkDead(Exception):
    """The link was used, replaced by a newer one, or is too old; or its person may not come in any more."""

    def __init__(self) -> None:
        super().__init__(
            "This link opens nothing any more: it was used, it is too old, or a newer one was sent. Ask for a new one."
        )


REFUSALS: Final = (CannotSend, PersonGone, RoleOutOfReach)


def digest(key: str) -> str:
    """Return how the database knows a link; the key is random, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def send_link(*, account: LoginAccount, actor: Actor, at: datetime) -> Kind:
    """Mail the person a link: an invitation again, or to choose another password. Raises one of ``REFUSALS``."""
    found = shared.locked(account, LoginAccount.Kind.PERSON)
    if found is None:
        raise PersonGone
    if not may_touch(actor, found.role):
        raise RoleOutOfReach
    _check(found)
    connect(found)
    if found.user is None:
        raise CannotSend(f"“{found.username}” has no email address to which an invitation could go. Enter one first.")
    found.save(update_fields=["user"])
    kind = Kind.RESET if found.user.has_usable_password() else Kind.INVITATION
    if kind == Kind.INVITATION:
        invite(found, at)
    else:
        PasswordMail.objects.create(kind=kind, user=found.user, asked_at=at, due_at=at)
        announce()
    shared.write(found, f"send {kind.label.lower()}", {"mail to": [None, found.user.email]}, actor, at)
    return kind


def ask(*, email: str, at: datetime) -> None:
    """Note that somebody forgot the password of the user with this address; a worker looks whether there is one."""
    PasswordMail.objects.create(kind=Kind.RESET, email=email, asked_at=at, due_at=at)
    announce()


def opened(link: str, *, at: datetime) -> PasswordMail:
    """Return what the link of that digest belongs to, with its user. Raises ``LinkDead``."""
    mails = PasswordMail.objects.select_related("user").exclude(digest="")
    found = mails.filter(digest=link, expires_at__gt=at).first()
    if found is None or found.user is None or not may_set_password(found.user):
        raise LinkDead
    return found


@transaction.atomic
def set_password(*, link: str, password: str, actor: Actor, at: datetime) -> User:
    """Set the password; the link, all others of the person and all sessions end. Raises ``LinkDead``."""
    user = User.objects.select_for_update(no_key=True).get(pk=cast("int", opened(link, at=at).user_id))
    mail = opened(link, at=at)  # as it is now: whoever was faster has used it up
    user.set_password(password)
    user.save(update_fields=["password"])
    PasswordMail.objects.filter(user=user).delete()
    PortalSession.objects.filter(user=user).delete()
    sign_ins.record(user=user, action=_DEEDS[Kind(mail.kind)], actor=actor, at=at)
    return user


def _check(account: LoginAccount) -> None:
    if not account.is_enabled:
        raise CannotSend(f"“{account.username}” is disabled. Enable the user first.")
    if not account.role:
        raise CannotSend(f"“{account.username}” has no role in the portal. Give the user one first.")
    if mail_is_off():
        by_hand = f", or to run manage.py changepassword {account.user.get_username()}" if account.user else ""
        raise CannotSend(f"This installation sends no mail. Ask its operator to set MFMANAGE_MAIL{by_hand}.")
