"""The accounts of a subscription with their licenses and reasons, for files: by username, a page at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from licensing.services import reasons
from licensing.services.explanations import state
from licensing.services.reasons import Reason
from provisioning.models import LoginAccount, Subscription

TITLES: Final = (
    "Username",
    "Full name",
    "State",
    "Wanted",
    "Granted",
    "Waits",
    "Place",
    "Asked",
    "Granted at",
    "Why",
)
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class LicenseRow:
    account: LoginAccount
    reason: Reason


def rows(subscription: Subscription, now: datetime) -> Iterator[LicenseRow]:
    """Return every account of the subscription, read in pages: however many there are, memory does not grow."""
    accounts = LoginAccount.objects.filter(subscription=subscription).order_by("username_key")
    accounts = accounts.defer("document", "search")
    page = list(accounts[:_PAGE])
    while page:
        why = reasons.many(page, now)
        yield from (LicenseRow(account, why[account.pk]) for account in page)
        page = list(accounts.filter(username_key__gt=page[-1].username_key)[:_PAGE])


def cells(row: LicenseRow) -> list[Any]:
    """Return the cells under ``TITLES``; times are UTC (RFC 3339)."""
    account, reason = row.account, row.reason
    return [
        account.username,
        account.full_name,
        state(account).capitalize(),
        reason.wanted.label,
        reason.granted.label,
        "yes" if reason.is_waiting else "no",
        reason.place or "",
        _moment(reason.asked_at) or "",
        _moment(reason.granted_at) or "",
        reason.why,
    ]


def document(row: LicenseRow) -> dict[str, Any]:
    """Return the account as ``export licenses --json`` prints it."""
    account, reason = row.account, row.reason
    return {
        "username": account.username,
        "full_name": account.full_name,
        "state": state(account),
        "wanted": reason.wanted.slug,
        "granted": reason.granted.slug,
        "waiting": reason.is_waiting,
        "place": reason.place or None,
        "asked_at": _moment(reason.asked_at),
        "granted_at": _moment(reason.granted_at),
        "why": reason.why,
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
