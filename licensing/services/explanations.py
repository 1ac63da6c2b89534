"""Everything about one account: its license and why, its groups, its vault users, and what is pending."""

from datetime import datetime
from typing import Any

from licensing.services import account_vaults, reasons
from licensing.services.presences import Presence
from provisioning.models import DueAccount, LoginAccount, UserGroup
from provisioning.queries.held import open_change_of


def explain(*, account: LoginAccount, now: datetime) -> dict[str, Any]:
    """Return the document of ``manage.py explain`` (docs/commands.md)."""
    reason = reasons.reason(account, now=now)
    vaults = [place.presence for place in account_vaults.of_account(account)]
    groups = UserGroup.objects.filter(memberships__account=account, deleted_at__isnull=True)
    return {
        "username": account.username,
        "state": state(account),
        "license": {
            "wanted": reason.wanted.slug,
            "granted": reason.granted.slug,
            "waiting": reason.is_waiting,
            "place": reason.place or None,
            "why": reason.why,
        },
        "groups": list(groups.order_by("display_name").values_list("display_name", flat=True)),
        "vaults": [
            {"vault": one.vault.name, "state": one.state.lower(), "groups": list(one.groups), "why": one.why}
            for one in vaults
        ],
        "pending": _pending(account, reason, vaults),
    }


def state(account: LoginAccount) -> str:
    """Return ``enabled``, ``disabled`` or ``removed``."""
    if account.is_removed and not account.is_enabled:
        return "removed"
    return "enabled" if account.is_enabled else "disabled"


def _pending(account: LoginAccount, reason: reasons.Reason, vaults: list[Presence]) -> list[str]:
    pending = []
    if DueAccount.objects.filter(subscription=account.subscription_id, account=account).exists():
        pending.append("A change of the account or its groups is about to be looked at.")
    if change := open_change_of(account):
        wish, asker = change.get_kind_display().lower(), change.configuration.name
        pending.append(f"{asker} asked to {wish} the account. That is held until an admin allows or rejects it.")
    if reason.is_waiting:
        pending.append(f"{reason.why}.")
    pending += [f"Vault {one.vault.name}: {one.why}." for one in vaults if one.is_due or one.needs_person]
    return pending
