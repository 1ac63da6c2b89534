"""Speaking with one vault under its lease, for a turn at a time (decision 20)."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from licensing.clients.agent import AgentUnavailable, GroupMember, LoginAccount, Outcome, Page, VaultAgent, VaultUser
from licensing.reconcilers.ranges import PAGE
from licensing.services import turns
from licensing.services.leases import Lease
from provisioning.models import Vault

T = TypeVar("T")
TURN: Final = timedelta(seconds=15)
"""How long one vault is worked at before others have their turn."""
SLOW_CALL: Final = 2.0
"""A call that takes more seconds than this makes a vault a slow one."""


class TurnOver(Exception):
    """The vault has been worked at for long enough, or holds up others; what is left to do stays due."""


@dataclass(slots=True)
class VaultTally:
    """What was done in a vault; ``repaired`` counts what a full comparison found different and made due.

    ``is_unfinished``: the turn was over before everything was done. ``is_slow``: it took the turn of slow vaults.
    """

    created: int = 0
    updated: int = 0
    enabled: int = 0
    disabled: int = 0
    failed: int = 0
    repaired: int = 0
    is_unfinished: bool = False
    is_slow: bool = False

    def count(self, outcome: Outcome) -> None:
        """Count one answer of the vault."""
        name = "created" if outcome is Outcome.UNDELETED else str(outcome)
        if name in {"created", "updated", "enabled", "disabled", "failed"}:
            setattr(self, name, getattr(self, name) + 1)

    def add(self, other: "VaultTally") -> None:
        for name in ("created", "updated", "enabled", "disabled", "failed", "repaired"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class VaultSession:
    """One vault, the client of its agent, and the lease that lets this worker speak.

    With ``only_looks`` a comparison counts what differs, and changes neither the vault nor the records.
    ``is_known_slow``: it was a slow vault before; ``is_slow``: a call was slow now.
    """

    vault: Vault
    agent: VaultAgent
    lease: Lease
    tally: VaultTally = field(default_factory=VaultTally)
    only_looks: bool = False
    is_known_slow: bool = False
    is_slow: bool = False

    @property
    def guid(self) -> str:
        return str(self.vault.guid)

    def ask(self, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Make a call that changes nothing; when its answer is lost, once more unless that took long."""
        try:
            with self._timed():
                return call(self.guid, *arguments, **options)
        except AgentUnavailable as lost:
            if lost.retry_after or self.is_slow:
                raise
        with self._timed():
            return call(self.guid, *arguments, **options)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        self.lease.renew()
        began = time.monotonic()
        try:
            yield
        finally:
            if time.monotonic() - began > SLOW_CALL and not self.is_slow:
                self.is_slow = True
                if not self.only_looks:
                    turns.mark_slow(self.vault)

    def give_way(self) -> None:
        """Give the slot back when the vault turns out to be slow. Raises ``TurnOver``."""
        if self.is_slow and not self.is_known_slow:
            raise TurnOver

    def end_of_batch(self) -> None:
        """Give other vaults their turn, after some time or when this one turns out to be slow. Raises ``TurnOver``."""
        self.give_way()
        if self.lease.now() - self.lease.start > TURN:
            raise TurnOver

    def tell(self, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Make a call that changes something; when its answer is lost, once more under the same idempotency key.

        A new call is a new decision and has a new key: a remembered answer must not hide that the world moved on.
        """
        return self.ask(call, *arguments, idempotency_key=str(uuid.uuid4()), **options)

    def list_members(self, group_id: int, cursor: str | None) -> Page[GroupMember]:
        """Return a page of a vault user group's members."""
        return self.ask(self.agent.list_group_members, group_id, cursor=cursor, limit=PAGE)

    def list_users(self, cursor: str | None) -> Page[VaultUser]:
        """Return a page of the vault's users, deleted ones included."""
        return self.ask(self.agent.list_vault_users, cursor=cursor, limit=PAGE)

    def list_accounts(self, cursor: str | None) -> Page[LoginAccount]:
        """Return a page of the login accounts of the vault's server."""
        return self.ask(self.agent.list_login_accounts, cursor=cursor, limit=PAGE)
