"""What people choose for accounts: a type pinned to them, the type of manual ones, and that they be looked at again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import F

from licensing.models import LicenseGrant, VaultUser
from licensing.services import bulk, pools, wishes
from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, Subscription
from provisioning.services import audit
from provisioning.services.accounts import touch_accounts
from provisioning.services.notices import announce

_CHUNK = 5_000
_NAMED_IN_REFUSALS = 3
Choice = Literal["pinned_type", "manual_type"]


class AccountRemoved(Exception):
    """The identity provider has removed the account; it gets no license any more."""

    def __init__(self, names: Sequence[str]) -> None:
        was = "was" if len(names) == 1 else "were"
        super().__init__(f"{_list(names)} {was} removed by the identity provider. Leave out what is removed.")


class AccountProvisioned(Exception):
    """The account came through a configuration, which gives it its type."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"{_list(names)} came through a configuration, which gives the type. Pin a type instead.")


class NoSuchType(ValueError):
    """There is no license type of that number."""

    def __init__(self, number: int) -> None:
        known = ", ".join(f"{int(one)} ({one.label})" for one in reversed(LicenseType))
        super().__init__(f"{number} is not a license type; use one of {known}.")


@transaction.atomic
def pin(
    *, subscription: Subscription, account_ids: Iterable[int], license_type: int | None, actor: Actor, at: datetime
) -> int:
    """Give accounts exactly this license type, whatever their groups say; None takes the pins away.

    Accounts of other subscriptions are left alone. Returns how many pins changed; a few statements for each 5,000
    accounts. Raises ``NoSuchType`` and ``AccountRemoved``, in which case nothing has happened.
    """
    chosen = None if license_type is None else _known(license_type)
    accounts = _accounts(subscription, account_ids)
    if chosen is not None:
        _refuse_removed(accounts)
    return _choose("pinned_type", subscription, accounts, chosen, actor=actor, at=at)


@transaction.atomic
def choose_manual(
    *, subscription: Subscription, account_ids: Iterable[int], license_type: int, actor: Actor, at: datetime
) -> int:
    """Set what accounts want that came through no configuration; ``LicenseType.NONE`` is no license.

    As ``pin`` for the rest. Raises ``NoSuchType``, ``AccountRemoved`` and ``AccountProvisioned``.
    """
    chosen = _known(license_type)
    accounts = _accounts(subscription, account_ids)
    _refuse_removed(accounts)
    if provisioned := [one.username for one in accounts if one.configuration_id is not None]:
        raise AccountProvisioned(provisioned)
    return _choose("manual_type", subscription, accounts, chosen, actor=actor, at=at)


@transaction.atomic
def resync(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Have the account's license and its vault users looked at now, those that need a person included."""
    # Before the account's due row, as workers do, so that nobody waits in a circle.
    VaultUser.objects.filter(account=account).update(generation=F("generation") + 1, due_at=at)
    touch_accounts([account.pk])
    audit.record(
        subscription_id=account.subscription_id, actor=actor, action="resync account", target=account.username, at=at
    )
    announce(account.subscription_id)


def _known(number: int) -> LicenseType:
    try:
        return LicenseType(number)
    except ValueError as error:
        raise NoSuchType(number) from error


def _accounts(subscription: Subscription, ids: Iterable[int]) -> list[LoginAccount]:
    """Return those that the subscription has, with their grants, by id; whoever gives seats waits from here on."""
    pools.lock(subscription.pk)
    rows = LoginAccount.objects.filter(subscription=subscription).select_related("license_grant")
    rows = rows.only("username", "configuration_id", "removed_at", "license_grant")
    return [one for chunk in _chunks(sorted(set(ids))) for one in rows.filter(pk__in=chunk).order_by("pk")]


def _refuse_removed(accounts: Iterable[LoginAccount]) -> None:
    if removed := [one.username for one in accounts if one.is_removed]:
        raise AccountRemoved(removed)


def _choose(
    choice: Choice,
    subscription: Subscription,
    accounts: Iterable[LoginAccount],
    chosen: LicenseType | None,
    *,
    actor: Actor,
    at: datetime,
) -> int:
    """Record the choice where it is another than before; return for how many accounts."""
    old = {one: getattr(getattr(one, "license_grant", None), choice, None) for one in accounts}
    changed = {one: number for one, number in old.items() if number != chosen}
    if not changed:
        return 0
    _record(choice, subscription, list(changed), chosen, at)
    for chunk in _chunks([one.pk for one in changed]):
        touch_accounts(chunk)
    names = [one.username for one in changed]
    audit.record(
        subscription_id=subscription.pk,
        actor=actor,
        action=_ACTIONS[choice],
        target=names[0] if len(names) == 1 else f"{len(names):,} accounts",
        at=at,
        changes={
            choice if len(names) == 1 else one.username: [_slug(number), _slug(chosen)]
            for one, number in changed.items()
        },
    )
    announce(subscription.pk)
    return len(changed)


def _record(
    choice: Choice, subscription: Subscription, accounts: list[LoginAccount], chosen: LicenseType | None, at: datetime
) -> None:
    """Write the choice; an account that no worker has looked at yet asks for it now, and not when one comes."""
    new = [one.pk for one in accounts if not hasattr(one, "license_grant")]
    policy = wishes.release_policy(subscription)
    if new:
        wishes.record(subscription.pk, new, policy, at)
    rows = [{"account_id": one.pk, choice: chosen} for one in accounts]
    bulk.change(LicenseGrant, rows, changing=[choice], key="account_id")
    if new:
        wishes.record(subscription.pk, new, policy, at)


def _chunks(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]


def _slug(license_type: int | None) -> str | None:
    return None if license_type is None else LicenseType(license_type).slug


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:_NAMED_IN_REFUSALS])
    more = len(names) - _NAMED_IN_REFUSALS
    return f"{shown} and {more:,} more" if more > 0 else shown


_ACTIONS: dict[Choice, str] = {
    "pinned_type": "pin license type",
    "manual_type": "choose license type",
}
