"""What to do about a vault user or a member of a target group (1-product §1.5), decided from facts alone."""

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from licensing.clients.agent import LoginAccount, VaultRole


class Verb(StrEnum):
    """One step on a vault user."""

    NOTHING = "nothing"
    CREATE = "create"
    ENABLE = "enable"
    DISABLE = "disable"
    UPDATE = "update"


class Mode(StrEnum):
    """What a link does with other members of its target."""

    REPLACE = "replace"
    MERGE = "merge"


class Step(Enum):
    """One step on a member of a target group."""

    NOTHING = auto()
    ADD = auto()
    REMOVE = auto()


@dataclass(frozen=True, slots=True)
class VaultPresence:
    """A vault user as it shall be, or as it was seen; ``profile`` is the fingerprint of its login account.

    ``full_control`` wanted None leaves that right as it is. ``is_detached``: its login account is gone from the server,
    or, in what is wanted, from the portal. ``disabled_by_person`` and ``is_deleted`` are facts of the vault, false in
    what is wanted; ``overrides_person`` is wanted: enable it although a person disabled it.
    """

    enabled: bool
    profile: str = ""
    disabled_by_person: bool = False
    is_deleted: bool = False
    full_control: bool | None = None
    is_detached: bool = False
    overrides_person: bool = False


def profile(account: LoginAccount) -> str:
    """Return a fingerprint of 32 characters: equal exactly when the account is the same but for its uid."""
    facts = (account.username, account.full_name, account.email, int(account.license_type), account.enabled)
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def plan(wanted: VaultPresence, seen: VaultPresence | None) -> Verb:
    """Return the one step that brings ``seen`` closer to ``wanted``; None or deleted: the vault has no such user.

    A vault user is never deleted (rule 3), one that a person disabled stays disabled unless that is overridden, and one
    that a person deleted comes back only while it is wanted (rule 4). The login account of one that is not there is
    kept as wanted where the server has been told of it. One without a login account anywhere lets nobody in, and
    nothing can be changed about it.
    """
    if seen is None or seen.is_deleted:
        told_otherwise = seen is not None and seen.profile not in ("", wanted.profile)
        return Verb.CREATE if wanted.enabled else Verb.UPDATE if told_otherwise else Verb.NOTHING
    if wanted.is_detached and seen.is_detached:
        return Verb.NOTHING
    stays = wanted.enabled and seen.disabled_by_person and not wanted.overrides_person
    if seen.enabled != wanted.enabled and not stays:
        return Verb.ENABLE if wanted.enabled else Verb.DISABLE
    return Verb.NOTHING if seen.profile == wanted.profile and not needs_put(wanted, seen) else Verb.UPDATE


def needs_put(wanted: VaultPresence, seen: VaultPresence) -> bool:
    """Return whether more than its login account is to be changed about a vault user that stays enabled or disabled."""
    has_other_rights = wanted.full_control is not None and wanted.full_control != seen.full_control
    return has_other_rights or seen.is_detached


def roles_for(roles: int, full_control: bool | None) -> int:  # noqa: FBT001
    """Return the role bits with *Full control of vault* set or cleared, and every other bit as it is."""
    if full_control is None:
        return roles
    return roles | _FULL_CONTROL if full_control else roles & ~_FULL_CONTROL


def has_full_control(roles: int) -> bool:
    """Return whether *Full control of vault* is among the role bits."""
    return bool(roles & _FULL_CONTROL)


def admin_rights(roles: int) -> str:
    """Return what the role bits make of a vault user, as M-Files Manage says it."""
    if has_full_control(roles):
        return "Full control of vault"
    return "Partial admin rights" if roles & _ADMIN_RIGHTS else "No admin rights"


_FULL_CONTROL = int(VaultRole.FULL_CONTROL)
_ADMIN_RIGHTS = (
    VaultRole.SEE_ALL_OBJECTS
    | VaultRole.UNDELETE_OBJECTS
    | VaultRole.DESTROY_OBJECTS
    | VaultRole.FORCE_UNDO_CHECKOUT
    | VaultRole.CHANGE_OBJECT_SECURITY
    | VaultRole.CHANGE_METADATA_STRUCTURE
    | VaultRole.MANAGE_USER_ACCOUNTS
    | VaultRole.MANAGE_COMMON_VIEWS
    | VaultRole.MANAGE_WORKFLOWS
)


def member_step(*, wanted: bool, seen: bool, added_by_us: bool, mode: Mode) -> Step:
    """Return what to do about a member that a link knows; *merge* leaves alone whom a person had put there.

    Whom we were about to add may be there although nobody saw it: a worker may have died in between.
    """
    if wanted:
        return Step.NOTHING if seen else Step.ADD
    return Step.REMOVE if must_leave(seen=seen, added_by_us=added_by_us, mode=mode) else Step.NOTHING


def must_leave(*, seen: bool, added_by_us: bool, mode: Mode) -> bool:
    """Return whether a member that nobody wants is to be taken away."""
    return added_by_us or (seen and mode is Mode.REPLACE)


def strangers_to_remove(*, present: Iterable[str], known: Set[str], mode: Mode) -> list[str]:
    """Return the keys of the target's members that the link does not know and that must leave (rule 2)."""
    return [] if mode is Mode.MERGE else [key for key in present if key not in known]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one account in one vault: the ids of its target groups there, and what an admin decided.

    ``able``: the account is enabled and licensed. ``manual``: it is, and an admin gave it access. ``blocked``: it shall
    be disabled whatever links want. ``full_control`` None leaves that right as the vault has it.
    """

    targets: frozenset[int]
    profile: str
    manual: bool = False
    blocked: bool = False
    full_control: bool | None = None
    able: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """What is recorded of a vault user; ``frozen`` are recorded wanted targets whose link is paused.

    ``is_there``: the vault has it, as far as was seen.
    """

    enabled: bool
    profile: str
    targets: frozenset[int]
    frozen: frozenset[int] = frozenset()
    manual: bool = False
    blocked: bool = False
    full_control: bool | None = None
    is_there: bool = True


@dataclass(frozen=True, slots=True)
class Revision:
    """A new wish for a vault user: the vault must look at it again."""

    enabled: bool
    profile: str
    joined: frozenset[int]
    left: frozenset[int]
    manual: bool = False
    blocked: bool = False
    full_control: bool | None = None


def revise(wanted: Wanted, known: Known | None) -> Revision | None:
    """Return what is new about a vault user, or None when its record says all that is wanted.

    A blocked one is disabled and stays in its target groups; it is not made only to be disabled. One that neither links
    nor an admin want, and that none is recorded to have wanted, stays enabled or disabled: that is what a deleted
    configuration leaves (1-product §1.2, rule 7).
    """
    if known is None:
        is_new = not wanted.blocked and (wanted.targets or wanted.manual)
        return _revision(wanted, True, wanted.targets, frozenset()) if is_new else None
    joining = frozenset() if wanted.blocked and not known.is_there else wanted.targets
    targets = joining | known.frozen
    revision = _revision(wanted, _enabled(wanted, known, targets), targets - known.targets, known.targets - targets)
    return None if _says(known, revision) else revision


def _enabled(wanted: Wanted, known: Known, targets: frozenset[int]) -> bool:
    if wanted.blocked:
        return False
    if wanted.manual or (targets and wanted.able):
        return True
    return known.enabled and not (known.targets or known.manual)


def _revision(wanted: Wanted, enabled: bool, joined: frozenset[int], left: frozenset[int]) -> Revision:  # noqa: FBT001
    rights = (wanted.manual, wanted.blocked, wanted.full_control)
    return Revision(enabled, wanted.profile, joined, left, *rights)


def _says(known: Known, revision: Revision) -> bool:
    """Return whether the record says all of the revision already."""
    if revision.joined or revision.left:
        return False
    names = ("enabled", "profile", "manual", "blocked", "full_control")
    return all(getattr(known, name) == getattr(revision, name) for name in names)
