"""The lease of a vault: one worker at a time speaks with it, and only the holder records results."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from licensing.models import VaultStatus

LENGTH = timedelta(seconds=40)
"""How long a lease lasts without a sign of life; longer than any one call may take."""
RENEWED_BELOW = timedelta(seconds=25)


class LeaseLost(Exception):
    """The lease ran out and another worker may have it; what was not recorded will be done again."""


@dataclass(slots=True)
class Lease:
    """A lease that this worker holds; its clock starts at the caller's ``now``."""

    vault_id: int
    start: datetime
    token: uuid.UUID = field(default_factory=uuid.uuid4)
    started: float = field(default_factory=time.monotonic)
    until: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.until = self.start + LENGTH

    def now(self) -> datetime:
        """Return the caller's time, moved on by what has passed since."""
        return self.start + timedelta(seconds=time.monotonic() - self.started)

    def renew(self) -> None:
        """Make the lease last through another call. Raises ``LeaseLost``."""
        now = self.now()
        if self.until - now > RENEWED_BELOW:
            return
        self.until = now + LENGTH
        if not self._row().update(lease_until=self.until):
            raise LeaseLost

    @contextmanager
    def recording(self) -> Iterator[VaultStatus]:
        """Open a transaction in which nobody else can take the lease. Raises ``LeaseLost``."""
        with transaction.atomic():
            status = self._row().select_for_update().first()
            if status is None:
                raise LeaseLost
            yield status

    def release(self) -> None:
        """Give the lease back, if it is still ours."""
        self._row().update(lease_token=None, lease_until=None)

    def _row(self) -> QuerySet[VaultStatus]:
        return VaultStatus.objects.filter(vault_id=self.vault_id, lease_token=self.token)


def acquire(vault_id: int, now: datetime) -> Lease | None:
    """Take the vault's lease by one conditional statement; None: another worker has it."""
    lease = Lease(vault_id, now)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    taken = VaultStatus.objects.filter(free, vault_id=vault_id).update(lease_token=lease.token, lease_until=lease.until)
    return lease if taken else None
