"""The vault agent contract: what the portal can ask of the server that holds a vault.

The page of the contract, with its HTTP form and the M-Files COM calls behind it, is ``docs/vault-agent.md``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Generic, Protocol, TypeVar

from provisioning.license_types import LicenseType

CONTRACT_VERSION = 1
MAX_ITEMS = 1000
"""The most items that one bulk call may carry."""
MAX_PAGE = 5000
"""The most items that one page of a listing may hold."""

T = TypeVar("T")


class VaultRole(IntFlag):
    """M-Files' ``MFUserAccountVaultRole`` bits; bits that are not named here are carried unread."""

    FULL_CONTROL = 1
    LOG_IN = 2
    CREATE_OBJECTS = 4
    SEE_ALL_OBJECTS = 8
    UNDELETE_OBJECTS = 16
    DESTROY_OBJECTS = 32
    FORCE_UNDO_CHECKOUT = 64
    CHANGE_OBJECT_SECURITY = 128
    CHANGE_METADATA_STRUCTURE = 256
    MANAGE_USER_ACCOUNTS = 512
    INTERNAL_USER = 1024
    MANAGE_TRADITIONAL_FOLDERS = 2048
    MANAGE_COMMON_VIEWS = 8192
    MANAGE_WORKFLOWS = 16384
    CANNOT_MANAGE_PRIVATE_VIEWS = 32768
    ANONYMOUS_USER = 65536


DEFAULT_ROLES = 3078
"""Log in, create objects, traditional folders, internal: what M-Files gives a normal new user."""


class Outcome(StrEnum):
    """What a bulk call did to one item."""

    CREATED = "created"
    UNDELETED = "undeleted"
    ENABLED = "enabled"
    DISABLED = "disabled"
    UPDATED = "updated"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class ErrorCode(StrEnum):
    """The codes an agent refuses with; it may know further ones, to be treated by their ``retryable``."""

    NOT_AN_AGENT = "not_an_agent"
    INVALID_REQUEST = "invalid_request"
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    VERSION_NOT_SUPPORTED = "version_not_supported"
    TOO_MANY_ITEMS = "too_many_items"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    UNAVAILABLE = "unavailable"
    VAULT_NOT_FOUND = "vault_not_found"
    USER_SYNCHRONIZATION_ON = "user_synchronization_on"
    USERNAME_TAKEN = "username_taken"
    ACCOUNT_NOT_FOUND = "account_not_found"
    USER_NOT_FOUND = "user_not_found"
    DISABLED_BY_PERSON = "disabled_by_person"
    CHANGED_MEANWHILE = "changed_meanwhile"
    GROUP_NOT_FOUND = "group_not_found"
    GROUP_BUILT_IN = "group_built_in"
    GROUP_CYCLE = "group_cycle"
    REFUSED_BY_SERVER = "refused_by_server"


@dataclass(frozen=True, slots=True)
class AgentError:
    """Why one item failed: a code, a sentence for an operator, whether it can succeed later by itself."""

    code: str
    sentence: str = field(metadata={"json": "message"})
    retryable: bool = False


class AgentUnavailable(Exception):
    """The agent or the vault could not be reached or did not answer properly; whether it acted is unknown.

    Repeat the call with the same idempotency key, not sooner than ``retry_after`` seconds if that is given.
    """

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after = retry_after


class AgentRefused(Exception):
    """The agent understood the whole call and declined it; nothing was changed."""

    def __init__(self, code: str, sentence: str, *, retryable: bool = False) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many people are signed in to a vault now, by the license type they use."""

    named: int = 0
    concurrent: int = 0
    read_only: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Size of a vault: counts of objects and of their versions; bytes of files and of the database."""

    objects: int = 0
    versions: int = 0
    storage_bytes: int = 0
    database_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Name and product version of the vault server, and the contract versions it speaks."""

    name: str
    product_version: str
    contract_versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VaultInfo:
    """A vault as its server knows it; readable while the vault is offline.

    ``guid`` is lower case without braces. ``revision`` is opaque and differs whenever a vault user, group or
    member changed, whoever did it, also after a restored backup: equal revisions mean nothing to compare.
    """

    guid: str
    name: str
    online: bool
    user_synchronization: bool
    figures: Figures
    sessions: Sessions
    revision: str


@dataclass(frozen=True, slots=True)
class LoginAccount:
    """A login account of the vault server.

    ``uid`` is the portal's own stable id of the account, a lower-case UUID (None: a person made it on the
    server). The username may change; the uid never does, so that a rename is never a second account.
    """

    uid: str | None
    username: str
    full_name: str = ""
    email: str = ""
    license_type: LicenseType = LicenseType.NONE
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class VaultUserWish:
    """How the vault user of account ``account_uid`` shall be.

    ``roles`` and ``internal`` None keep what the user has (a new one is internal and has ``DEFAULT_ROLES``).
    Enabling a user that a person disabled in the vault fails with ``disabled_by_person`` unless
    ``override_person``. With ``if_match`` the item fails with ``changed_meanwhile`` when the user's ``etag`` is
    another by now.
    """

    account_uid: str
    enabled: bool
    roles: int | None = None
    internal: bool | None = None
    override_person: bool = False
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class VaultUser:
    """A user of one vault.

    ``key`` names the user in this contract: the account's uid, or ``user:<id>`` when its account has none.
    ``id`` is the vault's own number; after a restored backup it may be another user's, a uid never.
    ``username`` None: detached, its login account is gone. ``deleted``: a person deleted it in the vault.
    """

    key: str
    id: int
    account_uid: str | None
    username: str | None
    enabled: bool
    roles: int
    internal: bool
    disabled_by_person: bool
    deleted: bool
    etag: str


@dataclass(frozen=True, slots=True)
class VaultUserGroup:
    """A user group of one vault; the members of a built-in one are computed and cannot be changed.

    ``visible``: people see it in the vault where they choose users; it grants the same either way.
    """

    id: int
    name: str
    built_in: bool
    visible: bool = True


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A direct member of a vault user group: a vault user, or another group.

    ``key`` is the vault user's key or ``group:<id>``; ``id`` is negative for a group, as in M-Files.
    """

    key: str
    id: int
    account_uid: str | None


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What a bulk call did with one item; ``error`` is there exactly when ``outcome`` is FAILED.

    ``id`` is the vault user's number where the item is a vault user that exists.
    """

    key: str
    outcome: Outcome
    error: AgentError | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a listing, in ascending byte order of the keys; ``next_cursor`` None: it was the last."""

    items: tuple[T, ...]
    next_cursor: str | None


class VaultAgent(Protocol):
    """The calls of the contract.

    Every call raises ``AgentUnavailable`` (its effect is unknown) or ``AgentRefused`` (no effect). A bulk
    call takes at most ``MAX_ITEMS`` items and returns one ``ItemResult`` for each, in their order. Every call
    that changes something is safe to repeat, and with the same ``idempotency_key`` and arguments it gives the
    first answer again: a new decision takes a new key.
    While a vault's user synchronization is on, changes of its users and groups are refused
    (``user_synchronization_on``); while it is offline they and its listings raise ``AgentUnavailable``.
    """

    def get_server(self) -> ServerInfo:
        """Return what the server is."""

    def list_vaults(self) -> tuple[VaultInfo, ...]:
        """Return every vault of the server, by guid."""

    def get_vault(self, vault: str) -> VaultInfo:
        """Return the vault with that guid; refused with ``vault_not_found``."""

    def create_vault(self, vault: str, *, name: str, idempotency_key: str) -> VaultInfo:
        """Make a vault with that guid unless it is there, and return it as it is."""

    def list_login_accounts(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[LoginAccount]:
        """Return a page of the login accounts of the vault's server.

        Ordered by uid; those without one come last, by ``username:`` and their lower-case username.
        """

    def put_login_accounts(
        self, vault: str, accounts: Sequence[LoginAccount], *, idempotency_key: str
    ) -> list[ItemResult]:
        """Create, change or rename login accounts on the vault's server; keys are the uids.

        An account of that username which has no uid yet is taken over; one with another uid is not
        (``username_taken``), unless the same call gives that one another name: renames of one call are resolved
        together, a swap of two names too. Vault users follow a rename in every vault of the server.
        """

    def remove_login_accounts(self, vault: str, uids: Sequence[str], *, idempotency_key: str) -> list[ItemResult]:
        """Delete login accounts from the vault's server; their vault users stay in every vault, detached."""

    def list_vault_users(self, vault: str, *, cursor: str | None = None, limit: int = 1000) -> Page[VaultUser]:
        """Return a page of the vault's users, deleted ones included, ordered by key."""

    def get_vault_users(self, vault: str, keys: Sequence[str]) -> list[VaultUser]:
        """Return those of the named users that the vault knows, deleted ones included, ordered by key."""

    def put_vault_users(self, vault: str, users: Sequence[VaultUserWish], *, idempotency_key: str) -> list[ItemResult]:
        """Create, undelete, enable, disable or change vault users; keys are the account uids.

        Items whose login account is missing fail with ``account_not_found``. A deleted user is undeleted only by
        a wish that it be enabled.
        """

    def list_groups(self, vault: str) -> tuple[VaultUserGroup, ...]:
        """Return the vault's user groups, by id."""

    def ensure_group(self, vault: str, name: str, *, idempotency_key: str) -> VaultUserGroup:
        """Return the group of that name (without regard to case), made if it was missing."""

    def change_group(self, vault: str, group_id: int, *, visible: bool, idempotency_key: str) -> VaultUserGroup:
        """Show a user group to the people of the vault, or hide it, and return it as it is.

        Refused with ``group_not_found`` or ``group_built_in``.
        """

    def list_group_members(
        self, vault: str, group_id: int, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[GroupMember]:
        """Return a page of a group's direct members, ordered by key; refused with ``group_not_found``."""

    def change_group_members(
        self,
        vault: str,
        group_id: int,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        idempotency_key: str,
    ) -> list[ItemResult]:
        """Add and remove members by key, results in the order ``add`` then ``remove``.

        Adding one who is there, and removing one who is not, is UNCHANGED; adding an unknown or deleted user
        fails with ``user_not_found``. Refused with ``group_not_found`` or ``group_built_in``.
        """


def each_vault_user(agent: VaultAgent, vault: str, *, limit: int = 1000) -> Iterator[VaultUser]:
    """Yield all users of ``vault`` by ascending key, holding one page at a time."""
    return _each(lambda cursor: agent.list_vault_users(vault, cursor=cursor, limit=limit))


def each_group_member(agent: VaultAgent, vault: str, group_id: int, *, limit: int = 1000) -> Iterator[GroupMember]:
    """Yield all direct members of a group by ascending key, holding one page at a time."""
    return _each(lambda cursor: agent.list_group_members(vault, group_id, cursor=cursor, limit=limit))


def _each(page_after: Callable[[str | None], Page[T]]) -> Iterator[T]:
    page = page_after(None)
    yield from page.items
    while page.next_cursor is not None:
        page = page_after(page.next_cursor)
        yield from page.items
