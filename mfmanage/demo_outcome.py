"""What the demo came to, held against the directory file, the pools and the vault server itself."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from licensing.clients.agent import each_group_member, each_vault_user
from licensing.clients.http import HttpVaultAgent
from licensing.models import WAITING, LicenseGrant, LicensePool
from mfmanage.entra.directory import Directory
from mfmanage.entra.results import Action, Summary
from provisioning.license_types import LICENSED_TYPES, SEATED_TYPES, LicenseType
from provisioning.models import GroupLink, LoginAccount, ProvisioningConfiguration, Subscription, UserGroup


def describe(
    configuration: ProvisioningConfiguration, directory: Directory, summary: Summary, users: "Counter[Action]"
) -> dict[str, Any]:
    """Return the document of ``demo --once``; ``ok`` tells whether all is as directory and pools demand."""
    subscription = configuration.subscription
    granted = Counter(_grants(subscription).values_list("granted_type", flat=True))
    in_vaults = _linked_users_of_the_vault_server(subscription)
    return {
        "created": users[Action.CREATE],
        "updated": users[Action.UPDATE],
        "disabled": users[Action.DISABLE],
        "deleted": users[Action.DELETE],
        "licenses": {one.slug: granted[one] for one in LICENSED_TYPES},
        "waiting": _grants(subscription).filter(WAITING).count(),
        "vault_users": len(in_vaults),
        "ok": (
            not summary.failed
            and _directory_arrived(configuration, directory)
            and _seats_are_used(subscription)
            and in_vaults == _linked_and_licensed(subscription)
        ),
    }


def _directory_arrived(configuration: ProvisioningConfiguration, directory: Directory) -> bool:
    """Whether exactly the active users are enabled, and every group has the members that it has in the file."""
    wanted = directory.at(2)
    accounts = LoginAccount.objects.filter(configuration=configuration, scim_id__isnull=False)
    enabled = {user.user_principal_name for user in wanted.users.values() if user.is_active}
    known = set(accounts.values_list("username", flat=True))
    groups = {
        group.display_name: {wanted.users[one].user_principal_name for one in group.members} & known
        for group in wanted.groups.values()
        if group.assigned
    }
    return enabled == set(accounts.filter(is_enabled=True).values_list("username", flat=True)) and groups == {
        group.display_name: set(group.accounts.values_list("username", flat=True))
        for group in UserGroup.objects.filter(configuration=configuration, deleted_at__isnull=True)
    }


def _seats_are_used(subscription: Subscription) -> bool:
    """Whether no more is granted than was purchased, and nobody waits for a type that has a free seat."""
    pools = {pool.license_type: pool for pool in LicensePool.objects.filter(subscription=subscription)}
    granted = Counter(_grants(subscription).values_list("granted_type", flat=True))
    waiting = set(_grants(subscription).filter(WAITING).values_list("wanted_type", flat=True))
    return all(
        granted[one] <= pools[one].purchased and not (one in waiting and granted[one] < pools[one].purchased)
        for one in SEATED_TYPES
    )


def _linked_and_licensed(subscription: Subscription) -> set[str]:
    """Return the vault and username of every enabled, licensed member of a linked group."""
    return {
        f"{link.target.vault.guid} {username}"
        for link in GroupLink.objects.filter(subscription=subscription).select_related("target__vault")
        for username in LoginAccount.objects.filter(
            memberships__group=link.group_id, is_enabled=True, license_grant__granted_type__gt=LicenseType.NONE
        ).values_list("username", flat=True)
    }


def _linked_users_of_the_vault_server(subscription: Subscription) -> set[str]:
    """Return the same as the vault server sees it: the enabled members of the target groups."""
    found = set()
    for link in GroupLink.objects.filter(subscription=subscription).select_related("target__vault"):
        vault, group = link.target.vault, link.target.remote_id
        with HttpVaultAgent(vault.agent_url, token=settings.VAULT_AGENT_TOKEN) as agent:
            enabled = {user.key: user.username for user in each_vault_user(agent, str(vault.guid)) if user.enabled}
            members = each_group_member(agent, str(vault.guid), group) if group is not None else ()
            found |= {f"{vault.guid} {enabled[one.key]}" for one in members if one.key in enabled}
    return found


def _grants(subscription: Subscription) -> QuerySet[LicenseGrant]:
    return LicenseGrant.objects.filter(subscription=subscription)
