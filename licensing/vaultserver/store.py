"""The emulated vault server's own storage: one SQLite database, apart from the portal's."""

import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ALL_INTERNAL_USERS = 1
ALL_USERS = 2
BUILT_IN_GROUPS = {ALL_INTERNAL_USERS: "All internal users", ALL_USERS: "All internal and external users"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS vault (
    guid TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    online INTEGER NOT NULL DEFAULT 1,
    user_synchronization INTEGER NOT NULL DEFAULT 0,
    objects INTEGER NOT NULL DEFAULT 0,
    versions INTEGER NOT NULL DEFAULT 0,
    storage_bytes INTEGER NOT NULL DEFAULT 0,
    database_bytes INTEGER NOT NULL DEFAULT 0,
    named INTEGER NOT NULL DEFAULT 0,
    concurrent INTEGER NOT NULL DEFAULT 0,
    read_only INTEGER NOT NULL DEFAULT 0,
    revision TEXT NOT NULL,
    next_user_id INTEGER NOT NULL DEFAULT 1,
    next_group_id INTEGER NOT NULL DEFAULT 101
);
CREATE TABLE IF NOT EXISTS account (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    uid TEXT UNIQUE,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    email TEXT NOT NULL,
    license_type INTEGER NOT NULL,
    enabled INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS vault_user (
    vault TEXT NOT NULL REFERENCES vault ON DELETE CASCADE,
    id INTEGER NOT NULL,
    key TEXT NOT NULL,
    account_uid TEXT,
    account INTEGER REFERENCES account ON DELETE SET NULL,
    enabled INTEGER NOT NULL,
    roles INTEGER NOT NULL,
    internal INTEGER NOT NULL,
    disabled_by_person INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (vault, id),
    UNIQUE (vault, key),
    UNIQUE (vault, account)
);
CREATE INDEX IF NOT EXISTS vault_user_account ON vault_user (account);
CREATE TABLE IF NOT EXISTS user_group (
    vault TEXT NOT NULL REFERENCES vault ON DELETE CASCADE,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    visible INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (vault, id),
    UNIQUE (vault, name_key)
);
CREATE TABLE IF NOT EXISTS member (
    vault TEXT NOT NULL,
    group_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (vault, group_id, key),
    FOREIGN KEY (vault, group_id) REFERENCES user_group ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS member_id ON member (vault, id);
CREATE TABLE IF NOT EXISTS answer (
    idempotency_key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer BLOB NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS answer_at ON answer (at);
"""

ADDED = (("user_group", "visible", "INTEGER NOT NULL DEFAULT 1"),)
"""Columns that files of earlier versions lack."""


class BackupNotFound(Exception):
    """There is no backup of that name."""


class Store:
    """One connection that all threads share in turn; a file survives the death of the process at any moment."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._backups: dict[str, sqlite3.Connection] = {}
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)
        _upgrade(self._db)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one consistent look."""
        with self._lock:
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction, kept if the block ends well."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def back_up(self, name: str) -> None:
        """Copy everything to the backup called ``name`` (a file beside the data file, or memory)."""
        with self._lock:
            self._db.backup(self._backup(name))

    def restore(self, name: str) -> None:
        """Put back what the backup holds. Raises ``BackupNotFound``."""
        with self._lock:
            if name not in self._backups and not self._backup_path(name).exists():
                raise BackupNotFound(f"There is no backup {name!r}.")
            self._backup(name).backup(self._db)
            _upgrade(self._db)
            self._db.execute("UPDATE vault SET revision = lower(hex(randomblob(16)))")

    def close(self) -> None:
        """Close the database and its backups."""
        with self._lock:
            for backup in self._backups.values():
                backup.close()
            self._db.close()

    def _backup(self, name: str) -> sqlite3.Connection:
        if name not in self._backups:
            place = ":memory:" if self._path == ":memory:" else str(self._backup_path(name))
            self._backups[name] = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
        return self._backups[name]

    def _backup_path(self, name: str) -> Path:
        return Path(f"{self._path}.{name}.backup")


def _upgrade(db: sqlite3.Connection) -> None:
    for table, column, kind in ADDED:
        if column not in {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def among(db: sqlite3.Connection, sql: str, given: Sequence[object], values: Iterable[str | None]) -> list[sqlite3.Row]:
    """Return what ``sql``, which ends in a column, finds where that column has one of ``values``; one statement."""
    wanted = list(dict.fromkeys(values))
    return db.execute(f"{sql} IN ({','.join('?' * len(wanted))})", (*given, *wanted)).fetchall()


def touch(db: sqlite3.Connection, vault: str | None = None) -> None:
    """Give one vault, or every one, a new revision."""
    db.execute("UPDATE vault SET revision = ? WHERE ?2 IS NULL OR guid = ?2", (uuid.uuid4().hex, vault))
