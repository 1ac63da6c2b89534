"""Application accounts: machines that use vaults, which admins make, change and end (4-portal §4.2).

Name and client ID are the account's full name and username. No identity provider sees one, it has no role, and nobody
signs in to the portal with it; licenses and vaults treat it like a manual user.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import LoginAccount, Subscription
from provisioning.people_rules import application_problem
from provisioning.services import manual_accounts as shared

KIND: Final = LoginAccount.Kind.APPLICATION


class BadFields(ValueError):
    """Fields hold what they cannot; ``problems`` is ``{field: sentence}``."""

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems.values()))


class ClientIdInUse(Exception):
    """Another account of the subscription, an internal user perhaps, has that client ID as its username."""

    def __init__(self, client_id: str) -> None:
        super().__init__(
            f"Another account has the client ID or username “{client_id}” already, in whatever letter case. "
            "Choose another one."
        )


class ApplicationEnabled(Exception):
    """Only a disabled account is deleted."""

    def __init__(self, client_id: str) -> None:
        super().__init__(f"“{client_id}” is enabled. Disable the application account first, then delete.")


class ApplicationGone(Exception):
    """Somebody has deleted the account meanwhile."""

    def __init__(self) -> None:
        super().__init__("The application account does not exist any more. Go back to the list of them.")


REFUSALS: Final = (BadFields, ClientIdInUse, ApplicationEnabled, ApplicationGone)
"""Everything that the deeds of this module raise; each is a sentence for the person who asked."""


@transaction.atomic
def create_application(
    *, subscription: Subscription, name: str, client_id: str, actor: Actor, at: datetime
) -> LoginAccount:
    """Make an enabled application account. Raises ``BadFields`` and ``ClientIdInUse``."""
    account = LoginAccount(subscription=subscription, kind=KIND, created_at=at)
    fields = {"full_name": name, "username": client_id}
    _refuse_bad(fields)
    _save(account, fields, at)
    made = {field: [None, value] for field, value in fields.items()}
    shared.done(account, "create application account", made, actor, at)
    return account


@transaction.atomic
def change_application(*, account: LoginAccount, name: str, client_id: str, actor: Actor, at: datetime) -> LoginAccount:
    """Give the account another name or client ID; what stays the same is no deed.

    Raises ``BadFields``, ``ClientIdInUse`` and ``ApplicationGone``.
    """
    found = _locked(account)
    fields = {"full_name": name, "username": client_id}
    changes = shared.differences(found, fields)
    _refuse_bad({field: value for field, value in fields.items() if field in changes})
    if changes:
        _save(found, fields, at)
        shared.done(found, "change application account", changes, actor, at)
    return found


@transaction.atomic
def disable_application(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Keep the application out of all vaults, until enabled again. Raises ``ApplicationGone``."""
    _switch(account, actor, at, is_enabled=False)


@transaction.atomic
def enable_application(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Let the application in again, which asks for a license anew. Raises ``ApplicationGone``."""
    _switch(account, actor, at, is_enabled=True)


@transaction.atomic
def delete_application(*, account: LoginAccount, actor: Actor, at: datetime) -> None:
    """Delete a disabled account for good: its license goes back to its pool, its vault users stay, detached.

    Raises ``ApplicationEnabled`` and ``ApplicationGone``.
    """
    shared.let_go(account, at)
    found = _locked(account)
    if found.is_enabled:
        raise ApplicationEnabled(found.username)
    shared.delete(found, "delete application account", actor, at)


def _refuse_bad(fields: dict[str, str]) -> None:
    found = {field: application_problem(field, text) for field, text in fields.items()}
    if bad := {field: sentence for field, sentence in found.items() if sentence}:
        raise BadFields(bad)


def _locked(account: LoginAccount) -> LoginAccount:
    found = shared.locked(account, KIND)
    if found is None:
        raise ApplicationGone
    return found


def _save(account: LoginAccount, fields: dict[str, str], at: datetime) -> None:
    try:
        shared.save(account, fields, at)
    except shared.UsernameInUse as error:
        raise ClientIdInUse(account.username) from error


def _switch(account: LoginAccount, actor: Actor, at: datetime, *, is_enabled: bool) -> None:
    found = _locked(account)
    if found.is_enabled != is_enabled:
        shared.set_enabled(found, at, is_enabled=is_enabled)
        states, deed = (["Disabled", "Enabled"], "enable") if is_enabled else (["Enabled", "Disabled"], "disable")
        shared.done(found, f"{deed} application account", {"state": states}, actor, at)
