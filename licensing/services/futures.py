"""What a change would do to licenses, worked out by the database without changing anything (1-product §1.4, rule 9).

The same steps as the engine takes: what the accounts want that the change concerns, what they give back, and who of
all who wait gets a seat. Everything stays in a temporary table; only one byte for each who waits comes to Python.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from licensing.models import LicensePool
from licensing.plans import licenses as plan
from licensing.services import bulk, pools, wishes
from licensing.services.presence import SOURCE_GRACE
from licensing.services.wishes import GivenTypes
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import Subscription, UserGroup
from provisioning.sql import parameter


class Newcomer(NamedTuple):
    """A manual account that is to be made, and the license type that a person chooses for it."""

    username: str
    license_type: LicenseType


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to change.

    ``group_types``, ``defaults`` and ``pins`` are by the id of the group, the configuration and the account; None is
    no type, or no pin any more. ``manuals`` are types of manual accounts, ``states`` whether accounts are enabled
    afterwards; ``gone`` are deleted for good, ``added`` are new. ``deleted`` is the id of a configuration that goes.
    Types that ``purchased`` does not name keep their number.
    """

    group_types: GivenTypes = field(default_factory=dict)
    defaults: Mapping[int, LicenseType] = field(default_factory=dict)
    pins: GivenTypes = field(default_factory=dict)
    manuals: Mapping[int, LicenseType] = field(default_factory=dict)
    states: Mapping[int, bool] = field(default_factory=dict)
    gone: Collection[int] = ()
    added: Sequence[Newcomer] = ()
    deleted: int | None = None
    purchased: Mapping[LicenseType, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """An account that gains, loses or starts to wait; ``waits`` is the type that it waits for afterwards."""

    username: str
    before: LicenseType
    after: LicenseType
    waits: LicenseType


@dataclass(frozen=True, slots=True)
class Future:
    """How many accounts gain a license, get a lower one or none, and start to wait; each has a line.

    ``removed_members`` is how often an account leaves a target group, ``created_vault_users`` how often one becomes a
    vault user. ``lines`` is a page of the lines, by username.
    """

    gain: int
    lose: int
    wait: int
    removed_members: int
    created_vault_users: int
    lines: tuple[Line, ...]


def work_out(
    *, subscription: Subscription, change: Change, at: datetime, offset: int = 0, limit: int | None = None
) -> Future:
    """Return what the change would do at that time; ``limit`` None: all lines from ``offset`` on."""
    known = _pools_after(subscription, change)
    with _table() as cursor:
        _add_concerned(cursor, subscription, change, known, at)
        _add_new(cursor, change.added, at)
        _serve(cursor, known)
        cursor.execute(_COUNTS.format(starts_to_wait=_STARTS_TO_WAIT))
        gain, lose, wait = cursor.fetchone()
        parameters = {"deleted": change.deleted or 0, "grace": parameter(at - SOURCE_GRACE)}
        cursor.execute(_REMOVED_MEMBERS, parameters)
        (removed,) = cursor.fetchone()
        cursor.execute(_CREATED_VAULT_USERS, parameters)
        (created,) = cursor.fetchone()
        lines = _page(cursor, offset, limit)
    return Future(gain, lose, wait, removed, created, lines)


@contextmanager
def _table() -> Iterator[CursorWrapper]:
    """Make the temporary table for a while; if anything fails, the transaction takes it away.

    On SQLite others who write wait meanwhile, as for any transaction.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CREATE)
        yield cursor
        cursor.execute("DROP TABLE licensing_future")


def _pools_after(subscription: Subscription, change: Change) -> list[LicensePool]:
    """Return the pools as ``pools.set_purchased`` would leave them."""
    known = {LicenseType(pool.license_type): pool for pool in LicensePool.objects.filter(subscription=subscription)}
    for one in LICENSED_TYPES:
        pool = known.setdefault(one, LicensePool(subscription=subscription, license_type=one))
        if (number := change.purchased.get(one, pool.purchased)) != pool.purchased:
            pool.purchased = number
            pool.generation += 1
    return list(known.values())


def _add_concerned(
    cursor: CursorWrapper, subscription: Subscription, change: Change, known: Iterable[LicensePool], at: datetime
) -> None:
    """Put those in the table that the change concerns, then the others that may get a seat."""
    overrides = wishes.Overrides(
        groups={**change.group_types, **_ending_groups(change)},
        configurations=change.defaults,
        pins=change.pins,
        manuals=change.manuals,
        states=change.states,
        gone=change.gone,
    )
    policy = wishes.release_policy(subscription)
    wanted, parameters = wishes.overridden(subscription.pk, overrides, policy, at)
    parameters["opened"] = bulk.ids(pools.opened(subscription, known))
    opened = bulk.id_list("%(opened)s")
    cursor.execute(_ADD_CHANGED.format(wishes=wanted, opened=opened), parameters)
    cursor.execute(_ADD_WAITING.format(opened=opened), parameters)


def _ending_groups(change: Change) -> GivenTypes:
    """Return the groups that give nothing any more because their configuration goes; what it gave itself stays."""
    groups = UserGroup.objects.filter(configuration_id=change.deleted, deleted_at=None, license_type__gt=0)
    return dict.fromkeys(groups.values_list("pk", flat=True)) if change.deleted else {}


def _add_new(cursor: CursorWrapper, added: Sequence[Newcomer], at: datetime) -> None:
    """Put accounts in the table that do not exist yet; their ids are below zero."""
    rows = [
        {"id": -number, "username": one.username, "key": one.username.casefold(), "wants": one.license_type}
        for number, one in enumerate(added, 1)
    ]
    if rows:
        cursor.execute(_ADD_NEW[connection.vendor], {"rows": json.dumps(rows), "at": parameter(at)})


def _serve(cursor: CursorWrapper, known: Iterable[LicensePool]) -> None:
    """Give the seats that are free, and those that were given back, to those who wait."""
    seats = pools.free_seats(known)
    cursor.execute("SELECT had, count(*) FROM licensing_future WHERE has <> had GROUP BY had")
    for released, number in cursor:
        if released in seats.free:
            seats.free[released] += number
    queues = {license_type: bytearray() for license_type in LICENSED_TYPES}
    cursor.execute("SELECT wants, has FROM licensing_future WHERE asks ORDER BY asked_at, username_key")
    for wants, has in cursor:
        queues[wants].append(has)
    cursor.execute(_SERVE, {one.name: number for one, number in plan.fill(seats, queues).items()})


def _page(cursor: CursorWrapper, offset: int, limit: int | None) -> tuple[Line, ...]:
    most = connection.ops.no_limit_value() if limit is None else limit
    cursor.execute(_LINES.format(starts_to_wait=_STARTS_TO_WAIT), [most, offset])
    return tuple(Line(name, *map(LicenseType, types)) for name, *types in cursor)


# What an account had and waited for before (0: nothing), what it has and wants, and whether it may get a seat.
# ``username`` is that of one that does not exist yet.
_CREATE = """
CREATE TEMPORARY TABLE licensing_future (
    account_id bigint PRIMARY KEY, username_key text NOT NULL, had smallint NOT NULL, waited smallint NOT NULL,
    has smallint NOT NULL, wants smallint NOT NULL, asked_at timestamp with time zone, asks boolean NOT NULL,
    was_enabled boolean NOT NULL, is_enabled boolean NOT NULL, username text
)"""
_ADD_CHANGED = """
INSERT INTO licensing_future SELECT account_id, username_key, old_granted,
    CASE WHEN old_wanted = old_granted THEN 0 ELSE old_wanted END, granted, wanted, asked_at,
    wanted > 0 AND wanted <> granted AND (passed_over_at IS NULL OR wanted IN ({opened})), was_enabled, is_enabled, NULL
FROM ({wishes}) AS wishes"""
_ADD_NEW = {
    "postgresql": """
INSERT INTO licensing_future
SELECT id, key, 0, 0, 0, wants, %(at)s::timestamptz, wants > 0, false, true, username
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(id bigint, key text, wants smallint, username text)""",
    "sqlite": """
INSERT INTO licensing_future
SELECT value ->> 'id', value ->> 'key', 0, 0, 0, value ->> 'wants', %(at)s, value ->> 'wants' > 0, false, true,
    value ->> 'username'
FROM json_each(%(rows)s)""",
}
_ADD_WAITING = """
INSERT INTO licensing_future SELECT account_id, username_key, granted_type, wanted_type, granted_type, wanted_type,
    asked_at, true, true, true, NULL
FROM licensing_licensegrant
WHERE subscription_id = %(subscription)s AND wanted_type > 0 AND NOT (wanted_type = granted_type)
    AND (passed_over_at IS NULL OR wanted_type IN ({opened}))
ON CONFLICT DO NOTHING"""
_SERVE = """
UPDATE licensing_future SET has = wants WHERE account_id IN (
    SELECT account_id FROM (
        SELECT account_id, wants, row_number() OVER (PARTITION BY wants ORDER BY asked_at, username_key) AS place
        FROM licensing_future WHERE asks
    ) AS queue
    WHERE place <= CASE wants WHEN 3 THEN %(NAMED)s WHEN 2 THEN %(CONCURRENT)s ELSE %(READ_ONLY)s END
)"""
_STARTS_TO_WAIT = "wants > 0 AND has <> wants AND waited <> wants"
_COUNTS = """
SELECT count(*) FILTER (WHERE has > had), count(*) FILTER (WHERE has < had), count(*) FILTER (WHERE {starts_to_wait})
FROM licensing_future"""
_LINES = """
SELECT COALESCE(f.username, a.username), f.had, f.has, CASE WHEN f.has = f.wants THEN 0 ELSE f.wants END
FROM licensing_future f LEFT JOIN provisioning_loginaccount a ON a.id = f.account_id
WHERE f.has <> f.had OR ({starts_to_wait})
ORDER BY f.username_key LIMIT %s OFFSET %s"""
# As licensing.plans.vaults.revise: who is disabled or has no license any more leaves the targets of all links but
# paused ones; the links of a configuration that goes are as paused.
_REMOVED_MEMBERS = """
SELECT count(*) FROM licensing_future f
JOIN licensing_vaultuser u ON u.account_id = f.account_id
JOIN licensing_vaultusermembership m ON m.vault_user_id = u.id
LEFT JOIN provisioning_grouplink l ON l.target_id = m.target_id
LEFT JOIN provisioning_usergroup g ON g.id = l.group_id
WHERE f.had > 0 AND f.was_enabled AND NOT (f.has > 0 AND f.is_enabled) AND m.wanted AND l.paused_at IS NULL
    AND COALESCE(g.configuration_id, 0) <> %(deleted)s"""
# As licensing.plans.vaults.revise for who gets a first license: links and admins make vault users, unless blocked; a
# paused link keeps those that it had begun to make.
_CREATED_VAULT_USERS = """
WITH newcomer AS (
    SELECT account_id FROM licensing_future WHERE NOT (had > 0 AND was_enabled) AND has > 0 AND is_enabled
)
SELECT count(*) FROM (
    SELECT n.account_id, t.vault_id FROM newcomer n
    JOIN provisioning_groupmembership m ON m.account_id = n.account_id
    JOIN provisioning_usergroup g ON g.id = m.group_id
    JOIN provisioning_grouplink l ON l.group_id = g.id
    JOIN provisioning_vaultusergroup t ON t.id = l.target_id
    WHERE l.paused_at IS NULL AND l.ending_at IS NULL
        AND (g.deleted_at IS NULL OR g.deleted_at > %(grace)s) AND g.configuration_id <> %(deleted)s
    UNION
    SELECT n.account_id, t.vault_id FROM newcomer n
    JOIN provisioning_groupmembership m ON m.account_id = n.account_id
    JOIN provisioning_usergroup g ON g.id = m.group_id
    JOIN provisioning_grouplink l ON l.former_group_id = g.id
    JOIN provisioning_vaultusergroup t ON t.id = l.target_id
    WHERE l.paused_at IS NULL AND g.deleted_at > %(grace)s AND g.configuration_id <> %(deleted)s
    UNION
    SELECT n.account_id, u.vault_id FROM newcomer n
    JOIN licensing_vaultuser u ON u.account_id = n.account_id
    JOIN licensing_vaultusermembership m ON m.vault_user_id = u.id AND m.wanted
    JOIN provisioning_grouplink l ON l.target_id = m.target_id
    WHERE l.paused_at IS NOT NULL AND l.ending_at IS NULL
    UNION
    SELECT n.account_id, a.vault_id FROM newcomer n
    JOIN provisioning_vaultaccess a ON a.account_id = n.account_id WHERE a.access = 'given'
) AS place
WHERE NOT EXISTS (
    SELECT 1 FROM licensing_vaultuser u
    WHERE u.account_id = place.account_id AND u.vault_id = place.vault_id AND u.seen_enabled IS NOT NULL
) AND NOT EXISTS (
    SELECT 1 FROM provisioning_vaultaccess b
    WHERE b.account_id = place.account_id AND b.vault_id = place.vault_id AND b.access = 'blocked'
)"""
