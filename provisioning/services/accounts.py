"""What an identity provider does to login accounts: each deed is one transaction, its log row included."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from provisioning.models import GroupMembership, LoginAccount, ProvisioningConfiguration
from provisioning.services import totals
from provisioning.services.calls import Call, check_version, difference, record_success
from provisioning.services.constraints import violated
from provisioning.services.notices import announce


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
    """Create the account, or revive the one of that username that its provider removed earlier (1-product §1.3).

    Raises ``UsernameTaken`` and ``ExternalIdTaken``.
    """
    try:
        with transaction.atomic():
            account = _removed_account(call.configuration, profile) or LoginAccount(created_at=call.at)
            _describe(account, profile, call.at)
            account.configuration = call.configuration
            account.subscription_id = call.configuration.subscription_id
            account.scim_id = str(uuid.uuid4())
            account.removed_at = None
            account.save()
            _conclude(call, account, 201, difference({}, profile.document))
            totals.add(configuration_id=call.configuration.pk, kind=totals.USER, number=1)
    except IntegrityError as error:
        raise _taken(error, profile) from error
    return account


def change_account(
    *,
    scim_id: str,
    change: Callable[[LoginAccount], AccountProfile | None],
    call: Call,
    accounts: QuerySet[LoginAccount] | None = None,
) -> LoginAccount:
    """Lock the account, ask ``change`` what it becomes, and save that; None means that nothing changes.

    ``accounts`` may annotate the row that is read. Raises ``AccountNotFound``, ``VersionRefused``, ``UsernameTaken``,
    ``ExternalIdTaken``, and whatever ``change`` raises, in which case nothing has happened.
    """
    profile: AccountProfile | None = None
    try:
        with transaction.atomic():
            account = _locked(call, scim_id, accounts)
            profile = change(account)
            changes: dict[str, Any] = {}
            if profile is not None:
                changes = difference(account.document, profile.document)
                _describe(account, profile, call.at)
                account.version += 1
                account.save(update_fields=_CHANGED_FIELDS)
            _conclude(call, account, 200, changes)
    except IntegrityError as error:
        raise _taken(error, profile) from error
    return account


def remove_account(*, scim_id: str, call: Call) -> None:
    """Make SCIM forget the account; the login account stays, disabled and marked as removed (1-product §1.3).

    Raises ``AccountNotFound`` and ``VersionRefused``.
    """
    with transaction.atomic():
        account = _locked(call, scim_id, None)
        GroupMembership.objects.filter(account=account).delete()
        account.scim_id = None
        account.removed_at = account.modified_at = call.at
        account.disabled_at = account.disabled_at or call.at
        account.is_enabled = False
        account.generation += 1
        account.save()
        record_success(call, status=204, resource_id=scim_id, resource_name=account.username, changes={})
        totals.add(configuration_id=call.configuration.pk, kind=totals.USER, number=-1)
        announce(account.subscription_id)


_CHANGED_FIELDS = [
    "username",
    "username_key",
    "external_id",
    "full_name",
    "email",
    "display_name_key",
    "email_key",
    "info1",
    "info2",
    "is_enabled",
    "disabled_at",
    "document",
    "search",
    "version",
    "modified_at",
    "generation",
]


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
    account.disabled_at = None if profile.is_enabled else account.disabled_at or at
    account.is_enabled = profile.is_enabled
    account.document = profile.document
    account.search = profile.search
    account.modified_at = at
    account.generation += 1


def _removed_account(configuration: ProvisioningConfiguration, profile: AccountProfile) -> LoginAccount | None:
    """Return the removed account of that username. Raises ``UsernameTaken`` when one that is not removed has it."""
    account = (
        LoginAccount.objects.select_for_update()
        .filter(subscription_id=configuration.subscription_id, username_key=profile.username.casefold())
        .first()
    )
    if account is not None and (not account.is_removed or account.configuration_id != configuration.pk):
        raise UsernameTaken(profile.username)
    return account


def _locked(call: Call, scim_id: str, accounts: QuerySet[LoginAccount] | None) -> LoginAccount:
    rows = LoginAccount.objects.all() if accounts is None else accounts
    account = rows.select_for_update(of=("self",)).filter(configuration=call.configuration, scim_id=scim_id).first()
    if account is None:
        raise AccountNotFound(scim_id)
    check_version(call, account.version)
    return account


def _conclude(call: Call, account: LoginAccount, status: int, changes: dict[str, Any]) -> None:
    record_success(
        call, status=status, resource_id=str(account.scim_id), resource_name=account.username, changes=changes
    )
    announce(account.subscription_id)


def touch_accounts(ids: list[int]) -> None:
    """Raise the generation of these accounts, so that licenses and vaults look at them again."""
    LoginAccount.objects.filter(pk__in=ids).update(generation=F("generation") + 1)


def _taken(error: IntegrityError, profile: AccountProfile | None) -> Exception:
    """Return the named exception for a unique violation, or the error itself when it is something else."""
    match violated(error):
        case "account_username_unique" if profile:
            return UsernameTaken(profile.username)
        case "account_external_id_unique" if profile:
            return ExternalIdTaken(profile.external_id)
    return error
