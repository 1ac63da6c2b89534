"""The contract straight on the emulation, without a wire: faults of the wire are raised instead."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from licensing.clients.agent import (
    AgentUnavailable,
    GroupMember,
    ItemResult,
    LoginAccount,
    Page,
    ServerInfo,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
    VaultUserWish,
)
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import InjectedGarbage, InjectedOutage, InjectedReset

T = TypeVar("T")


class InProcessVaultAgent:
    """A ``VaultAgent`` on a ``VaultServer`` of this process."""

    def __init__(self, server: VaultServer) -> None:
        self._server = server

    def get_server(self) -> ServerInfo:
        return self._call(None, self._server.get_server)

    def list_vaults(self) -> tuple[VaultInfo, ...]:
        return self._call(None, self._server.list_vaults)

    def get_vault(self, vault: str) -> VaultInfo:
        return self._call(vault, lambda: self._server.get_vault(vault))

    def create_vault(self, vault: str, *, name: str, idempotency_key: str) -> VaultInfo:
        return self._call(vault, lambda: self._server.create_vault(vault, name=name, idempotency_key=idempotency_key))

    def list_login_accounts(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[LoginAccount]:
        return self._call(vault, lambda: self._server.list_login_accounts(vault, cursor=cursor, limit=limit))

    def put_login_accounts(
        self, vault: str, accounts: Sequence[LoginAccount], *, idempotency_key: str
    ) -> list[ItemResult]:
        return self._call(
            vault, lambda: self._server.put_login_accounts(vault, accounts, idempotency_key=idempotency_key)
        )

    def remove_login_accounts(self, vault: str, uids: Sequence[str], *, idempotency_key: str) -> list[ItemResult]:
        return self._call(
            vault, lambda: self._server.remove_login_accounts(vault, uids, idempotency_key=idempotency_key)
        )

    def list_vault_users(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[VaultUser]:
        return self._call(vault, lambda: self._server.list_vault_users(vault, cursor=cursor, limit=limit))

    def get_vault_users(self, vault: str, keys: Sequence[str]) -> list[VaultUser]:
        return self._call(vault, lambda: self._server.get_vault_users(vault, keys))

    def put_vault_users(self, vault: str, users: Sequence[VaultUserWish], *, idempotency_key: str) -> list[ItemResult]:
        return self._call(vault, lambda: self._server.put_vault_users(vault, users, idempotency_key=idempotency_key))

    def list_groups(self, vault: str) -> tuple[VaultUserGroup, ...]:
        return self._call(vault, lambda: self._server.list_groups(vault))

    def ensure_group(self, vault: str, name: str, *, idempotency_key: str) -> VaultUserGroup:
        return self._call(vault, lambda: self._server.ensure_group(vault, name, idempotency_key=idempotency_key))

    def change_group(self, vault: str, group_id: int, *, visible: bool, idempotency_key: str) -> VaultUserGroup:
        return self._call(
            vault,
            lambda: self._server.change_group(vault, group_id, visible=visible, idempotency_key=idempotency_key),
        )

    def list_group_members(
        self, vault: str, group_id: int, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[GroupMember]:
        return self._call(vault, lambda: self._server.list_group_members(vault, group_id, cursor=cursor, limit=limit))

    def change_group_members(
        self,
        vault: str,
        group_id: int,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        idempotency_key: str,
    ) -> list[ItemResult]:
        return self._call(
            vault,
            lambda: self._server.change_group_members(
                vault, group_id, add=add, remove=remove, idempotency_key=idempotency_key
            ),
        )

    def _call(self, vault: str | None, act: Callable[[], T]) -> T:
        try:
            return self._server.faults.around(vault, act)
        except InjectedOutage as outage:
            raise AgentUnavailable(str(outage)) from outage
        except InjectedReset as reset:
            raise AgentUnavailable("The connection was reset.") from reset
        except InjectedGarbage as garbage:
            raise AgentUnavailable("The vault agent's answer is not what was agreed.") from garbage
