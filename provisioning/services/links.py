"""Links from user groups to user groups of vaults: what admins do with them, and what becomes of a deleted source.

Whatever concerns the members of a link raises its generation, so that the workers look at each of them again.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from provisioning.actor import SYSTEM, Actor
from provisioning.models import GroupLink, UserGroup, Vault, VaultUserGroup
from provisioning.services import audit
from provisioning.services.notices import announce
from provisioning.signals import links_ending


class TargetLinked(Exception):
    """Another link has that target; a vault user group has one source (1-product §1.5, rule 2)."""

    def __init__(self, target: VaultUserGroup, source: UserGroup) -> None:
        super().__init__(
            f"“{target.name}” gets its members from “{source.display_name}” already. Choose another target group."
        )


class TargetEmptied(Exception):
    """The target's last link is being removed, and its members have not all left yet."""

    def __init__(self, target: VaultUserGroup) -> None:
        super().__init__(
            f"“{target.name}” is being emptied, because its link was removed. "
            "Wait until its members have left, or choose another target group."
        )


class TargetBuiltIn(Exception):
    """Built-in vault user groups can never be a target."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” is built in and its members cannot be set. Choose another target group.")


class TargetUnknown(Exception):
    """The vault has no user group of that name, and none was to be created."""

    def __init__(self, name: str, vault: Vault) -> None:
        super().__init__(
            f"“{vault.name}” has no user group “{name}”. Choose an existing one, or create a new user group."
        )


class LinkGone(Exception):
    """The link is no more."""

    def __init__(self) -> None:
        super().__init__("This link was removed. Look at the list of links for those that there are.")


class LinkEnding(Exception):
    """The link is being removed, and its members leave."""

    def __init__(self, link: GroupLink) -> None:
        super().__init__(
            f"The link to “{link.target.name}” is being removed: its members leave. "
            "It goes with the last of them; then the target can be linked again."
        )


class LinkPaused(Exception):
    """The link is paused already."""

    def __init__(self, link: GroupLink) -> None:
        super().__init__(f"The link to “{link.target.name}” is paused already. Resume it to follow its source again.")


class LinkNotPaused(Exception):
    """The link is not paused, so it cannot be resumed."""

    def __init__(self, link: GroupLink) -> None:
        super().__init__(f"The link to “{link.target.name}” is not paused, so there is nothing to resume.")


class ConfigurationGone(Exception):
    """The configuration of the link's source is deleted, which pauses its links."""

    def __init__(self, link: GroupLink) -> None:
        name = link.group.configuration.name
        super().__init__(f"“{name}” is deleted, which pauses its links. Restore the configuration, or choose a source.")


class SourceUnfit(Exception):
    """The group cannot become the link's source."""


class Members(StrEnum):
    """What becomes of the members of a removed link's target."""

    LEAVE = "leave"
    STAY = "stay"


Refusal = (
    TargetLinked,
    TargetEmptied,
    TargetBuiltIn,
    TargetUnknown,
    LinkGone,
    LinkEnding,
    LinkPaused,
    LinkNotPaused,
    ConfigurationGone,
    SourceUnfit,
)
"""Whatever the deeds of this module refuse with; each is a sentence for a person."""


@transaction.atomic
def link_group(
    *,
    group: UserGroup,
    vault: Vault,
    target_name: str,
    create_target: bool,
    mode: GroupLink.Mode,
    actor: Actor,
    at: datetime,
) -> GroupLink:
    """Link the group to a user group of the vault, which must exist unless ``create_target``.

    Raises ``TargetUnknown``, ``TargetBuiltIn``, ``TargetLinked`` and ``TargetEmptied``.
    """
    # Locked, so that two links cannot take one target at once.
    Vault.objects.select_for_update(no_key=True).get(pk=vault.pk)
    target = free_target(vault, target_name, may_create=create_target)
    if target is None:
        target = VaultUserGroup.objects.create(vault=vault, name=target_name, name_key=target_name.casefold())
    link = GroupLink.objects.create(
        subscription_id=group.subscription_id, group=group, target=target, mode=mode, created_at=at
    )
    _record(link, "link user group", actor, at, {"mode": [None, mode.value]})
    return link


def free_target(vault: Vault, name: str, *, may_create: bool) -> VaultUserGroup | None:
    """Return the vault's user group of that name, which a link may fill; None: there is none yet.

    Raises ``TargetUnknown``, ``TargetBuiltIn``, ``TargetLinked`` and ``TargetEmptied``.
    """
    target = VaultUserGroup.objects.filter(vault=vault, name_key=name.casefold()).first()
    if target is None:
        if not may_create:
            raise TargetUnknown(name, vault)
        return None
    if target.is_built_in:
        raise TargetBuiltIn(target.name)
    taken = GroupLink.objects.select_related("group").filter(target=target).first()
    if taken is not None:
        raise TargetEmptied(target) if taken.ending_at else TargetLinked(target, taken.group)
    return target


@transaction.atomic
def pause_link(*, link: GroupLink, actor: Actor, at: datetime) -> None:
    """Leave the target's members as they are until the link is resumed.

    Raises ``LinkGone``, ``LinkEnding`` and ``LinkPaused``.
    """
    found = _live(link)
    if found.paused_at is not None:
        raise LinkPaused(found)
    GroupLink.objects.filter(pk=found.pk).update(paused_at=at)
    _record(found, "pause link", actor, at, {})


@transaction.atomic
def resume_link(*, link: GroupLink, actor: Actor, at: datetime) -> None:
    """Follow the source again, and catch up with what happened meanwhile.

    Raises ``LinkGone``, ``LinkEnding``, ``LinkNotPaused`` and ``ConfigurationGone``.
    """
    found = _live(link)
    if found.paused_at is None:
        raise LinkNotPaused(found)
    if found.group.configuration.deleted_at is not None:
        raise ConfigurationGone(found)
    _change(found, paused_at=None)
    _record(found, "resume link", actor, at, {})


@transaction.atomic
def set_mode(*, link: GroupLink, mode: GroupLink.Mode, actor: Actor, at: datetime) -> None:
    """Change what the link does with other members of its target. Raises ``LinkGone`` and ``LinkEnding``."""
    found = _live(link)
    if found.mode == mode:
        return
    _change(found, mode=mode)
    _record(found, "change mode of link", actor, at, {"mode": [found.mode, mode.value]})


@transaction.atomic
def move_link(*, link: GroupLink, group: UserGroup, actor: Actor, at: datetime) -> None:
    """Let the target follow another user group of the subscription: the way out when the source was deleted.

    Raises ``LinkGone``, ``LinkEnding`` and ``SourceUnfit``.
    """
    found = _live(link)
    source = UserGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
    check_source(found, source)
    _change(found, group=source, former_group=None)
    names = [found.group.display_name, source.display_name]
    _record(found, "change source of link", actor, at, {"group": names})


def check_source(link: GroupLink, group: UserGroup) -> None:
    """Raise ``SourceUnfit`` if the group cannot become the link's source."""
    if group.pk == link.group_id:
        raise SourceUnfit(f"“{group.display_name}” is the source already. Choose another user group.")
    if group.subscription_id != link.subscription_id or group.deleted_at is not None:
        raise SourceUnfit(f"“{group.display_name}” was deleted. Choose another user group.")


@transaction.atomic
def remove_link(*, link: GroupLink, members: Members, actor: Actor, at: datetime) -> None:
    """Remove the link. Whom it brought *leaves* before the row goes, or *stays*, and then the row goes at once.

    One that is being removed can still be removed with those who are left staying. Raises ``LinkGone`` and
    ``LinkEnding``.
    """
    if members is Members.STAY:
        # First, because its receiver makes workers wait, who must not wait for this link's row meanwhile.
        links_ending.send(sender=None, link_ids=[link.pk])
    found = _locked(link)
    if members is Members.LEAVE and found.ending_at is not None:
        raise LinkEnding(found)
    if members is Members.LEAVE:
        _change(found, ending_at=at, paused_at=None, former_group=None)
    else:
        GroupLink.objects.filter(pk=found.pk).delete()
    _record(found, "remove link", actor, at, {"members": [None, members.value]})


def follow_source(*, former_id: int, group: UserGroup, at: datetime) -> int:
    """Let the links of a deleted group follow the same directory object's new group; return how many they are.

    Who was a member of the former one stays until its 24 hours are over: providers send the members one by one.
    """
    links = list(_rows().filter(group_id=former_id, ending_at=None))
    for link in links:
        _change(link, group=group, former_group_id=former_id)
        names = [link.group.scim_id, group.scim_id]
        _record(link, "follow source that the identity provider created again", SYSTEM, at, {"group": names})
    return len(links)


def _rows() -> Any:
    rows = GroupLink.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("group__configuration", "target__vault").defer("group__document", "group__search")


def _locked(link: GroupLink) -> GroupLink:
    found: GroupLink | None = _rows().filter(pk=link.pk).first()
    if found is None:
        raise LinkGone
    return found


def _live(link: GroupLink) -> GroupLink:
    found = _locked(link)
    if found.ending_at is not None:
        raise LinkEnding(found)
    return found


def _change(link: GroupLink, **fields: Any) -> None:
    """Change the row, and have its members looked at again."""
    GroupLink.objects.filter(pk=link.pk).update(generation=F("generation") + 1, **fields)


def _record(link: GroupLink, action: str, actor: Actor, at: datetime, changes: dict[str, Any]) -> None:
    audit.record(
        subscription_id=link.subscription_id,
        actor=actor,
        action=action,
        target=f"{link.group.display_name} → {link.target.vault.name} → {link.target.name}",
        at=at,
        changes=changes,
    )
    announce(link.subscription_id)
