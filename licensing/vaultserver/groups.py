"""User groups of one vault (M-Files: ``VaultUserGroupOperations``) and their direct members."""

import sqlite3
from collections.abc import Mapping, Sequence

from licensing.clients.agent import (
    AgentError,
    AgentRefused,
    ErrorCode,
    GroupMember,
    ItemResult,
    Outcome,
    VaultUserGroup,
)
from licensing.vaultserver.store import ALL_INTERNAL_USERS, BUILT_IN_GROUPS, among

SELECT = "SELECT id, name, visible FROM user_group WHERE vault = ?"


def group_of(row: sqlite3.Row) -> VaultUserGroup:
    """Return a row of the group table as the contract's dataclass."""
    return VaultUserGroup(
        id=row["id"], name=row["name"], built_in=row["id"] in BUILT_IN_GROUPS, visible=bool(row["visible"])
    )


def all_of(db: sqlite3.Connection, vault: str) -> tuple[VaultUserGroup, ...]:
    """Return the vault's groups by id."""
    rows = db.execute(f"{SELECT} ORDER BY id", (vault,))
    return tuple(group_of(row) for row in rows)


def get(db: sqlite3.Connection, vault: str, group_id: int) -> VaultUserGroup:
    """Return one group. Refuses with ``group_not_found``."""
    row = db.execute(f"{SELECT} AND id = ?", (vault, group_id)).fetchone()
    if row is None:
        raise AgentRefused(ErrorCode.GROUP_NOT_FOUND, f"The vault has no user group {group_id}.")
    return group_of(row)


def changeable(db: sqlite3.Connection, vault: str, group_id: int) -> VaultUserGroup:
    """Return one group whose members may be changed. Refuses with ``group_not_found`` or ``group_built_in``."""
    group = get(db, vault, group_id)
    if group.built_in:
        raise AgentRefused(ErrorCode.GROUP_BUILT_IN, f"{group.name} is built in; nobody can change it.")
    return group


def find(db: sqlite3.Connection, vault: str, name: str) -> VaultUserGroup | None:
    """Return the group of that name, without regard to case."""
    row = db.execute(f"{SELECT} AND name_key = ?", (vault, name.casefold())).fetchone()
    return group_of(row) if row else None


def create(db: sqlite3.Connection, vault: str, name: str) -> VaultUserGroup:
    """Add an empty group."""
    number: int = db.execute(
        "UPDATE vault SET next_group_id = next_group_id + 1 WHERE guid = ? RETURNING next_group_id - 1", (vault,)
    ).fetchone()[0]
    insert(db, vault, number, name)
    return VaultUserGroup(id=number, name=name, built_in=False)


def insert(db: sqlite3.Connection, vault: str, number: int, name: str) -> None:
    """Add a group under a given number."""
    db.execute(
        "INSERT INTO user_group (vault, id, name, name_key) VALUES (?, ?, ?, ?)",
        (vault, number, name, name.casefold()),
    )


def save(db: sqlite3.Connection, vault: str, group: VaultUserGroup) -> VaultUserGroup:
    """Give the group of that number its name and visibility."""
    db.execute(
        "UPDATE user_group SET name = ?, name_key = ?, visible = ? WHERE vault = ? AND id = ?",
        (group.name, group.name.casefold(), group.visible, vault, group.id),
    )
    return group


def members(db: sqlite3.Connection, vault: str, group: VaultUserGroup, *, after: str, limit: int) -> list[GroupMember]:
    """Return up to ``limit`` members whose key follows ``after``; a built-in group's are the vault's users."""
    if group.built_in:
        rows = db.execute(
            "SELECT key, id FROM vault_user WHERE vault = ? AND NOT deleted AND (internal OR ?) AND key > ?"
            " ORDER BY key LIMIT ?",
            (vault, group.id != ALL_INTERNAL_USERS, after, limit),
        )
    else:
        rows = db.execute(
            "SELECT key, id FROM member WHERE vault = ? AND group_id = ? AND key > ? ORDER BY key LIMIT ?",
            (vault, group.id, after, limit),
        )
    return [GroupMember(key=row["key"], id=row["id"], account_uid=_uid(row["key"])) for row in rows]


def change(
    db: sqlite3.Connection, vault: str, group_id: int, *, add: Sequence[str], remove: Sequence[str]
) -> list[ItemResult]:
    """Add and remove direct members, each by itself."""
    known = among(db, "SELECT key, id FROM vault_user WHERE vault = ? AND NOT deleted AND key", (vault,), add)
    numbers = {row["key"]: row["id"] for row in known}
    return [_add(db, vault, group_id, key, numbers) for key in add] + [
        _remove(db, vault, group_id, key) for key in remove
    ]


def _uid(key: str) -> str | None:
    return None if key.startswith(("user:", "group:")) else key


def _add(db: sqlite3.Connection, vault: str, group_id: int, key: str, users: Mapping[str, int]) -> ItemResult:
    number = _group_number(db, vault, key) if key.startswith("group:") else users.get(key)
    if number is None:
        missing = AgentError(ErrorCode.USER_NOT_FOUND, f"The vault has no member {key}.", retryable=True)
        return ItemResult(key, Outcome.FAILED, missing)
    if number < 0 and _leads_to(db, vault, start=-number, target=group_id):
        cycle = AgentError(ErrorCode.GROUP_CYCLE, "The group would be a member of itself.")
        return ItemResult(key, Outcome.FAILED, cycle)
    added = db.execute(
        "INSERT INTO member (vault, group_id, key, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (vault, group_id, key, number),
    ).rowcount
    return ItemResult(key, Outcome.ADDED if added else Outcome.UNCHANGED, id=number)


def _remove(db: sqlite3.Connection, vault: str, group_id: int, key: str) -> ItemResult:
    removed = db.execute(
        "DELETE FROM member WHERE vault = ? AND group_id = ? AND key = ?", (vault, group_id, key)
    ).rowcount
    return ItemResult(key, Outcome.REMOVED if removed else Outcome.UNCHANGED)


def _group_number(db: sqlite3.Connection, vault: str, key: str) -> int | None:
    row = db.execute("SELECT id FROM user_group WHERE vault = ? AND 'group:' || id = ?", (vault, key)).fetchone()
    return -row["id"] if row else None


def _leads_to(db: sqlite3.Connection, vault: str, *, start: int, target: int) -> bool:
    """Say whether ``target`` is ``start`` or a group somewhere inside it."""
    found = db.execute(
        "WITH RECURSIVE inside(id) AS (SELECT ?2 UNION SELECT -m.id FROM member m JOIN inside"
        " ON m.vault = ?1 AND m.group_id = inside.id WHERE m.id < 0)"
        " SELECT 1 FROM inside WHERE id = ?3",
        (vault, start, target),
    ).fetchone()
    return found is not None
