"""The users of a cycle: create, update, disable, delete, and their managers in requests of their own."""

from collections.abc import Iterator

from mfmanage.entra import mapping, service
from mfmanage.entra.context import Context, delete, escrowed, match, settle
from mfmanage.entra.directory import User
from mfmanage.entra.mapping import Change, Json
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import USERS
from mfmanage.entra.state import UserAnchor

Held = tuple[User, ObjectResult, Json]


def results(context: Context) -> Iterator[ObjectResult]:
    """Provision every user and yield what happened to each.

    Accounts that are gone from the source come first, for their userNames may be used again; a user whose
    manager must be written comes last, when every account exists.
    """
    yield from _delete_vanished(context)
    held: list[Held] = []
    for user in context.snapshot.users.values():
        result = context.imported(USERS, user.id, user.user_principal_name)
        account = None
        with escrowed(context, USERS, result):
            account = _provision(context, user, result)
        if account is not None and _manager_differs(context, user, account):
            held.append((user, result, account))
        else:
            yield settle(context, result)
    for user, result, account in held:
        with escrowed(context, USERS, result):
            _write_manager(context, user, result, account)
        yield settle(context, result)


def _delete_vanished(context: Context) -> Iterator[ObjectResult]:
    vanished = [key for key in context.state.users if key not in context.snapshot.users]
    for source_id in vanished:
        anchor = context.state.users[source_id]
        result = ObjectResult(context.number, USERS.name, source_id, anchor.name)
        result.add(Status.SUCCESS, "Deleted in the source directory.")
        with escrowed(context, USERS, result):
            delete(context, USERS, result, anchor.target)
            context.state.forget_user(source_id)
        yield settle(context, result)


def _provision(context: Context, user: User, result: ObjectResult) -> Json | None:
    """Bring the account in line, references aside; return it if it is managed from here on."""
    context.scoped(result, in_scope=user.in_scope)
    if not user.in_scope and user.id not in context.state.users:
        return None
    account = match(context, USERS, result, user.user_principal_name)
    if account is None and user.is_active:
        return _create(context, user, result)
    if account is None:
        _leave_out(context, user, result)
        return None
    _remember(context, user, account)
    _update(context, user, result, account)
    if not user.assigned:
        context.state.users.pop(user.id)
    return account if user.in_scope else None


def _create(context: Context, user: User, result: ObjectResult) -> Json:
    result.attempt(Action.CREATE)
    account = service.create(context.client, USERS, mapping.user_body(user))
    _remember(context, user, account)
    result.add(Status.SUCCESS, f"User {account['id']} was created.")
    return account


def _leave_out(context: Context, user: User, result: ObjectResult) -> None:
    result.stage = "action"
    result.add(Status.SKIPPED, "Not active in the source and not provisioned before: not created.")
    context.state.users.pop(user.id, None)


def _update(context: Context, user: User, result: ObjectResult, account: Json) -> None:
    rows = mapping.USER_ROWS if user.in_scope else mapping.ACTIVE_ROWS
    changes = mapping.differences(rows, user, account)
    if not changes:
        result.stage = "action"
        result.add(Status.SKIPPED, "Nothing differs.")
        return
    result.attempt(Action.DISABLE if _disables(changes) else Action.UPDATE)
    service.patch(context.client, USERS, account["id"], context.dialect.attributes(changes))
    result.add(Status.SUCCESS, f"Changed {', '.join(change.target.path for change in changes)}.")


def _disables(changes: list[Change]) -> bool:
    return any(change.value is False for change in changes)


def _remember(context: Context, user: User, account: Json) -> None:
    before = context.state.users.get(user.id)
    manager = before.manager if before else None
    context.state.users[user.id] = UserAnchor(account["id"], user.user_principal_name, manager)


def _manager_differs(context: Context, user: User, account: Json) -> bool:
    """Whether the manager needs another look once every account exists."""
    if context.state.users[user.id].manager != user.manager:
        return True
    if user.manager is None:
        return False
    manager = context.state.users.get(user.manager)
    return manager is None or mapping.MANAGER.read(account) != manager.target


def _write_manager(context: Context, user: User, result: ObjectResult, account: Json) -> None:
    """Write or remove the manager; one that was not written from here is never removed."""
    result.stage = "action"
    manager = context.state.users.get(user.manager) if user.manager else None
    if user.manager and manager is None:
        result.add(Status.SKIPPED, "The manager is not provisioned: not written.")
        return
    seen, wanted = mapping.MANAGER.read(account), manager.target if manager else None
    if seen != wanted:
        result.attempt(Action.UPDATE)
        service.patch(context.client, USERS, account["id"], context.dialect.manager(seen, wanted))
        result.add(Status.SUCCESS, "The manager was written." if wanted else "The manager was removed.")
    context.state.users[user.id].manager = user.manager
