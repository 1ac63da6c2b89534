"""Who took data out of the portal."""

from datetime import datetime
from typing import Any

from provisioning.actor import Actor
from provisioning.models import Subscription
from provisioning.services import audit


def record_export(
    *, subscription: Subscription, what: str, narrowed: dict[str, list[Any]], actor: Actor, at: datetime
) -> None:
    """Note in the audit log that ``actor`` took ``what`` out, narrowed by a filter, ``{field: [None, value]}``."""
    audit.record(subscription_id=subscription.pk, actor=actor, action="export", target=what, at=at, changes=narrowed)
