"""The audit log: one row per deed, in the deed's own transaction."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import AuditEntry
from provisioning.services import audit_chain

_gathered: Final[ContextVar[list[AuditEntry] | None]] = ContextVar("gathered acts", default=None)


def record(
    *, subscription_id: int, actor: Actor, action: str, target: str, at: datetime, changes: dict[str, Any] | None = None
) -> None:
    """Write that ``actor`` did ``action`` to ``target``; ``changes`` is ``{field: [old, new]}``, never a secret.

    Nobody else can record anything of the subscription until the transaction ends, so this stands last in a deed.
    """
    entry = AuditEntry(
        subscription_id=subscription_id,
        at=at,
        actor_kind=actor.kind,
        actor_name=actor.name,
        actor_role=actor.role,
        address=actor.address,
        request_id=actor.request_id,
        action=action,
        target=target,
        changes=json.loads(json.dumps(changes or {}, allow_nan=False)),
    )
    gathered = _gathered.get()
    if gathered is None:
        audit_chain.append(subscription_id, [entry])
    else:
        gathered.append(entry)


@contextmanager
def recorded_last() -> Iterator[None]:
    """A transaction of several deeds: what they record is written at its end, in one go, after all other locks.

    Inside another one it is a savepoint; what is rolled back to that is not recorded.
    """
    outer, own = _gathered.get(), list[AuditEntry]()
    with transaction.atomic():
        token = _gathered.set(own)
        try:
            yield
        finally:
            _gathered.reset(token)
        if outer is None:
            _append_all(own)
    if outer is not None:
        outer += own


def _append_all(entries: list[AuditEntry]) -> None:
    """Write the entries in the order in which they were recorded; heads are locked in the order of subscriptions."""
    subscription = attrgetter("subscription_id")
    for pk, own in groupby(sorted(entries, key=subscription), key=subscription):
        audit_chain.append(pk, list(own))
