"""Look at all vaults, and begin and end the notifications about their problems."""

from datetime import datetime
from typing import Final

from licensing.models import Ending, VaultStatus
from licensing.plans.incidents import Incident, VaultHealth, incident
from provisioning.models import Notification, Subscription
from provisioning.notification_kinds import VAULT_INCIDENT
from provisioning.services import notifications

Key = tuple[int, str]
"""A subscription and the GUID of one of its vaults, which is the subject of the notification."""
_NO_REASON: Final = "It cannot be kept in step."


def look(now: datetime) -> None:
    """Hold every vault against the notifications that run: two statements, and more for news."""
    running = _running()
    troubles = _troubles()
    for key, (subscription, trouble) in troubles.items():
        if key not in running or running[key].sentence != trouble.sentence:
            notifications.notice(
                subscription=subscription,
                kind=VAULT_INCIDENT,
                subject=key[1],
                sentence=trouble.sentence,
                at=now,
                wait=trouble.wait,
            )
    for key, one in running.items():
        if key not in troubles:
            notifications.end(subscription=one.subscription, kind=VAULT_INCIDENT, subject=key[1], at=now)


def _running() -> dict[Key, Notification]:
    rows = Notification.objects.filter(kind=VAULT_INCIDENT.name, ended_at=None).select_related("subscription")
    return {(one.subscription_id, one.subject): one for one in rows}


def _troubles() -> dict[Key, tuple[Subscription, Incident]]:
    """Return what there is to tell of the vaults that are not well."""
    unwell = VaultStatus.objects.exclude(state=Ending.READY).select_related("vault", "subscription").order_by("pk")
    found = {}
    for status in unwell:
        if trouble := incident(_health(status)):
            found[status.subscription_id, str(status.vault.guid)] = status.subscription, trouble
    return found


def _health(status: VaultStatus) -> VaultHealth:
    """Return how a vault is: one that is offline is tried again, so that one that is not is gone from its server."""
    return VaultHealth(
        name=status.vault.name,
        reason=status.reason or _NO_REASON,
        user_synchronization=status.vault.user_synchronization,
        is_gone=status.state == Ending.STALLED and not status.vault.is_online,
    )
