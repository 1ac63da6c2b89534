"""What admins decide about held changes (1-product §1.3): allow what the identity provider asked for, or reject it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from provisioning.actor import Actor
from provisioning.models import GroupMembership, HeldChange, LoginAccount, Subscription
from provisioning.services import audit, sign_ins
from provisioning.services.accounts import touch_accounts
from provisioning.services.last_admin import is_last_admin
from provisioning.services.notices import announce
from provisioning.services.people import may_touch

Kind = HeldChange.Kind
Decision = HeldChange.Decision
_AT_ONCE: Final = 500
"""How many accounts a transaction keeps locked: nobody waits long for one of them."""


class NothingHeld(Exception):
    """None of the changes waits for a decision any more."""

    def __init__(self) -> None:
        super().__init__(
            "None of these changes is held any more: somebody else has decided, or the identity provider has taken "
            "them back. Look at what is held now."
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many changes were decided, and the usernames of those that stay held: see ``kept_words``."""

    decided: int = 0
    last_admins: tuple[str, ...] = ()
    out_of_reach: tuple[str, ...] = ()

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.decided + other.decided,
            self.last_admins + other.last_admins,
            self.out_of_reach + other.out_of_reach,
        )

    def kept_words(self) -> list[str]:
        """Return why some of the changes are held still, a sentence for each reason."""
        return [sentence.format(", ".join(names)) for sentence, names in self._kept() if names]

    def _kept(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(_LAST_ADMIN, self.last_admins), (_OUT_OF_REACH, self.out_of_reach)]


def allow(*, subscription: Subscription, ids: Iterable[int], actor: Actor, at: datetime) -> Outcome:
    """Disable or remove now what these held changes are about; the last Subscription admin stays, and its change held.

    Each few hundred are a transaction of their own. Raises ``NothingHeld`` when none of them is open.
    """
    return _decide(_allow, subscription, ids, actor, at)


def reject(*, subscription: Subscription, ids: Iterable[int], actor: Actor, at: datetime) -> Outcome:
    """Keep the accounts enabled; SCIM goes on showing what the identity provider asked for. Raises as ``allow``."""
    return _decide(_reject, subscription, ids, actor, at)


_Deed = Callable[[list[HeldChange], Actor, datetime], Outcome]


def _decide(deed: _Deed, subscription: Subscription, ids: Iterable[int], actor: Actor, at: datetime) -> Outcome:
    outcome, left = Outcome(), sorted(set(ids))
    while left:
        part, left = left[:_AT_ONCE], left[_AT_ONCE:]
        with transaction.atomic():
            outcome += _decide_some(deed, _open(subscription, part), actor, at)
    if outcome == Outcome():
        raise NothingHeld
    announce(subscription.pk)
    return outcome


def _open(subscription: Subscription, ids: Sequence[int]) -> list[HeldChange]:
    """Return those that wait for a decision, with their accounts locked, as SCIM calls lock them, in key order."""
    changes = HeldChange.objects.filter(subscription=subscription, pk__in=ids, decision=Decision.OPEN)
    rows = LoginAccount.objects.filter(pk__in=list(changes.values_list("account", flat=True)))
    rows = (
        rows.only("subscription_id", "username", "role", "is_enabled", "user_id")
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    accounts = {account.pk: account for account in rows}
    found = list(changes.filter(account__in=accounts).order_by("pk"))
    for change in found:
        change.account = accounts[change.account_id]
    return found


def _decide_some(deed: _Deed, changes: list[HeldChange], actor: Actor, at: datetime) -> Outcome:
    within = [change for change in changes if may_touch(actor, change.account.role)]
    return deed(within, actor, at) + Outcome(out_of_reach=_rest(changes, within))


def _allow(changes: list[HeldChange], actor: Actor, at: datetime) -> Outcome:
    going = [change for change in changes if _goes(change.account, at)]
    ids = [change.account_id for change in going]
    _disable(ids, at)
    leaving = [change.account_id for change in going if change.kind == Kind.REMOVE]
    GroupMembership.objects.filter(account__in=leaving).delete()
    touch_accounts(ids)
    sign_ins.leave(change.account.user_id for change in going)
    _record(going, Decision.ALLOWED, actor, at)
    return Outcome(len(going), last_admins=_rest(changes, going))


def _reject(changes: list[HeldChange], actor: Actor, at: datetime) -> Outcome:
    _record(changes, Decision.REJECTED, actor, at)
    return Outcome(len(changes))


def _rest(changes: list[HeldChange], some: list[HeldChange]) -> tuple[str, ...]:
    """Return the usernames of those that are not among ``some``."""
    keys = {change.pk for change in some}
    return tuple(change.account.username for change in changes if change.pk not in keys)


def _goes(account: LoginAccount, at: datetime) -> bool:
    """Whether the account may be disabled; an admin is at once, so that the next one sees who is left."""
    if account.role != LoginAccount.Role.SUBSCRIPTION_ADMIN:
        return True
    if is_last_admin(account):
        return False
    _disable([account.pk], at)
    return True


def _disable(ids: list[int], at: datetime) -> None:
    LoginAccount.objects.filter(pk__in=ids, intended_active=False).update(
        is_enabled=False,
        intended_active=None,
        disabled_at=Coalesce("disabled_at", Value(at)),
        modified_at=at,
        version=F("version") + 1,
    )


def _record(changes: list[HeldChange], decision: Decision, actor: Actor, at: datetime) -> None:
    if not changes:
        return
    HeldChange.objects.filter(pk__in=[change.pk for change in changes]).update(
        decision=decision, decided_at=at, decided_by=actor.name
    )
    names = [change.account.username for change in changes]
    audit.record(
        subscription_id=changes[0].subscription_id,
        actor=actor,
        action=_ACTIONS[decision],
        target=names[0] if len(names) == 1 else f"{len(names):,} accounts",
        at=at,
        changes={
            "held" if len(names) == 1 else change.account.username: [Kind(change.kind).label, decision.label]
            for change in changes
        },
    )


_ACTIONS = {Decision.ALLOWED: "allow held changes", Decision.REJECTED: "reject held changes"}
_LAST_ADMIN = (
    "Held still: {}, because the subscription would have no enabled Subscription admin left. "
    "Appoint another one, then allow the change."
)
_OUT_OF_REACH = "Held still: {}. Only a Subscription admin decides about Billing and Subscription admins."
