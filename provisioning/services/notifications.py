"""Notifications: what has begun and what is over, and who wants to be told of it by mail."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from provisioning.actor import Actor
from provisioning.models import (
    LoginAccount,
    Notification,
    NotificationChoice,
    NotificationMail,
    Subscription,
    TrustedPerson,
    User,
)
from provisioning.notification_kinds import KINDS, Kind
from provisioning.permissions import ROLES, Permission, roles_of
from provisioning.services import audit

USUAL_ROLES: Final = frozenset({LoginAccount.Role.BILLING_ADMIN, LoginAccount.Role.SUBSCRIPTION_ADMIN})
"""Who gets mail of every kind unless they chose otherwise; people of other roles get what they choose.

Kinds that are for those only who have a permission go to all of them, and to nobody else.
"""
QUIET: Final = timedelta(hours=1)
"""What ends and begins again is told once in this time at most."""


def notice(
    *, subscription: Subscription, kind: Kind, subject: str, sentence: str, at: datetime, wait: timedelta = timedelta(0)
) -> None:
    """Begin a notification about ``subject``, unless it runs; one that runs gets the new ``sentence``.

    It is told once it has run for ``wait``, counted anew from ``at`` only if that is sooner.
    """
    tell_at = at + wait
    running, is_new = Notification.objects.get_or_create(
        subscription=subscription,
        kind=kind.name,
        subject=subject,
        ended_at=None,
        defaults={"sentence": sentence, "since": at, "tell_at": tell_at},
    )
    if is_new:
        return
    sooner = min(running.tell_at or at, tell_at)
    if running.sentence != sentence or running.tell_at != sooner:
        Notification.objects.filter(pk=running.pk).update(sentence=sentence, tell_at=sooner)


@transaction.atomic
def end(*, subscription: Subscription, kind: Kind, subject: str, at: datetime) -> None:
    """End the notification about ``subject``, if it runs; mails about it that have not gone are not true any more.

    Of a kind that concerns a vault, who got a mail that it began gets one that it is over.
    """
    rows = Notification.objects.filter(subscription=subscription, kind=kind.name, subject=subject, ended_at=None)
    for running in rows.select_for_update(of=("self",)):
        if kind.concerns_vault:
            _tell_end(running, at)
        else:
            NotificationMail.objects.filter(notification=running).delete()
    rows.update(ended_at=at)


def _tell_end(running: Notification, at: datetime) -> None:
    """Turn the mails about the beginning into mails about the end, except where nobody has tried to send one yet."""
    if running.told_at is None:
        return
    mails = NotificationMail.objects.filter(notification=running)
    left = {(mail.account_id, mail.trusted_person_id) for mail in mails}
    mails.filter(attempts=0, due_at__lte=at).delete()
    mails.update(is_over=True)
    everybody = _mails([running], at)
    over = [mail for mail in everybody if (mail.account_id, mail.trusted_person_id) not in left]
    for mail in over:
        mail.is_over = True
    NotificationMail.objects.bulk_create(over)


def forget(*, before: datetime) -> None:
    """Remove what was over before that time."""
    Notification.objects.filter(ended_at__lt=before).delete()


def choices(*, user: User, subscription: Subscription) -> dict[str, bool]:
    """Return of each kind that is for the person whether they get mail about it."""
    accounts = list(roles_of(user).filter(subscription=subscription).prefetch_related("notification_choices"))
    wanted = [_wanted(account) for account in accounts]
    offered = [name for name in KINDS if any(_is_for(name, account) for account in accounts)]
    return {name: any(name in names for names in wanted) for name in offered}


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
    is_time = Q(tell_at=None) | Q(tell_at__lte=now)
    new = Notification.objects.filter(~Exists(told), is_time, told_at=None, ended_at=None)
    for subscription_id in sorted(set(new.values_list("subscription_id", flat=True))):
        _tell(new.filter(subscription_id=subscription_id), now)


@transaction.atomic
def _tell(new: QuerySet[Notification], now: datetime) -> None:
    found = list(new.select_for_update(of=("self",)).order_by("pk"))
    NotificationMail.objects.bulk_create(_mails(found, now))
    Notification.objects.filter(pk__in=[one.pk for one in found]).update(told_at=now)


Person: TypeAlias = LoginAccount | TrustedPerson


def _mails(news: Sequence[Notification], now: datetime) -> list[NotificationMail]:
    """Return a mail about each of these notifications of one subscription for each person to be told."""
    return [
        NotificationMail(notification=one, due_at=now, **_addressed(person))
        for one, people in _told(news)
        for person in people.values()
    ]


def _addressed(person: Person) -> dict[str, Person]:
    return {"account" if isinstance(person, LoginAccount) else "trusted_person": person}


def _told(news: Sequence[Notification]) -> Iterator[tuple[Notification, dict[str, Person]]]:
    """Yield each notification with the people to be told of it by address, so that nobody is told twice."""
    admins = _admins(news[0].subscription_id) if news else {}
    trusted = _trusted([one for one in news if KINDS[one.kind].concerns_vault])
    for one in news:
        people: dict[str, Person] = {key: account for key, (account, kinds) in admins.items() if one.kind in kinds}
        for person in trusted if KINDS[one.kind].concerns_vault else ():
            if person.vault is None or str(person.vault.guid) == one.subject:
                people.setdefault(person.email_key, person)
        yield one, people


def _trusted(news: Sequence[Notification]) -> list[TrustedPerson]:
    """Return the trusted persons of the vaults that these concern, and of all vaults."""
    if not news:
        return []
    concerned = Q(vault=None) | Q(vault__guid__in=[uuid.UUID(one.subject) for one in news])
    rows = TrustedPerson.objects.filter(concerned, subscription_id=news[0].subscription_id)
    return list(rows.select_related("vault").order_by("pk"))


def _admins(subscription_id: int) -> dict[str, tuple[LoginAccount, set[str]]]:
    """Return by address the account to write to, and the kinds that are wanted there."""
    accounts = LoginAccount.objects.filter(subscription_id=subscription_id, is_enabled=True).exclude(email="")
    found: dict[str, tuple[LoginAccount, set[str]]] = {}
    for account in accounts.filter(role__gt=0).order_by("-role", "pk").prefetch_related("notification_choices"):
        found.setdefault(account.email.casefold(), (account, set()))[1].update(_wanted(account))
    return found


def _wanted(account: LoginAccount) -> set[str]:
    """Return the kinds of which the account gets mail."""
    chosen: Mapping[str, bool] = {one.kind: one.is_wanted for one in account.notification_choices.all()}
    return {name for name in KINDS if _is_for(name, account) and chosen.get(name, _is_usual(name, account))}


def _unusual(accounts: Iterable[LoginAccount], wanted: Set[str]) -> list[NotificationChoice]:
    return [
        NotificationChoice(account=account, kind=name, is_wanted=name in wanted)
        for account in accounts
        for name in KINDS
        if _is_for(name, account) and (name in wanted) != _is_usual(name, account)
    ]


def _is_for(name: str, account: LoginAccount) -> bool:
    only_for = KINDS[name].only_for
    return not only_for or Permission[only_for] in ROLES[LoginAccount.Role(account.role)]


def _is_usual(name: str, account: LoginAccount) -> bool:
    return _is_for(name, account) and bool(KINDS[name].only_for or account.role in USUAL_ROLES)
