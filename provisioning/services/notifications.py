"""Notifications: what has begun and what is over, and who wants to be told of it by mail."""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from provisioning.actor import Actor
from provisioning.models import LoginAccount, Notification, NotificationChoice, NotificationMail, Subscription, User
from provisioning.notification_kinds import KINDS, Kind
from provisioning.permissions import roles_of
from provisioning.services import audit

USUAL_ROLES: Final = frozenset({LoginAccount.Role.BILLING_ADMIN, LoginAccount.Role.SUBSCRIPTION_ADMIN})
"""Who gets mail of every kind unless they chose otherwise; people of other roles get what they choose."""
QUIET: Final = timedelta(hours=1)
"""What ends and begins again is told once in this time at most."""


def notice(*, subscription: Subscription, kind: Kind, subject: str, sentence: str, at: datetime) -> None:
    """Begin a notification about ``subject``, unless it runs; one that runs gets the new ``sentence``."""
    running, is_new = Notification.objects.get_or_create(
        subscription=subscription,
        kind=kind.name,
        subject=subject,
        ended_at=None,
        defaults={"sentence": sentence, "since": at},
    )
    if not is_new and running.sentence != sentence:
        Notification.objects.filter(pk=running.pk).update(sentence=sentence)


@transaction.atomic
def end(*, subscription: Subscription, kind: Kind, subject: str, at: datetime) -> None:
    """End the notification about ``subject``, if it runs; mails about it that have not gone are not true any more."""
    running = Notification.objects.filter(subscription=subscription, kind=kind.name, subject=subject, ended_at=None)
    NotificationMail.objects.filter(notification__in=running).delete()
    running.update(ended_at=at)


def forget(*, before: datetime) -> None:
    """Remove what was over before that time."""
    Notification.objects.filter(ended_at__lt=before).delete()


def choices(*, user: User, subscription: Subscription) -> dict[str, bool]:
    """Return of each kind whether the person gets mail about it."""
    accounts = roles_of(user).filter(subscription=subscription).prefetch_related("notification_choices")
    wanted = [_wanted(account) for account in accounts]
    return {name: any(name in names for names in wanted) for name in KINDS}


@transaction.atomic
def choose(*, user: User, subscription: Subscription, wanted: Set[str], actor: Actor, at: datetime) -> bool:
    """Let the person get mail of the ``wanted`` kinds only, by every account that leads into the subscription.

    Returns whether that changed anything.
    """
    before = choices(user=user, subscription=subscription)
    changes = {name: [was, name in wanted] for name, was in before.items() if was != (name in wanted)}
    if not changes:
        return False
    accounts = list(roles_of(user).filter(subscription=subscription))
    NotificationChoice.objects.filter(account__in=accounts).delete()
    NotificationChoice.objects.bulk_create(_unusual(accounts, wanted), ignore_conflicts=True)
    audit.record(
        subscription_id=subscription.pk,
        actor=actor,
        action="change own notifications",
        target=user.get_username(),
        at=at,
        changes=changes,
    )
    return True


def tell(now: datetime) -> None:
    """Give every notification that has not been told to the people who want it, as mails that are due.

    Both happen in one transaction for each subscription, so that each notification is told, and told once.
    """
    told = Notification.objects.filter(
        subscription=OuterRef("subscription"),
        kind=OuterRef("kind"),
        subject=OuterRef("subject"),
        told_at__gt=now - QUIET,
    )
    new = Notification.objects.filter(~Exists(told), told_at=None, ended_at=None)
    for subscription_id in sorted(set(new.values_list("subscription_id", flat=True))):
        _tell(new.filter(subscription_id=subscription_id), subscription_id, now)


@transaction.atomic
def _tell(new: QuerySet[Notification], subscription_id: int, now: datetime) -> None:
    found = list(new.select_for_update(of=("self",)).order_by("pk"))
    mails = [
        NotificationMail(notification=one, account=account, due_at=now)
        for account, kinds in _recipients(subscription_id).items()
        for one in found
        if one.kind in kinds
    ]
    NotificationMail.objects.bulk_create(mails)
    Notification.objects.filter(pk__in=[one.pk for one in found]).update(told_at=now)


def _recipients(subscription_id: int) -> dict[LoginAccount, set[str]]:
    """Return the accounts to write to, an address once, with the kinds that are wanted there."""
    accounts = LoginAccount.objects.filter(subscription_id=subscription_id, is_enabled=True).exclude(email="")
    by_address: dict[str, LoginAccount] = {}
    kinds: dict[LoginAccount, set[str]] = {}
    for account in accounts.filter(role__gt=0).order_by("-role", "pk").prefetch_related("notification_choices"):
        first = by_address.setdefault(account.email.casefold(), account)
        kinds.setdefault(first, set()).update(_wanted(account))
    return kinds


def _wanted(account: LoginAccount) -> set[str]:
    """Return the kinds of which the account gets mail."""
    chosen: Mapping[str, bool] = {one.kind: one.is_wanted for one in account.notification_choices.all()}
    return {name for name in KINDS if chosen.get(name, account.role in USUAL_ROLES)}


def _unusual(accounts: Iterable[LoginAccount], wanted: Set[str]) -> list[NotificationChoice]:
    return [
        NotificationChoice(account=account, kind=name, is_wanted=name in wanted)
        for account in accounts
        for name in KINDS
        if (name in wanted) != (account.role in USUAL_ROLES)
    ]
