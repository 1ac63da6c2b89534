"""The audit log as the portal lists it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Q, QuerySet

from provisioning.addresses import address
from provisioning.fragments import Notice
from provisioning.models import AuditEntry, AuditHead, Notification, Subscription
from provisioning.notification_kinds import AUDIT_DIFFERS
from provisioning.permissions import Permission
from provisioning.queries.days import within
from provisioning.queries.pages import Page, fetch
from provisioning.sql import Statement, run

NEWEST_FIRST: Final = ("-at", "-number")
_EXPORT_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the audit log is narrowed to; an empty value narrows nothing. Days are the subscription's.

    ``only_of`` is the person who may see nobody else's acts; ``who`` is somebody's name, or a part of it; ``about`` is
    a part of what was acted on, or a whole request ID.
    """

    only_of: str = ""
    who: str = ""
    action: str = ""
    about: str = ""
    first_day: date | None = None
    last_day: date | None = None


def acts(subscription: Subscription, wanted: Wanted) -> tuple[QuerySet[AuditEntry], Q]:
    """Return the entries that an index gives newest first, and the condition for the rest.

    One index holds the subscription alone, with one actor, or with one action; time is in each.
    """
    rows, rest = visible(subscription, wanted.only_of), Q()
    rows = rows.filter(within(subscription, wanted.first_day, wanted.last_day))
    is_indexed = bool(wanted.only_of)
    if wanted.who:
        if not is_indexed and rows.filter(actor_name=wanted.who).exists():
            rows, is_indexed = rows.filter(actor_name=wanted.who), True
        else:
            rest &= Q(actor_name__icontains=wanted.who)
    if wanted.action and is_indexed:
        rest &= Q(action=wanted.action)
    elif wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.about:
        rest &= Q(target__icontains=wanted.about) | Q(request_id=wanted.about)
    return rows, rest


def visible(subscription: Subscription, only_of: str) -> QuerySet[AuditEntry]:
    """Return the entries that a person may see: all, or those of the own acts."""
    rows = AuditEntry.objects.filter(subscription=subscription)
    return rows.filter(actor_name=only_of, actor_kind="person") if only_of else rows


def acts_page(subscription: Subscription, wanted: Wanted, cursor: str) -> Page[AuditEntry]:
    rows, rest = acts(subscription, wanted)
    return fetch(rows, keys=NEWEST_FIRST, cursor=cursor, narrow=rest)


def all_acts(subscription: Subscription, wanted: Wanted) -> Iterator[AuditEntry]:
    """Return every entry that fits, newest first, read in pieces: however many there are, memory does not grow."""
    rows, rest = acts(subscription, wanted)
    cursor, is_first = "", True
    while cursor or is_first:
        page = fetch(rows, keys=NEWEST_FIRST, cursor=cursor, size=_EXPORT_CHUNK, narrow=rest)
        yield from page.rows
        cursor, is_first = page.next, False


def act(subscription: Subscription, pk: int, only_of: str) -> AuditEntry | None:
    return visible(subscription, only_of).filter(pk=pk).first()


def actions(subscription: Subscription, only_of: str) -> list[str]:
    """Return what was ever done, each once, by name."""
    if only_of:
        return sorted(set(visible(subscription, only_of).values_list("action", flat=True).distinct()))
    return [action for (action,) in run(Statement(_ACTIONS, [subscription.pk] * 2))]


def head(subscription: Subscription) -> AuditHead | None:
    """Return what the last check of the whole log came to."""
    return AuditHead.objects.filter(pk=subscription.pk).first()


def notices(subscription: Subscription) -> list[Notice]:
    """Return what the last check of the log found, for those who may see all of it."""
    running = Notification.objects.filter(subscription=subscription, kind=AUDIT_DIFFERS.name, ended_at=None)
    url = address(subscription, AUDIT_DIFFERS.page)
    return [Notice(one.sentence, url, "problem", Permission[AUDIT_DIFFERS.only_for]) for one in running]


_ACTIONS: Final = """
WITH RECURSIVE known(action) AS (
    SELECT min(action) FROM provisioning_auditentry WHERE subscription_id = %s
    UNION ALL
    SELECT (SELECT min(action) FROM provisioning_auditentry WHERE subscription_id = %s AND action > known.action)
    FROM known WHERE known.action IS NOT NULL
)
SELECT action FROM known WHERE action IS NOT NULL ORDER BY action"""
"""One step of an index for each action, instead of one for each entry."""
