"""Application accounts as the portal lists them."""

from django.db.models import Q, QuerySet

from provisioning.models import LoginAccount, Subscription, Vault
from provisioning.queries import accounts
from provisioning.queries.pages import Page, fetch


def applications(subscription: Subscription) -> QuerySet[LoginAccount]:
    """Return the application accounts of the subscription."""
    rows = LoginAccount.objects.filter(subscription=subscription, kind=LoginAccount.Kind.APPLICATION)
    return rows.defer("document", "search")


def page_of(rows: QuerySet[LoginAccount], *, search: str, cursor: str) -> Page[LoginAccount]:
    """Return a page by name of those with any of the words of ``search`` in name or client ID; none: of all."""
    narrow = accounts.matching(search) if accounts.words_of(search) else Q()
    return fetch(rows, keys=("full_name", "id"), cursor=cursor, narrow=narrow)


def find(subscription: Subscription, pk: int) -> LoginAccount | None:
    """Return the application account, if the subscription has it."""
    return applications(subscription).select_related("subscription").filter(pk=pk).first()


def vaults(subscription: Subscription) -> QuerySet[Vault]:
    """Return the vaults that an application may be given, by name."""
    return Vault.objects.filter(subscription=subscription).order_by("name", "id")
