"""Licenses and vault users: what is wanted, what is there, and what comes of bringing the two together."""

from licensing.models.endings import Ending
from licensing.models.licenses import WAITING, LicenseDay, LicenseGrant, LicensePool
from licensing.models.statuses import DriftFinding, DriftReport, LinkStatus, VaultStatus
from licensing.models.vault_users import VaultGroupChange, VaultUser, VaultUserMembership

__all__ = [
    "WAITING",
    "DriftFinding",
    "DriftReport",
    "Ending",
    "LicenseDay",
    "LicenseGrant",
    "LicensePool",
    "LinkStatus",
    "VaultGroupChange",
    "VaultStatus",
    "VaultUser",
    "VaultUserMembership",
]
