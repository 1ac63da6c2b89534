"""Licenses and vaults of accounts for a file of users, and the types that such a file chooses (1-product §1.7)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from licensing.models import LicenseGrant, VaultUser
from licensing.services import choices
from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, Subscription
from provisioning.user_licenses import Licensing


def types(ids: Sequence[int]) -> dict[int, LicenseType]:
    """Return what a person chose for each account, else what its groups and its configuration give it."""
    rows = LicenseGrant.objects.filter(account_id__in=ids).values_list(
        "account_id", "account__configuration_id", "pinned_type", "manual_type", "wanted_type"
    )
    return {
        pk: LicenseType(_chosen(configuration, pinned, manual, wanted))
        for pk, configuration, pinned, manual, wanted in rows
    }


def vaults(ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Return the names of the vaults that each account is enabled in."""
    rows = VaultUser.objects.filter(account_id__in=ids, seen_enabled=True).order_by("vault__name")
    found: dict[int, list[str]] = {}
    for pk, name in rows.values_list("account_id", "vault__name"):
        found.setdefault(pk or 0, []).append(name)
    return found


@transaction.atomic
def choose(
    *, subscription: Subscription, account_ids: Iterable[int], license_type: LicenseType, actor: Actor, at: datetime
) -> None:
    """Choose the type of manual accounts, and pin it to those that came through a configuration or have a pin."""
    rows = LoginAccount.objects.filter(subscription=subscription, pk__in=list(account_ids))
    is_pinned = Coalesce("configuration_id", F("license_grant__pinned_type"))
    found = dict(rows.annotate(is_pinned=is_pinned).values_list("pk", "is_pinned"))
    pinned = [pk for pk, why in found.items() if why is not None]
    manual = [pk for pk, why in found.items() if why is None]
    choices.pin(subscription=subscription, account_ids=pinned, license_type=license_type, actor=actor, at=at)
    choices.choose_manual(subscription=subscription, account_ids=manual, license_type=license_type, actor=actor, at=at)


def _chosen(configuration: int | None, pinned: int | None, manual: int | None, wanted: int) -> int:
    if pinned is not None:
        return pinned
    return (manual or LicenseType.NONE) if configuration is None else wanted


FILES = Licensing(types=types, vaults=vaults, choose=choose)
