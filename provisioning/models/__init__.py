"""The directory: whom and what a subscription knows, and what may be done to it by whom."""

from provisioning.models.accounts import LoginAccount
from provisioning.models.configurations import CallCount, ClientSecret, ProvisioningConfiguration, ResourceTotal
from provisioning.models.groups import GroupMembership, GroupNesting, UserGroup
from provisioning.models.logs import AuditEntry, ProvisioningLogEntry
from provisioning.models.subscriptions import Subscription
from provisioning.models.users import User
from provisioning.models.vaults import GroupLink, Vault, VaultUserGroup

__all__ = [
    "AuditEntry",
    "CallCount",
    "ClientSecret",
    "GroupLink",
    "GroupMembership",
    "GroupNesting",
    "LoginAccount",
    "ProvisioningConfiguration",
    "ProvisioningLogEntry",
    "ResourceTotal",
    "Subscription",
    "User",
    "UserGroup",
    "Vault",
    "VaultUserGroup",
]
