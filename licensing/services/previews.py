"""What a change that touches many would do; nothing is changed (1-product §1.4, rule 9)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from licensing.services import futures, link_previews, pools
from licensing.services.futures import Change, Future, Line
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, ProvisioningConfiguration, Subscription, UserGroup, Vault


class PreviewUnavailable(Exception):
    """The vault cannot be asked who is in the target group now."""

    def __init__(self, vault: Vault, sentence: str) -> None:
        super().__init__(f"What will change in “{vault.name}” cannot be said. {sentence}")


def group_license(
    *, group: UserGroup, license_type: LicenseType | None, at: datetime, offset: int = 0, limit: int | None = None
) -> dict[str, Any]:
    """Return who gains a license, loses one or starts to wait when the group's type changes.

    ``removed_members`` counts who leaves target groups, ``created_vault_users`` who becomes a vault user thereby.
    ``accounts`` is a page of those concerned, by username; ``limit`` None: all of them from ``offset`` on.
    """
    change = Change(group_types={group.pk: license_type})
    return _document(
        futures.work_out(subscription=group.subscription, change=change, at=at, offset=offset, limit=limit)
    )


def default_license(
    *,
    configuration: ProvisioningConfiguration,
    license_type: LicenseType,
    at: datetime,
    offset: int = 0,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return the same for another default license type of a configuration."""
    change = Change(defaults={configuration.pk: license_type})
    subscription = configuration.subscription
    return _document(futures.work_out(subscription=subscription, change=change, at=at, offset=offset, limit=limit))


def purchased(
    *,
    subscription: Subscription,
    purchases: Mapping[LicenseType, int],
    at: datetime,
    offset: int = 0,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return the same for other purchased numbers. Raises ``BadPurchase``."""
    pools.check_purchases(purchases)
    change = Change(purchased=purchases)
    return _document(futures.work_out(subscription=subscription, change=change, at=at, offset=offset, limit=limit))


def pins(
    *,
    subscription: Subscription,
    account_ids: Iterable[int],
    license_type: LicenseType | None,
    at: datetime,
    offset: int = 0,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return the same for a type that is pinned to accounts (None: pins are taken away); others' accounts are left."""
    change = Change(pins=dict.fromkeys(account_ids, license_type))
    return _document(futures.work_out(subscription=subscription, change=change, at=at, offset=offset, limit=limit))


def configuration_deletion(
    *, configuration: ProvisioningConfiguration, at: datetime, offset: int = 0, limit: int | None = None
) -> dict[str, Any]:
    """Return the same for the deletion of a configuration: what its groups give goes, what itself gave stays."""
    change = Change(deleted=configuration.pk)
    subscription = configuration.subscription
    return _document(futures.work_out(subscription=subscription, change=change, at=at, offset=offset, limit=limit))


def user_import(
    *, subscription: Subscription, change: Change, at: datetime, offset: int = 0, limit: int | None = None
) -> dict[str, Any]:
    """Return the same for the rows of a file of users, all of them at once (1-product §1.7).

    ``change`` holds their ``pins``, ``manuals``, ``states``, ``gone`` and ``added``. Accounts of other subscriptions
    are left.
    """
    return _document(futures.work_out(subscription=subscription, change=change, at=at, offset=offset, limit=limit))


def lines(preview: dict[str, Any]) -> list[str]:
    """Return the preview as a command prints it for people: the counts, then a line per account."""
    counts = (
        f"{preview['gain']} gain, {preview['lose']} lose, {preview['wait']} wait; "
        f"{preview['removed_members']} leave the target group, {preview['created_vault_users']} new vault users."
    )
    return [counts, *(f"  {one['username']}: {one['effect']}" for one in preview["accounts"])]


def _document(future: Future) -> dict[str, Any]:
    return {
        "gain": future.gain,
        "lose": future.lose,
        "wait": future.wait,
        "removed_members": future.removed_members,
        "created_vault_users": future.created_vault_users,
        "accounts": [{"username": line.username, "effect": _effect(line)} for line in future.lines],
    }


def _effect(line: Line) -> str:
    steps = [f"{line.before.label} → {line.after.label}"] if line.before != line.after else []
    steps += [f"waits for {line.waits.label}"] if line.waits else []
    return ", ".join(steps)


def link(*, group: UserGroup, vault: Vault, target_name: str, mode: GroupLink.Mode) -> dict[str, Any]:
    """Return who becomes a vault user or must wait for a license when the group is linked, and who leaves the target.

    Raises ``PreviewUnavailable`` when the target exists and its vault cannot be asked.
    """
    document = link_previews.added(group=group, vault=vault, target_name=target_name, mode=mode)
    if document["problem"]:
        raise PreviewUnavailable(vault, document["problem"])
    return {name: document[name] for name in document if name not in {"problem", "enabled"}}
