"""Trusted persons as the portal lists them."""

from django.db.models import F, Q, QuerySet

from provisioning.models import Subscription, TrustedPerson, Vault
from provisioning.queries.pages import Page, fetch_few


def page_of(subscription: Subscription, cursor: str) -> Page[TrustedPerson]:
    """Return a page of the subscription's trusted persons, by e-mail address."""
    return fetch_few(_rows(subscription), keys=("email_key", "id"), cursor=cursor)


def find(subscription: Subscription, pk: int) -> TrustedPerson | None:
    return _rows(subscription).filter(pk=pk).first()


def first_of(vault: Vault, limit: int) -> list[TrustedPerson]:
    """Return up to ``limit`` trusted persons of the vault, those of all vaults behind its own."""
    mine = Q(vault=vault) | Q(subscription_id=vault.subscription_id, vault=None)
    return list(TrustedPerson.objects.filter(mine).order_by(F("vault").asc(nulls_last=True), "email_key", "pk")[:limit])


def _rows(subscription: Subscription) -> QuerySet[TrustedPerson]:
    return TrustedPerson.objects.filter(subscription=subscription).select_related("vault")
