"""Audit logs that are not as they were written: who may see all acts is told, once for each finding."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from provisioning.models import Notification, Subscription
from provisioning.notification_kinds import AUDIT_DIFFERS
from provisioning.services import notifications


def keep_up(*, subscription: Subscription, found: Sequence[str], count: int, at: datetime) -> None:
    """Begin a notification about the ``count`` differences, of which ``found`` are the first, and end older ones.

    The same differences, found again, are the same notification; others are another one, which is told anew.
    """
    subject = hashlib.sha256(json.dumps([count, *found]).encode()).hexdigest()
    running = Notification.objects.filter(subscription=subscription, kind=AUDIT_DIFFERS.name, ended_at=None)
    for old in running.exclude(subject=subject if count else ""):
        notifications.end(subscription=subscription, kind=AUDIT_DIFFERS, subject=old.subject, at=at)
    if count:
        notifications.notice(
            subscription=subscription, kind=AUDIT_DIFFERS, subject=subject, sentence=_sentence(found, count), at=at
        )


def _sentence(found: Sequence[str], count: int) -> str:
    more = f" And {count - 1:,} more." if count > 1 else ""
    return f"The check of the audit log found: {found[0]}{more}"
