"""The directory: whom and what a subscription knows, and what may be done to it by whom."""

from provisioning.models.accounts import DueAccount, LoginAccount
from provisioning.models.bearer_tokens import BearerToken
from provisioning.models.configurations import CallCount, ClientSecret, ProvisioningConfiguration, ResourceTotal
from provisioning.models.groups import GroupMembership, GroupNesting, UserGroup
from provisioning.models.imports import UserImport
from provisioning.models.logs import AuditEntry, AuditHead, ProvisioningLogEntry
from provisioning.models.notifications import Notification, NotificationChoice, NotificationMail
from provisioning.models.protection import AccountStop, HeldChange
from provisioning.models.sign_in import PasswordMail, PortalSession
from provisioning.models.sign_on import SignOnIdentity, SingleSignOn
from provisioning.models.subscriptions import Subscription
from provisioning.models.users import User
from provisioning.models.vaults import GroupLink, TrustedPerson, Vault, VaultAccess, VaultUserGroup

__all__ = [
    "AccountStop",
    "AuditEntry",
    "AuditHead",
    "BearerToken",
    "CallCount",
    "ClientSecret",
    "DueAccount",
    "GroupLink",
    "GroupMembership",
    "GroupNesting",
    "HeldChange",
    "LoginAccount",
    "Notification",
    "NotificationChoice",
    "NotificationMail",
    "PasswordMail",
    "PortalSession",
    "ProvisioningConfiguration",
    "ProvisioningLogEntry",
    "ResourceTotal",
    "SignOnIdentity",
    "SingleSignOn",
    "Subscription",
    "TrustedPerson",
    "User",
    "UserGroup",
    "UserImport",
    "Vault",
    "VaultAccess",
    "VaultUserGroup",
]
