"""What admins decide about user groups: their license type and their links to vaults."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, UserGroup, Vault, VaultUserGroup
from provisioning.services import audit
from provisioning.services.notices import announce


class TargetLinked(Exception):
    """Another link has that target; a vault user group has one source (1-product §1.5, rule 2)."""

    def __init__(self, target: VaultUserGroup, source: UserGroup) -> None:
        super().__init__(
            f"“{target.name}” gets its members from “{source.display_name}” already. Choose another target group."
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


@transaction.atomic
def set_group_license(*, group: UserGroup, license_type: LicenseType | None, actor: Actor, at: datetime) -> None:
    """Give the group's members a right to ``license_type`` (None: none); workers look at each member again."""
    old = group.license_type
    group.license_type = license_type
    UserGroup.objects.filter(pk=group.pk).update(license_type=license_type, generation=F("generation") + 1)
    audit.record(
        subscription_id=group.subscription_id,
        actor=actor,
        action="set license type of user group",
        target=group.display_name,
        at=at,
        changes={"license_type": [_slug(old), _slug(license_type)]},
    )
    announce(group.subscription_id)


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

    Raises ``TargetUnknown``, ``TargetBuiltIn`` and ``TargetLinked``.
    """
    target = _target(vault, target_name, create=create_target)
    taken = GroupLink.objects.select_related("group").filter(target=target).first()
    if taken is not None:
        raise TargetLinked(target, taken.group)
    link = GroupLink.objects.create(
        subscription_id=group.subscription_id, group=group, target=target, mode=mode, created_at=at
    )
    audit.record(
        subscription_id=group.subscription_id,
        actor=actor,
        action="link user group",
        target=f"{group.display_name} → {vault.name} → {target.name}",
        at=at,
        changes={"mode": [None, mode.value]},
    )
    announce(group.subscription_id)
    return link


def _target(vault: Vault, name: str, *, create: bool) -> VaultUserGroup:
    """Return the vault's user group of that name, locked, so that two links cannot take it at once."""
    Vault.objects.select_for_update().get(pk=vault.pk)
    target = VaultUserGroup.objects.filter(vault=vault, name_key=name.casefold()).first()
    if target is None:
        if not create:
            raise TargetUnknown(name, vault)
        target = VaultUserGroup.objects.create(vault=vault, name=name, name_key=name.casefold())
    if target.is_built_in:
        raise TargetBuiltIn(target.name)
    return target


def _slug(license_type: int | None) -> str | None:
    return None if license_type is None else LicenseType(license_type).slug
