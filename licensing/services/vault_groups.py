"""What people ask of vault user groups: to make one, to show or hide it, to change its members.

A deed writes down the wish; ``licensing.reconcilers.group_changes`` has the vault do it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from licensing.clients.agent import MAX_ITEMS
from licensing.models import Ending, VaultGroupChange, VaultUser, VaultUserMembership
from licensing.services import bulk
from provisioning.actor import Actor
from provisioning.models import GroupLink, Vault, VaultUserGroup
from provisioning.people_rules import problem
from provisioning.services import audit
from provisioning.services.notices import announce

LONGEST_NAME: Final = 200
_LONGEST_KEY: Final = 400
_KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(user|group):[0-9]{1,18}", re.ASCII)
"""How the vault agent names a vault user or a group."""
_TOLD: Final = 20
"""How many members the audit log names of one deed."""


class BadGroupName(ValueError):
    """A group cannot have that name."""


class GroupExists(Exception):
    """The vault has a user group of that name, in whatever letter case."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The vault has a user group “{name}” already. Choose another name.")


class GroupIsBuiltIn(Exception):
    """The vault computes the members of this group and nobody changes it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” is built in. The vault decides who is in it, and nobody can change that.")


class MembersSetByLink(Exception):
    """A link decides who is in the group."""

    def __init__(self, link: GroupLink, name: str, *, people: bool = False) -> None:
        source = link.group.display_name
        whose = "The members you chose come from" if people else f"The members of “{name}” are set by"
        super().__init__(f"{whose} the link from “{source}”. Change that user group, or pause or remove the link.")


class UnknownMember(ValueError):
    """Somebody who is no user and no group of the vault."""

    def __init__(self) -> None:
        super().__init__("One of the chosen is not in the vault any more. Look at the list again.")


class TooManyMembers(ValueError):
    """More than one call to the vault can carry."""

    def __init__(self) -> None:
        super().__init__(f"Choose at most {MAX_ITEMS:,} at a time.")


class GroupGone(Exception):
    """The group was deleted meanwhile."""

    def __init__(self) -> None:
        super().__init__("The user group does not exist any more. Go back to the list.")


REFUSALS: Final = (
    BadGroupName,
    GroupExists,
    GroupIsBuiltIn,
    MembersSetByLink,
    UnknownMember,
    TooManyMembers,
    GroupGone,
)


@transaction.atomic
def request_group(*, vault: Vault, name: str, actor: Actor, at: datetime) -> VaultUserGroup:
    """Have a user group of that name made in the vault. Raises ``BadGroupName`` and ``GroupExists``."""
    name = name.strip()
    key = name.casefold()
    if sentence := _name_problem(name, key):
        raise BadGroupName(sentence)
    group = VaultUserGroup(vault=vault, name=name, name_key=key, is_requested=True)
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as error:
        raise GroupExists(name) from error
    _record(group, "create vault user group", {"name": [None, name]}, actor, at)
    return group


@transaction.atomic
def set_visible(*, group: VaultUserGroup, is_visible: bool, actor: Actor, at: datetime) -> bool:
    """Have the group shown to the people of the vault, or hidden; return whether that is new.

    Raises ``GroupIsBuiltIn`` and ``GroupGone``.
    """
    found = _locked(group)
    before = found.is_visible if found.wanted_visible is None else found.wanted_visible
    if before == is_visible and not found.reason:
        return False
    found.wanted_visible, found.reason = is_visible, ""
    found.save(update_fields=["wanted_visible", "reason"])
    words = {True: "Visible", False: "Hidden"}
    changes = {"visibility": [words[before], words[is_visible]]}
    _record(found, "show vault user group" if is_visible else "hide vault user group", changes, actor, at)
    return True


@transaction.atomic
def change_members(*, group: VaultUserGroup, keys: Sequence[str], is_member: bool, actor: Actor, at: datetime) -> int:
    """Have those whom the vault agent calls by ``keys`` added to the group or removed; return how many they are.

    An earlier wish about the same member is replaced. Raises ``GroupIsBuiltIn``, ``MembersSetByLink``,
    ``UnknownMember``, ``TooManyMembers`` and ``GroupGone``.
    """
    wanted = sorted(set(keys))
    if len(wanted) > MAX_ITEMS:
        raise TooManyMembers
    if not all(_KEY.fullmatch(key) for key in wanted):
        raise UnknownMember
    found = _locked(group)
    _refuse_linked(found, wanted)
    rows = [_row(found, key, is_member, actor, at) for key in wanted]
    bulk.put(VaultGroupChange, rows, key=["group_id", "key"], changing=_RENEWED)
    if rows:
        deed = "add members to vault user group" if is_member else "remove members of vault user group"
        _record(found, deed, _member_changes(found, wanted, is_member), actor, at)
    return len(rows)


@transaction.atomic
def forget_change(*, change: VaultGroupChange, actor: Actor, at: datetime) -> bool:
    """Give up a wish about a member; return whether there was one still."""
    rows = VaultGroupChange.objects.select_related("group__vault").select_for_update(of=("self",))
    found = rows.filter(pk=change.pk).first()
    if found is None:
        return False
    wish = "add" if found.is_member else "remove"
    found.delete()
    _record(found.group, "forget wish", {wish: [_names(found.group.vault, [found.key]), None]}, actor, at)
    return True


@transaction.atomic
def forget_wish(*, group: VaultUserGroup, actor: Actor, at: datetime) -> bool:
    """Give up what was asked of the group itself and has failed; return whether there was something.

    A group that was never made goes, with the wishes about its members, unless a link needs it.
    """
    rows = VaultUserGroup.objects.select_related("vault", "link").select_for_update(of=("self",))
    found = rows.filter(pk=group.pk).first()
    if found is None or not found.reason:
        return False
    changes = {"reason": [found.reason, None]}
    if found.is_requested and found.remote_id is None and not hasattr(found, "link"):
        found.delete()
    else:
        found.is_requested, found.wanted_visible, found.reason = False, None, ""
        found.save(update_fields=["is_requested", "wanted_visible", "reason"])
    _record(found, "forget wish", changes, actor, at)
    return True


def link_of(group: VaultUserGroup) -> GroupLink | None:
    """Return the link that brings the group members."""
    return GroupLink.objects.filter(target=group).select_related("group").first()


def is_filled(link: GroupLink | None) -> bool:
    """Return whether the link alone decides who is in its target."""
    return link is not None and link.mode == GroupLink.Mode.REPLACE


def by_link(group: VaultUserGroup, keys: Sequence[str]) -> QuerySet[VaultUserMembership]:
    """Return the records of those among ``keys`` whom the group's link wants in it."""
    uids = [key for key in keys if ":" not in key]
    rows = VaultUserMembership.objects.filter(target=group, wanted=True, vault_user__vault=group.vault_id)
    return rows.filter(vault_user__account_uid__in=uids)


def _name_problem(name: str, key: str) -> str:
    if not name:
        return "Enter a name for the user group."
    if len(name) > LONGEST_NAME or len(key) > _LONGEST_KEY:
        return f"The name is longer than {LONGEST_NAME} characters. Shorten it."
    return problem("full_name", name).replace("Full name", "The name")


def _locked(group: VaultUserGroup) -> VaultUserGroup:
    """Return the group as it is now, its row held. Raises ``GroupGone`` and ``GroupIsBuiltIn``."""
    rows = VaultUserGroup.objects.select_related("vault").select_for_update(of=("self",))
    found = rows.filter(pk=group.pk).first()
    if found is None:
        raise GroupGone
    if found.is_built_in:
        raise GroupIsBuiltIn(found.name)
    return found


def _refuse_linked(group: VaultUserGroup, keys: Sequence[str]) -> None:
    """Raise ``MembersSetByLink`` where the group's link would undo what is asked."""
    link = link_of(group)
    if link is None:
        return
    if is_filled(link):
        raise MembersSetByLink(link, group.name)
    if by_link(group, keys).exists():
        raise MembersSetByLink(link, group.name, people=True)


_RENEWED: Final = ["is_member", "asked_by", "asked_at", "state", "reason", "attempts", "due_at"]


def _row(group: VaultUserGroup, key: str, is_member: bool, actor: Actor, at: datetime) -> dict[str, Any]:  # noqa: FBT001
    return {
        "subscription_id": group.vault.subscription_id,
        "vault_id": group.vault_id,
        "group_id": group.pk,
        "key": key,
        "is_member": is_member,
        "asked_by": actor.name[:200],
        "asked_at": at,
        "state": Ending.READY,
        "reason": "",
        "attempts": 0,
        "due_at": at,
    }


def _member_changes(group: VaultUserGroup, keys: Sequence[str], is_member: bool) -> dict[str, Any]:  # noqa: FBT001
    text = _names(group.vault, keys[:_TOLD])
    if len(keys) > _TOLD:
        text += f" and {len(keys) - _TOLD:,} more"
    return {"members": [None, text] if is_member else [text, None]}


def _names(vault: Vault, keys: Sequence[str]) -> str:
    """Return what people call these members, as far as the portal knows them."""
    uids = [key for key in keys if ":" not in key]
    users = VaultUser.objects.filter(vault=vault, account_uid__in=uids, account__isnull=False)
    names = {str(uid): name for uid, name in users.values_list("account_uid", "account__username")}
    ids = [int(key.partition(":")[2]) for key in keys if key.startswith("group:")]
    groups = VaultUserGroup.objects.filter(vault=vault, remote_id__in=ids)
    names |= {f"group:{number}": name for number, name in groups.values_list("remote_id", "name")}
    return ", ".join(names.get(key, key) for key in keys)


def _record(group: VaultUserGroup, action: str, changes: dict[str, Any], actor: Actor, at: datetime) -> None:
    target = f"{group.vault.name} › {group.name}"
    audit.record(
        subscription_id=group.vault.subscription_id, actor=actor, action=action, target=target, at=at, changes=changes
    )
    announce(group.vault.subscription_id)
