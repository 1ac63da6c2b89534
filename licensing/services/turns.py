"""Whose turn it is: slow vaults share half of the workers' slots, so that a healthy one always finds a free slot.

Slow is a vault whose calls took long lately or that could not be reached, and one that never answered yet: it has to
show first that it is not (decision 20).
"""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from licensing.models import VaultStatus
from licensing.services import leases
from licensing.services.leases import Lease
from provisioning import tenancy
from provisioning.models import Vault

SLOW: Final = Q(is_slow=True) | Q(is_created=False)
_LOCK: Final = 0x7475726E
"""The number of the advisory lock under which slow vaults take their turns."""


def take(vault_id: int, now: datetime, *, slots: int) -> Lease | None:
    """Take the vault's lease; None: another worker has it, or slow vaults hold their share of the ``slots``."""
    if not VaultStatus.objects.filter(SLOW, vault_id=vault_id).exists():
        return leases.acquire(vault_id, now)
    with transaction.atomic():
        _lock()
        return leases.acquire(vault_id, now) if has_room(now, slots=slots) else None


def has_room(now: datetime, *, slots: int) -> bool:
    """Return whether one more slow vault, whosever it is, may take its turn."""
    with tenancy.everybody():
        return VaultStatus.objects.filter(SLOW, lease_until__gt=now).count() < most_slow(slots)


def most_slow(slots: int) -> int:
    """Return how many slow vaults may have their turn at once: half of the slots, and one at least."""
    return max(1, slots // 2)


def mark_slow(vault: Vault) -> None:
    """Remember that the vault is slow, and take the others of its server for slow until they show that they are not."""
    on_server = Q(vault=vault) if not vault.agent_url else Q(vault__agent_url=vault.agent_url)
    with tenancy.everybody():
        VaultStatus.objects.filter(on_server).update(is_slow=True)


def _lock() -> None:
    """Let one slow vault at a time ask for its turn; on SQLite every transaction does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
