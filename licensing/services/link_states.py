"""How links stand (1-product §1.5, rule 7): one statement for a page of them.

Open members are counted by an index alone, refused ones from the few vault users that need a person; all members
are counted only while that number is shown.
"""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.formats import date_format

from licensing.models import Ending, VaultUser, VaultUserMembership
from licensing.plans.links import LinkFacts, LinkView, view
from licensing.services.presence import SOURCE_GRACE
from provisioning.models import GroupLink

_UNSETTLED: Final = Q(wanted=True, seen=False) | Q(wanted=False, seen=True)
"""The same as unequal ones; but how many of those there are, PostgreSQL cannot guess, and it would read all members."""


def views(ids: Sequence[int]) -> dict[int, LinkView]:
    """Return how each of these links stands."""
    return {link.pk: view(_facts(link)) for link in _rows(ids)}


def open_members(link: GroupLink) -> QuerySet[VaultUserMembership]:
    """Return the members that are not yet as wanted, with their vault users and accounts."""
    rows = VaultUserMembership.objects.exclude(wanted=F("seen")).filter(target_id=link.target_id)
    return rows.select_related("vault_user__account").defer(
        "vault_user__account__document", "vault_user__account__search"
    )


def _rows(ids: Sequence[int]) -> QuerySet[GroupLink]:
    members = VaultUserMembership.objects.filter(target_id=OuterRef("target_id"))
    refused = _refused()
    return (
        GroupLink.objects.filter(pk__in=ids)
        .select_related("group", "status", "target__vault__status", "subscription")
        .defer("group__document", "group__search")
        .annotate(
            unsettled=_count(members.filter(_UNSETTLED)),
            total=Case(When(Q(unsettled__gt=0) | Q(ending_at__isnull=False), then=_count(members)), default=Value(0)),
            refused=_number(refused.values("vault_id").annotate(number=Count("pk")).values("number")),
            refusal=Coalesce(Subquery(refused.values("reason")[:1]), Value(""), output_field=TextField()),
        )
    )


def _refused() -> QuerySet[VaultUser]:
    """Return the vault users that need a person before the target can be as it shall."""
    unsettled = VaultUserMembership.objects.exclude(wanted=F("seen")).filter(target_id=OuterRef(OuterRef("target_id")))
    stalled = VaultUser.objects.exclude(state=Ending.READY).filter(state=Ending.STALLED).order_by()
    return stalled.filter(
        vault_id=OuterRef("target__vault_id"),
        pk__in=unsettled.filter(vault_user_id=OuterRef("pk")).values("vault_user_id"),
    )


def _count(members: QuerySet[VaultUserMembership]) -> Coalesce:
    return _number(members.order_by().values("target_id").annotate(number=Count("pk")).values("number"))


def _number(counted: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _facts(link: GroupLink) -> LinkFacts:
    status = getattr(link, "status", None)
    return LinkFacts(
        is_paused=link.paused_at is not None,
        is_ending=link.ending_at is not None,
        is_source_deleted=link.group.deleted_at is not None,
        leaves_on=_leaves_on(link),
        is_spread=link.generation == link.observed_generation,
        is_prepared=status is not None and status.prepared_generation == link.generation,
        problem=_problem(link),
        total=link.total,  # type: ignore[attr-defined]
        open=link.unsettled,  # type: ignore[attr-defined]
        refused=link.refused,  # type: ignore[attr-defined]
        refusal=link.refusal,  # type: ignore[attr-defined]
    )


def _leaves_on(link: GroupLink) -> str:
    status, deleted_at = getattr(link, "status", None), link.group.deleted_at
    if deleted_at is None or (status is not None and status.source_ended_at is not None):
        return ""
    leaves_at = (deleted_at + SOURCE_GRACE).astimezone(ZoneInfo(link.subscription.time_zone))
    return date_format(leaves_at, "j M Y, H:i")


def _problem(link: GroupLink) -> str:
    """Return the sentence of the link's own problem, or else of its vault's."""
    status, vault = getattr(link, "status", None), link.target.vault
    if status is not None and status.state == Ending.STALLED:
        return str(status.reason)
    vault_status = getattr(vault, "status", None)
    if vault_status is not None and vault_status.state == Ending.RETRYING:
        return f"{vault_status.reason} It is tried again by itself."
    return str(vault_status.reason) if vault_status else ""
