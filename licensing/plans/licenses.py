"""Who gets which license (1-product §1.4), decided from facts alone.

Two steps. ``wish`` looks at one account: what it wants, since when, why, and whether it gives its license back.
``fill`` looks at a subscription: who of those who wait gets a seat. Because wishes are all recorded before a seat is
given, the result does not depend on how accounts are batched or in which order they are looked at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from provisioning.license_types import LicenseType

NAMED, CONCURRENT, READ_ONLY, NONE = LicenseType.NAMED, LicenseType.CONCURRENT, LicenseType.READ_ONLY, LicenseType.NONE


class SourceKind(StrEnum):
    """What gives an account its wanted type."""

    NOTHING = ""
    DEFAULT = "default"
    GROUP = "group"
    PIN = "pin"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Source:
    """What gives the wanted type; ``group_id`` is set exactly for a group."""

    kind: SourceKind = SourceKind.NOTHING
    group_id: int | None = None


@dataclass(frozen=True, slots=True)
class GroupClaim:
    """A group of the account gives its members a right to a type; ``name`` breaks ties between groups."""

    license_type: LicenseType
    name: str
    group_id: int


class Policy(StrEnum):
    """What becomes of the license of an account that is disabled or removed (rule 6)."""

    KEEP = "keep"
    AT_ONCE = "at_once"
    AFTER_DAYS = "after_days"


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    policy: Policy = Policy.AFTER_DAYS
    days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """All that decides about one account.

    ``default`` is None for an account that came through no configuration. ``first_asked_at`` is what a wish counts
    from when the account was never looked at before (``is_new``): its creation, so that a delayed worker costs nobody
    a place in the queue.
    """

    account_id: int
    username_key: str
    is_enabled: bool
    is_new: bool
    first_asked_at: datetime
    disabled_at: datetime | None = None
    default: LicenseType | None = None
    groups: tuple[GroupClaim, ...] = ()
    pinned: LicenseType | None = None
    manual: LicenseType | None = None
    wanted: LicenseType = NONE
    asked_at: datetime | None = None
    granted: LicenseType = NONE
    granted_at: datetime | None = None
    passed_over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What an account wants from now on, and what it has left; ``released`` is the type that it gives back."""

    wanted: LicenseType
    source: Source
    asked_at: datetime | None
    passed_over_at: datetime | None
    granted: LicenseType
    granted_at: datetime | None
    released: LicenseType
    release_due_at: datetime | None


def wanted_type(facts: AccountFacts) -> tuple[LicenseType, Source]:
    """Return the type that an account wants, and what gives it (rule 1)."""
    if not facts.is_enabled:
        return NONE, Source()
    if facts.pinned is not None:
        return facts.pinned, Source(SourceKind.PIN)
    return max(_claims(facts), default=(NONE, Source()), key=_height)


def _claims(facts: AccountFacts) -> list[tuple[LicenseType, Source]]:
    """Return what gives the account a license, the first of equals being the reason."""
    own: list[tuple[LicenseType, Source]] = []
    if facts.default is not None:
        own.append((facts.default, Source(SourceKind.DEFAULT)))
    elif facts.manual is not None:
        own.append((facts.manual, Source(SourceKind.MANUAL)))
    groups = sorted(facts.groups, key=lambda claim: (claim.name, claim.group_id))
    own += [(claim.license_type, Source(SourceKind.GROUP, claim.group_id)) for claim in groups]
    return [claim for claim in own if claim[0] > NONE]


def _height(claim: tuple[LicenseType, Source]) -> int:
    return claim[0]


def wish(facts: AccountFacts, policy: ReleasePolicy, now: datetime) -> Wish:
    """Return what the account wants, and whether it gives its license back (rules 1, 6 and 7)."""
    wanted, source = wanted_type(facts)
    released, release_due_at = _release(facts, wanted, policy, now)
    same = wanted == facts.wanted and facts.asked_at is not None
    asked_at = facts.asked_at if same else facts.first_asked_at if facts.is_new else now
    return Wish(
        wanted=wanted,
        source=source,
        asked_at=asked_at if wanted > NONE else None,
        passed_over_at=facts.passed_over_at if same else None,
        granted=NONE if released else facts.granted,
        granted_at=None if released else facts.granted_at,
        released=released,
        release_due_at=release_due_at,
    )


def _release(
    facts: AccountFacts, wanted: LicenseType, policy: ReleasePolicy, now: datetime
) -> tuple[LicenseType, datetime | None]:
    """Return the type that is given back now, and when it will be if not now."""
    if facts.granted == NONE or wanted > NONE:
        return NONE, None
    if facts.is_enabled or policy.policy is Policy.AT_ONCE:
        return facts.granted, None
    if policy.policy is Policy.KEEP:
        return NONE, None
    due_at = (facts.disabled_at or now) + timedelta(days=policy.days)
    return (facts.granted, None) if due_at <= now else (NONE, due_at)


Queues = Mapping[LicenseType, Sequence[int]]
"""For each type, what those who wait for it have now (a number of ``LicenseType``), in the order of asking."""


@dataclass(slots=True)
class Seats:
    """Free seats by type; a type that is missing is not limited by seats."""

    free: dict[int, int] = field(default_factory=dict)

    def has(self, license_type: LicenseType) -> bool:
        return self.free.get(license_type, 1) > 0

    def move(self, origin: int, to: LicenseType) -> None:
        """Take a seat of ``to`` and give back one of ``origin``."""
        for license_type, number in ((to, -1), (origin, 1)):
            if license_type in self.free:
                self.free[license_type] += number


def free_seats(purchased: Mapping[LicenseType, int], granted: Mapping[LicenseType, int]) -> Seats:
    """Return the free seats; an over-used pool has fewer than none and grants nothing until it is balanced (rule 5)."""
    return Seats({one: purchased.get(one, 0) - granted.get(one, 0) for one in (NAMED, READ_ONLY)})


def fill(seats: Seats, queues: Queues) -> dict[LicenseType, int]:
    """Give free seats to those who asked first, and return how many of each queue get one (rules 2 to 4).

    A move frees the seat that the account had, which may serve the next. When no seat is left, but the first in the
    Named queue has Read only and the first in the Read only queue has Named, the two change places.
    """
    served = dict.fromkeys((NAMED, CONCURRENT, READ_ONLY), 0)
    is_moving = True
    while is_moving:
        is_moving = any(_serve(one, seats, queues, served) for one in served) or _exchange(seats, queues, served)
    return served


def _serve(license_type: LicenseType, seats: Seats, queues: Queues, served: dict[LicenseType, int]) -> bool:
    """Serve the queue while there are seats; return whether somebody got one."""
    before = served[license_type]
    while seats.has(license_type) and (origin := _first(license_type, queues, served)) is not None:
        seats.move(origin, license_type)
        served[license_type] += 1
    return served[license_type] > before


def _exchange(seats: Seats, queues: Queues, served: dict[LicenseType, int]) -> bool:
    """Let the first two who have each other's seats change places; return whether they did."""
    firsts = _first(NAMED, queues, served), _first(READ_ONLY, queues, served)
    if firsts != (READ_ONLY, NAMED) or min(seats.free.values(), default=0) < 0:
        return False
    served[NAMED] += 1
    served[READ_ONLY] += 1
    return True


def _first(license_type: LicenseType, queues: Queues, served: dict[LicenseType, int]) -> int | None:
    """Return what the first of those has who still wait, or None when nobody does."""
    queue, number = queues.get(license_type, ()), served[license_type]
    return queue[number] if number < len(queue) else None


def changes(queues: Queues, served: Mapping[LicenseType, int]) -> dict[LicenseType, int]:
    """Return by how much each pool's granted number changes when so many of each queue get what they wait for."""
    change = Counter(served)
    for license_type, number in served.items():
        change.subtract(LicenseType(origin) for origin in queues.get(license_type, ())[:number])
    return {license_type: number for license_type, number in change.items() if license_type > NONE and number}
