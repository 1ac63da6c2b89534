"""How links stand (1-product §1.5, rule 7): one statement for a page of them."""

from collections.abc import Sequence

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from licensing.models import Ending, VaultUserMembership
from licensing.plans.links import LinkFacts, LinkView, view
from provisioning.models import GroupLink


def views(ids: Sequence[int]) -> dict[int, LinkView]:
    """Return how each of these links stands."""
    return {link.pk: view(_facts(link)) for link in _rows(ids)}


def _rows(ids: Sequence[int]) -> QuerySet[GroupLink]:
    members = VaultUserMembership.objects.filter(target_id=OuterRef("target_id"))
    refused = members.filter(vault_user__state=Ending.STALLED, wanted=True)
    return (
        GroupLink.objects.filter(pk__in=ids)
        .select_related("group", "status", "target__vault__status")
        .annotate(
            total=_count(members),
            unsettled=_count(members.exclude(wanted=F("seen"))),
            refused=_count(refused),
            refusal=Coalesce(Subquery(refused.values("vault_user__reason")[:1]), Value(""), output_field=TextField()),
        )
    )


def _count(members: QuerySet[VaultUserMembership]) -> Coalesce:
    counted = members.order_by().values("target_id").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _facts(link: GroupLink) -> LinkFacts:
    status = getattr(link, "status", None)
    return LinkFacts(
        is_paused=link.paused_at is not None,
        is_source_deleted=link.group.deleted_at is not None,
        is_spread=link.generation == link.observed_generation,
        is_prepared=status is not None and status.prepared_generation == link.generation,
        problem=_problem(link),
        total=link.total,  # type: ignore[attr-defined]
        open=link.unsettled,  # type: ignore[attr-defined]
        refused=link.refused,  # type: ignore[attr-defined]
        refusal=link.refusal,  # type: ignore[attr-defined]
    )


def _problem(link: GroupLink) -> str:
    """Return the sentence of the link's own problem, or else of its vault's."""
    status, vault = getattr(link, "status", None), link.target.vault
    if status is not None and status.state == Ending.STALLED:
        return str(status.reason)
    vault_status = getattr(vault, "status", None)
    if vault_status is not None and vault_status.state == Ending.RETRYING:
        return f"{vault_status.reason} It is tried again by itself."
    return str(vault_status.reason) if vault_status else ""
