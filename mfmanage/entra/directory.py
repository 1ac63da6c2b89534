"""The source directory: what Entra's side holds in each cycle of a run."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of the source directory; the names are Entra's, ``None`` is an empty attribute.

    ``filtered_out`` says that scoping filters are there and none of them lets the user pass.
    """

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
    job_title: str | None = None
    department: str | None = None
    employee_id: str | None = None
    preferred_language: str | None = None
    proxy_addresses: tuple[str, ...] = ()
    physical_delivery_office_name: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    telephone_number: str | None = None
    mobile: str | None = None
    facsimile_telephone_number: str | None = None
    app_roles: tuple[str, ...] = ()
    assigned: bool = True
    soft_deleted: bool = False
    filtered_out: bool = False

    @property
    def is_selected(self) -> bool:
        """Whether the application is assigned to the user and the scoping filters let the user pass."""
        return self.assigned and not self.filtered_out

    @property
    def in_scope(self) -> bool:
        """Whether the user is selected and not in Entra's recycle bin."""
        return self.is_selected and not self.soft_deleted

    @property
    def is_active(self) -> bool:
        """The negation of Entra's ``IsSoftDeleted``, which is mapped to ``active``."""
        return self.in_scope and self.account_enabled


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of the source directory; ``members`` are ids of users, ``filtered_out`` is as with users."""

    id: str
    display_name: str
    members: tuple[str, ...] = ()
    assigned: bool = True
    filtered_out: bool = False

    @property
    def in_scope(self) -> bool:
        """Whether the application is assigned to the group and the scoping filters let it pass."""
        return self.assigned and not self.filtered_out


@dataclass(frozen=True)
class Snapshot:
    """The whole directory as it is while one cycle runs, by id; ``scope`` tells one set of filters from another."""

    users: Mapping[str, User]
    groups: Mapping[str, Group]
    scope: object = None


@dataclass(frozen=True)
class Directory:
    """A directory and how it changes: one snapshot a cycle, the last one standing for all later cycles."""

    snapshots: tuple[Snapshot, ...]

    def at(self, cycle: int) -> Snapshot:
        """Return what the directory holds in ``cycle``, counted from 1."""
        return self.snapshots[min(cycle, len(self.snapshots)) - 1]
