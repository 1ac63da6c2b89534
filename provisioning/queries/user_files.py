"""Internal users as the rows of a file (1-product §1.7), a few statements for every 2,000 of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from django.db.models import QuerySet

from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, Subscription, Vault, VaultAccess
from provisioning.user_licenses import registered
from provisioning.user_rows import DISABLED, ENABLED, ROLES, Cells, Known
from provisioning.vault_cells import SEPARATOR, Standing, key

_CHUNK: Final = 2_000


def rows(people: QuerySet[LoginAccount]) -> Iterator[Cells]:
    """Return the rows of these people of one subscription, by username: memory does not grow with their number."""
    people = people.order_by("username_key")
    chunk = list(people[:_CHUNK])
    while chunk:
        yield from (one.cells for one in _described(chunk))
        chunk = list(people.filter(username_key__gt=chunk[-1].username_key)[:_CHUNK])


def known(subscription: Subscription, usernames: Iterable[str]) -> dict[str, Known]:
    """Return the accounts, of people and of applications, that have these usernames, by case-folded username."""
    keys = sorted({name.casefold() for name in usernames})
    accounts = LoginAccount.objects.filter(subscription=subscription).select_related("configuration")
    accounts = accounts.defer("document", "search")
    found: dict[str, Known] = {}
    for begin in range(0, len(keys), _CHUNK):
        chunk = list(accounts.filter(username_key__in=keys[begin : begin + _CHUNK]))
        standings = _standings([account.pk for account in chunk])
        for account, one in zip(chunk, _described(chunk), strict=True):
            found[account.username_key] = replace(one, standing=standings[account.pk])
    return found


def vaults(subscription: Subscription) -> frozenset[str]:
    """Return the names of all vaults, as files tell them apart."""
    return frozenset(
        key(name) for name in Vault.objects.filter(subscription=subscription).values_list("name", flat=True)
    )


def enabled_admins(subscription: Subscription) -> frozenset[int]:
    """Return who can administer the subscription now."""
    role = LoginAccount.Role.SUBSCRIPTION_ADMIN
    rows = LoginAccount.objects.filter(subscription=subscription, role=role, is_enabled=True)
    return frozenset(rows.values_list("pk", flat=True))


def _standings(ids: Sequence[int]) -> Mapping[int, Standing]:
    """Return why each account has access to vaults: two statements."""
    linked = registered().linked(ids)
    decided: dict[tuple[int, str], set[str]] = defaultdict(set)
    rows = VaultAccess.objects.filter(account_id__in=ids)
    for pk, name, access in rows.values_list("account_id", "vault__name", "access"):
        decided[pk, access].add(key(name))
    return {
        pk: Standing(
            given=decided[pk, VaultAccess.Access.GIVEN],
            blocked=decided[pk, VaultAccess.Access.BLOCKED],
            linked={key(name) for name in linked.get(pk, ())},
        )
        for pk in ids
    }


def _described(accounts: Sequence[LoginAccount]) -> Iterator[Known]:
    ids, licensing = [account.pk for account in accounts], registered()
    types, vaults = licensing.types(ids), licensing.vaults(ids)
    for account in accounts:
        license_type = types.get(account.pk, LicenseType.NONE)
        yield _known(account, license_type, vaults.get(account.pk, ()))


def _known(account: LoginAccount, license_type: LicenseType, vaults: Sequence[str]) -> Known:
    cells = Cells(
        account_type=LoginAccount.Kind(account.kind).label,
        username=account.username,
        full_name=account.full_name,
        email=account.email,
        license_type=license_type.label,
        role=ROLES[account.role],
        state=ENABLED if account.is_enabled else DISABLED,
        info1=account.info1,
        info2=account.info2,
        vaults=SEPARATOR.join(vaults),
    )
    return Known(
        pk=account.pk,
        cells=cells,
        source=account.configuration.name if account.configuration else "",
        is_held=account.scim_id is not None,
        is_removed=account.is_removed,
    )
