"""An account's way from the identity provider's request to its vaults, step by step, and what is still to come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from licensing.plans.access import NO_RIGHTS
from licensing.plans.licenses import NONE
from licensing.services import account_vaults, reasons
from licensing.services.account_vaults import Place
from licensing.services.reasons import Reason
from provisioning.call_texts import changed_words
from provisioning.models import DueAccount, LoginAccount, ProvisioningLogEntry, UserGroup
from provisioning.queries import accounts

State = Literal["done", "pending", "stuck", "quiet"]
"""``pending`` comes by itself, ``stuck`` needs a person, ``quiet`` is nothing to do."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``at`` is None where no time is known, or nothing has happened yet."""

    title: str
    state: State
    result: str
    detail: str = ""
    at: datetime | None = None


def steps(account: LoginAccount, *, now: datetime, sees_log: bool = True) -> list[Step]:
    """Return request, match, attributes, groups, license and a step for each vault; ten statements at most.

    Without ``sees_log`` the steps are left out that the provisioning log tells.
    """
    groups = accounts.groups_of(account)
    is_due = DueAccount.objects.filter(subscription=account.subscription_id, account=account).exists()
    reason, vaults = reasons.reason(account, now=now), account_vaults.of_account(account)
    return [
        *(_provider_steps(account) if sees_log else []),
        _groups(groups),
        _license(reason, is_due=is_due),
        *_vaults(vaults, reason, is_due=is_due),
    ]


def _provider_steps(account: LoginAccount) -> list[Step]:
    calls = accounts.calls_about(account)
    return [_request(account, calls), _match(account), _attributes(account, calls)]


def _request(account: LoginAccount, calls: list[ProvisioningLogEntry]) -> Step:
    if not calls:
        how = "No call in the provisioning log" if account.configuration else "Made by hand, without a provider"
        return Step("Request", "quiet", how, at=account.created_at)
    last = calls[0]
    result = f"{last.operation.capitalize()} user, answered {last.status}"
    return Step("Request", "done" if last.is_success else "stuck", result, last.detail, last.at)


def _match(account: LoginAccount) -> Step:
    """Tell how the account and the provider's user came together, by the first call that the log has of it."""
    if account.configuration is None:
        return Step("Matched", "quiet", "A manual account", at=account.created_at)
    if account.is_removed:
        return Step("Matched", "quiet", f"Removed by {account.configuration}", at=account.removed_at)
    rows = ProvisioningLogEntry.objects.filter(
        subscription_id=account.subscription_id, resource_id=account.scim_id, operation="create", is_success=True
    )
    first = rows.order_by("at", "id").first()
    result = f"Username {account.username} of {account.configuration}"
    detail = (first.detail if first else "") or "A new account."
    return Step("Matched", "done", result, detail, first.at if first else account.created_at)


def _attributes(account: LoginAccount, calls: list[ProvisioningLogEntry]) -> Step:
    last = next((call for call in calls if call.is_success and call.changes), None)
    if last is None:
        return Step("Attributes", "done", "As they were written first", at=account.modified_at)
    return Step("Attributes", "done", "Written", changed_words(last.changes), last.at)


def _groups(groups: list[UserGroup]) -> Step:
    if not groups:
        return Step("Groups", "quiet", "In no user group")
    names = [group.display_name for group in groups]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    number = "1 user group" if len(names) == 1 else f"{len(names)} user groups"
    return Step("Groups", "done", f"In {number}", ", ".join(names[:_NAMED]) + more, _last_change(groups))


def _last_change(groups: list[UserGroup]) -> datetime:
    """Return when one of the groups was last changed; when a person joined is not recorded apart from that."""
    return max(group.modified_at for group in groups)


def _license(reason: Reason, *, is_due: bool) -> Step:
    if is_due:
        detail = "A change of the account or its groups is about to be looked at."
        return Step("License", "pending", reason.granted.label, detail, reason.granted_at)
    if reason.is_waiting:
        return Step("License", "pending", f"Waits for {reason.wanted.label}", f"{reason.why}.", reason.asked_at)
    state: State = "done" if reason.granted != NONE else "quiet"
    return Step("License", state, reason.granted.label, f"{reason.why}.", reason.granted_at)


def _vaults(vaults: list[Place], reason: Reason, *, is_due: bool) -> list[Step]:
    if vaults:
        return [_vault(one) for one in vaults]
    if is_due or reason.is_waiting:
        return [Step("Vaults", "pending", "In no vault yet", "Vaults come after the license.")]
    return [Step("Vaults", "quiet", "In no vault")]


def _vault(place: Place) -> Step:
    """Tell how the account stands in a vault; the time is that of an admin's decision, of which alone one is kept."""
    presence = place.presence
    state: State = "stuck" if presence.needs_person else "pending" if presence.is_due else "done"
    groups = f"In {', '.join(presence.groups)}. " if presence.groups else ""
    rights = "" if place.rights == NO_RIGHTS else f" {place.rights}."
    detail = f"{groups}{presence.why}.{rights}"
    return Step(f"Vault {place.vault.name}", state, presence.state, detail, place.decided_at)
