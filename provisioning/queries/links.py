"""Links as the portal shows them."""

from provisioning.models import GroupLink, Subscription, UserGroup
from provisioning.queries.pages import Page, fetch


def find(subscription: Subscription, pk: int) -> GroupLink | None:
    """Return the link with its group, its configuration, its target and its vault, if the subscription has it."""
    rows = GroupLink.objects.filter(subscription=subscription, pk=pk)
    rows = rows.select_related("group__configuration", "former_group", "target__vault", "subscription")
    return rows.defer("group__document", "group__search", "former_group__document", "former_group__search").first()


def page_of(subscription: Subscription, cursor: str) -> Page[GroupLink]:
    """Return a page of the links with their groups, targets and vaults, the newest first."""
    rows = GroupLink.objects.filter(subscription=subscription).select_related("group", "target__vault")
    return fetch(rows.defer("group__document", "group__search"), keys=("-id",), cursor=cursor)


def of_group(group: UserGroup) -> list[GroupLink]:
    """Return the links of the group with their targets and vaults."""
    return list(GroupLink.objects.filter(group=group).select_related("target__vault").order_by("id"))
