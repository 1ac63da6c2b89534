"""What an identity provider does to login accounts: each deed is one transaction, its log row included."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from provisioning.models import HeldChange, LoginAccount
from provisioning.services import sign_ins, totals, wakes
from provisioning.services.calls import Call, carry_out, carry_out_alone, check_version, difference, entry
from provisioning.services.constraints import violated
from provisioning.services.notices import announce
from provisioning.services.protection import set_active
from provisioning.sql import Statement, insertion, parameter, run, run_alone, whole


class AccountNotFound(Exception):
    """The configuration has no account of that SCIM id."""


class UsernameTaken(Exception):
    """Another account of the subscription has that username, in whatever letter case (RFC 7643 §4.1.1)."""

    def __init__(self, username: str) -> None:
        super().__init__(f'userName "{username}" is already in use')


class ExternalIdTaken(Exception):
    """Another account of the configuration has that externalId (decision D-17)."""

    def __init__(self, external_id: str | None) -> None:
        super().__init__(f'externalId "{external_id}" is already in use')


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProfile:
    """A login account as an identity provider describes it; ``document`` and ``search`` as on ``LoginAccount``.

    ``email_key`` is what filters on the work address look for, which need not be ``email``.
    """

    username: str
    external_id: str | None
    full_name: str
    email: str
    email_key: str
    display_name: str
    info1: str
    info2: str
    is_enabled: bool
    document: dict[str, Any]
    search: dict[str, Any]


def create_account(*, profile: AccountProfile, call: Call) -> LoginAccount:
    """Create the account, or take over one of that username that the configuration may have (``_take_over``).

    Raises ``UsernameTaken``, ``ExternalIdTaken`` and ``AccessEnded``.
    """
    account = LoginAccount(created_at=call.at)
    _give_to_scim(account, profile, call)
    account.is_enabled = profile.is_enabled
    account.disabled_at = None if profile.is_enabled else call.at
    made = carry_out(
        Statement(_INSERT, _values(account, _INSERTED)),
        _logged(call, account, 201, difference({}, profile.document)),
        wakes.new_account(account.subscription_id),
        totals.step(call.configuration.pk, totals.USER, 1),
    )
    if not made:
        return _take_over(profile, call)
    account.pk = made[0][0]
    announce(account.subscription_id)
    return account


def change_account(
    *,
    scim_id: str,
    change: Callable[[LoginAccount], AccountProfile | None],
    call: Call,
    more: Mapping[str, str] | None = None,
) -> LoginAccount:
    """Lock the account, ask ``change`` what it becomes, and save that; None means that nothing changes.

    ``more`` names expressions of SQL that the account gets as attributes when its row is read. Raises
    ``AccountNotFound``, ``VersionRefused``, ``UsernameTaken``, ``ExternalIdTaken``, ``AccessEnded``, and whatever
    ``change`` raises, in which case nothing has happened.
    """
    profile: AccountProfile | None = None
    try:
        with transaction.atomic():
            account = _locked(call, scim_id, more or {})
            profile = change(account)
            _change(account, profile, call)
    except IntegrityError as error:
        raise _taken(error, profile) from error
    return account


def remove_account(*, scim_id: str, call: Call) -> None:
    """Make SCIM forget the account; the login account stays, disabled and marked as removed (1-product §1.3).

    Where a protection keeps it enabled, it stays in its groups too, where SCIM does not show it. Raises
    ``AccountNotFound``, ``VersionRefused`` and ``AccessEnded``.
    """
    with transaction.atomic():
        account = _locked(call, scim_id, {})
        detail = set_active(account, wanted=False, call=call, kind=HeldChange.Kind.REMOVE)
        account.scim_id = None
        account.removed_at = account.modified_at = call.at
        carry_out(
            Statement(_UPDATE, [*_values(account, _UPDATED), account.pk]),
            *_leaving(account, stays=account.is_enabled),
            entry(call, status=204, resource_id=scim_id, resource_name=account.username, changes={}, detail=detail),
            wakes.accounts([account.pk]),
            totals.step(call.configuration.pk, totals.USER, -1),
        )
        _sign_out(account)
        announce(account.subscription_id)


def shown_active(account: LoginAccount) -> bool:
    """Return what SCIM shows of ``active``: what the identity provider wants, where a protection holds that back."""
    return account.is_enabled if account.intended_active is None else account.intended_active


def touch_accounts(ids: Iterable[int]) -> None:
    """Make these accounts due, so that licenses and vaults look at them again."""
    run_alone(wakes.accounts(ids))


def _take_over(profile: AccountProfile, call: Call) -> LoginAccount:
    """Give the account that has the username to the configuration, where that is allowed (decision 15).

    Allowed is what the configuration itself removed earlier; and, where it adopts manual accounts, the
    person that no configuration has, who keeps role, license, vaults and history. Raises ``UsernameTaken`` and
    ``ExternalIdTaken``.
    """
    try:
        with transaction.atomic():
            account = _holder(profile, call)
            leaving = _leaving(account, stays=not (account.is_removed and account.is_enabled))
            detail = _TAKEN_OVER[account.configuration_id is None].format(account.username)
            _give_to_scim(account, profile, call)
            detail = f"{detail} {set_active(account, wanted=profile.is_enabled, call=call)}".strip()
            carry_out(
                Statement(_UPDATE, [*_values(account, _UPDATED), account.pk]),
                *leaving,
                _logged(call, account, 201, difference({}, profile.document), detail),
                wakes.accounts([account.pk]),
                totals.step(call.configuration.pk, totals.USER, 1),
            )
            _sign_out(account)
            announce(account.subscription_id)
    except IntegrityError as error:
        raise _taken(error, profile) from error
    return account


def _holder(profile: AccountProfile, call: Call) -> LoginAccount:
    """Return the account that is in the way, locked. Raises ``UsernameTaken``, ``ExternalIdTaken`` if it must stay."""
    account = (
        LoginAccount.objects.select_for_update()
        .filter(subscription_id=call.configuration.subscription_id, username_key=profile.username.casefold())
        .first()
    )
    if account is None and profile.external_id is not None:
        raise ExternalIdTaken(profile.external_id)
    if account is None:  # the one that was in the way has just gone
        raise UsernameTaken(profile.username)
    if account.configuration_id is None:
        may_have = call.configuration.adopts_manual_accounts and account.kind == LoginAccount.Kind.PERSON
    else:
        may_have = account.is_removed and account.configuration_id == call.configuration.pk
    if not may_have:
        raise UsernameTaken(profile.username)
    return account


def _give_to_scim(account: LoginAccount, profile: AccountProfile, call: Call) -> None:
    _describe(account, profile, call.at)
    account.configuration = call.configuration
    account.subscription_id = call.configuration.subscription_id
    account.scim_id = str(uuid.uuid4())
    account.removed_at = None


def _leaving(account: LoginAccount, *, stays: bool) -> list[Statement]:
    """Return what takes the account out of its groups, unless it stays in them."""
    return [] if stays else [Statement(_LEAVE_GROUPS, [account.pk])]


def _change(account: LoginAccount, profile: AccountProfile | None, call: Call) -> None:
    """Save what the account becomes; an intention that a protection held back is looked at again in any case."""
    changes: dict[str, Any] = {}
    due = [account.pk]
    if profile is not None:
        changes = difference(account.document | {"active": shown_active(account)}, profile.document)
        if profile.username.casefold() != account.username_key:
            due += _free(profile.username, call)
        _describe(account, profile, call.at)
    was_enabled = account.is_enabled
    detail = set_active(account, wanted=profile.is_enabled if profile else shown_active(account), call=call)
    if profile is None and account.is_enabled == was_enabled:
        carry_out_alone(_logged(call, account, 200, {}, detail))
        announce(account.subscription_id)
        return
    account.version += 1
    account.modified_at = call.at
    carry_out(
        Statement(_UPDATE, [*_values(account, _UPDATED), account.pk]),
        _logged(call, account, 200, changes, detail),
        wakes.accounts(due),
    )
    _sign_out(account)
    announce(account.subscription_id)


def _sign_out(account: LoginAccount) -> None:
    """End the sessions of who came in by the account, if it is disabled; most people come in nowhere."""
    if account.user_id is not None and not account.is_enabled:
        sign_ins.leave([account.user_id])


def _free(username: str, call: Call) -> list[int]:
    """Let a removed account of the configuration give up its username, which is free for SCIM (1-product §1.3).

    Returns the ids of whom that changes.
    """
    suffix = f" (removed, renamed {call.at:%Y-%m-%d %H:%M:%S})"
    names = [suffix, suffix, call.configuration.subscription_id, username.casefold(), call.configuration.pk]
    return [row[0] for row in run(Statement(_FREE, names))]


def _describe(account: LoginAccount, profile: AccountProfile, at: datetime) -> None:
    account.username = profile.username
    account.username_key = profile.username.casefold()
    account.external_id = profile.external_id
    account.full_name = profile.full_name
    account.email = profile.email
    account.display_name_key = profile.display_name.casefold()
    account.email_key = profile.email_key
    account.info1 = profile.info1
    account.info2 = profile.info2
    account.document = profile.document
    account.search = profile.search
    account.modified_at = at


def _locked(call: Call, scim_id: str, more: Mapping[str, str]) -> LoginAccount:
    """Read the row that the configuration has of that id. Raises ``AccountNotFound``, ``VersionRefused``."""
    text = f"SELECT {', '.join([_ACCOUNT.text, *more.values()])}{_FROM}{_LOCK[connection.vendor]}"
    found = run(Statement(text, (call.configuration.pk, scim_id)))
    if not found:
        raise AccountNotFound(scim_id)
    width = len(_ACCOUNT.names)
    [account] = _ACCOUNT.read([found[0][:width]])
    vars(account).update(zip(more, found[0][width:], strict=True))
    check_version(call, account.version)
    return account


def _values(account: LoginAccount, names: tuple[str, ...]) -> list[Any]:
    return [parameter(getattr(account, name)) for name in names]


def _logged(call: Call, account: LoginAccount, status: int, changes: dict[str, Any], detail: str = "") -> Statement:
    return entry(
        call,
        status=status,
        resource_id=str(account.scim_id),
        resource_name=account.username,
        changes=changes,
        detail=detail,
    )


def _taken(error: IntegrityError, profile: AccountProfile | None) -> Exception:
    """Return the named exception for a unique violation, or the error itself when it is something else."""
    match violated(error):
        case "account_username_unique" if profile:
            return UsernameTaken(profile.username)
        case "account_external_id_unique" if profile:
            return ExternalIdTaken(profile.external_id)
    return error


_TAKEN_OVER = {
    True: "Took over the manual account “{}”, with its role, license and vaults.",
    False: "Revived the account “{}”, which had been removed; its groups were not restored.",
}
_ACCOUNT = whole(LoginAccount)
_INSERTED = tuple(name for name in _ACCOUNT.names if name != "id")
_KEPT = {"id", "subscription_id", "user_id", "uid", "kind", "role", "role_username_key", "created_at"}
_UPDATED = tuple(name for name in _ACCOUNT.names if name not in _KEPT)
_INSERT = f"{insertion(LoginAccount, _INSERTED)} ON CONFLICT DO NOTHING RETURNING id"
_ASSIGNMENTS = ", ".join(f"{name} = %s" for name in _UPDATED)
_UPDATE = f"UPDATE provisioning_loginaccount SET {_ASSIGNMENTS} WHERE id = %s RETURNING id"  # noqa: S608
_FREE = """
UPDATE provisioning_loginaccount
SET username = username || %s, username_key = username_key || %s
WHERE subscription_id = %s AND username_key = %s AND configuration_id = %s AND scim_id IS NULL RETURNING id"""
_LEAVE_GROUPS = "DELETE FROM provisioning_groupmembership WHERE account_id = %s"
_FROM = " FROM provisioning_loginaccount WHERE configuration_id = %s AND scim_id = %s"
_LOCK = {"postgresql": " FOR UPDATE OF provisioning_loginaccount", "sqlite": ""}
