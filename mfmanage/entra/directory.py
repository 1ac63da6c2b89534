"""The source directory: what Entra's side holds in each cycle of a run."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of the source directory; the names are Entra's, ``None`` is an empty attribute."""

    id: str
    user_principal_name: str
    display_name: str | None = None
    given_name: str | None = None
    surname: str | None = None
    mail: str | None = None
    mail_nickname: str | None = None
    account_enabled: bool = True
    info1: str | None = None
    info2: str | None = None
    manager: str | None = None
    assigned: bool = True
    soft_deleted: bool = False

    @property
    def in_scope(self) -> bool:
        """Whether the application is assigned to the user and the user is not in Entra's recycle bin."""
        return self.assigned and not self.soft_deleted

    @property
    def is_active(self) -> bool:
        """The negation of Entra's ``IsSoftDeleted``, which is mapped to ``active``."""
        return self.in_scope and self.account_enabled


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of the source directory; ``members`` are ids of users."""

    id: str
    display_name: str
    members: tuple[str, ...] = ()
    assigned: bool = True


@dataclass(frozen=True)
class Snapshot:
    """The whole directory as it is while one cycle runs, by id."""

    users: Mapping[str, User]
    groups: Mapping[str, Group]


@dataclass(frozen=True)
class Directory:
    """A directory and how it changes: one snapshot a cycle, the last one standing for all later cycles."""

    snapshots: tuple[Snapshot, ...]

    def at(self, cycle: int) -> Snapshot:
        """Return what the directory holds in ``cycle``, counted from 1."""
        return self.snapshots[min(cycle, len(self.snapshots)) - 1]
