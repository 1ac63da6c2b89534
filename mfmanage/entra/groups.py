"""The groups of a cycle: create, rename, delete, and their members in requests of their own."""

from collections.abc import Iterator, Sequence

from mfmanage.entra import mapping, service
from mfmanage.entra.context import Context, delete, escrowed, match, settle
from mfmanage.entra.directory import Group
from mfmanage.entra.mapping import Json
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import GROUPS
from mfmanage.entra.state import GroupAnchor

MEMBERS_PER_REQUEST = 100


def results(context: Context) -> Iterator[ObjectResult]:
    """Provision every group, after the users, and yield what happened to each."""
    yield from _delete_vanished(context)
    for group in context.snapshot.groups.values():
        result = context.imported(GROUPS, group.id, group.display_name)
        context.scoped(result, in_scope=group.assigned)
        with escrowed(context, GROUPS, result):
            if group.assigned:
                _provision(context, group, result)
            elif group.id in context.state.groups:
                _delete(context, result)
        yield settle(context, result)


def _delete_vanished(context: Context) -> Iterator[ObjectResult]:
    vanished = [key for key in context.state.groups if key not in context.snapshot.groups]
    for source_id in vanished:
        result = ObjectResult(context.number, GROUPS.name, source_id, context.state.groups[source_id].name)
        result.add(Status.SUCCESS, "Deleted in the source directory.")
        with escrowed(context, GROUPS, result):
            _delete(context, result)
        yield settle(context, result)


def _delete(context: Context, result: ObjectResult) -> None:
    """A group has no ``active``: out of scope, it is deleted."""
    delete(context, GROUPS, result, context.state.groups[result.id].target)
    context.forget(GROUPS, result.id)


def _provision(context: Context, group: Group, result: ObjectResult) -> None:
    current = match(context, GROUPS, result, group.display_name)
    if current is None:
        anchor = _create(context, group, result)
    else:
        anchor = _remember(context, group, current)
        _update(context, group, result, current)
    _add_members(context, group, result, anchor)
    _remove_members(context, group, result, anchor)
    if result.stage != "action":
        result.stage = "action"
        result.add(Status.SKIPPED, "Nothing differs.")


def _create(context: Context, group: Group, result: ObjectResult) -> GroupAnchor:
    result.attempt(Action.CREATE)
    created = service.create(context.client, GROUPS, mapping.group_body(group))
    result.add(Status.SUCCESS, f"Group {created['id']} was created.")
    return _remember(context, group, created)


def _remember(context: Context, group: Group, current: Json) -> GroupAnchor:
    before = context.state.groups.get(group.id)
    members = before.members if before else {}
    anchor = context.state.groups[group.id] = GroupAnchor(current["id"], group.display_name, members)
    return anchor


def _update(context: Context, group: Group, result: ObjectResult, current: Json) -> None:
    changes = mapping.differences(mapping.GROUP_ROWS, group, current)
    if changes:
        result.attempt(Action.UPDATE)
        service.patch(context.client, GROUPS, current["id"], context.dialect.attributes(changes))
        result.add(Status.SUCCESS, f"Changed {', '.join(change.target.path for change in changes)}.")


def _add_members(context: Context, group: Group, result: ObjectResult, anchor: GroupAnchor) -> None:
    """Add the members that have an account and are not in the group by what was written before."""
    users = context.state.users
    missing = [m for m in group.members if m in users and anchor.members.get(m) != users[m].target]
    for batch in _batches(missing):
        targets = {member: users[member].target for member in batch}
        _write_members(context, result, anchor, context.dialect.add_members(list(targets.values())))
        anchor.members |= targets
        result.add(Status.SUCCESS, f"{len(batch)} members were added.")


def _remove_members(context: Context, group: Group, result: ObjectResult, anchor: GroupAnchor) -> None:
    """Remove those written before who are members no longer; who is merely out of scope stays."""
    wanted = set(group.members)
    for batch in _batches([member for member in anchor.members if member not in wanted]):
        targets = [anchor.members[member] for member in batch]
        _write_members(context, result, anchor, context.dialect.remove_members(targets))
        for member in batch:
            del anchor.members[member]
        result.add(Status.SUCCESS, f"{len(batch)} members were removed.")


def _write_members(context: Context, result: ObjectResult, anchor: GroupAnchor, operations: list[Json]) -> None:
    result.attempt(Action.UPDATE)
    service.patch(context.client, GROUPS, anchor.target, operations)


def _batches(members: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(members), MEMBERS_PER_REQUEST):
        yield members[start : start + MEMBERS_PER_REQUEST]
