"""Internal users as admins make, change and end them (1-product §1.6); each deed is one transaction and one audit row.

What an identity provider has provisioned it decides itself, down to whether the account is enabled; only the role is
given here.
"""

from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import LoginAccount, Subscription
from provisioning.people_rules import Details, problems
from provisioning.permissions import ROLES, Permission
from provisioning.services import invitations
from provisioning.services import manual_accounts as shared
from provisioning.services.last_admin import is_last_admin
from provisioning.services.manual_accounts import Changes, UsernameInUse

Role = LoginAccount.Role
HIGH_ROLES: Final = frozenset({Role.BILLING_ADMIN, Role.SUBSCRIPTION_ADMIN})
"""Roles that nobody gives, takes away or touches the holders of without ``Permission.CHANGE_ADMINS``."""
_PERMISSIONS: Final = {role.label: permissions for role, permissions in ROLES.items()}


class BadDetails(ValueError):
    """Fields hold what they cannot; ``problems`` is ``{field: sentence}``."""

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems.values()))


class RoleOutOfReach(Exception):
    """An Access admin may neither touch nor appoint Billing and Subscription admins."""

    def __init__(self) -> None:
        super().__init__(
            "Only a Subscription admin can appoint, change, disable or delete a Billing admin or a Subscription admin. "
            "Ask one to do it."
        )


class LastAdmin(Exception):
    """Nobody could administer the subscription any more."""

    def __init__(self, username: str) -> None:
        super().__init__(
            f"“{username}” is the last enabled Subscription admin of the subscription. Appoint another one first."
        )


class ProviderDecides(Exception):
    """The account came through a configuration, and what was asked for is the identity provider's to do."""

    def __init__(self, account: LoginAccount, deed: str) -> None:
        source = account.configuration.name if account.configuration else ""
        super().__init__(f"“{account.username}” is provisioned by “{source}”. {deed} there.")


class RemovedByProvider(Exception):
    """The identity provider has removed the account, and only that revives it."""

    def __init__(self, username: str) -> None:
        super().__init__(
            f"The identity provider removed “{username}”. Assign the user there again; or delete the account here and "
            "create a user of that name."
        )


class StillEnabled(Exception):
    """Only a disabled account is deleted."""

    def __init__(self, username: str) -> None:
        super().__init__(f"“{username}” is enabled. Disable the user first, then delete.")


class PersonGone(Exception):
    """Somebody has deleted the account meanwhile."""

    def __init__(self) -> None:
        super().__init__("The user does not exist any more. Go back to the list of users.")


REFUSALS: Final = (
    BadDetails,
    UsernameInUse,
    RoleOutOfReach,
    LastAdmin,
    ProviderDecides,
    RemovedByProvider,
    StillEnabled,
    PersonGone,
)
"""Everything that the deeds of this module raise; each is a sentence for the person who asked."""


@transaction.atomic
def create_person(
    *,
    subscription: Subscription,
    username: str,
    full_name: str,
    email: str,
    role: LoginAccount.Role,
    info1: str,
    info2: str,
    actor: Actor,
    at: datetime,
) -> LoginAccount:
    """Make a manual, enabled account; with a role, the portal user of its email is invited to sign in.

    Raises ``BadDetails``, ``UsernameInUse`` and ``RoleOutOfReach``.
    """
    _check_reach(actor, role)
    details = Details(username, full_name, email, info1, info2)
    if found := problems(details):
        raise BadDetails(found)
    account = LoginAccount(subscription=subscription, role=role, created_at=at)
    _save(account, details, at)
    if role:
        invitations.invite(account, at)
    made = {name: [None, value] for name, value in details._asdict().items() if value}
    shared.done(account, "create user", made | {"role": [None, role.label]}, actor, at)
    return account


@transaction.atomic
def change_person(
    *,
    account: LoginAccount,
    username: str,
    full_name: str,
    email: str,
    role: LoginAccount.Role,
    info1: str,
    info2: str,
    actor: Actor,
    at: datetime,
) -> LoginAccount:
    """Give the account other fields and another role; what stays the same is no deed.

    Raises ``BadDetails``, ``UsernameInUse``, ``RoleOutOfReach``, ``LastAdmin``, ``PersonGone``, and ``ProviderDecides``
    when another field than the role of a provisioned account changes.
    """
    found = _locked(account, actor)
    before = _entrance(found)
    _check_reach(actor, role)
    details = Details(username, full_name, email, info1, info2)
    changes = shared.differences(found, details._asdict())
    if changes and found.configuration is not None:
        raise ProviderDecides(found, "Change everything but the role")
    if bad := {name: sentence for name, sentence in problems(details).items() if name in changes}:
        raise BadDetails(bad)
    changes |= _changed_role(found, role)
    if changes:
        _save(found, details, at)
        _welcome(found, before, at)
        shared.done(found, "change user", changes, actor, at, left=before.user_id)
    return found


@transaction.atomic
def set_role(*, account: LoginAccount, role: LoginAccount.Role, actor: Actor, at: datetime) -> None:
    """Give the account, provisioned or not, another role in the portal.

    Raises ``RoleOutOfReach``, ``LastAdmin`` and ``PersonGone``.
    """
    found = _locked(account, actor)
    before = _entrance(found)
    _check_reach(actor, role)
    if changes := _changed_role(found, role):
        found.modified_at = at
        found.save(update_fields=["role", "role_username_key", "user", "modified_at"])
        _welcome(found, before, at)
        shared.done(found, "set role", changes, actor, at)


@transaction.atomic
def disable_person(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Keep the person out everywhere, until enabled again; an account that is disabled stays as it is.

    Raises ``RoleOutOfReach``, ``LastAdmin``, ``ProviderDecides`` and ``PersonGone``.
    """
    found = _locked(account, actor)
    if not found.is_enabled:
        return
    if found.configuration is not None:
        raise ProviderDecides(found, "Disable the user")
    if is_last_admin(found):
        raise LastAdmin(found.username)
    shared.set_enabled(found, at, is_enabled=False)
    shared.done(found, "disable user", {"state": ["Enabled", "Disabled"]}, actor, at)


@transaction.atomic
def enable_person(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Let the person in again, who asks for a license anew; an account that is enabled stays as it is.

    Raises ``RoleOutOfReach``, ``ProviderDecides``, ``RemovedByProvider`` and ``PersonGone``.
    """
    found = _locked(account, actor)
    if found.is_enabled:
        return
    if found.is_removed:
        raise RemovedByProvider(found.username)
    if found.configuration is not None:
        raise ProviderDecides(found, "Enable the user")
    shared.set_enabled(found, at, is_enabled=True)
    shared.done(found, "enable user", {"state": ["Disabled", "Enabled"]}, actor, at)


@transaction.atomic
def delete_person(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Delete a disabled account for good: its license goes back to its pool, its vault users stay, detached.

    Raises ``RoleOutOfReach``, ``StillEnabled``, ``ProviderDecides`` while its provider knows it, and ``PersonGone``.
    """
    shared.let_go(account, at)
    found = _locked(account, actor)
    if found.is_enabled:
        raise StillEnabled(found.username)
    if found.scim_id is not None:
        raise ProviderDecides(found, "It would come back if it were deleted here. Remove the user")
    shared.delete(found, "delete user", actor, at)


def may_touch(actor: Actor, *roles: int) -> bool:
    """Return whether the actor may change accounts that have, or shall have, these roles."""
    permissions = _PERMISSIONS.get(actor.role, frozenset())
    return not (HIGH_ROLES & set(roles)) or actor.kind != "person" or Permission.CHANGE_ADMINS in permissions


def _check_reach(actor: Actor, *roles: int) -> None:
    if not may_touch(actor, *roles):
        raise RoleOutOfReach


def _locked(account: LoginAccount, actor: Actor) -> LoginAccount:
    """Return the account as it is now, its row held. Raises ``PersonGone`` and ``RoleOutOfReach``."""
    found = shared.locked(account, LoginAccount.Kind.PERSON)
    if found is None:
        raise PersonGone
    _check_reach(actor, found.role)
    return found


def _changed_role(account: LoginAccount, role: LoginAccount.Role) -> Changes:
    """Give the account the role. Raises ``LastAdmin``."""
    old = Role(account.role)
    if old == role:
        return {}
    if is_last_admin(account):
        raise LastAdmin(account.username)
    account.role, account.role_username_key = role, account.username_key
    invitations.connect(account)
    return {"role": [old.label, role.label]}


class _Entrance(NamedTuple):
    """Who comes in by an account, if it has a role."""

    has_role: bool
    user_id: int | None


def _entrance(account: LoginAccount) -> _Entrance:
    return _Entrance(bool(account.role), account.user_id)


def _welcome(account: LoginAccount, before: _Entrance, at: datetime) -> None:
    """Invite who may come in now and could not before."""
    if account.role and _entrance(account) != before:
        invitations.invite(account, at)


def _save(account: LoginAccount, details: Details, at: datetime) -> None:
    """Write the fields and let the person in who may enter now. Raises ``UsernameInUse``."""
    account.email, account.full_name = details.email, details.full_name
    invitations.connect(account)
    shared.save(account, details._asdict(), at)
