"""What the deeds on accounts of persons and of applications have in common; each calls it in its own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from provisioning.actor import Actor
from provisioning.models import LoginAccount
from provisioning.services import audit, sign_ins
from provisioning.services.accounts import touch_accounts
from provisioning.services.constraints import violated
from provisioning.services.notices import announce
from provisioning.signals import account_leaving

Changes = dict[str, list[Any]]
_KEYS: Final = ("username_key", "role_username_key", "display_name_key", "email_key", "modified_at", "role", "user")


class UsernameInUse(Exception):
    """Another account of the subscription has that username, in whatever letter case."""

    def __init__(self, username: str) -> None:
        super().__init__(f"Another account has the username “{username}” already. Choose another one.")


def locked(account: LoginAccount, kind: LoginAccount.Kind) -> LoginAccount | None:
    """Return the account as it is now, its row held; None when it is gone, or is of another kind."""
    rows = LoginAccount.objects.select_related("configuration").defer("document", "search")
    return rows.select_for_update(of=("self",)).filter(pk=account.pk, kind=kind).first()


def differences(account: LoginAccount, fields: Mapping[str, str]) -> Changes:
    """Return what these fields would make different."""
    return {name: [getattr(account, name), value] for name, value in fields.items() if getattr(account, name) != value}


def save(account: LoginAccount, fields: Mapping[str, str], at: datetime) -> None:
    """Write the fields, and the keys by which they are searched. Raises ``UsernameInUse``."""
    for name, value in fields.items():
        setattr(account, name, value)
    account.username_key = account.role_username_key = account.username.casefold()
    account.display_name_key = account.full_name.casefold()
    account.email_key = account.email.casefold()
    account.modified_at = at
    names = None if account.pk is None else [*fields, *_KEYS]
    try:
        with transaction.atomic():
            account.save(update_fields=names)
    except IntegrityError as error:
        if violated(error) != "account_username_unique":
            raise
        raise UsernameInUse(account.username) from error


def set_enabled(account: LoginAccount, at: datetime, *, is_enabled: bool) -> None:
    """Write whether the account is enabled."""
    account.is_enabled = is_enabled
    account.disabled_at = None if is_enabled else at
    account.modified_at = at
    account.save(update_fields=["is_enabled", "disabled_at", "modified_at"])


def let_go(account: LoginAccount, at: datetime) -> None:
    """Have others let go of an account that is about to be deleted.

    Before its row is locked: whoever gives seats holds the pools first and the accounts then.
    """
    account_leaving.send(sender=None, subscription_id=account.subscription_id, account_id=account.pk, at=at)


def delete(account: LoginAccount, action: str, actor: Actor, at: datetime) -> None:
    """Delete the account for good, and write who did it; sessions of who has no other role end."""
    account.delete()
    sign_ins.leave([account.user_id])
    write(account, action, {"full_name": [account.full_name, None]}, actor, at)
    announce(account.subscription_id)


def done(
    account: LoginAccount, action: str, changes: Changes, actor: Actor, at: datetime, *, left: int | None = None
) -> None:
    """Write who did it, and have licenses and vaults look at the account; ``left`` came in by it before, perhaps.

    Sessions of who may not come in any more end.
    """
    touch_accounts([account.pk])
    if not (account.is_enabled and account.role) or left not in {None, account.user_id}:
        sign_ins.leave([account.user_id, left])
    write(account, action, changes, actor, at)
    announce(account.subscription_id)


def write(account: LoginAccount, action: str, changes: Changes, actor: Actor, at: datetime) -> None:
    """Write in the audit log what was done to the account."""
    audit.record(
        subscription_id=account.subscription_id,
        actor=actor,
        action=action,
        target=account.username,
        at=at,
        changes=changes,
    )
