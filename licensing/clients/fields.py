"""Which field of the M-Files COM API each field of the contract is (docs/vault-agent.md)."""

from typing import Any

from licensing.clients.agent import (
    GroupMember,
    LoginAccount,
    ServerInfo,
    Sessions,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
)

_KEPT = "none: kept by the shim"

COM_FIELDS: dict[type[Any], dict[str, str]] = {
    ServerInfo: {"product_version": "MFilesServerApplication.GetServerVersion"},
    VaultInfo: {
        "guid": "VaultOnServer.GUID",
        "name": "VaultOnServer.Name",
        "online": "MFilesServerApplication.GetOnlineVaults",
        "user_synchronization": "none: the shim's own setting",
        "figures": "VaultObjectSearchOperations, ServerVaultManagementOperations.GetVaultProperties",
        "sessions": "ServerLoginAccountOperations.GetLoginAccountsWithSessions",
        "revision": _KEPT,
    },
    Sessions: {
        "named": "LoginAccount.LicenseType 1",
        "concurrent": "LoginAccount.LicenseType 2",
        "read_only": "LoginAccount.LicenseType 3",
    },
    LoginAccount: {
        "uid": _KEPT,
        "username": "LoginAccount.UserName; AccountType is MFLoginAccountTypeMFiles (1)",
        "full_name": "LoginAccount.FullName",
        "email": "LoginAccount.EmailAddress",
        "license_type": "LoginAccount.LicenseType: none 0, named 1, concurrent 2, read-only 3 (MFLicenseType)",
        "enabled": "LoginAccount.Enabled",
    },
    VaultUser: {
        "key": _KEPT,
        "id": "UserAccount.ID",
        "account_uid": _KEPT,
        "username": "UserAccount.LoginName",
        "enabled": "UserAccount.Enabled",
        "roles": "UserAccount.VaultRoles (MFUserAccountVaultRole, a bit mask)",
        "internal": "UserAccount.InternalUser",
        "disabled_by_person": _KEPT,
        "deleted": _KEPT,
        "etag": _KEPT,
    },
    VaultUserGroup: {
        "id": "UserGroup.ID",
        "name": "UserGroup.Name",
        "built_in": "UserGroup.Predefined",
        "visible": "UserGroupAdmin.AccessControlList",
    },
    GroupMember: {
        "key": _KEPT,
        "id": "UserGroup.Members: a user's number, or a group's as a negative one",
        "account_uid": _KEPT,
    },
}
"""By dataclass and JSON name."""
