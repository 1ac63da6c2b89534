"""Read what decides about licenses, set-based: two statements for any number of accounts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from licensing.plans.licenses import NONE, AccountFacts, GroupClaim, Policy, ReleasePolicy
from provisioning.license_types import LicenseType
from provisioning.models import GroupMembership, LoginAccount, Subscription

_FIELDS = (
    "id",
    "username_key",
    "is_enabled",
    "disabled_at",
    "created_at",
    "generation",
    "configuration__default_license_type",
    "license_grant__id",
    "license_grant__wanted_type",
    "license_grant__asked_at",
    "license_grant__granted_type",
    "license_grant__granted_at",
    "license_grant__passed_over_at",
    "license_grant__pinned_type",
    "license_grant__manual_type",
)
GroupTypes = Mapping[int, LicenseType | None]
"""License types that some groups shall be taken to have, whatever is recorded."""


def read(
    accounts: QuerySet[LoginAccount], group_types: GroupTypes | None = None
) -> tuple[list[AccountFacts], dict[int, int]]:
    """Return the facts of these accounts in their order, and the generation that each account had when it was read.

    Generations are read first: whatever changes while the rest is read raises them, so that the account stays due.
    """
    rows = list(accounts.values(*_FIELDS))
    ids = [row["id"] for row in rows]
    claims = _claims(ids, group_types or {})
    return [_facts(row, tuple(claims[row["id"]])) for row in rows], {row["id"]: row["generation"] for row in rows}


def release_policy(subscription: Subscription) -> ReleasePolicy:
    """Return what becomes of the licenses of the subscription's disabled accounts."""
    return ReleasePolicy(Policy(subscription.release_policy), subscription.release_after_days)


def _claims(ids: Iterable[int], group_types: GroupTypes) -> dict[int, list[GroupClaim]]:
    claims: dict[int, list[GroupClaim]] = defaultdict(list)
    rows = GroupMembership.objects.filter(account_id__in=ids, group__deleted_at__isnull=True)
    if not group_types:
        rows = rows.filter(group__license_type__gt=NONE)
    for account_id, group_id, name, recorded in rows.values_list(
        "account_id", "group_id", "group__display_name", "group__license_type"
    ):
        license_type = group_types.get(group_id, recorded)
        if license_type:
            claims[account_id].append(GroupClaim(LicenseType(license_type), name, group_id))
    return claims


def _facts(row: Mapping[str, Any], claims: tuple[GroupClaim, ...]) -> AccountFacts:
    grant = {name.removeprefix("license_grant__"): row[name] for name in row if name.startswith("license_grant__")}
    return AccountFacts(
        account_id=row["id"],
        username_key=row["username_key"],
        is_enabled=row["is_enabled"],
        is_new=grant["id"] is None,
        first_asked_at=row["created_at"],
        disabled_at=row["disabled_at"],
        default=_type(row["configuration__default_license_type"]),
        groups=claims,
        pinned=_type(grant["pinned_type"]),
        manual=_type(grant["manual_type"]),
        wanted=LicenseType(grant["wanted_type"] or NONE),
        asked_at=grant["asked_at"],
        granted=LicenseType(grant["granted_type"] or NONE),
        granted_at=grant["granted_at"],
        passed_over_at=grant["passed_over_at"],
    )


def _type(number: int | None) -> LicenseType | None:
    return None if number is None else LicenseType(number)
