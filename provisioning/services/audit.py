"""The audit log: one row per deed, in the deed's own transaction."""

from datetime import datetime
from typing import Any

from provisioning.actor import Actor
from provisioning.models import AuditEntry


def record(
    *, subscription_id: int, actor: Actor, action: str, target: str, at: datetime, changes: dict[str, Any] | None = None
) -> None:
    """Write that ``actor`` did ``action`` to ``target``; ``changes`` is ``{field: [old, new]}``, never a secret."""
    AuditEntry.objects.create(
        subscription_id=subscription_id,
        at=at,
        actor_kind=actor.kind,
        actor_name=actor.name,
        actor_role=actor.role,
        address=actor.address,
        request_id=actor.request_id,
        action=action,
        target=target,
        changes=changes or {},
    )
