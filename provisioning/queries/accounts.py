"""Login accounts as the portal lists and shows them."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from provisioning import filters
from provisioning.models import GroupMembership, LoginAccount, ProvisioningLogEntry, Subscription, UserGroup
from provisioning.queries.logs import NEWEST_FIRST
from provisioning.queries.pages import Page, fetch

_WORD_LIMIT = 8
_SHOWN_GROUPS = 100
_SHOWN_CALLS = 10
_NO_ROLE = str(int(LoginAccount.Role.NO_ROLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of internal users is narrowed to; an empty value narrows nothing.

    ``configuration`` is an id, or ``manual``. ``added`` are values of the filters of other apps, by name.
    """

    search: str = ""
    state: str = ""
    role: str = ""
    configuration: str = ""
    group: UserGroup | None = None
    added: Mapping[str, str] = field(default_factory=dict)


def people(subscription: Subscription) -> QuerySet[LoginAccount]:
    """Return the internal users of the subscription, without their SCIM documents, which are large."""
    rows = LoginAccount.objects.filter(subscription=subscription, kind=LoginAccount.Kind.PERSON)
    return rows.select_related("configuration").defer("document", "search")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on accounts, and the rows by which an index finds those who fit, to be counted."""

    holds: Q
    rows: QuerySet[Any, Any]


def internal_users(subscription: Subscription, wanted: Wanted) -> QuerySet[LoginAccount]:
    """Return all people of the subscription that fit."""
    found, rest = conditions(subscription, wanted)
    return people(subscription).filter(*(one.holds for one in found), rest)


def conditions(subscription: Subscription, wanted: Wanted) -> tuple[list[Condition], Q]:
    """Return the conditions that an index answers, one by one, and the one for all the rest."""
    everybody = LoginAccount.objects.filter(subscription=subscription)
    ids = [filters.fitting(subscription, name, value) for name, value in wanted.added.items() if value]
    if wanted.group:
        ids.append(GroupMembership.objects.filter(group=wanted.group).values("account_id"))
    own = [source(wanted.configuration)] if wanted.configuration else []
    rest = matching(wanted.search) if wanted.search else Q()
    if wanted.state == "enabled":
        rest &= STATES["enabled"]
    elif wanted.state:
        own.append(STATES[wanted.state])
    if wanted.role == _NO_ROLE:
        rest &= Q(role=LoginAccount.Role.NO_ROLE)
    elif wanted.role:
        own.append(Q(role=int(wanted.role), role__gt=LoginAccount.Role.NO_ROLE))
    found = [Condition(Q(pk__in=one), one) for one in ids] + [Condition(one, everybody.filter(one)) for one in own]
    return found, rest


def source(configuration: str) -> Q:
    """Return the accounts of a configuration of that id, or the manual ones."""
    return Q(configuration=None) if configuration == "manual" else Q(configuration_id=int(configuration))


def find(subscription: Subscription, pk: int) -> LoginAccount | None:
    """Return the account with its configuration, if the subscription has it."""
    rows = LoginAccount.objects.select_related("configuration", "subscription")
    return rows.filter(subscription=subscription, pk=pk).first()


def groups_of(account: LoginAccount) -> list[UserGroup]:
    """Return the first user groups of the account, by name."""
    rows = UserGroup.objects.filter(memberships__account=account, deleted_at=None)
    return list(rows.select_related("configuration").order_by("display_name_key", "id")[:_SHOWN_GROUPS])


def calls_about(account: LoginAccount) -> list[ProvisioningLogEntry]:
    """Return the newest rows of the provisioning log about the account; a removed one is known by its last calls."""
    rows, narrow = ProvisioningLogEntry.objects.all(), None
    if account.scim_id:
        rows = rows.filter(subscription_id=account.subscription_id, resource_id=account.scim_id)
    else:
        rows = rows.filter(configuration_id=account.configuration_id)
        narrow = Q(resource_type="User", resource_name=account.username)
    return fetch(rows, keys=NEWEST_FIRST, cursor="", size=_SHOWN_CALLS, narrow=narrow).rows


def members_of(group: UserGroup, cursor: str) -> Page[GroupMembership]:
    """Return a page of memberships with their accounts, in the order of the index: by account, oldest first."""
    rows = GroupMembership.objects.filter(group=group).select_related("account")
    return fetch(
        rows.defer("account__document", "account__search"),
        keys=("account_id",),
        cursor=cursor,
    )


STATES = {
    "enabled": Q(is_enabled=True),
    "disabled": Q(is_enabled=False, removed_at=None),
    "removed": Q(is_enabled=False, removed_at__isnull=False),
}


def words_of(search: str) -> list[str]:
    """Return the words of a search, case-folded; what stands in quotation marks is one word."""
    lexer = shlex.shlex(search.casefold(), posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.quotes, lexer.escape = True, "", '"', ""
    try:
        words = list(lexer)
    except ValueError:
        words = search.casefold().replace('"', " ").split()
    return [word for word in words if word.strip()][:_WORD_LIMIT]


def matching(search: str, prefix: str = "") -> Q:
    """Return the accounts with any of the words in username, full name or e-mail address.

    ``prefix`` leads from other rows to their accounts, such as ``account__``.
    """
    found = Q()
    for word in words_of(search):
        for key in ("username_key", "email_key", "display_name_key"):
            found |= Q((f"{prefix}{key}__contains", word))
        found |= Q((f"{prefix}full_name__icontains", word))
    return found
