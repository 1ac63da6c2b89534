"""Vaults and the links into them as the portal lists and shows them."""

from typing import Final

from django.db.models import Count, F, QuerySet

from provisioning.models import GroupLink, Subscription, Vault

LINKS_SHOWN: Final = 50
"""How many of its links a vault's page shows; the page of links has all."""


def vaults(subscription: Subscription) -> QuerySet[Vault]:
    """Return the vaults by name, each with ``links_count``."""
    rows = Vault.objects.filter(subscription=subscription)
    return rows.annotate(links_count=Count(F("user_groups__link"))).order_by("name", "id")


def find(subscription: Subscription, pk: int) -> Vault | None:
    """Return the vault with ``links_count``, if the subscription has it."""
    return vaults(subscription).filter(pk=pk).first()


def links_into(vault: Vault) -> list[GroupLink]:
    """Return the first links into the vault with their groups and targets, oldest first."""
    rows = GroupLink.objects.filter(target__vault=vault).select_related("group", "target__vault")
    return list(rows.order_by("id")[:LINKS_SHOWN])
