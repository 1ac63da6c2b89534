"""Login accounts of the emulated server (M-Files: ``ServerLoginAccountOperations``)."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from licensing.clients.agent import AgentError, ErrorCode, ItemResult, LoginAccount, Outcome
from licensing.vaultserver.store import among
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
    rows, holders = find_all(db, [account.uid for account in accounts]), _holders(db, accounts)
    faults = {uid: _refusal() for uid in _uids_named(accounts, frozenset(refused))}
    faults |= _conflicts([account for account in accounts if account.uid not in faults], rows, holders)
    sound = [account for account in accounts if account.uid not in faults]
    _park_names(db, [account for account in sound if account.uid in rows])
    outcomes = {account.uid: _change(db, account, rows[account.uid]) for account in sound if account.uid in rows}
    new = [account for account in sound if account.uid not in rows]
    outcomes |= {account.uid: _adopt(db, account) for account in new if _is_adoptable(account, holders)}
    outcomes |= _create(db, [account for account in new if not _is_adoptable(account, holders)])
    return [_result(account.uid or "", outcomes.get(account.uid), faults) for account in accounts]


def find_all(db: sqlite3.Connection, uids: Iterable[str | None]) -> dict[str | None, sqlite3.Row]:
    """Return the rows with these uids, by uid."""
    return {row["uid"]: row for row in among(db, "SELECT * FROM account WHERE uid", (), uids)}


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


def _conflicts(
    accounts: Sequence[LoginAccount], rows: Mapping[str | None, sqlite3.Row], holders: Mapping[str, str | None]
) -> dict[str | None, AgentError]:
    """Find the accounts that cannot have their names, until leaving them out makes no further one fail."""
    names = {account.uid: username_key(account.username) for account in accounts}
    current = {uid: row["username_key"] for uid, row in rows.items()}
    taken: dict[str | None, AgentError] = {}
    while found := _blocked(names, current, holders):
        for uid in found:
            taken[uid] = AgentError(ErrorCode.USERNAME_TAKEN, f"Another account is called {names.pop(uid)}.")
    return taken


def _blocked(
    names: dict[str | None, str],
    current: Mapping[str | None, str],
    holders: Mapping[str, str | None],
) -> list[str | None]:
    leaving = {uid for uid, name in names.items() if current.get(uid) != name}
    claimed: set[str] = set()
    blocked = []
    for uid, name in names.items():
        if name in claimed or not _may_have(uid, name, current, holders, leaving):
            blocked.append(uid)
        claimed.add(name)
    return blocked


def _may_have(
    uid: str | None,
    name: str,
    current: Mapping[str | None, str],
    holders: Mapping[str, str | None],
    leaving: set[str | None],
) -> bool:
    """Say whether the name is free, its own, being left, or of an account without a uid that a new one takes over."""
    if name not in holders:
        return True
    holder = holders[name]
    return uid not in current if holder is None else holder == uid or holder in leaving


def _holders(db: sqlite3.Connection, accounts: Sequence[LoginAccount]) -> dict[str, str | None]:
    """Return who has the names that ``accounts`` ask for: the uid, None for an account without one."""
    names = [username_key(account.username) for account in accounts]
    rows = among(db, "SELECT uid, username_key FROM account WHERE username_key", (), names)
    return {row["username_key"]: row["uid"] for row in rows}


def _is_adoptable(account: LoginAccount, holders: Mapping[str, str | None]) -> bool:
    name = username_key(account.username)
    return name in holders and holders[name] is None


def _park_names(db: sqlite3.Connection, accounts: Sequence[LoginAccount]) -> None:
    db.executemany(
        "UPDATE account SET username_key = char(0) || id WHERE uid = ? AND username_key <> ?",
        [(account.uid, username_key(account.username)) for account in accounts],
    )


def _change(db: sqlite3.Connection, account: LoginAccount, row: sqlite3.Row) -> Outcome:
    if account_of(row) == account:
        return Outcome.UNCHANGED
    update(db, row["id"], account)
    if bool(row["enabled"]) != account.enabled:
        return Outcome.ENABLED if account.enabled else Outcome.DISABLED
    return Outcome.UPDATED


def _create(db: sqlite3.Connection, accounts: Sequence[LoginAccount]) -> dict[str | None, Outcome]:
    db.executemany(
        f"INSERT INTO account (key, uid, {COLUMNS}) VALUES (?1, ?1, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [(account.uid, *_values(account)) for account in accounts],
    )
    return dict.fromkeys((account.uid for account in accounts), Outcome.CREATED)


def _adopt(db: sqlite3.Connection, account: LoginAccount) -> Outcome:
    """Take over an account that a person made under this name; its vault users get the uid as their key."""
    name = username_key(account.username)
    row = db.execute("SELECT id FROM account WHERE uid IS NULL AND username_key = ?", (name,)).fetchone()
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
