"""The groups of a cycle: create, rename, delete, and their members in requests of their own."""

from collections.abc import Iterator, Sequence
from functools import partial

from mfmanage.entra import deletions, delta, mapping, service
from mfmanage.entra.context import Context, delete, key, match
from mfmanage.entra.directory import Group
from mfmanage.entra.escrow import escrowed, settle
from mfmanage.entra.mapping import Json
from mfmanage.entra.parallel import each
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import GROUPS
from mfmanage.entra.state import GroupAnchor

MEMBERS_PER_REQUEST = 100


def results(context: Context) -> Iterator[ObjectResult]:
    """Provision the groups that this cycle looks at, after the users, and yield what happened to each."""
    workers = context.job.workers
    for result in each(partial(_delete_vanished, context), delta.vanished(context, GROUPS), workers):
        yield settle(context, result)
    due = [group for group in context.snapshot.groups.values() if _is_due(context, group)]
    for result in each(partial(provision, context), due, workers):
        yield settle(context, result)


def provision(context: Context, group: Group) -> ObjectResult:
    """Bring one group in line, its members included. A group has no ``active``: out of scope, it is deleted."""
    result = context.imported(GROUPS, group, group.display_name)
    with escrowed(context, GROUPS, result):
        if group.in_scope:
            _bring_in_line(context, group, result)
        elif group.id in context.state.groups and not context.on_demand:
            _leave_scope(context, result)
    return result


def _is_due(context: Context, group: Group) -> bool:
    """Whether the group itself is due, or its members were provisioned, or provisioned anew, since the last time."""
    if delta.is_due(context, GROUPS, group):
        return True
    anchor = context.state.groups.get(group.id)
    if anchor is None or not group.in_scope or context.rests(key(GROUPS, group.id)):
        return False
    return bool(_missing(context, group, anchor) or _superfluous(group, anchor))


def _delete_vanished(context: Context, source_id: str) -> ObjectResult:
    result = context.missing(GROUPS, source_id)
    with escrowed(context, GROUPS, result):
        _delete(context, result)
    return result


def _leave_scope(context: Context, result: ObjectResult) -> None:
    if context.job.skips_out_of_scope_deletions:
        deletions.skip(result)
    else:
        _delete(context, result)


def _delete(context: Context, result: ObjectResult) -> None:
    if result.key in context.staged:
        deletions.hold_back(result)
        return
    delete(context, GROUPS, result, context.state.groups[result.id].target)
    context.forget(GROUPS, result.id)


def _bring_in_line(context: Context, group: Group, result: ObjectResult) -> None:
    current = match(context, GROUPS, result, group)
    if current is None:
        anchor = _create(context, group, result)
    else:
        anchor = _remember(context, group, current)
        _update(context, group, result, current)
    result.is_reference = True
    _add_members(context, group, result, anchor)
    if not context.on_demand:
        _remove_members(context, group, result, anchor)
    if result.stage != "action":
        result.stage = "action"
        result.add(Status.SKIPPED, "Nothing differs.")


def _create(context: Context, group: Group, result: ObjectResult) -> GroupAnchor:
    result.attempt(Action.CREATE)
    created = service.create(context.client, GROUPS, mapping.group_body(context.job.mapping.groups, group))
    result.add(Status.SUCCESS, f"Group {created['id']} was created.")
    return _remember(context, group, created)


def _remember(context: Context, group: Group, current: Json) -> GroupAnchor:
    before = context.state.groups.get(group.id)
    members = before.members if before and before.target == current["id"] else {}
    anchor = context.state.groups[group.id] = GroupAnchor(current["id"], group.display_name, members)
    return anchor


def _update(context: Context, group: Group, result: ObjectResult, current: Json) -> None:
    changes = mapping.differences(context.job.mapping.groups, group, current)
    if changes:
        result.attempt(Action.UPDATE)
        service.patch(context.client, GROUPS, current["id"], context.dialect.attributes(changes))
        result.add(Status.SUCCESS, f"Changed {', '.join(change.target.path for change in changes)}.")


def _missing(context: Context, group: Group, anchor: GroupAnchor) -> list[str]:
    """Return the members that have an account and are not in the group by what was written before."""
    users = context.state.users
    return [m for m in group.members if m in users and anchor.members.get(m) != users[m].target]


def _superfluous(group: Group, anchor: GroupAnchor) -> list[str]:
    """Return those written before who are members no longer; who is merely out of scope stays."""
    wanted = set(group.members)
    return [member for member in anchor.members if member not in wanted]


def _add_members(context: Context, group: Group, result: ObjectResult, anchor: GroupAnchor) -> None:
    users = context.state.users
    for batch in _batches(_missing(context, group, anchor)):
        targets = {member: users[member].target for member in batch}
        new = [target for target in targets.values() if not _has_member(context, anchor, target)]
        if new:
            _write_members(context, result, anchor, context.dialect.add_members(new))
            result.add(Status.SUCCESS, f"{len(new)} members were added.")
        anchor.members |= targets


def _remove_members(context: Context, group: Group, result: ObjectResult, anchor: GroupAnchor) -> None:
    for batch in _batches(_superfluous(group, anchor)):
        targets = [anchor.members[member] for member in batch]
        _write_members(context, result, anchor, context.dialect.remove_members(targets))
        for member in batch:
            del anchor.members[member]
        result.add(Status.SUCCESS, f"{len(batch)} members were removed.")


def _has_member(context: Context, anchor: GroupAnchor, target: str) -> bool:
    """Ask the service itself, as Entra does around writes of members."""
    if not (context.job.checks_references or context.on_demand):
        return False
    return service.refers(context.client, GROUPS, anchor.target, "members", target)


def _write_members(context: Context, result: ObjectResult, anchor: GroupAnchor, operations: list[Json]) -> None:
    result.attempt(Action.UPDATE)
    service.patch(context.client, GROUPS, anchor.target, operations)


def _batches(members: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(members), MEMBERS_PER_REQUEST):
        yield members[start : start + MEMBERS_PER_REQUEST]
