"""The users of a cycle: create, update, disable, delete, and their managers in requests of their own."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from mfmanage.entra import deletions, delta, mapping, service
from mfmanage.entra.context import Context, delete, key, match
from mfmanage.entra.directory import User
from mfmanage.entra.escrow import escrowed, settle
from mfmanage.entra.mapping import Change, Json
from mfmanage.entra.parallel import each
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import USERS
from mfmanage.entra.state import UserAnchor


class Look(NamedTuple):
    """A user who was worked on, and the account if it is managed from here on."""

    user: User
    result: ObjectResult
    account: Json | None


Held = tuple[User, ObjectResult, Json]


def results(context: Context) -> Iterator[ObjectResult]:
    """Provision the users that this cycle looks at and yield what happened to each.

    Accounts that are gone from the source come first, for their userNames may be used again; a user whose
    manager must be written comes last, when every account exists.
    """
    workers = context.job.workers
    for result in each(partial(_delete, context), delta.vanished(context, USERS), workers):
        yield settle(context, result)
    due = [user for user in context.snapshot.users.values() if delta.is_due(context, USERS, user)]
    held: list[Held] = []
    for user, result, account in each(partial(_look_at, context), due, workers):
        if account is not None and _manager_differs(context, user, account):
            held.append((user, result, account))
        else:
            yield settle(context, result)
    for result in each(partial(_refer, context), held, workers):
        yield settle(context, result)
    for result in each(partial(provision, context), _with_new_managers(context, due), workers):
        yield settle(context, result)


def provision(context: Context, user: User) -> ObjectResult:
    """Bring one user's account in line, the manager included."""
    _, result, account = _look_at(context, user)
    if account is not None and _manager_differs(context, user, account):
        return _refer(context, (user, result, account))
    return result


def _look_at(context: Context, user: User) -> Look:
    """Bring one user's account in line, the manager aside."""
    result = context.imported(USERS, user, user.user_principal_name)
    account = None
    with escrowed(context, USERS, result):
        account = _bring_in_line(context, user, result)
    return Look(user, result, account)


def _refer(context: Context, held: Held) -> ObjectResult:
    """Write the manager of a user whose account is in line."""
    user, result, account = held
    result.is_reference = True
    with escrowed(context, USERS, result):
        _write_manager(context, user, result, account)
    return result


def _delete(context: Context, source_id: str) -> ObjectResult:
    result = context.missing(USERS, source_id)
    if result.key in context.staged:
        deletions.hold_back(result)
        return result
    with escrowed(context, USERS, result):
        delete(context, USERS, result, context.state.users[source_id].target)
        context.state.forget_user(source_id)
    return result


def _bring_in_line(context: Context, user: User, result: ObjectResult) -> Json | None:
    if not user.in_scope and user.id not in context.state.users:
        return None
    if result.key in context.staged:
        deletions.hold_back(result)
        return None
    if context.job.skips_out_of_scope_deletions and not user.is_selected:
        deletions.skip(result)
        return None
    account = match(context, USERS, result, user)
    if account is None and user.is_active:
        return _create(context, user, result)
    if account is None:
        _leave_out(context, user, result)
        return None
    _remember(context, user, account)
    _update(context, user, result, account)
    if not user.is_selected:
        context.forget(USERS, user.id)
    return account if user.in_scope else None


def _create(context: Context, user: User, result: ObjectResult) -> Json:
    result.attempt(Action.CREATE)
    account = service.create(context.client, USERS, mapping.user_body(context.job.mapping.users, user))
    _remember(context, user, account)
    result.add(Status.SUCCESS, f"User {account['id']} was created.")
    return account


def _leave_out(context: Context, user: User, result: ObjectResult) -> None:
    result.stage = "action"
    result.add(Status.SKIPPED, "Not active in the source and not provisioned before: not created.")
    context.forget(USERS, user.id)


def _update(context: Context, user: User, result: ObjectResult, account: Json) -> None:
    rows = context.job.mapping.users if user.in_scope else context.job.mapping.activity
    changes = mapping.differences(rows, user, account)
    if not changes:
        result.stage = "action"
        result.add(Status.SKIPPED, "Nothing differs.")
        return
    result.attempt(Action.DISABLE if _disables(changes) else Action.UPDATE)
    service.patch(context.client, USERS, account["id"], context.dialect.attributes(changes))
    context.state.users[user.id].active = user.is_active
    result.add(Status.SUCCESS, f"Changed {', '.join(change.target.path for change in changes)}.")


def _disables(changes: list[Change]) -> bool:
    return any(change.value is False for change in changes)


def _remember(context: Context, user: User, account: Json) -> None:
    before = context.state.users.get(user.id)
    manager = before.manager if before and before.target == account["id"] else None
    active = account.get("active") is not False
    context.state.users[user.id] = UserAnchor(account["id"], user.user_principal_name, manager, active)


def _manager(context: Context, user: User) -> str | None:
    """Return the SCIM id of the user's manager, ``None`` without one, before it is provisioned and once it leaves.

    A manager who is no longer selected counts as gone before its own account has been looked at: what becomes of the
    reference must not hang on whether that look succeeded.
    """
    manager = context.snapshot.users.get(user.manager) if user.manager else None
    anchor = context.state.users.get(manager.id) if manager and manager.is_selected else None
    return anchor.target if anchor else None


def _manager_differs(context: Context, user: User, account: Json) -> bool:
    """Whether the manager needs another look once every account exists."""
    wanted = _manager(context, user)
    if wanted != context.state.users[user.id].manager or (user.manager and wanted is None):
        return True
    return wanted is not None and mapping.MANAGER.read(account) != wanted


def _with_new_managers(context: Context, due: list[User]) -> list[User]:
    """Return the users not looked at whose manager was provisioned, or provisioned anew, since theirs was written."""
    looked_at = {user.id for user in due}
    return [
        user
        for user in context.snapshot.users.values()
        if user.id not in looked_at and _awaits_manager(context, user) and not context.rests(key(USERS, user.id))
    ]


def _awaits_manager(context: Context, user: User) -> bool:
    anchor, wanted = context.state.users.get(user.id), _manager(context, user)
    return anchor is not None and user.in_scope and wanted is not None and anchor.manager != wanted


def _write_manager(context: Context, user: User, result: ObjectResult, account: Json) -> None:
    """Write or remove the manager; one that was not written from here is never removed."""
    result.stage = "action"
    anchor, wanted = context.state.users[user.id], _manager(context, user)
    if user.manager and wanted is None and context.on_demand:
        wanted = _found(context, context.snapshot.users[user.manager])
    if user.manager and wanted is None:
        result.add(Status.SKIPPED, "The manager is not provisioned: not written.")
        return
    seen = mapping.MANAGER.read(account)
    if seen != wanted and not _has_manager(context, account, wanted):
        result.attempt(Action.UPDATE)
        service.patch(context.client, USERS, account["id"], context.dialect.manager(seen, wanted))
        result.add(Status.SUCCESS, "The manager was written." if wanted else "The manager was removed.")
    anchor.manager = wanted


def _found(context: Context, manager: User) -> str | None:
    """Return the SCIM id of a manager whom no cycle has met, if exactly one account is there."""
    for attribute, value in context.job.mapping.criteria(manager):
        found = service.find(context.client, USERS, attribute, value)
        if len(found) == 1:
            return str(found[0]["id"])
    return None


def _has_manager(context: Context, account: Json, wanted: str | None) -> bool:
    """Ask the service itself, as Entra does before it writes a manager."""
    if wanted is None or not context.job.checks_references:
        return False
    return service.refers(context.client, USERS, account["id"], "manager", wanted)
