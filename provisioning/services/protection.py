"""Protection against accidents: what goes beyond the hourly limit is held until a person decides (1-product §1.3)."""

from datetime import timedelta
from typing import Final

from django.db import connection

from provisioning.models import HeldChange, LoginAccount, Subscription
from provisioning.services import totals
from provisioning.services.calls import Call
from provisioning.services.last_admin import is_last_admin
from provisioning.sql import Statement, execute, parameter, run

Kind = HeldChange.Kind
Decision = HeldChange.Decision
WINDOW: Final = timedelta(hours=1)


def set_active(account: LoginAccount, *, wanted: bool, call: Call, kind: Kind = Kind.DISABLE) -> str:
    """Enable or disable the account as its provider wants; return a sentence for the log where that needs one.

    The caller has locked the account's row and saves it. Where something keeps the account enabled, ``is_enabled``
    stays true and ``intended_active`` is what SCIM shows. Enabling asks nothing of the database unless a disabling was
    held back.
    """
    was_held_back = account.intended_active is False
    if wanted:
        _become(account, is_enabled=True, call=call)
        return _take_back(account, call) if was_held_back else ""
    reason = _reason_to_stay(account, kind, call) if account.is_enabled else ""
    _become(account, is_enabled=bool(reason), call=call)
    if reason:
        account.intended_active = False
        return reason
    return _NO_LONGER_LAST if was_held_back and account.role == LoginAccount.Role.SUBSCRIPTION_ADMIN else ""


def limits(subscription: Subscription) -> dict[int, int]:
    """Return how many accounts each configuration, by id, may disable or remove in an hour with its present users."""
    text = f"SELECT c.id, {_LIMIT[connection.vendor]} WHERE c.subscription_id = %s"
    return dict(run(Statement(text, (totals.USER, subscription.pk))))


def _become(account: LoginAccount, *, is_enabled: bool, call: Call) -> None:
    account.is_enabled = is_enabled
    account.intended_active = None
    account.disabled_at = None if is_enabled else account.disabled_at or call.at


def _reason_to_stay(account: LoginAccount, kind: Kind, call: Call) -> str:
    """Return the sentence that says why the enabled account is not disabled now; an empty text: it is."""
    if is_last_admin(account):
        return _LAST_ADMIN
    if account.intended_active is False and (standing := _standing(account, kind, call)):
        return standing
    if _takes_a_place(call):
        return ""
    HeldChange.objects.create(
        subscription_id=account.subscription_id,
        configuration=call.configuration,
        account=account,
        kind=kind,
        asked_at=call.at,
    )
    return _HELD


def _standing(account: LoginAccount, kind: Kind, call: Call) -> str:
    """Return what is said of a request that was held before: open ones stay open, rejected ones stay rejected."""
    latest = HeldChange.objects.filter(account=account).order_by("-id").first()
    if latest is None:
        return ""
    if latest.decision == Decision.OPEN:
        if latest.kind != kind:
            HeldChange.objects.filter(pk=latest.pk).update(kind=kind, asked_at=call.at)
        return _STILL_HELD
    if latest.decision == Decision.REJECTED and latest.kind == kind:
        return _REJECTED.format(latest.decided_by)
    return ""


def _take_back(account: LoginAccount, call: Call) -> str:
    """Forget what was held back, because the provider wants the account enabled."""
    held = HeldChange.objects.filter(account=account)
    held.filter(decision=Decision.REJECTED).update(decision=Decision.LAPSED)
    withdrawn = held.filter(decision=Decision.OPEN).update(
        decision=Decision.WITHDRAWN, decided_at=call.at, decided_by=call.configuration.name
    )
    return _WITHDRAWN if withdrawn else ""


def _takes_a_place(call: Call) -> bool:
    """Count one more disabling or removal of the configuration, if the hour has room for it.

    The configuration's row is locked first, so that parallel calls count one after the other.
    """
    pk = call.configuration.pk
    if connection.vendor == "postgresql":
        execute(Statement(_LOCK, (pk,)))
    at, since = parameter(call.at), parameter(call.at - WINDOW)
    values = (pk, pk, since, pk, pk, at, at, totals.USER, pk)
    return bool(run(Statement(_STOP.format(limit=_LIMIT[connection.vendor], later=_LATER[connection.vendor]), values)))


_LAST_ADMIN = (
    "The account stays enabled, because it is the last enabled Subscription admin of the subscription. "
    "Appoint another one, then disable it again."
)
_NO_LONGER_LAST = "Disabled now, as was asked for earlier: there is another enabled Subscription admin."
_HELD = (
    "The account stays enabled: as many accounts as the subscription allows were disabled or removed within an hour. "
    "An admin allows or rejects it under Provisioning, Held changes."
)
_STILL_HELD = (
    "The account stays enabled: that it is disabled or removed is held. "
    "An admin allows or rejects it under Provisioning, Held changes."
)
_REJECTED = "The account stays enabled, because {} rejected the change. To ask again, enable the account first."
_WITHDRAWN = "What was held is taken back: the account stays enabled."
_LOCK = "SELECT id FROM provisioning_provisioningconfiguration WHERE id = %s FOR NO KEY UPDATE"
_LARGER = """
{larger}(s.protection_least, CAST(s.protection_percent * (
    SELECT COALESCE(sum(number), 0) FROM provisioning_resourcetotal WHERE configuration_id = c.id AND kind = %s
) AS bigint) / 100)
FROM provisioning_provisioningconfiguration c JOIN provisioning_subscription s ON s.id = c.subscription_id"""
_LATER = {"postgresql": "GREATEST", "sqlite": "max"}
_LIMIT = {vendor: _LARGER.format(larger=larger) for vendor, larger in _LATER.items()}
# Stops are numbered in the order of their times, so that counting an hour is two looks into the index, however many.
_STOP = """
WITH latest AS (
    SELECT at, number FROM provisioning_accountstop WHERE configuration_id = %s ORDER BY at DESC, number DESC LIMIT 1
), earliest AS (
    SELECT number FROM provisioning_accountstop WHERE configuration_id = %s AND at > %s ORDER BY at, number LIMIT 1
)
INSERT INTO provisioning_accountstop (subscription_id, configuration_id, at, number)
SELECT (SELECT subscription_id FROM provisioning_provisioningconfiguration WHERE id = %s), %s,
{later}(%s, COALESCE((SELECT at FROM latest), %s)), COALESCE((SELECT number FROM latest), 0) + 1
WHERE COALESCE((SELECT number FROM latest) - (SELECT number FROM earliest) + 1, 0) < (SELECT {limit} WHERE c.id = %s)
RETURNING id"""
