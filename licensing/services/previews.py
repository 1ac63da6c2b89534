"""What a change that touches many would do; nothing is changed (1-product §1.4, rule 9)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from licensing.clients.agent import AgentRefused, AgentUnavailable, each_group_member
from licensing.models import VaultUser
from licensing.plans.vaults import Mode, strangers_to_remove
from licensing.services import agents, futures, pools
from licensing.services.futures import Change, Future, Line
from provisioning.license_types import LicenseType
from provisioning.models import (
    GroupLink,
    LoginAccount,
    ProvisioningConfiguration,
    Subscription,
    UserGroup,
    Vault,
    VaultUserGroup,
)


class PreviewUnavailable(Exception):
    """The vault cannot be asked who is in the target group now."""

    def __init__(self, vault: Vault, sentence: str) -> None:
        super().__init__(f"What will change cannot be said, because “{vault.name}” cannot be asked: {sentence}")


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
    rows = LoginAccount.objects.filter(memberships__group=group, is_enabled=True)
    members = list(rows.select_related("license_grant").defer("document", "search").order_by("username_key"))
    licensed = [one for one in members if getattr(one, "license_grant", None) and one.license_grant.granted_type]
    waiting = [one for one in members if one not in set(licensed)]
    seen = dict(VaultUser.objects.filter(vault=vault, account__in=licensed).values_list("account_id", "seen_enabled"))
    leaving = _leaving(vault, target_name, mode, {str(one.uid) for one in licensed})
    created = [one for one in licensed if seen.get(one.pk) is None]
    return {
        "gain": sum(not seen.get(one.pk) for one in licensed),
        "lose": 0,
        "wait": len(waiting),
        "removed_members": len(leaving),
        "created_vault_users": len(created),
        "accounts": [
            *_effects(created, "becomes a vault user"),
            *_effects((one for one in licensed if seen.get(one.pk) is False), "is enabled in the vault"),
            *_effects(waiting, "waits for a license"),
            *({"username": name, "effect": "leaves the target group"} for name in leaving),
        ],
    }


def _effects(accounts: Iterable[LoginAccount], effect: str) -> list[dict[str, str]]:
    return [{"username": account.username, "effect": effect} for account in accounts]


def _leaving(vault: Vault, target_name: str, mode: GroupLink.Mode, staying: set[str]) -> list[str]:
    """Return the names of the target's members that a *replace* link removes."""
    target = VaultUserGroup.objects.filter(vault=vault, name_key=target_name.casefold()).first()
    if mode == GroupLink.Mode.MERGE or target is None or target.remote_id is None:
        return []
    agent, guid = agents.agent_for(vault), str(vault.guid)
    try:
        present = [member.key for member in each_group_member(agent, guid, target.remote_id)]
        keys = strangers_to_remove(present=present, known=staying, mode=Mode(mode))
        names = {user.key: user.username for user in agent.get_vault_users(guid, keys[:1000])} if keys else {}
    except (AgentUnavailable, AgentRefused) as problem:
        raise PreviewUnavailable(vault, problem.sentence) from problem
    return [names.get(key) or key for key in keys]
