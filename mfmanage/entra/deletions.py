"""Accidental deletions: more removals in one cycle than expected are held back (*accidental-deletions*)."""

from mfmanage.entra import delta
from mfmanage.entra.context import Context, key
from mfmanage.entra.directory import User
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import GROUPS, USERS


def held_back(context: Context) -> frozenset[str]:
    """Return the removals of this cycle if they are more than the threshold, else nothing.

    Disabling a user counts as deleting one or a group does.
    """
    threshold = context.job.deletion_threshold
    if threshold is None:
        return frozenset()
    names = {key(kind, gone) for kind in (USERS, GROUPS) for gone in delta.vanished(context, kind)}
    names |= {key(USERS, user.id) for user in context.snapshot.users.values() if _is_to_be_disabled(context, user)}
    if not context.job.skips_out_of_scope_deletions:
        groups = context.snapshot.groups.values()
        names |= {key(GROUPS, g.id) for g in groups if not g.in_scope and g.id in context.state.groups}
    return frozenset(names) if len(names) > threshold else frozenset()


def _is_to_be_disabled(context: Context, user: User) -> bool:
    anchor = context.state.users.get(user.id)
    if anchor is None or not anchor.active or user.is_active:
        return False
    return user.is_selected or not context.job.skips_out_of_scope_deletions


def hold_back(result: ObjectResult) -> None:
    """Note that an object's removal waits until somebody allows it."""
    result.attempt(Action.STAGED_DELETE)
    result.add(Status.SKIPPED, "Held back: more removals in this cycle than the threshold. Allow or undo them.")


def skip(result: ObjectResult) -> None:
    """Note that an object left the scope and is left as it is."""
    result.stage = "action"
    result.add(Status.SKIPPED, "Left as it is: out-of-scope deletions are skipped (SkipOutOfScopeDeletions).")
