"""What admins decide about accounts in vaults beside their links (1-product §1.5, rule 5): access and full control.

Each deed takes one account or many, up to a few thousand, in one vault; it is one transaction with one audit row.
Workers then bring the vault in line.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import LoginAccount, Vault, VaultAccess
from provisioning.services import audit
from provisioning.services.accounts import touch_accounts
from provisioning.services.notices import announce
from provisioning.signals import vault_users_switched

Access = VaultAccess.Access
_NAMED_IN_REFUSALS: Final = 3


class AccountElsewhere(Exception):
    """An account does not belong to the vault's subscription, or was deleted meanwhile."""

    def __init__(self, names: Sequence[str], vault: Vault) -> None:
        super().__init__(f"{_list(names)}: no such user in the subscription of “{vault.name}”. Choose others.")


class AccountRemoved(Exception):
    """The identity provider has removed the account, which gets into no vault any more."""

    def __init__(self, names: Sequence[str]) -> None:
        was = "was" if len(names) == 1 else "were"
        super().__init__(f"{_list(names)} {was} removed by the identity provider. Leave out what is removed.")


REFUSALS: Final = (AccountElsewhere, AccountRemoved)
"""Everything that the deeds of this module raise; each is a sentence for the person who asked."""


class Decision(NamedTuple):
    """What a row of ``VaultAccess`` says; ``NOTHING`` needs no row."""

    access: str = Access.BY_LINKS
    full_control: bool | None = None


NOTHING: Final = Decision()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    accounts: Sequence[LoginAccount]
    vault: Vault
    actor: Actor
    at: datetime


def decision(account: LoginAccount, vault: Vault) -> Decision:
    """Return what is decided about the account in the vault."""
    return _decisions([account.pk], vault).get(account.pk, NOTHING)


@transaction.atomic
def give_access(*, accounts: Sequence[LoginAccount], vault: Vault, actor: Actor, at: datetime) -> int:
    """Make the accounts users of the vault, without a link and beside links; blocked ones are blocked no longer.

    They become vault users once they are enabled and have a license. Returns for how many that is new. Raises
    ``AccountElsewhere`` and ``AccountRemoved``, in which case nothing has happened.
    """
    deed = _Deed(accounts=accounts, vault=vault, actor=actor, at=at)
    return len(_decide(deed, "give vault access", lambda old: old._replace(access=Access.GIVEN), refuse_removed=True))


@transaction.atomic
def take_access(*, accounts: Sequence[LoginAccount], vault: Vault, actor: Actor, at: datetime) -> int:
    """Take back what ``give_access`` gave: from now on links alone decide; who has none there is disabled.

    Returns for how many that is new. Raises ``AccountElsewhere``.
    """
    deed = _Deed(accounts=accounts, vault=vault, actor=actor, at=at)
    return len(_decide(deed, "take vault access away", _leaving(Access.GIVEN)))


@transaction.atomic
def block(*, accounts: Sequence[LoginAccount], vault: Vault, actor: Actor, at: datetime) -> int:
    """Keep the accounts' vault users disabled, whatever links want; they stay in the groups that links want them in.

    Returns for how many that is new. Raises ``AccountElsewhere``.
    """
    deed = _Deed(accounts=accounts, vault=vault, actor=actor, at=at)
    return len(_decide(deed, "disable in vault", lambda old: old._replace(access=Access.BLOCKED), switched=False))


@transaction.atomic
def unblock(*, accounts: Sequence[LoginAccount], vault: Vault, actor: Actor, at: datetime) -> int:
    """Let links decide again about blocked accounts, and enable, once, whom a person disabled in the vault.

    Whom neither links nor an admin gives access stays disabled: ``give_access`` to them. Returns how many accounts that
    were. Raises ``AccountElsewhere``.
    """
    deed = _Deed(accounts=accounts, vault=vault, actor=actor, at=at)
    return len(_decide(deed, "enable in vault", _leaving(Access.BLOCKED), also_unchanged=True, switched=True))


@transaction.atomic
def set_full_control(
    *, accounts: Sequence[LoginAccount], vault: Vault, full_control: bool | None, actor: Actor, at: datetime
) -> int:
    """Give or take M-Files' *Full control of vault*; None leaves it to the vault again, as it is there.

    Other admin rights are never changed. Returns for how many that is new. Raises ``AccountElsewhere``, and
    ``AccountRemoved`` when full control is given.
    """
    deed = _Deed(accounts=accounts, vault=vault, actor=actor, at=at)

    def change(old: Decision) -> Decision:
        return old._replace(full_control=full_control)

    return len(_decide(deed, "set full control of vault", change, refuse_removed=full_control is True))


def _leaving(left: str) -> Callable[[Decision], Decision]:
    return lambda old: old._replace(access=Access.BY_LINKS) if old.access == left else old


def _decide(
    deed: _Deed,
    action: str,
    change: Callable[[Decision], Decision],
    *,
    refuse_removed: bool = False,
    also_unchanged: bool = False,
    switched: bool | None = None,
) -> list[LoginAccount]:
    """Record what ``change`` makes of each decision; return the accounts of which something is new."""
    accounts = _locked(deed.accounts, deed.vault)
    if refuse_removed and (removed := [one.username for one in accounts if one.is_removed]):
        raise AccountRemoved(removed)
    old = _decisions([one.pk for one in accounts], deed.vault)
    news = {one: change(old.get(one.pk, NOTHING)) for one in accounts}
    news = {one: new for one, new in news.items() if also_unchanged or new != old.get(one.pk, NOTHING)}
    if news:
        _write(news, deed)
        if switched is not None:
            _switch(deed, list(news), is_enabled=switched)
        touch_accounts([one.pk for one in news])
        _audit(deed, action, {one.username: (old.get(one.pk, NOTHING), new) for one, new in news.items()})
        announce(deed.vault.subscription_id)
    return list(news)


def _locked(accounts: Sequence[LoginAccount], vault: Vault) -> list[LoginAccount]:
    """Return the accounts as they are now, by id, their rows held. Raises ``AccountElsewhere``."""
    rows = LoginAccount.objects.filter(subscription_id=vault.subscription_id, pk__in={one.pk for one in accounts})
    found = list(rows.select_for_update(no_key=True).only("username", "removed_at").order_by("pk"))
    known = {one.pk for one in found}
    if strangers := [one.username for one in accounts if one.pk not in known]:
        raise AccountElsewhere(strangers, vault)
    return found


def _decisions(account_ids: Iterable[int], vault: Vault) -> dict[int, Decision]:
    rows = VaultAccess.objects.filter(vault=vault, account_id__in=account_ids)
    return {row.account_id: Decision(row.access, row.full_control) for row in rows}


def _write(news: dict[LoginAccount, Decision], deed: _Deed) -> None:
    """Write the rows that say something, and remove those that say nothing any more."""
    rows = [
        VaultAccess(
            subscription_id=deed.vault.subscription_id,
            account=account,
            vault=deed.vault,
            access=new.access,
            full_control=new.full_control,
            changed_at=deed.at,
        )
        for account, new in news.items()
        if new != NOTHING
    ]
    VaultAccess.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "vault"],
        update_fields=["access", "full_control", "changed_at"],
    )
    silent = [account.pk for account, new in news.items() if new == NOTHING]
    VaultAccess.objects.filter(vault=deed.vault, account_id__in=silent).delete()


def _switch(deed: _Deed, accounts: Sequence[LoginAccount], *, is_enabled: bool) -> None:
    ids = [one.pk for one in accounts]
    vault_users_switched.send(sender=None, vault_id=deed.vault.pk, account_ids=ids, is_enabled=is_enabled, at=deed.at)


def _audit(deed: _Deed, action: str, changes: dict[str, tuple[Decision, Decision]]) -> None:
    """One account: what changed of it; several: the access or the right of each, by username."""
    named = {name: _differences(old, new) for name, (old, new) in changes.items()}
    only = next(iter(named))
    audit.record(
        subscription_id=deed.vault.subscription_id,
        actor=deed.actor,
        action=action,
        target=f"{only if len(named) == 1 else f'{len(named):,} accounts'} in {deed.vault.name}",
        at=deed.at,
        changes=named[only]
        if len(named) == 1
        else {name: next(iter(fields.values()), []) for name, fields in named.items()},
    )


def _differences(old: Decision, new: Decision) -> dict[str, list[Any]]:
    pairs = zip(Decision._fields, old, new, strict=True)
    return {field: [before, after] for field, before, after in pairs if before != after}


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:_NAMED_IN_REFUSALS])
    more = len(names) - _NAMED_IN_REFUSALS
    return f"{shown} and {more:,} more" if more > 0 else shown
