"""Carry out in a vault what people asked of its user groups: make them, show or hide them, change their members.

What the vault has done is forgotten; what it refuses for good stays with its reason until a person asks again. Every
wish is a state, so that doing it again after an answer was lost does nothing more.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from licensing.clients.agent import MAX_ITEMS, AgentError, AgentRefused, ErrorCode
from licensing.models import Ending, VaultGroupChange
from licensing.plans.backoff import wait_after
from licensing.reconcilers.sessions import VaultSession
from licensing.services import bulk
from licensing.services.due import due_changes, open_groups
from provisioning.models import VaultUserGroup

T = TypeVar("T")
_ABOUT_THE_GROUP: Final = frozenset(
    {ErrorCode.GROUP_NOT_FOUND, ErrorCode.GROUP_BUILT_IN, ErrorCode.REFUSED_BY_SERVER, ErrorCode.INVALID_REQUEST}
)
"""Refusals that say nothing about the vault as a whole."""


def carry_out(session: VaultSession) -> None:
    """Do all that is due, giving way to other vaults between calls.

    Raises ``AgentUnavailable``, ``AgentRefused`` about the vault, ``TurnOver`` and ``LeaseLost``.
    """
    for group in open_groups().filter(vault=session.vault).order_by("pk"):
        try:
            _make(session, group) if group.is_requested else _show(session, group)
        except AgentRefused as refusal:
            _refuse_group(session, group, refusal)
    while changes := _claim(session):
        _record(session, changes, _change(session, changes))
        session.end_of_batch()


def _make(session: VaultSession, group: VaultUserGroup) -> None:
    made = session.tell(session.agent.ensure_group, group.name)
    with session.lease.recording():
        others = VaultUserGroup.objects.filter(vault=session.vault, remote_id=made.id).exclude(pk=group.pk)
        rows = VaultUserGroup.objects.filter(pk=group.pk, is_requested=True)
        if others.exists():
            # A person gave the name to a group that is known by another one; the next report tells its new name.
            rows.filter(link__isnull=True).delete()
            rows.update(is_requested=False)
        else:
            rows.update(
                is_requested=False, remote_id=made.id, is_built_in=made.built_in, is_visible=made.visible, reason=""
            )


def _show(session: VaultSession, group: VaultUserGroup) -> None:
    shown = session.tell(session.agent.change_group, group.remote_id, visible=group.wanted_visible)
    with session.lease.recording():
        rows = VaultUserGroup.objects.filter(pk=group.pk)
        rows.update(is_visible=shown.visible)
        rows.filter(wanted_visible=group.wanted_visible).update(wanted_visible=None, reason="")


def _refuse_group(session: VaultSession, group: VaultUserGroup, refusal: AgentRefused) -> None:
    """Keep why the vault does not do what was asked of the group; raise what concerns more than the group."""
    if refusal.retryable or refusal.code not in _ABOUT_THE_GROUP:
        raise refusal
    with session.lease.recording():
        rows = VaultUserGroup.objects.filter(pk=group.pk, wanted_visible=group.wanted_visible)
        rows.update(reason=refusal.sentence)


def _claim(session: VaultSession) -> list[VaultGroupChange]:
    """Return the next wishes about the members of one group."""
    due = due_changes(session.lease.start).filter(vault=session.vault).select_related("group")
    first = due.order_by("due_at", "pk").first()
    return list(due.filter(group=first.group).order_by("due_at", "pk")[:MAX_ITEMS]) if first else []


def _change(session: VaultSession, changes: Sequence[VaultGroupChange]) -> dict[int, AgentError | None]:
    """Have the vault change the members, and return by wish why it was not done; None: it was."""
    adding = [change for change in changes if change.is_member]
    removing = [change for change in changes if not change.is_member]
    try:
        results = session.tell(
            session.agent.change_group_members,
            changes[0].group.remote_id,
            add=[change.key for change in adding],
            remove=[change.key for change in removing],
        )
    except AgentRefused as refusal:
        if refusal.code not in _ABOUT_THE_GROUP:
            raise
        error = AgentError(refusal.code, refusal.sentence, refusal.retryable)
        return dict.fromkeys((change.pk for change in changes), error)
    answered = zip([*adding, *removing], results, strict=True)
    return {change.pk: result.error for change, result in answered}


def _record(session: VaultSession, changes: Sequence[VaultGroupChange], errors: dict[int, AgentError | None]) -> None:
    """Forget what was done and keep what was not with its reason; a wish that was replaced meanwhile stays due."""
    done = [_same(change) for change in changes if errors[change.pk] is None]
    failed = [_failed(session, change, error) for change in changes if (error := errors[change.pk])]
    with session.lease.recording():
        bulk.remove(VaultGroupChange, done, key=["id"], same=["asked_at"])
        bulk.change(VaultGroupChange, failed, changing=[], same="asked_at", while_same=_ENDING)


_ENDING: Final = ["state", "reason", "attempts", "due_at"]


def _same(change: VaultGroupChange) -> dict[str, Any]:
    return {"id": change.pk, "asked_at": change.asked_at}


def _failed(session: VaultSession, change: VaultGroupChange, error: AgentError) -> dict[str, Any]:
    attempts = change.attempts + 1
    is_tried_again = error.retryable
    return {
        **_same(change),
        "state": Ending.RETRYING if is_tried_again else Ending.STALLED,
        "reason": error.sentence,
        "attempts": min(attempts, 1000),
        "due_at": session.lease.now() + wait_after(attempts) if is_tried_again else None,
    }
