"""Login accounts of the emulated server (M-Files: ``ServerLoginAccountOperations``)."""

import sqlite3
from collections.abc import Iterable, Sequence

from licensing.clients.agent import AgentError, ErrorCode, ItemResult, LoginAccount, Outcome
from provisioning.license_types import LicenseType

COLUMNS = "username, username_key, full_name, email, license_type, enabled"


def username_key(username: str) -> str:
    """Return what two usernames share when they are the same to the server."""
    return username.casefold()


def account_of(row: sqlite3.Row) -> LoginAccount:
    """Return a row of the account table as the contract's dataclass."""
    return LoginAccount(
        uid=row["uid"],
        username=row["username"],
        full_name=row["full_name"],
        email=row["email"],
        license_type=LicenseType(row["license_type"]),
        enabled=bool(row["enabled"]),
    )


def page(db: sqlite3.Connection, *, after: str, limit: int) -> list[sqlite3.Row]:
    """Return up to ``limit`` rows whose key follows ``after``."""
    return db.execute("SELECT * FROM account WHERE key > ? ORDER BY key LIMIT ?", (after, limit)).fetchall()


def put_all(db: sqlite3.Connection, accounts: Sequence[LoginAccount], *, refused: Iterable[str]) -> list[ItemResult]:
    """Create, change and rename ``accounts``; names that they pass among themselves are no conflict."""
    faults = {uid: _refusal() for uid in _uids_named(accounts, frozenset(refused))}
    faults |= _conflicts(db, [account for account in accounts if account.uid not in faults])
    sound = [account for account in accounts if account.uid not in faults]
    _park_names(db, sound)
    outcomes = {account.uid: _put(db, account) for account in sound}
    return [_result(account.uid or "", outcomes.get(account.uid), faults) for account in accounts]


def remove(db: sqlite3.Connection, uid: str) -> Outcome:
    """Delete the account; its vault users stay, detached, under their key."""
    gone = db.execute("DELETE FROM account WHERE uid = ?", (uid,)).rowcount
    return Outcome.REMOVED if gone else Outcome.UNCHANGED


def add_unknown(db: sqlite3.Connection, account: LoginAccount) -> int:
    """Add an account as a person does on the server, without a uid; return its row's id."""
    cursor = db.execute(
        f"INSERT INTO account (key, uid, {COLUMNS}) VALUES (?, NULL, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (f"username:{username_key(account.username)}", *_values(account)),
    )
    return cursor.lastrowid or 0


def update(db: sqlite3.Connection, row_id: int, account: LoginAccount) -> None:
    """Give the row the fields of ``account`` (not its uid)."""
    db.execute(
        "UPDATE account SET username = ?, username_key = ?, full_name = ?, email = ?, license_type = ?,"
        " enabled = ? WHERE id = ?",
        (*_values(account), row_id),
    )


def _uids_named(accounts: Sequence[LoginAccount], usernames: frozenset[str]) -> set[str | None]:
    return {account.uid for account in accounts if username_key(account.username) in usernames}


def _refusal() -> AgentError:
    return AgentError(ErrorCode.REFUSED_BY_SERVER, "The vault server does not accept this user.")


def _result(key: str, outcome: Outcome | None, faults: dict[str | None, AgentError]) -> ItemResult:
    if outcome is None:
        return ItemResult(key=key, outcome=Outcome.FAILED, error=faults[key])
    return ItemResult(key=key, outcome=outcome)


def _conflicts(db: sqlite3.Connection, accounts: Sequence[LoginAccount]) -> dict[str | None, AgentError]:
    """Find the accounts that cannot have their names, until leaving them out makes no further one fail."""
    names = {account.uid: username_key(account.username) for account in accounts}
    current = {account.uid: _name_of(db, account.uid) for account in accounts}
    holders = {name: _holder_of(db, name) for name in names.values()}
    taken: dict[str | None, AgentError] = {}
    while found := _blocked(names, current, holders):
        for uid in found:
            taken[uid] = AgentError(ErrorCode.USERNAME_TAKEN, f"Another account is called {names.pop(uid)}.")
    return taken


def _blocked(
    names: dict[str | None, str],
    current: dict[str | None, str | None],
    holders: dict[str, tuple[str | None] | None],
) -> list[str | None]:
    leaving = {uid for uid, name in names.items() if current[uid] != name}
    claimed: set[str] = set()
    blocked = []
    for uid, name in names.items():
        holder = holders[name]
        free = holder is None or holder[0] == uid or holder[0] in leaving
        adoptable = holder == (None,) and current[uid] is None
        if name in claimed or not (adoptable if holder == (None,) else free):
            blocked.append(uid)
        claimed.add(name)
    return blocked


def _name_of(db: sqlite3.Connection, uid: str | None) -> str | None:
    row = db.execute("SELECT username_key FROM account WHERE uid = ?", (uid,)).fetchone()
    return row["username_key"] if row else None


def _holder_of(db: sqlite3.Connection, name: str) -> tuple[str | None] | None:
    row = db.execute("SELECT uid FROM account WHERE username_key = ?", (name,)).fetchone()
    return (row["uid"],) if row else None


def _park_names(db: sqlite3.Connection, accounts: Sequence[LoginAccount]) -> None:
    db.executemany(
        "UPDATE account SET username_key = char(0) || id WHERE uid = ? AND username_key <> ?",
        [(account.uid, username_key(account.username)) for account in accounts],
    )


def _put(db: sqlite3.Connection, account: LoginAccount) -> Outcome:
    row = db.execute("SELECT * FROM account WHERE uid = ?", (account.uid,)).fetchone()
    if row is None:
        return _adopt(db, account) or _create(db, account)
    if account_of(row) == account:
        return Outcome.UNCHANGED
    update(db, row["id"], account)
    if bool(row["enabled"]) != account.enabled:
        return Outcome.ENABLED if account.enabled else Outcome.DISABLED
    return Outcome.UPDATED


def _create(db: sqlite3.Connection, account: LoginAccount) -> Outcome:
    db.execute(
        f"INSERT INTO account (key, uid, {COLUMNS}) VALUES (?1, ?1, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (account.uid, *_values(account)),
    )
    return Outcome.CREATED


def _adopt(db: sqlite3.Connection, account: LoginAccount) -> Outcome | None:
    """Take over an account that a person made under this name; its vault users get the uid as their key."""
    name = username_key(account.username)
    row = db.execute("SELECT id FROM account WHERE uid IS NULL AND username_key = ?", (name,)).fetchone()
    if row is None:
        return None
    db.execute("UPDATE account SET uid = ?1, key = ?1 WHERE id = ?2", (account.uid, row["id"]))
    db.execute(
        "UPDATE member SET key = ?1 WHERE (vault, id) IN (SELECT vault, id FROM vault_user WHERE account = ?2)",
        (account.uid, row["id"]),
    )
    db.execute("UPDATE vault_user SET key = ?1, account_uid = ?1 WHERE account = ?2", (account.uid, row["id"]))
    update(db, row["id"], account)
    return Outcome.UPDATED


def _values(account: LoginAccount) -> tuple[str, str, str, str, int, bool]:
    return (
        account.username,
        username_key(account.username),
        account.full_name,
        account.email,
        int(account.license_type),
        account.enabled,
    )
