"""Who is in a vault user group, as the vault itself says while the page is made."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from licensing.clients.agent import AgentRefused, AgentUnavailable, GroupMember, VaultAgent
from licensing.clients.agent import VaultUser as SeenUser
from licensing.models import Ending, VaultGroupChange, VaultUser
from licensing.services import agents, vault_groups
from provisioning.models import LoginAccount, Vault, VaultUserGroup
from provisioning.queries.pages import Page, fetch

PAGE: Final = 50
CHOICES: Final = 500
"""How many groups a form offers to be made members."""
LONGEST_CURSOR: Final = 500
_GROUP: Final = "group:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member: the account (None: the portal has none), or the group; ``name`` and ``under`` are what to show.

    ``is_enabled`` is None where that is not known. ``is_leaving``: a person asked to remove it, ``is_by_link``: the
    group's link wants it there.
    """

    key: str
    name: str
    under: str = ""
    account: LoginAccount | None = None
    group: VaultUserGroup | None = None
    is_enabled: bool | None = None
    is_leaving: bool = False
    is_by_link: bool = False

    @property
    def is_group(self) -> bool:
        return self.key.startswith(_GROUP)


@dataclass(frozen=True, slots=True)
class Members:
    """A page of members, and the cursor of the next one; ``problem`` says why the vault could not be asked."""

    rows: Sequence[Member] = ()
    next_cursor: str = ""
    problem: str = ""


def page_of(group: VaultUserGroup, cursor: str) -> Members:
    """Ask the vault for a page of the group's direct members."""
    if group.remote_id is None:
        return Members(problem="The group is not in the vault yet.")
    agent, guid = agents.agent_for(group.vault, timeout=agents.PAGE_TIMEOUT), str(group.vault.guid)
    try:
        page = agent.list_group_members(guid, group.remote_id, cursor=cursor[:LONGEST_CURSOR] or None, limit=PAGE)
        return Members(_named(group, page.items, agent), page.next_cursor or "")
    except (AgentUnavailable, AgentRefused) as problem:
        return Members(problem=problem.sentence)


def labels(vault: Vault, keys: Sequence[str]) -> dict[str, str]:
    """Return what people call the members with these keys, without asking the vault."""
    accounts, groups = _accounts(vault, keys), _groups(vault, keys)
    names = {key: account.full_name or account.username for key, account in accounts.items()}
    return {key: key for key in keys} | names | {key: group.name for key, group in groups.items()}


def groups_page(vault: Vault, cursor: str) -> Page[VaultUserGroup]:
    """Return a page of the vault's user groups by name, with their links.

    Each has ``is_changing`` (wishes about its members wait) and ``is_refused`` (some of them failed for good).
    """
    changes = VaultGroupChange.objects.filter(group=OuterRef("pk"))
    rows = VaultUserGroup.objects.filter(vault=vault).select_related("link__group")
    rows = rows.annotate(is_changing=Exists(changes), is_refused=Exists(changes.filter(state=Ending.STALLED)))
    return fetch(rows, keys=("name_key", "id"), cursor=cursor)


def find(vault: Vault, pk: int) -> VaultUserGroup | None:
    return VaultUserGroup.objects.select_related("vault", "link__group").filter(vault=vault, pk=pk).first()


def possible_groups(group: VaultUserGroup) -> QuerySet[VaultUserGroup]:
    """Return the first groups of the vault that may be asked to join this one, by name; the vault refuses circles."""
    rows = VaultUserGroup.objects.filter(vault=group.vault, remote_id__isnull=False).exclude(pk=group.pk)
    return rows.order_by("name_key", "pk")[:CHOICES]


def open_changes(group: VaultUserGroup) -> tuple[list[tuple[VaultGroupChange, str]], int]:
    """Return the first wishes about the group's members with the members' names, failed ones first, and their number.

    The number is that of all wishes, which may be thousands.
    """
    changes = VaultGroupChange.objects.filter(group=group)
    first = list(changes.order_by("-state", "pk")[:PAGE])
    names = labels(group.vault, [change.key for change in first])
    return [(change, names[change.key]) for change in first], changes.count()


def keys_of(group: VaultUserGroup, *, users: Sequence[int], groups: Sequence[int]) -> list[str]:
    """Return what the vault agent calls these vault users and vault user groups, by their row ids."""
    found = VaultUser.objects.filter(vault=group.vault, pk__in=users).values_list("account_uid", flat=True)
    rows = VaultUserGroup.objects.filter(vault=group.vault, pk__in=groups, remote_id__isnull=False)
    return [str(uid) for uid in found] + [f"{_GROUP}{row.remote_id}" for row in rows]


def _named(group: VaultUserGroup, items: Sequence[GroupMember], agent: VaultAgent) -> list[Member]:
    """Return the members with their names: accounts and groups that the portal knows, others by the vault's word."""
    vault, keys = group.vault, [member.key for member in items]
    accounts, groups = _accounts(vault, keys), _groups(vault, keys)
    strangers = [key for key in keys if key not in accounts and not key.startswith(_GROUP)]
    found = agent.get_vault_users(str(vault.guid), strangers) if strangers else []
    users = {user.key: user for user in found}
    enabled = _enabled(vault, keys) | {key: user.enabled for key, user in users.items()}
    leaving, by_link = _leaving(group, keys), _by_link(group, keys)
    return [
        Member(
            key=key,
            name=_name(key, accounts.get(key), groups.get(key), users.get(key)),
            under=accounts[key].username if key in accounts else "",
            account=accounts.get(key),
            group=groups.get(key),
            is_enabled=enabled.get(key),
            is_leaving=key in leaving,
            is_by_link=key in by_link,
        )
        for key in keys
    ]


def _name(key: str, account: LoginAccount | None, group: VaultUserGroup | None, user: SeenUser | None) -> str:
    if account:
        return account.full_name or account.username
    if group:
        return group.name
    return (user.username if user else None) or key


def _leaving(group: VaultUserGroup, keys: Sequence[str]) -> set[str]:
    changes = VaultGroupChange.objects.filter(group=group, is_member=False, key__in=keys)
    return set(changes.values_list("key", flat=True))


def _by_link(group: VaultUserGroup, keys: Sequence[str]) -> set[str]:
    wanted = vault_groups.by_link(group, keys).values_list("vault_user__account_uid", flat=True)
    return {str(uid) for uid in wanted}


def _accounts(vault: Vault, keys: Sequence[str]) -> dict[str, LoginAccount]:
    rows = LoginAccount.objects.filter(subscription_id=vault.subscription_id, uid__in=_uids(keys))
    return {str(account.uid): account for account in rows.defer("document", "search")}


def _enabled(vault: Vault, keys: Sequence[str]) -> dict[str, bool]:
    rows = VaultUser.objects.filter(vault=vault, account_uid__in=_uids(keys), seen_enabled__isnull=False)
    return {str(uid): bool(enabled) for uid, enabled in rows.values_list("account_uid", "seen_enabled")}


def _groups(vault: Vault, keys: Sequence[str]) -> dict[str, VaultUserGroup]:
    numbers = [int(key.removeprefix(_GROUP)) for key in keys if key.startswith(_GROUP)]
    rows = VaultUserGroup.objects.filter(vault=vault, remote_id__in=numbers)
    return {f"{_GROUP}{row.remote_id}": row for row in rows}


def _uids(keys: Sequence[str]) -> list[uuid.UUID]:
    return [uuid.UUID(key) for key in keys if ":" not in key]
