"""What accounts want, worked out and recorded by the database: two statements for any number of accounts.

The same rules as ``licensing.plans.licenses.wish``, which tests hold against this on generated worlds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from licensing.plans.licenses import Policy, ReleasePolicy
from licensing.services import bulk
from provisioning.license_types import LicenseType


def record(
    subscription_id: int, account_ids: Sequence[int], policy: ReleasePolicy, now: datetime
) -> dict[LicenseType, int]:
    """Record what these accounts want from now on; return how many licenses of each type they give back."""
    relation, parameters = _relation(account_ids, policy, now)
    with connection.cursor() as cursor:
        cursor.execute(_RELEASED.format(wishes=relation), parameters)
        released = {LicenseType(license_type): number for license_type, number in cursor.fetchall()}
        cursor.execute(_RECORD.format(wishes=relation), parameters | {"subscription": subscription_id})
    return released


def _relation(account_ids: Sequence[int], policy: ReleasePolicy, now: datetime) -> tuple[str, dict[str, Any]]:
    parameters = {
        "ids": bulk.ids(account_ids),
        "now": connection.ops.adapt_datetimefield_value(now),
        "keeps": policy.policy is Policy.KEEP,
        "at_once": policy.policy is Policy.AT_ONCE,
        "days": policy.days,
    }
    return _WISHES.format(**_DIALECTS[connection.vendor]), parameters


_DIALECTS = {
    "postgresql": {
        "ids": "SELECT value::bigint AS id FROM jsonb_array_elements_text(%(ids)s::jsonb) AS listed(value)",
        "now": "%(now)s::timestamptz",
        "due": "COALESCE(disabled_at, %(now)s::timestamptz) + %(days)s * interval '1 day'",
        "by_code_point": 'COLLATE "C"',
    },
    "sqlite": {
        "ids": "SELECT value AS id FROM json_each(%(ids)s)",
        "now": "%(now)s",
        # strftime rounds to milliseconds; what is below a second goes along as text.
        "due": "datetime(substr(COALESCE(disabled_at, %(now)s), 1, 19), '+' || %(days)s || ' days') "
        "|| substr(COALESCE(disabled_at, %(now)s), 20)",
        "by_code_point": "",
    },
}
_WISHES = """
WITH chosen AS ({ids}),
claims AS (
    SELECT m.account_id, g.license_type, g.id AS group_id, row_number() OVER (
        PARTITION BY m.account_id ORDER BY g.license_type DESC, g.display_name {by_code_point}, g.id
    ) AS place
    FROM provisioning_groupmembership m JOIN provisioning_usergroup g ON g.id = m.group_id
    WHERE m.account_id IN (SELECT id FROM chosen) AND g.deleted_at IS NULL AND g.license_type > 0
),
facts AS (
    SELECT a.id AS account_id, a.username_key, a.is_enabled, a.created_at, a.disabled_at,
        l.id IS NULL AS is_new, COALESCE(l.wanted_type, 0) AS old_wanted, l.asked_at AS old_asked_at,
        l.passed_over_at AS old_passed_over_at, COALESCE(l.granted_type, 0) AS old_granted,
        l.granted_at AS old_granted_at, l.pinned_type,
        CASE WHEN c.id IS NULL THEN COALESCE(l.manual_type, 0) ELSE c.default_license_type END AS own,
        CASE WHEN c.id IS NULL THEN 'manual' ELSE 'default' END AS own_kind,
        COALESCE(claims.license_type, 0) AS highest, claims.group_id
    FROM provisioning_loginaccount a
    LEFT JOIN provisioning_provisioningconfiguration c ON c.id = a.configuration_id
    LEFT JOIN licensing_licensegrant l ON l.account_id = a.id
    LEFT JOIN claims ON claims.account_id = a.id AND claims.place = 1
    WHERE a.id IN (SELECT id FROM chosen)
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
        old_granted > 0 AND wanted = 0 AND (is_enabled OR %(at_once)s) AS is_released_at_once
    FROM wanting
),
ending AS (
    SELECT releasing.*, is_released_at_once OR COALESCE(due_at <= {now}, false) AS is_released FROM releasing
)
SELECT account_id, username_key, wanted, source_kind,
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
