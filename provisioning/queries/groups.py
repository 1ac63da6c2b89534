"""User groups and their links as the portal lists them."""

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from provisioning.models import GroupLink, Subscription, UserGroup, VaultUserGroup
from provisioning.queries.pages import COUNT_LIMIT, Page, fetch

CHOICE_LIMIT = 500
"""How many groups a form offers to choose from; others are reached through the group's own page."""


def members_count(*, limit: int) -> RawSQL:
    """Return the number of a group's members, counted to ``limit + 1`` at most: a group may have 250,000."""
    return RawSQL(
        "(SELECT COUNT(*) FROM (SELECT 1 FROM provisioning_groupmembership AS m"
        " WHERE m.group_id = provisioning_usergroup.id LIMIT %s) AS found)",
        [limit + 1],
    )


_MEMBERS = members_count(limit=COUNT_LIMIT)
_LINKS = Coalesce(
    Subquery(
        GroupLink.objects.filter(group=OuterRef("pk")).values("group").annotate(n=Count("pk")).values("n"),
        output_field=IntegerField(),
    ),
    0,
)
"""A subquery, because grouping would sort the whole list for one page of it."""


def user_groups(subscription: Subscription) -> QuerySet[UserGroup]:
    """Return the groups that their providers have not deleted, with their configurations."""
    rows = UserGroup.objects.filter(subscription=subscription, deleted_at=None)
    return rows.select_related("configuration").defer("document", "search")


def page_of(rows: QuerySet[UserGroup], cursor: str) -> Page[UserGroup]:
    """Return a page by name; each group has ``members_count`` (at most ``COUNT_LIMIT + 1``) and ``links_count``."""
    return fetch(
        rows.annotate(members_count=_MEMBERS, links_count=_LINKS),
        keys=("display_name_key", "id"),
        cursor=cursor,
    )


def find(subscription: Subscription, pk: int) -> UserGroup | None:
    """Return the group with ``members_count``, if the subscription has it and its provider has not deleted it."""
    return user_groups(subscription).annotate(members_count=_MEMBERS).filter(pk=pk).first()


def targets(subscription: Subscription) -> QuerySet[VaultUserGroup]:
    """Return the vault user groups that a link may fill: not built in, and without a source yet."""
    rows = VaultUserGroup.objects.filter(vault__subscription=subscription, is_built_in=False, link=None)
    return rows.select_related("vault").order_by("vault__name", "vault_id", "name_key")
