"""What a person does in M-Files Admin: edits made on the vault server behind the portal's back."""

import re
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from licensing.clients.agent import (
    DEFAULT_ROLES,
    AgentRefused,
    ErrorCode,
    Figures,
    ItemResult,
    LoginAccount,
    Sessions,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
)
from licensing.vaultserver import accounts as login_accounts
from licensing.vaultserver import groups as user_groups
from licensing.vaultserver import users as vault_users
from licensing.vaultserver.core import VaultServer, add_vault, vault_of, vault_row
from licensing.vaultserver.store import touch


def create_vault(server: VaultServer, *, name: str, vault: str | None = None) -> VaultInfo:
    """Make a vault, under a new GUID unless one is given."""
    guid = vault or str(uuid.uuid4())
    with server.store.writing() as db:
        add_vault(db, guid, name)
        return vault_of(vault_row(db, guid))


def change_vault(
    server: VaultServer,
    vault: str,
    *,
    name: str | None = None,
    online: bool | None = None,
    user_synchronization: bool | None = None,
    figures: Figures | None = None,
    sessions: Sessions | None = None,
) -> VaultInfo:
    """Rename a vault, take it offline or online, switch its user synchronization, set what it reports."""
    with server.store.writing() as db:
        now = vault_of(vault_row(db, vault))
        figures, sessions = figures or now.figures, sessions or now.sessions
        db.execute(
            "UPDATE vault SET name = ?, online = ?, user_synchronization = ?, objects = ?, versions = ?,"
            " storage_bytes = ?, database_bytes = ?, named = ?, concurrent = ?, read_only = ? WHERE guid = ?",
            (
                name or now.name,
                now.online if online is None else online,
                now.user_synchronization if user_synchronization is None else user_synchronization,
                *(figures.objects, figures.versions, figures.storage_bytes, figures.database_bytes),
                *(sessions.named, sessions.concurrent, sessions.read_only),
                vault,
            ),
        )
        return vault_of(vault_row(db, vault))


def delete_vault(server: VaultServer, vault: str) -> None:
    """Destroy a vault with its users and groups."""
    with server.store.writing() as db:
        vault_row(db, vault)
        db.execute("DELETE FROM vault WHERE guid = ?", (vault,))


def add_login_account(server: VaultServer, account: LoginAccount) -> None:
    """Add a login account that the portal does not know (its uid is ignored)."""
    with server.store.writing() as db:
        if _account(db, account.username) is not None:
            raise AgentRefused(ErrorCode.USERNAME_TAKEN, f"Another account is called {account.username}.")
        login_accounts.add_unknown(db, account)
        touch(db)


def change_login_account(server: VaultServer, who: str, **changes: Any) -> LoginAccount:
    """Change fields of the login account of that username (``LoginAccount``'s names, but not the uid)."""
    with server.store.writing() as db:
        row = _known_account(db, who)
        changed = replace(login_accounts.account_of(row), **changes)
        holder = _account(db, changed.username)
        if holder is not None and holder["id"] != row["id"]:
            raise AgentRefused(ErrorCode.USERNAME_TAKEN, f"Another account is called {changed.username}.")
        login_accounts.update(db, row["id"], changed)
        touch(db)
        return changed


def delete_login_account(server: VaultServer, username: str) -> None:
    """Delete a login account; its vault users stay, detached."""
    with server.store.writing() as db:
        db.execute("DELETE FROM account WHERE id = ?", (_known_account(db, username)["id"],))
        touch(db)


def add_user(
    server: VaultServer,
    vault: str,
    username: str,
    *,
    enabled: bool = True,
    roles: int = DEFAULT_ROLES,
    internal: bool = True,
) -> VaultUser:
    """Make a login account a user of the vault, or undelete that user; adds the login account if missing."""
    with server.store.writing() as db:
        vault_row(db, vault)
        account = _account(db, username) or _new_account(db, username)
        bits = vault_users.with_internal(roles, internal=internal)
        state = vault_users.State(account["id"], enabled, bits, internal, not enabled, deleted=False)
        key = _key_of_account(db, vault, account["id"])
        if key is None:
            (number,) = vault_users.create(db, vault, [(account, state)])
        else:
            number = _known_user(db, vault, key)["id"]
            vault_users.save(db, vault, [(number, state)])
        touch(db, vault)
        return _user_numbered(db, vault, number)


def change_user(
    server: VaultServer,
    vault: str,
    who: str,
    *,
    enabled: bool | None = None,
    roles: int | None = None,
    internal: bool | None = None,
) -> VaultUser:
    """Enable, disable or change a user, named by key or username; who disables here is a person."""
    with server.store.writing() as db:
        row = _known_user(db, vault, who)
        now = vault_users.state_of(row)
        internal = now.internal if internal is None else internal
        bits = vault_users.with_internal(now.roles if roles is None else roles, internal=internal)
        state = replace(now, internal=internal, roles=bits)
        if enabled is not None and enabled != now.enabled:
            state = replace(state, enabled=enabled, disabled_by_person=not enabled)
        vault_users.save(db, vault, [(row["id"], state)])
        touch(db, vault)
        return _user_numbered(db, vault, row["id"])


def delete_user(server: VaultServer, vault: str, who: str) -> VaultUser:
    """Delete a user from the vault: it leaves its groups, and only adding it again brings it back."""
    with server.store.writing() as db:
        row = _known_user(db, vault, who)
        state = replace(vault_users.state_of(row), enabled=False, disabled_by_person=False, deleted=True)
        vault_users.save(db, vault, [(row["id"], state)])
        db.execute("DELETE FROM member WHERE vault = ? AND id = ?", (vault, row["id"]))
        touch(db, vault)
        return _user_numbered(db, vault, row["id"])


def add_group(server: VaultServer, vault: str, name: str) -> VaultUserGroup:
    """Add a user group. Refuses a name that is taken."""
    with server.store.writing() as db:
        vault_row(db, vault)
        _check_group_name(db, vault, name)
        touch(db, vault)
        return user_groups.create(db, vault, name)


def change_group(
    server: VaultServer, vault: str, group_id: int, *, name: str | None = None, visible: bool | None = None
) -> VaultUserGroup:
    """Rename, show or hide a user group that is not built in."""
    with server.store.writing() as db:
        group = user_groups.changeable(db, vault, group_id)
        name = group.name if name is None else name
        if name.casefold() != group.name.casefold():
            _check_group_name(db, vault, name)
        touch(db, vault)
        visible = group.visible if visible is None else visible
        return user_groups.save(db, vault, replace(group, name=name, visible=visible))


def delete_group(server: VaultServer, vault: str, group_id: int) -> None:
    """Delete a user group that is not built in."""
    with server.store.writing() as db:
        user_groups.changeable(db, vault, group_id)
        db.execute("DELETE FROM member WHERE vault = ? AND id = ?", (vault, -group_id))
        db.execute("DELETE FROM user_group WHERE vault = ? AND id = ?", (vault, group_id))
        touch(db, vault)


def change_members(
    server: VaultServer, vault: str, group_id: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> list[ItemResult]:
    """Add and remove members by key, whatever the vault's user synchronization says."""
    with server.store.writing() as db:
        user_groups.changeable(db, vault, group_id)
        touch(db, vault)
        return user_groups.change(db, vault, group_id, add=add, remove=remove)


def back_up(server: VaultServer, name: str) -> None:
    """Keep a copy of the whole server under ``name`` (letters, digits and hyphens)."""
    if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise AgentRefused(ErrorCode.INVALID_REQUEST, "A backup's name has letters, digits and hyphens only.")
    server.store.back_up(name)


def restore(server: VaultServer, name: str) -> None:
    """Put the whole server back to that copy. Raises ``BackupNotFound``."""
    server.store.restore(name)


def _account(db: sqlite3.Connection, username: str) -> sqlite3.Row | None:
    name = login_accounts.username_key(username)
    row: sqlite3.Row | None = db.execute("SELECT * FROM account WHERE username_key = ?", (name,)).fetchone()
    return row


def _known_account(db: sqlite3.Connection, username: str) -> sqlite3.Row:
    row = _account(db, username)
    if row is None:
        raise AgentRefused(ErrorCode.ACCOUNT_NOT_FOUND, f"The server has no login account {username}.")
    return row


def _new_account(db: sqlite3.Connection, username: str) -> sqlite3.Row:
    number = login_accounts.add_unknown(db, LoginAccount(uid=None, username=username))
    row: sqlite3.Row = db.execute("SELECT * FROM account WHERE id = ?", (number,)).fetchone()
    return row


def _key_of_account(db: sqlite3.Connection, vault: str, account: int) -> str | None:
    row = db.execute("SELECT key FROM vault_user WHERE vault = ? AND account = ?", (vault, account)).fetchone()
    return row["key"] if row else None


def _known_user(db: sqlite3.Connection, vault: str, who: str) -> sqlite3.Row:
    """Find a user by its key, or else by its username."""
    vault_row(db, vault)
    account = _account(db, who)
    key = _key_of_account(db, vault, account["id"]) if account else who
    row = vault_users.find(db, vault, key or who)
    if row is None:
        raise AgentRefused(ErrorCode.USER_NOT_FOUND, f"The vault has no user {who}.")
    return row


def _user_numbered(db: sqlite3.Connection, vault: str, number: int) -> VaultUser:
    row = db.execute(f"{vault_users.SELECT} AND u.id = ?", (vault, number)).fetchone()
    return vault_users.user_of(row)


def _check_group_name(db: sqlite3.Connection, vault: str, name: str) -> None:
    if not name.strip() or user_groups.find(db, vault, name) is not None:
        raise AgentRefused(ErrorCode.INVALID_REQUEST, "A user group needs a name of its own.")
