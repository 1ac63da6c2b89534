"""Full names and e-mail addresses that a person changed on a vault server, taken over into manual accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provisioning.actor import Actor
from provisioning.models import LoginAccount, Vault
from provisioning.people_rules import problem
from provisioning.services import audit, manual_accounts
from provisioning.services.accounts import touch_accounts
from provisioning.services.notices import announce


@dataclass(frozen=True, slots=True)
class ServerDetails:
    """What an account is called on a vault server, and what it was called in the portal when that was compared."""

    account: LoginAccount
    full_name: str
    email: str

    @property
    def fields(self) -> dict[str, str]:
        return {"full_name": self.full_name, "email": self.email}

    def may_be_taken(self) -> bool:
        """Return whether the server may decide: a provider decides about its accounts, a portal user's e-mail lets in.

        What the portal could not hold is not taken either.
        """
        account = self.account
        if account.kind != LoginAccount.Kind.PERSON or account.configuration_id is not None:
            return False
        if account.email != self.email and (account.role or account.user_id):
            return False
        return not any(problem(name, text) for name, text in self.fields.items())


@audit.recorded_last()
def take_over_details(*, vault: Vault, details: Sequence[ServerDetails], at: datetime) -> set[int]:
    """Give accounts the details of the vault's server, unless somebody changed the account meanwhile.

    Returns the ids of the accounts that have them now. Other vaults follow.
    """
    actor = Actor(kind="system", name=f"Vault server of {vault.name}")
    rows = LoginAccount.objects.select_for_update().defer("document", "search").order_by("pk")
    locked = {row.pk: row for row in rows.filter(pk__in=[one.account.pk for one in details])}
    taken = []
    for one in details:
        account = locked.get(one.account.pk)
        if account is not None and _is_same(account, one.account) and one.may_be_taken():
            changes = manual_accounts.differences(account, one.fields)
            manual_accounts.save(account, one.fields, at)
            manual_accounts.write(account, "change user", changes, actor, at)
            taken.append(account.pk)
    if taken:
        touch_accounts(taken)
        announce(vault.subscription_id)
    return set(taken)


def _is_same(now: LoginAccount, then: LoginAccount) -> bool:
    names = ("username", "full_name", "email", "configuration_id", "kind", "role", "user_id")
    return all(getattr(now, name) == getattr(then, name) for name in names)
