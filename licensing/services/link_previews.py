"""What making, changing, moving or removing a link would do; nothing is changed (1-product §1.5, rule 2).

The database counts; only a page of names comes to Python. The target's members in the vault are walked through a
thousand at a time and counted, because a link in *replace* mode removes whom only the vault knows.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce

from licensing.clients.agent import MAX_ITEMS, AgentRefused, AgentUnavailable, VaultAgent
from licensing.models import VaultUser, VaultUserMembership
from licensing.services import agents
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, LoginAccount, UserGroup, Vault, VaultAccess, VaultUserGroup
from provisioning.services.links import Members

LONGEST_WALK = 20.0
"""The longest that a person waits for a page of those who leave, in seconds; who asks for all of them waits longer."""
Keys = Collection[str]
Window = tuple[int, int | None]
"""Offset and limit of the lines that are wanted; None: all from there on."""
Staying = Callable[[Keys], set[str]]
"""Of members of the target, by key, returns those whom the link wants there."""


@dataclass(slots=True)
class _Preview:
    """Counts so far, and the lines of them that lie in the window."""

    window: Window
    counts: dict[str, int] = field(default_factory=dict)
    lines: list[dict[str, str]] = field(default_factory=list)
    problem: str = ""
    passed: int = 0

    def rest(self, number: int) -> Window | None:
        """Return the part of the window that lies in the next ``number`` lines; None: it lies elsewhere."""
        offset, limit = self.window
        start = max(0, offset - self.passed)
        left = None if limit is None else limit - len(self.lines)
        self.passed += number
        return None if start >= number or left == 0 else (start, left)

    def add(self, count: str, rows: QuerySet[Any], name: str, effect: str) -> None:
        """Count ``rows`` as ``count``, with a line for each, named by its field ``name`` and in that order."""
        number = rows.order_by().count()
        self.counts[count] = self.counts.get(count, 0) + number
        if part := self.rest(number):
            start, left = part
            chosen = rows.order_by(name, "pk")[start : None if left is None else start + left]
            self.lines += [{"username": one, "effect": effect} for one in chosen.values_list(name, flat=True)]

    def document(self) -> dict[str, Any]:
        count = self.counts.get
        return {
            "gain": count("created", 0) + count("enabled", 0),
            "lose": count("disabled", 0),
            "wait": count("waiting", 0) + count("unlicensed", 0),
            "removed_members": count("leaving", 0),
            "created_vault_users": count("created", 0),
            "enabled": count("enabled", 0),
            "accounts": self.lines,
            "problem": self.problem,
        }


def added(
    *,
    group: UserGroup,
    vault: Vault,
    target_name: str,
    mode: GroupLink.Mode,
    offset: int = 0,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return what a new link would do: who becomes a vault user, is enabled, waits, or leaves the target.

    ``accounts`` is a page of those concerned. ``problem`` is why the vault cannot say who leaves, mostly empty.
    """
    preview = _Preview((offset, limit))
    able = _able(group)
    _come(preview, group, able, vault)
    target = VaultUserGroup.objects.filter(vault=vault, name_key=target_name.casefold()).first()
    if target is not None and mode == GroupLink.Mode.REPLACE:
        _strangers_leave(preview, vault, target, _accounts_of(able))
    return preview.document()


def changed_mode(*, link: GroupLink, mode: GroupLink.Mode, offset: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Return who leaves the target when the link's mode becomes ``mode``, as ``added`` does."""
    preview = _Preview((offset, limit))
    if mode == GroupLink.Mode.REPLACE:
        _strangers_leave(preview, link.target.vault, link.target, _wanted_in(link.target))
    return preview.document()


def moved(*, link: GroupLink, group: UserGroup, offset: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Return who comes and who leaves when the link follows another source, as ``added`` does."""
    preview = _Preview((offset, limit))
    able, vault = _able(group), link.target.vault
    _come(preview, group, able, vault)
    staying = able.values("pk")
    _are_disabled(preview, link, staying)
    if link.mode == GroupLink.Mode.REPLACE:
        _strangers_leave(preview, vault, link.target, _accounts_of(able))
    else:
        _members_leave(preview, _brought(link).exclude(vault_user__account__in=staying))
    return preview.document()


def removed(*, link: GroupLink, members: Members, offset: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Return who leaves the target and is disabled when the link is removed, as ``added`` does; no vault is asked."""
    preview = _Preview((offset, limit))
    if members is Members.LEAVE:
        _are_disabled(preview, link, LoginAccount.objects.none().values("pk"))
        _members_leave(preview, _brought(link))
    return preview.document()


def _able(group: UserGroup) -> QuerySet[LoginAccount]:
    """Return the members whom a link of the group wants in its target."""
    return LoginAccount.objects.filter(memberships__group=group, is_enabled=True, license_grant__granted_type__gt=0)


def _come(preview: _Preview, group: UserGroup, able: QuerySet[LoginAccount], vault: Vault) -> None:
    users = VaultUser.objects.filter(vault=vault, account=OuterRef("pk"))
    blocked = VaultAccess.objects.filter(vault=vault, account=OuterRef("pk"), access=VaultAccess.Access.BLOCKED)
    free = able.exclude(Exists(blocked))
    asleep = users.filter(seen_enabled=False)
    if not group.subscription.overrides_vault_disabling:
        asleep = asleep.exclude(disabled_by=VaultUser.DisabledBy.PERSON)
    preview.add("created", free.exclude(Exists(users.exclude(seen_enabled=None))), _NAME, "becomes a vault user")
    preview.add("enabled", free.filter(Exists(asleep)), _NAME, "is enabled in the vault")
    members = LoginAccount.objects.filter(memberships__group=group, is_enabled=True)
    without = members.filter(license_grant__granted_type=LicenseType.NONE)
    wants = Q(license_grant__granted_type=LicenseType.NONE, license_grant__wanted_type__gt=LicenseType.NONE)
    preview.add("waiting", members.filter(wants | Q(license_grant=None)), _NAME, "waits for a license")
    preview.add("unlicensed", without.filter(license_grant__wanted_type=LicenseType.NONE), _NAME, "has no license")


def _are_disabled(preview: _Preview, link: GroupLink, staying: QuerySet[Any, Any]) -> None:
    """Add the vault users whom the link wants now, and whom nothing but it keeps enabled."""
    wanted = VaultUserMembership.objects.filter(vault_user=OuterRef("pk"), wanted=True)
    users = VaultUser.objects.filter(vault=link.target.vault, seen_enabled=True, wanted_manual=False)
    users = users.filter(Exists(wanted.filter(target=link.target_id)), account__isnull=False)
    users = users.exclude(Exists(wanted.exclude(target=link.target_id))).exclude(account__in=staying)
    preview.add("disabled", users, f"account__{_NAME}", "is disabled in the vault")


def _brought(link: GroupLink) -> QuerySet[VaultUserMembership]:
    """Return the target's members that the link takes away when it wants them no more."""
    rows = VaultUserMembership.objects.filter(target=link.target_id, seen=True, target__remote_id__isnull=False)
    return rows if link.mode == GroupLink.Mode.REPLACE else rows.filter(added_by_us=True)


def _members_leave(preview: _Preview, members: QuerySet[VaultUserMembership]) -> None:
    uid = Cast("vault_user__account_uid", TextField())
    named = members.annotate(named=Coalesce("vault_user__account__username", uid))
    preview.add("leaving", named, "named", _LEAVES)


def _strangers_leave(preview: _Preview, vault: Vault, target: VaultUserGroup, staying: Staying) -> None:
    """Walk through the target's members in the vault, and count those whom the link does not want."""
    if target.remote_id is None:
        return
    agent = agents.agent_for(vault, timeout=agents.PAGE_TIMEOUT)
    ends = None if preview.window[1] is None else time.monotonic() + LONGEST_WALK
    try:
        for keys in _pages_of_members(agent, str(vault.guid), target.remote_id):
            if ends is not None and time.monotonic() > ends:
                preview.problem = _TOO_SLOW.format(seconds=LONGEST_WALK, leaving=preview.counts.get("leaving", 0))
                return
            stays = staying(keys)
            leaving = [key for key in keys if key not in stays]
            preview.counts["leaving"] = preview.counts.get("leaving", 0) + len(leaving)
            if part := preview.rest(len(leaving)):
                shown = leaving[part[0] :][: part[1]]
                preview.lines += [{"username": name, "effect": _LEAVES} for name in _names(agent, vault, shown)]
    except (AgentUnavailable, AgentRefused) as problem:
        preview.problem = f"The vault cannot be asked: {problem.sentence}"


def _pages_of_members(agent: VaultAgent, vault: str, group_id: int) -> Iterator[list[str]]:
    page = agent.list_group_members(vault, group_id, limit=MAX_ITEMS)
    yield [member.key for member in page.items]
    while page.next_cursor is not None:
        page = agent.list_group_members(vault, group_id, cursor=page.next_cursor, limit=MAX_ITEMS)
        yield [member.key for member in page.items]


def _names(agent: VaultAgent, vault: Vault, keys: list[str]) -> list[str]:
    """Return what the vault calls these members of its group; a group among them has only its key."""
    known = agent.get_vault_users(str(vault.guid), keys) if keys else []
    names = {user.key: user.username for user in known}
    return [names.get(key) or key for key in keys]


def _accounts_of(able: QuerySet[LoginAccount]) -> Staying:
    return lambda keys: {str(uid) for uid in able.filter(uid__in=_uids(keys)).values_list("uid", flat=True)}


def _wanted_in(target: VaultUserGroup) -> Staying:
    # One by one: joined, PostgreSQL would read all members for every page of them.
    member = VaultUserMembership.objects.filter(vault_user=OuterRef("pk"), target=target)
    users = VaultUser.objects.filter(vault=target.vault_id).alias(is_wanted=Subquery(member.values("wanted")[:1]))
    wanted = users.filter(is_wanted=True).values_list("account_uid", flat=True)
    return lambda keys: {str(uid) for uid in wanted.filter(account_uid__in=_uids(keys))}


def _uids(keys: Keys) -> list[str]:
    """Return the keys that name an account; others are ``user:…`` and ``group:…``."""
    return [key for key in keys if ":" not in key]


_NAME = "username"
_LEAVES = "leaves the target group"
_TOO_SLOW = "The vault did not name all members of the group within {seconds:.0f} seconds; {leaving:,} of those leave."
