"""What to do about a vault user or a member of a target group (1-product §1.5), decided from facts alone."""

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from licensing.clients.agent import LoginAccount


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

    ``disabled_by_person`` and ``is_deleted`` are facts of the vault, false in what is wanted.
    """

    enabled: bool
    profile: str = ""
    disabled_by_person: bool = False
    is_deleted: bool = False


def profile(account: LoginAccount) -> str:
    """Return a fingerprint of 32 characters: equal exactly when the account is the same but for its uid."""
    facts = (account.username, account.full_name, account.email, int(account.license_type), account.enabled)
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def plan(wanted: VaultPresence, seen: VaultPresence | None) -> Verb:
    """Return the one step that brings ``seen`` closer to ``wanted``; None or deleted: the vault has no such user.

    A vault user is never deleted (rule 3), one that a person disabled stays disabled, and one that a person deleted
    comes back only while it is wanted (rule 4).
    """
    if seen is None or seen.is_deleted:
        return Verb.CREATE if wanted.enabled else Verb.NOTHING
    if seen.enabled != wanted.enabled and not (wanted.enabled and seen.disabled_by_person):
        return Verb.ENABLE if wanted.enabled else Verb.DISABLE
    return Verb.NOTHING if seen.profile == wanted.profile else Verb.UPDATE


def member_step(*, wanted: bool, seen: bool, added_by_us: bool, mode: Mode) -> Step:
    """Return what to do about a member that a link knows; *merge* leaves alone whom a person had put there."""
    if wanted:
        return Step.NOTHING if seen else Step.ADD
    if seen and (mode is Mode.REPLACE or added_by_us):
        return Step.REMOVE
    return Step.NOTHING


def strangers_to_remove(*, present: Iterable[str], known: Set[str], mode: Mode) -> list[str]:
    """Return the keys of the target's members that the link does not know and that must leave (rule 2)."""
    return [] if mode is Mode.MERGE else [key for key in present if key not in known]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What links want of one account in one vault: the ids of its target groups there; none: it shall be disabled."""

    targets: frozenset[int]
    profile: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is recorded of a vault user; ``frozen`` are recorded wanted targets whose link is paused."""

    enabled: bool
    profile: str
    targets: frozenset[int]
    frozen: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Revision:
    """A new wish for a vault user: the vault must look at it again."""

    enabled: bool
    profile: str
    joined: frozenset[int]
    left: frozenset[int]


def revise(wanted: Wanted, known: Known | None) -> Revision | None:
    """Return what is new about a vault user, or None when its record says all that is wanted.

    One that no link wants, and that none is recorded to have wanted, stays enabled or disabled: that is what a deleted
    configuration leaves (1-product §1.2, rule 7).
    """
    if known is None:
        return Revision(True, wanted.profile, wanted.targets, frozenset()) if wanted.targets else None
    targets = wanted.targets | known.frozen
    enabled = bool(targets) if targets or known.targets else known.enabled
    revision = Revision(enabled, wanted.profile, targets - known.targets, known.targets - targets)
    unchanged = revision.enabled == known.enabled and revision.profile == known.profile
    return None if unchanged and not revision.joined and not revision.left else revision
