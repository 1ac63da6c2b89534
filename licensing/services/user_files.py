"""Licenses and vaults of accounts for a file of users, and the types that such a file chooses (1-product §1.7)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from licensing.models import LicenseGrant, VaultUser, VaultUserMembership
from licensing.services import choices
from licensing.services.futures import Change, Newcomer
from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, Subscription, VaultAccess
from provisioning.services import audit
from provisioning.user_licenses import Licensing
from provisioning.user_rows import DELETED, ENABLED, TITLES, Asked


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
    """Return the names of the vaults that each account is enabled in, or was given by an admin, by name."""
    enabled = VaultUser.objects.filter(account_id__in=ids, seen_enabled=True).exclude(account=None)
    given = VaultAccess.objects.filter(account_id__in=ids, access=VaultAccess.Access.GIVEN)
    names = ("account_id", "vault__name")
    found: dict[int, list[str]] = {}
    for pk, name in enabled.values_list(*names).union(given.values_list(*names)).order_by("vault__name"):
        found.setdefault(pk or 0, []).append(name)
    return found


def linked(ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Return the names of the vaults that links want each account in, enabled or not yet."""
    rows = VaultUserMembership.objects.filter(vault_user__account_id__in=ids, wanted=True).distinct()
    found: dict[int, list[str]] = {}
    for pk, name in rows.values_list("vault_user__account_id", "vault_user__vault__name"):
        found.setdefault(pk or 0, []).append(name)
    return found


@audit.recorded_last()
def choose(
    *, subscription: Subscription, account_ids: Iterable[int], license_type: LicenseType, actor: Actor, at: datetime
) -> None:
    """Choose the type of manual accounts, and pin it to those that came through a configuration or have a pin."""
    pinned, manual = _by_choice(subscription, account_ids)
    choices.pin(subscription=subscription, account_ids=pinned, license_type=license_type, actor=actor, at=at)
    choices.choose_manual(subscription=subscription, account_ids=manual, license_type=license_type, actor=actor, at=at)


def change(subscription: Subscription, rows: Iterable[Asked]) -> Change:
    """Return what the rows of a file change about licenses, all of them at once."""
    rows = list(rows)
    known = {one.pk: one for one in rows if one.pk is not None}
    gone = [pk for pk, one in known.items() if one.cells.state == DELETED]
    types = {pk: chosen for pk, one in known.items() if (chosen := one.chosen_type) is not None}
    pinned, manual = _by_choice(subscription, types)
    return Change(
        pins={pk: types[pk] for pk in pinned},
        manuals={pk: types[pk] for pk in manual},
        states={
            pk: one.cells.state == ENABLED
            for pk, one in known.items()
            if TITLES.state in one.changes and one.cells.state != DELETED
        },
        gone=gone,
        added=[Newcomer(one.cells.username, one.chosen_type or LicenseType.NONE) for one in rows if one.pk is None],
    )


def _by_choice(subscription: Subscription, ids: Iterable[int]) -> tuple[list[int], list[int]]:
    """Return the accounts whose type is pinned when a person chooses it, and those that are manual and have no pin."""
    rows = LoginAccount.objects.filter(subscription=subscription, pk__in=list(ids)).order_by("pk")
    found = list(rows.values_list("pk", "configuration_id", "license_grant__pinned_type"))
    pinned = [pk for pk, *why in found if any(one is not None for one in why)]
    return pinned, sorted({pk for pk, *_ in found} - set(pinned))


def _chosen(configuration: int | None, pinned: int | None, manual: int | None, wanted: int) -> int:
    if pinned is not None:
        return pinned
    return (manual or LicenseType.NONE) if configuration is None else wanted


FILES = Licensing(types=types, vaults=vaults, linked=linked, choose=choose)
