"""Who is signed in: a session begins for who has a role, and ends with the last one; what people do is recorded.

A person may have roles in several subscriptions: what they do about their sign-in stands in the audit log of each.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q, QuerySet

from provisioning import tenancy
from provisioning.actor import Actor
from provisioning.models import LoginAccount, PasswordMail, PortalSession, User
from provisioning.permissions import Role, roles_of
from provisioning.services import audit

Changes = dict[str, list[Any]]


class NoRole(Exception):
    """The person has no role anywhere, or has lost the last one just now."""

    def __init__(self) -> None:
        super().__init__(
            "Your account has no role in mfmanage, or it is disabled. Ask a Subscription admin to give you one."
        )


class SessionGone(Exception):
    """The session that was to be ended is over already."""

    def __init__(self) -> None:
        super().__init__("That session is over already.")


class NobodySignsIn(Exception):
    """No sign-in has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Nobody signs in as “{name}”. Name the username or email that the page of the user shows.")


def user_of(name: str) -> User:
    """Return who signs in by that username or email. Raises ``NobodySignsIn``."""
    user = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).first()
    if user is None:
        raise NobodySignsIn(name)
    return user


@transaction.atomic
def sign_in(
    *, user: User, how: str, enter: Callable[[], None], only: int | None = None, actor: Actor, at: datetime
) -> None:
    """Let the person in by ``enter``, which writes the session. Raises ``NoRole``.

    ``only`` is the account for which a single sign-on vouches. Whoever takes the last role away just now
    waits for the session and ends it, or is waited for.
    """
    _lock([user.pk])
    if not _roles(user, only):
        raise NoRole
    enter()
    record(user=user, action="sign in", changes={"how": [None, how]}, only=only, actor=actor, at=at)


def record(
    *, user: User, action: str, changes: Changes | None = None, only: int | None = None, actor: Actor, at: datetime
) -> None:
    """Write what the person did in the audit log of each subscription in which they have a role, or of one account's.

    Stands last in a deed. ``actor`` says from where; a person's name and role are added.
    """
    with tenancy.everybody(), audit.recorded_last():
        for subscription_id, role in _roles(user, only).items():
            audit.record(
                subscription_id=subscription_id,
                actor=_named(actor, user, role),
                action=action,
                target=user.get_username(),
                at=at,
                changes=changes,
            )


def leave(user_ids: Iterable[int | None]) -> None:
    """End what people without a role may not have any more: sessions, and links by which a password is set.

    Every deed that disables or deletes an account, or takes its role away, calls this after it has written that. A
    session that came by single sign-on ends with the role of its account.
    """
    people = sorted({pk for pk in user_ids if pk is not None})
    if not people:
        return
    _lock(people)
    with tenancy.everybody():
        held = dict(_entering().filter(user__in=people).values_list("pk", "user_id"))
        strangers = set(people) - set(held.values())
        sessions = PortalSession.objects.filter(user__in=people).values_list("pk", "user_id", "account_id")
        over = [
            key
            for key, user_id, account_id in sessions
            if user_id in strangers or (account_id is not None and held.get(account_id) != user_id)
        ]
        PortalSession.objects.filter(pk__in=over).delete()
        PasswordMail.objects.filter(user__in=strangers).delete()


def sessions_of(user: User, *, only: int | None = None, at: datetime) -> QuerySet[PortalSession]:
    """Return the person's sessions that are not over, the one used last first.

    ``only``: those that came by the single sign-on of this account; whoever came so knows of no others.
    """
    return _sessions(user, only).filter(pk__in=PortalSession.live(at)).order_by("-seen_at", "pk")


@transaction.atomic
def end_session(*, user: User, key: str, only: int | None = None, actor: Actor, at: datetime) -> None:
    """End one session of the person; the browser that has it is signed out at once. Raises ``SessionGone``."""
    found = _sessions(user, only).filter(pk=key).first()
    if found is None:
        raise SessionGone
    found.delete()
    record(user=user, action="end session", changes={"address": [found.address, None]}, only=only, actor=actor, at=at)


@transaction.atomic
def end_other_sessions(*, user: User, but: str, only: int | None = None, actor: Actor, at: datetime) -> int:
    """End all sessions of the person but one; return how many."""
    ended = _end_others(user, but, only)
    if ended:
        record(user=user, action="end other sessions", changes={"sessions": [ended, 0]}, only=only, actor=actor, at=at)
    return ended


def has_still(user: User) -> bool:
    """Hold the person's row, and return whether the password is the one with which ``user`` was read."""
    return User.objects.select_for_update(no_key=True).filter(pk=user.pk, password=user.password).exists()


@transaction.atomic
def set_password(*, user: User, password: str, actor: Actor, at: datetime) -> None:
    """Give the person another password, and end what the old one opened."""
    user.set_password(password)
    user.save(update_fields=["password"])
    changed_password(user=user, but="", actor=actor, at=at)


@transaction.atomic
def changed_password(*, user: User, but: str, actor: Actor, at: datetime) -> None:
    """End what the old password opened, all but the session in which it was changed, and links that were mailed."""
    _end_others(user, but)
    PasswordMail.objects.filter(user=user).delete()
    record(user=user, action="change password", actor=actor, at=at)


@transaction.atomic
def remove_factor(*, user: User, actor: Actor, at: datetime) -> bool:
    """Let somebody who has lost phone and recovery codes in by the password again; return whether there was a factor.

    All sessions end, as who asked for it may be somebody else.
    """
    _lock([user.pk])
    removed, _ = Authenticator.objects.filter(user=user).delete()
    if removed:
        PortalSession.objects.filter(user=user).delete()
        record(user=user, action="remove second factor", actor=actor, at=at)
    return bool(removed)


def _named(actor: Actor, user: User, role: Role) -> Actor:
    """Say who a visitor is; operators have a name."""
    return replace(actor, name=user.get_username(), role=role.label) if actor.kind == "person" else actor


def _end_others(user: User, but: str, only: int | None = None) -> int:
    _lock([user.pk])
    return _sessions(user, only).exclude(pk=but).delete()[0]


def _sessions(user: User, only: int | None) -> QuerySet[PortalSession]:
    rows = PortalSession.objects.filter(user=user)
    return rows if only is None else rows.filter(account=only)


def _lock(people: list[int]) -> None:
    """Hold the persons' rows, in the order of their keys; rows that refer to them are not made to wait."""
    list(User.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk").values_list("pk"))


def _entering() -> QuerySet[LoginAccount]:
    return LoginAccount.objects.filter(is_enabled=True, role__gt=Role.NO_ROLE)


def _roles(user: User, only: int | None) -> dict[int, Role]:
    """Return the highest role of the person in each subscription, or by the only account that counts."""
    with tenancy.everybody():
        accounts = roles_of(user) if only is None else roles_of(user).filter(pk=only)
        return {pk: Role(role) for pk, role in accounts.order_by("role").values_list("subscription_id", "role")}
