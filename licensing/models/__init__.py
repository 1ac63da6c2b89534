"""Licenses and vault users: what is wanted, what is there, and what comes of bringing the two together."""

from licensing.models.endings import Ending
from licensing.models.licenses import WAITING, LicenseDay, LicenseGrant, LicensePool
from licensing.models.statuses import LinkStatus, VaultStatus
from licensing.models.vault_users import VaultUser, VaultUserMembership

__all__ = [
    "WAITING",
    "Ending",
    "LicenseDay",
    "LicenseGrant",
    "LicensePool",
    "LinkStatus",
    "VaultStatus",
    "VaultUser",
    "VaultUserMembership",
]
