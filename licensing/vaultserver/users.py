"""Users of one vault (M-Files: ``VaultUserOperations``): at most one per login account and vault."""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from licensing.vaultserver import accounts as login_accounts
from licensing.vaultserver.store import among

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


def find_all(db: sqlite3.Connection, vault: str, keys: Iterable[str]) -> dict[str, sqlite3.Row]:
    """Return the rows with these keys, by key."""
    return {row["key"]: row for row in among(db, f"{SELECT} AND u.key", (vault,), keys)}


def put_all(
    db: sqlite3.Connection, vault: str, wishes: Sequence[VaultUserWish], *, refused: Iterable[str]
) -> list[ItemResult]:
    """Bring the named users to what is wished, each by itself."""
    names = frozenset(refused)
    return [result for batch in _without_repeats(wishes) for result in _put_each(db, vault, batch, refused=names)]


def create(db: sqlite3.Connection, vault: str, new: Sequence[tuple[sqlite3.Row, State]]) -> list[int]:
    """Add users for rows of the account table; return their numbers in the vault."""
    if not new:
        return []
    following: int = db.execute(
        "UPDATE vault SET next_user_id = next_user_id + ? WHERE guid = ? RETURNING next_user_id", (len(new), vault)
    ).fetchone()[0]
    numbers = list(range(following - len(new), following))
    db.executemany(
        "INSERT INTO vault_user (vault, id, key, account_uid, account, enabled, roles, internal,"
        " disabled_by_person, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (vault, number, account["uid"] or f"user:{number}", account["uid"], *_values(state))
            for number, (account, state) in zip(numbers, new, strict=True)
        ],
    )
    return numbers


def save(db: sqlite3.Connection, vault: str, states: Iterable[tuple[int, State]]) -> None:
    """Give the users of these numbers other states."""
    db.executemany(
        "UPDATE vault_user SET account = ?, enabled = ?, roles = ?, internal = ?, disabled_by_person = ?,"
        " deleted = ? WHERE vault = ? AND id = ?",
        [(*_values(state), vault, number) for number, state in states],
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


@dataclass(frozen=True, slots=True)
class _Step:
    """What becomes of one wish: ``number`` and ``before`` None: the user is made; ``after`` None: ``error``."""

    uid: str
    account: sqlite3.Row | None
    number: int | None
    before: State | None
    after: State | None
    error: AgentError | None = None


def _without_repeats(wishes: Sequence[VaultUserWish]) -> Iterator[list[VaultUserWish]]:
    """Cut ``wishes`` so that no part has two for one user: the second is about what the first did."""
    part: dict[str, VaultUserWish] = {}
    for wish in wishes:
        if wish.account_uid in part:
            yield list(part.values())
            part = {}
        part[wish.account_uid] = wish
    yield list(part.values())


def _put_each(
    db: sqlite3.Connection, vault: str, wishes: Sequence[VaultUserWish], *, refused: frozenset[str]
) -> list[ItemResult]:
    uids = [wish.account_uid for wish in wishes]
    accounts, rows = login_accounts.find_all(db, uids), find_all(db, vault, uids)
    steps = [
        _step(wish, accounts.get(wish.account_uid), rows.get(wish.account_uid), refused=refused) for wish in wishes
    ]
    new = [(s.account, s.after) for s in steps if s.number is None and s.account is not None and s.after]
    numbers = dict(zip((account["uid"] for account, _ in new), create(db, vault, new), strict=True))
    save(db, vault, [(s.number, s.after) for s in steps if s.number is not None and s.after and s.after != s.before])
    return [_result(step, numbers) for step in steps]


def _step(
    wish: VaultUserWish, account: sqlite3.Row | None, row: sqlite3.Row | None, *, refused: frozenset[str]
) -> _Step:
    error = _objection(account, row, wish, refused)
    number, before = (row["id"], state_of(row)) if row else (None, None)
    after = None if error or account is None else _wished(wish, account["id"], before)
    return _Step(wish.account_uid, account, number, before, after, error)


def _result(step: _Step, numbers: Mapping[str, int]) -> ItemResult:
    if step.after is None:
        return ItemResult(step.uid, Outcome.FAILED, step.error, id=step.number)
    if step.before is None:
        return ItemResult(step.uid, Outcome.CREATED, id=numbers[step.uid])
    return ItemResult(step.uid, _outcome(step.before, step.after), id=step.number)


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
