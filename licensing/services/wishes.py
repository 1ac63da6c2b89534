"""What accounts want, worked out by the database: as many statements for a million accounts as for one.

The same rules as ``licensing.plans.licenses.wish``, which tests hold against this on generated worlds. An account of a
deleted configuration is a manual one: its own type is what the configuration's default was.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from licensing.plans.licenses import Policy, ReleasePolicy
from licensing.services import bulk
from provisioning.license_types import LicenseType
from provisioning.models import Subscription

GivenTypes = Mapping[int, LicenseType | None]
"""License types by id of what gives them; None: it gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What is taken to hold of groups, configurations and accounts, by their ids, whatever is recorded.

    ``states`` says whether accounts are enabled; those that are ``gone`` want nothing and keep nothing. ``manuals`` are
    types of manual accounts.
    """

    groups: GivenTypes = field(default_factory=dict)
    configurations: GivenTypes = field(default_factory=dict)
    pins: GivenTypes = field(default_factory=dict)
    manuals: Mapping[int, LicenseType] = field(default_factory=dict)
    states: Mapping[int, bool] = field(default_factory=dict)
    gone: Iterable[int] = ()

    def parameter(self) -> str:
        """Return them as the JSON parameter of the relation."""
        kinds: dict[str, Mapping[int, int | None]] = {
            "group": self.groups,
            "configuration": self.configurations,
            "pin": self.pins,
            "manual": self.manuals,
            "state": {pk: int(is_enabled) for pk, is_enabled in self.states.items()},
            "gone": dict.fromkeys(self.gone, 1),
        }
        return json.dumps([{"kind": kind, "id": pk, "value": one} for kind in kinds for pk, one in kinds[kind].items()])


def release_policy(subscription: Subscription) -> ReleasePolicy:
    """Return what becomes of the licenses of the subscription's disabled accounts."""
    return ReleasePolicy(Policy(subscription.release_policy), subscription.release_after_days)


def record(
    subscription_id: int, account_ids: Sequence[int], policy: ReleasePolicy, now: datetime
) -> dict[LicenseType, int]:
    """Record what these accounts want from now on; return how many licenses of each type they give back."""
    relation, parameters = _relation(bulk.id_list("%(ids)s"), subscription_id, Overrides(), policy, now)
    parameters["ids"] = bulk.ids(account_ids)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_RECORD_AND_COUNT.format(wishes=relation), parameters)
            return _by_type(cursor.fetchall())
        cursor.execute(_RELEASED.format(wishes=relation), parameters)
        released = _by_type(cursor.fetchall())
        cursor.execute(_RECORD.format(wishes=relation), parameters)
    return released


def _by_type(rows: Sequence[tuple[int, int]]) -> dict[LicenseType, int]:
    return {LicenseType(license_type): number for license_type, number in rows}


def overridden(
    subscription_id: int, overrides: Overrides, policy: ReleasePolicy, now: datetime
) -> tuple[str, dict[str, Any]]:
    """Return a statement that selects what the accounts that ``overrides`` concern would want, with its parameters.

    Its columns are those of ``_WISHES``.
    """
    return _relation(_CONCERNED, subscription_id, overrides, policy, now)


def _relation(
    chosen: str, subscription_id: int, overrides: Overrides, policy: ReleasePolicy, now: datetime
) -> tuple[str, dict[str, Any]]:
    parameters = {
        "subscription": subscription_id,
        "overrides": overrides.parameter(),
        "now": connection.ops.adapt_datetimefield_value(now),
        "keeps": policy.policy is Policy.KEEP,
        "at_once": policy.policy is Policy.AT_ONCE,
        "days": policy.days,
    }
    return _WISHES.format(chosen=chosen, **_DIALECTS[connection.vendor]), parameters


_DIALECTS = {
    "postgresql": {
        "overrides": "SELECT kind, id, value FROM jsonb_to_recordset(%(overrides)s::jsonb) "
        "AS given(kind text, id bigint, value smallint)",
        "now": "%(now)s::timestamptz",
        "due": "COALESCE(disabled_at, %(now)s::timestamptz) + %(days)s * interval '1 day'",
        "by_code_point": 'COLLATE "C"',
    },
    "sqlite": {
        "overrides": "SELECT json_extract(value, '$.kind') AS kind, json_extract(value, '$.id') AS id, "
        "json_extract(value, '$.value') AS value FROM json_each(%(overrides)s)",
        "now": "%(now)s",
        # strftime rounds to milliseconds; what is below a second goes along as text.
        "due": "datetime(substr(COALESCE(disabled_at, %(now)s), 1, 19), '+' || %(days)s || ' days') "
        "|| substr(COALESCE(disabled_at, %(now)s), 20)",
        "by_code_point": "",
    },
}
_CONCERNED = """
    SELECT account_id FROM provisioning_groupmembership
    WHERE group_id IN (SELECT id FROM overrides WHERE kind = 'group')
    UNION SELECT id FROM provisioning_loginaccount
    WHERE configuration_id IN (SELECT id FROM overrides WHERE kind = 'configuration')
    UNION SELECT id FROM overrides WHERE kind IN ('pin', 'manual', 'state', 'gone')"""
_WISHES = """
WITH overrides AS MATERIALIZED ({overrides}),
of_accounts AS MATERIALIZED (
    SELECT id, max(value) FILTER (WHERE kind = 'pin') AS pinned_type, count(*) FILTER (WHERE kind = 'pin') AS pins,
        max(value) FILTER (WHERE kind = 'manual') AS manual_type, max(value) FILTER (WHERE kind = 'state') AS state,
        count(*) FILTER (WHERE kind = 'gone') AS gone
    FROM overrides WHERE kind NOT IN ('group', 'configuration') GROUP BY id
),
chosen(id) AS ({chosen}),
giving AS (
    SELECT g.id, g.display_name, CASE WHEN o.id IS NULL THEN g.license_type ELSE o.value END AS license_type
    FROM provisioning_usergroup g LEFT JOIN overrides o ON o.kind = 'group' AND o.id = g.id
    WHERE g.subscription_id = %(subscription)s AND g.deleted_at IS NULL
),
claims AS (
    SELECT m.account_id, g.license_type, g.id AS group_id, row_number() OVER (
        PARTITION BY m.account_id ORDER BY g.license_type DESC, g.display_name {by_code_point}, g.id
    ) AS place
    FROM provisioning_groupmembership m JOIN giving g ON g.id = m.group_id
    WHERE m.account_id IN (SELECT id FROM chosen) AND g.license_type > 0
),
facts AS (
    SELECT a.id AS account_id, a.username_key, a.created_at, a.is_enabled AS was_enabled,
        CASE WHEN o.gone > 0 THEN false WHEN o.state IS NULL THEN a.is_enabled ELSE o.state = 1 END AS is_enabled,
        CASE WHEN o.state = 0 AND a.is_enabled THEN NULL ELSE a.disabled_at END AS disabled_at,
        COALESCE(o.gone, 0) > 0 AS is_gone,
        l.id IS NULL AS is_new, COALESCE(l.wanted_type, 0) AS old_wanted, l.asked_at AS old_asked_at,
        l.passed_over_at AS old_passed_over_at, COALESCE(l.granted_type, 0) AS old_granted,
        l.granted_at AS old_granted_at,
        CASE WHEN o.pins > 0 THEN o.pinned_type ELSE l.pinned_type END AS pinned_type,
        CASE WHEN c.id IS NULL THEN COALESCE(o.manual_type, l.manual_type, 0)
            WHEN d.id IS NULL THEN c.default_license_type ELSE COALESCE(d.value, 0) END AS own,
        CASE WHEN c.id IS NULL OR c.deleted_at IS NOT NULL THEN 'manual' ELSE 'default' END AS own_kind,
        COALESCE(claims.license_type, 0) AS highest, claims.group_id
    FROM provisioning_loginaccount a
    LEFT JOIN provisioning_provisioningconfiguration c ON c.id = a.configuration_id
    LEFT JOIN licensing_licensegrant l ON l.account_id = a.id
    LEFT JOIN claims ON claims.account_id = a.id AND claims.place = 1
    LEFT JOIN overrides d ON d.kind = 'configuration' AND d.id = c.id
    LEFT JOIN of_accounts o ON o.id = a.id
    WHERE a.id IN (SELECT id FROM chosen) AND a.subscription_id = %(subscription)s
),
wanting AS (
    SELECT facts.*,
        CASE WHEN NOT is_enabled THEN 0
            WHEN pinned_type IS NOT NULL THEN pinned_type
            WHEN highest > own THEN highest ELSE own END AS wanted,
        CASE WHEN NOT is_enabled THEN ''
            WHEN pinned_type IS NOT NULL THEN 'pin'
            WHEN highest > own THEN 'group'
            WHEN own > 0 THEN own_kind ELSE '' END AS source_kind
    FROM facts
),
releasing AS (
    SELECT wanting.*,
        wanted = old_wanted AND old_asked_at IS NOT NULL AS is_same,
        CASE WHEN old_granted > 0 AND wanted = 0 AND NOT is_enabled AND NOT %(keeps)s AND NOT %(at_once)s
            THEN {due} END AS due_at,
        old_granted > 0 AND wanted = 0 AND (is_enabled OR is_gone OR %(at_once)s) AS is_released_at_once
    FROM wanting
),
ending AS (
    SELECT releasing.*, is_released_at_once OR COALESCE(due_at <= {now}, false) AS is_released FROM releasing
)
SELECT account_id, username_key, was_enabled, is_enabled, old_wanted, old_granted, wanted, source_kind,
    CASE WHEN source_kind = 'group' THEN group_id END AS source_group_id,
    CASE WHEN wanted = 0 THEN NULL
        WHEN is_same THEN old_asked_at WHEN is_new THEN created_at ELSE {now} END AS asked_at,
    CASE WHEN is_same THEN old_passed_over_at END AS passed_over_at,
    CASE WHEN is_released THEN 0 ELSE old_granted END AS granted,
    CASE WHEN is_released THEN NULL ELSE old_granted_at END AS granted_at,
    CASE WHEN is_released THEN old_granted ELSE 0 END AS released,
    CASE WHEN is_released THEN NULL ELSE due_at END AS release_due_at
FROM ending"""
_RELEASED = "SELECT released, count(*) FROM ({wishes}) AS wishes WHERE released > 0 GROUP BY released"
_RECORD = """
INSERT INTO licensing_licensegrant (
    subscription_id, account_id, username_key, wanted_type, source_kind, source_group_id,
    asked_at, passed_over_at, granted_type, granted_at, release_due_at
) SELECT %(subscription)s, account_id, username_key, wanted, source_kind, source_group_id,
    asked_at, passed_over_at, granted, granted_at, release_due_at
FROM ({wishes}) AS wishes WHERE true ORDER BY account_id
ON CONFLICT (account_id) DO UPDATE SET
    username_key = EXCLUDED.username_key, wanted_type = EXCLUDED.wanted_type,
    source_kind = EXCLUDED.source_kind, source_group_id = EXCLUDED.source_group_id,
    asked_at = EXCLUDED.asked_at, passed_over_at = EXCLUDED.passed_over_at,
    granted_type = EXCLUDED.granted_type, granted_at = EXCLUDED.granted_at,
    release_due_at = EXCLUDED.release_due_at"""
# One statement sees one moment: of two, the second would release what the first has not counted.
_RECORD_AND_COUNT = (
    "WITH wishes AS MATERIALIZED ({wishes}), "
    f"recorded AS ({_RECORD.format(wishes='TABLE wishes')}) {_RELEASED.format(wishes='TABLE wishes')}"
)
