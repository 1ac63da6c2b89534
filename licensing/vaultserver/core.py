"""The emulated vault server: the whole contract on its own storage, by M-Files' rules. Plain Python."""

import hashlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import orjson

from licensing.clients import wire
from licensing.clients.agent import (
    CONTRACT_VERSION,
    MAX_ITEMS,
    MAX_PAGE,
    AgentRefused,
    AgentUnavailable,
    ErrorCode,
    Figures,
    GroupMember,
    ItemResult,
    LoginAccount,
    Outcome,
    Page,
    ServerInfo,
    Sessions,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
    VaultUserWish,
)
from licensing.vaultserver import accounts as login_accounts
from licensing.vaultserver import groups as user_groups
from licensing.vaultserver import users as vault_users
from licensing.vaultserver.faults import FaultBoard
from licensing.vaultserver.store import BUILT_IN_GROUPS, Store, touch

T = TypeVar("T")
KEYS_REMEMBERED_FOR = 24 * 3600
"""Seconds for which a repeated idempotency key gets its first answer."""


class VaultServer:
    """One vault server with any number of vaults; implements ``VaultAgent`` itself, without faults of the wire."""

    def __init__(
        self,
        path: str = ":memory:",
        *,
        name: str = "Emulated vault server",
        faults: FaultBoard | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = Store(path)
        self.faults = faults or FaultBoard()
        self._name = name
        self._clock = clock

    def close(self) -> None:
        """Close the storage."""
        self.store.close()

    def get_server(self) -> ServerInfo:
        return ServerInfo(self._name, product_version="emulated", contract_versions=(CONTRACT_VERSION,))

    def list_vaults(self) -> tuple[VaultInfo, ...]:
        with self.store.reading() as db:
            return tuple(vault_of(row) for row in db.execute("SELECT * FROM vault ORDER BY guid"))

    def get_vault(self, vault: str) -> VaultInfo:
        with self.store.reading() as db:
            return vault_of(vault_row(db, vault))

    def create_vault(self, vault: str, *, name: str, idempotency_key: str) -> VaultInfo:
        def act(db: sqlite3.Connection) -> VaultInfo:
            add_vault(db, vault, name)
            return vault_of(vault_row(db, vault))

        return self._once(idempotency_key, ["create_vault", vault, name], VaultInfo, act)

    def list_login_accounts(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[LoginAccount]:
        with self._looking(vault) as db:
            rows = login_accounts.page(db, after=cursor or "", limit=_page_size(limit) + 1)
        following = rows[limit - 1]["key"] if len(rows) > limit else None
        return Page(tuple(login_accounts.account_of(row) for row in rows[:limit]), following)

    def put_login_accounts(
        self, vault: str, accounts: Sequence[LoginAccount], *, idempotency_key: str
    ) -> list[ItemResult]:
        _check_accounts(accounts)

        def act(db: sqlite3.Connection) -> list[ItemResult]:
            vault_row(db, vault)
            results = login_accounts.put_all(db, accounts, refused=self.faults.of(vault).refuse)
            return _touching(db, None, results)

        request = ["put_login_accounts", vault, wire.dump(accounts)]
        return self._once(idempotency_key, request, list[ItemResult], act)

    def remove_login_accounts(self, vault: str, uids: Sequence[str], *, idempotency_key: str) -> list[ItemResult]:
        _check_count(uids)

        def act(db: sqlite3.Connection) -> list[ItemResult]:
            vault_row(db, vault)
            return _touching(db, None, [ItemResult(uid, login_accounts.remove(db, uid)) for uid in uids])

        return self._once(idempotency_key, ["remove_login_accounts", vault, uids], list[ItemResult], act)

    def list_vault_users(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[VaultUser]:
        with self._looking(vault) as db:
            rows = vault_users.page(db, vault, after=cursor or "", limit=_page_size(limit) + 1)
        return _page([vault_users.user_of(row) for row in rows], limit)

    def get_vault_users(self, vault: str, keys: Sequence[str]) -> list[VaultUser]:
        _check_count(keys)
        with self._looking(vault) as db:
            rows = vault_users.find_all(db, vault, keys)
        return [vault_users.user_of(rows[key]) for key in sorted(rows)]

    def put_vault_users(self, vault: str, users: Sequence[VaultUserWish], *, idempotency_key: str) -> list[ItemResult]:
        _check_count(users)

        def act(db: sqlite3.Connection) -> list[ItemResult]:
            _changeable(db, vault)
            results = vault_users.put_all(db, vault, users, refused=self.faults.of(vault).refuse)
            return _touching(db, vault, results)

        request = ["put_vault_users", vault, wire.dump(users)]
        return self._once(idempotency_key, request, list[ItemResult], act)

    def list_groups(self, vault: str) -> tuple[VaultUserGroup, ...]:
        with self._looking(vault) as db:
            return user_groups.all_of(db, vault)

    def ensure_group(self, vault: str, name: str, *, idempotency_key: str) -> VaultUserGroup:
        if not name.strip():
            raise AgentRefused(ErrorCode.INVALID_REQUEST, "A user group needs a name.")

        def act(db: sqlite3.Connection) -> VaultUserGroup:
            _changeable(db, vault)
            found = user_groups.find(db, vault, name)
            if found is None:
                touch(db, vault)
            return found or user_groups.create(db, vault, name)

        return self._once(idempotency_key, ["ensure_group", vault, name], VaultUserGroup, act)

    def change_group(self, vault: str, group_id: int, *, visible: bool, idempotency_key: str) -> VaultUserGroup:
        def act(db: sqlite3.Connection) -> VaultUserGroup:
            _changeable(db, vault)
            group = user_groups.changeable(db, vault, group_id)
            if group.visible == visible:
                return group
            touch(db, vault)
            return user_groups.save(db, vault, replace(group, visible=visible))

        return self._once(idempotency_key, ["change_group", vault, group_id, visible], VaultUserGroup, act)

    def list_group_members(
        self, vault: str, group_id: int, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[GroupMember]:
        with self._looking(vault) as db:
            group = user_groups.get(db, vault, group_id)
            found = user_groups.members(db, vault, group, after=cursor or "", limit=_page_size(limit) + 1)
        return _page(found, limit)

    def change_group_members(
        self,
        vault: str,
        group_id: int,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        idempotency_key: str,
    ) -> list[ItemResult]:
        _check_count([*add, *remove])

        def act(db: sqlite3.Connection) -> list[ItemResult]:
            _changeable(db, vault)
            user_groups.changeable(db, vault, group_id)
            return _touching(db, vault, user_groups.change(db, vault, group_id, add=add, remove=remove))

        request = ["change_group_members", vault, group_id, add, remove]
        return self._once(idempotency_key, request, list[ItemResult], act)

    @contextmanager
    def _looking(self, vault: str) -> Iterator[sqlite3.Connection]:
        with self.store.reading() as db:
            _online(db, vault)
            yield db

    def _once(self, key: str, request: list[Any], kind: type[T], act: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``act`` unless ``key`` is remembered; the effect and the memory of it are one transaction."""
        if not key:
            raise AgentRefused(ErrorCode.INVALID_REQUEST, "The call needs an idempotency key.")
        fingerprint = hashlib.sha256(orjson.dumps(request)).hexdigest()
        now = self._clock()
        with self.store.writing() as db:
            db.execute("DELETE FROM answer WHERE at < ?", (now - KEYS_REMEMBERED_FOR,))
            row = db.execute("SELECT * FROM answer WHERE idempotency_key = ?", (key,)).fetchone()
            if row is not None:
                return _remembered(row, fingerprint, kind)
            answer = act(db)
            stored = orjson.dumps(wire.dump(answer))
            db.execute("INSERT INTO answer VALUES (?, ?, ?, ?)", (key, fingerprint, stored, now))
            return answer


def vault_row(db: sqlite3.Connection, vault: str) -> sqlite3.Row:
    """Return the vault's row. Refuses with ``vault_not_found``."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM vault WHERE guid = ?", (vault,)).fetchone()
    if row is None:
        raise AgentRefused(ErrorCode.VAULT_NOT_FOUND, f"The server has no vault {vault}.")
    return row


def vault_of(row: sqlite3.Row) -> VaultInfo:
    """Return a row of the vault table as the contract's dataclass."""
    return VaultInfo(
        guid=row["guid"],
        name=row["name"],
        online=bool(row["online"]),
        user_synchronization=bool(row["user_synchronization"]),
        figures=Figures(row["objects"], row["versions"], row["storage_bytes"], row["database_bytes"]),
        sessions=Sessions(row["named"], row["concurrent"], row["read_only"]),
        revision=row["revision"],
    )


def add_vault(db: sqlite3.Connection, vault: str, name: str) -> None:
    """Add a vault with its built-in groups, unless it is there."""
    if vault != _guid(vault) or not name.strip():
        raise AgentRefused(ErrorCode.INVALID_REQUEST, "A vault needs a name and a lower-case GUID.")
    added = db.execute(
        "INSERT INTO vault (guid, name, revision) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (vault, name, uuid.uuid4().hex),
    ).rowcount
    for number, group_name in BUILT_IN_GROUPS.items() if added else ():
        user_groups.insert(db, vault, number, group_name)


def _guid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def _online(db: sqlite3.Connection, vault: str) -> sqlite3.Row:
    row = vault_row(db, vault)
    if not row["online"]:
        raise AgentUnavailable(f"Vault {row['name']} is offline.")
    return row


def _changeable(db: sqlite3.Connection, vault: str) -> None:
    row = _online(db, vault)
    if row["user_synchronization"]:
        sentence = f"User synchronization is on in vault {row['name']}: turn it off in M-Files Admin."
        raise AgentRefused(ErrorCode.USER_SYNCHRONIZATION_ON, sentence)


def _check_count(items: Sequence[object]) -> None:
    if len(items) > MAX_ITEMS:
        raise AgentRefused(ErrorCode.TOO_MANY_ITEMS, f"A call takes at most {MAX_ITEMS} items.")


def _check_accounts(accounts: Sequence[LoginAccount]) -> None:
    _check_count(accounts)
    uids = [account.uid for account in accounts]
    if any(uid is None or uid != _guid(uid) for uid in uids) or len(set(uids)) < len(uids):
        raise AgentRefused(ErrorCode.INVALID_REQUEST, "Each account needs its own uid, a lower-case UUID.")
    if not all(account.username.strip() for account in accounts):
        raise AgentRefused(ErrorCode.INVALID_REQUEST, "Each account needs a username.")


def _page_size(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise AgentRefused(ErrorCode.INVALID_REQUEST, f"A page holds 1 to {MAX_PAGE} items.")
    return limit


def _page(found: list[T], limit: int) -> Page[T]:
    following: str | None = getattr(found[limit - 1], "key") if len(found) > limit else None  # noqa: B009
    return Page(tuple(found[:limit]), following)


def _touching(db: sqlite3.Connection, vault: str | None, results: list[ItemResult]) -> list[ItemResult]:
    if any(result.outcome not in (Outcome.UNCHANGED, Outcome.FAILED) for result in results):
        touch(db, vault)
    return results


def _remembered(row: sqlite3.Row, fingerprint: str, kind: type[T]) -> T:
    if row["request"] != fingerprint:
        sentence = "This idempotency key was used for another request."
        raise AgentRefused(ErrorCode.IDEMPOTENCY_KEY_REUSED, sentence)
    return wire.load(kind, orjson.loads(row["answer"]))
