"""Users of one vault (M-Files: ``VaultUserOperations``): at most one per login account and vault."""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from licensing.clients.agent import (
    DEFAULT_ROLES,
    AgentError,
    ErrorCode,
    ItemResult,
    Outcome,
    VaultRole,
    VaultUser,
    VaultUserWish,
)

SELECT = (
    "SELECT u.*, a.username, a.username_key FROM vault_user u LEFT JOIN account a ON a.id = u.account WHERE u.vault = ?"
)


@dataclass(frozen=True, slots=True)
class State:
    """What can change about a vault user that exists."""

    account: int | None
    enabled: bool
    roles: int
    internal: bool
    disabled_by_person: bool
    deleted: bool


def user_of(row: sqlite3.Row) -> VaultUser:
    """Return a row of ``SELECT`` as the contract's dataclass."""
    state = state_of(row)
    mark = f"{row['id']}|{row['key']}|{row['username']}|{state}"
    return VaultUser(
        key=row["key"],
        id=row["id"],
        account_uid=row["account_uid"],
        username=row["username"],
        enabled=state.enabled,
        roles=state.roles,
        internal=state.internal,
        disabled_by_person=state.disabled_by_person,
        deleted=state.deleted,
        etag=f"{zlib.crc32(mark.encode()):08x}",
    )


def state_of(row: sqlite3.Row) -> State:
    """Return what can change about the user of that row."""
    return State(
        account=row["account"],
        enabled=bool(row["enabled"]),
        roles=row["roles"],
        internal=bool(row["internal"]),
        disabled_by_person=bool(row["disabled_by_person"]),
        deleted=bool(row["deleted"]),
    )


def page(db: sqlite3.Connection, vault: str, *, after: str, limit: int) -> list[sqlite3.Row]:
    """Return up to ``limit`` rows whose key follows ``after``."""
    return db.execute(f"{SELECT} AND u.key > ? ORDER BY u.key LIMIT ?", (vault, after, limit)).fetchall()


def find(db: sqlite3.Connection, vault: str, key: str) -> sqlite3.Row | None:
    """Return the row with that key."""
    row: sqlite3.Row | None = db.execute(f"{SELECT} AND u.key = ?", (vault, key)).fetchone()
    return row


def put_all(
    db: sqlite3.Connection, vault: str, wishes: Sequence[VaultUserWish], *, refused: Iterable[str]
) -> list[ItemResult]:
    """Bring the named users to what is wished, each by itself."""
    names = frozenset(refused)
    return [_put(db, vault, wish, refused=names) for wish in wishes]


def create(db: sqlite3.Connection, vault: str, account: sqlite3.Row, state: State) -> int:
    """Add a user for a row of the account table; return its number in the vault."""
    number: int = db.execute(
        "UPDATE vault SET next_user_id = next_user_id + 1 WHERE guid = ? RETURNING next_user_id - 1", (vault,)
    ).fetchone()[0]
    db.execute(
        "INSERT INTO vault_user (vault, id, key, account_uid, account, enabled, roles, internal,"
        " disabled_by_person, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (vault, number, account["uid"] or f"user:{number}", account["uid"], *_values(state)),
    )
    return number


def save(db: sqlite3.Connection, vault: str, number: int, state: State) -> None:
    """Give the user another state."""
    db.execute(
        "UPDATE vault_user SET account = ?, enabled = ?, roles = ?, internal = ?, disabled_by_person = ?,"
        " deleted = ? WHERE vault = ? AND id = ?",
        (*_values(state), vault, number),
    )


def with_internal(roles: int, *, internal: bool) -> int:
    """Return ``roles`` with the bit that says the same as the vault user's *internal* flag."""
    return roles | VaultRole.INTERNAL_USER if internal else roles & ~VaultRole.INTERNAL_USER


def _values(state: State) -> tuple[int | None, bool, int, bool, bool, bool]:
    return (
        state.account,
        state.enabled,
        state.roles,
        state.internal,
        state.disabled_by_person,
        state.deleted,
    )


def _put(db: sqlite3.Connection, vault: str, wish: VaultUserWish, *, refused: frozenset[str]) -> ItemResult:
    account = db.execute("SELECT * FROM account WHERE uid = ?", (wish.account_uid,)).fetchone()
    row = find(db, vault, wish.account_uid)
    error = _objection(account, row, wish, refused)
    if error is not None:
        return ItemResult(wish.account_uid, Outcome.FAILED, error, id=row["id"] if row else None)
    if row is None:
        number = create(db, vault, account, _wished(wish, account["id"], None))
        return ItemResult(wish.account_uid, Outcome.CREATED, id=number)
    before = state_of(row)
    after = _wished(wish, account["id"], before)
    if after != before:
        save(db, vault, row["id"], after)
    return ItemResult(wish.account_uid, _outcome(before, after), id=row["id"])


def _objection(
    account: sqlite3.Row | None, row: sqlite3.Row | None, wish: VaultUserWish, refused: frozenset[str]
) -> AgentError | None:
    if account is None:
        return AgentError(ErrorCode.ACCOUNT_NOT_FOUND, "Its login account is not on the server.", retryable=True)
    if account["username_key"] in refused:
        return AgentError(ErrorCode.REFUSED_BY_SERVER, "The vault does not accept this user.")
    if wish.if_match is not None and (row is None or user_of(row).etag != wish.if_match):
        return AgentError(ErrorCode.CHANGED_MEANWHILE, "The vault user was changed meanwhile.", retryable=True)
    if row is not None and wish.enabled and row["disabled_by_person"] and not wish.override_person:
        return AgentError(ErrorCode.DISABLED_BY_PERSON, "A person disabled this user in the vault.")
    return None


def _wished(wish: VaultUserWish, account: int, before: State | None) -> State:
    if before is None:
        before = State(account, wish.enabled, DEFAULT_ROLES, True, False, False)
    if before.deleted and not wish.enabled:
        return before
    internal = before.internal if wish.internal is None else wish.internal
    roles = before.roles if wish.roles is None else wish.roles
    return State(
        account=account,
        enabled=wish.enabled,
        roles=with_internal(roles, internal=internal),
        internal=internal,
        disabled_by_person=before.disabled_by_person and not wish.enabled,
        deleted=False,
    )


def _outcome(before: State, after: State) -> Outcome:
    if after == before:
        return Outcome.UNCHANGED
    if before.deleted:
        return Outcome.UNDELETED
    if before.enabled != after.enabled:
        return Outcome.ENABLED if after.enabled else Outcome.DISABLED
    return Outcome.UPDATED
