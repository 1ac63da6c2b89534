"""Carry out the steps of a plan, each in a transaction of its own, and say what became of each operation."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from django.db import transaction

from provisioning.services.calls import Call
from scim.bulk.messages import CREATE, Operation
from scim.bulk.plan import Step
from scim.bulk.references import fill, reference
from scim.documents import Document
from scim.errors import Conflict, NotFound, ScimError
from scim.http import OPERATIONS, check_id
from scim.patch.operations import PATCH_URN
from scim.projection import Projection
from scim.refusals import record_refusal, scim_error
from scim.resources import groups, users
from scim.resources.rendering import Answer, location
from scim.schema import GROUP, USER
from scim.versions import condition

_RESOURCES: Final[dict[str, Any]] = {USER.name: users, GROUP.name: groups}
_ONLY_ID: Final = Projection({"id": None})

Ids = dict[str, str]


class Outcome(NamedTuple):
    """What became of an operation: ``error`` is None where it succeeded."""

    operation: Operation
    status: int
    location: str
    version: str = ""
    error: ScimError | None = None


def carry_out(steps: Iterable[Step], fail_on_errors: int | None, *, call: Call) -> list[Document]:
    """Return the results in the order of the request; what comes after too many errors is not done and has none."""
    ids: Ids = {}
    outcomes: dict[int, Outcome] = {}
    errors = 0
    for step in steps:
        taken = _take(step, ids, call)
        outcomes |= {outcome.operation.number: outcome for outcome in taken}
        errors += sum(outcome.error is not None for outcome in taken)
        if fail_on_errors is not None and errors >= fail_on_errors:
            break
    return [_result(outcomes[number]) for number in sorted(outcomes)]


def _take(step: Step, ids: Ids, call: Call) -> list[Outcome]:
    """Take one step, wholly or not at all; ``ids`` gets the ids of what it creates."""
    calls = [_call_of(operation, call) for operation in step]
    outcomes, at = list[Outcome](), 0
    try:
        with _transaction(step):
            for at, operation in enumerate(step):
                outcomes.append(_perform(operation, ids, calls[at]))
            for at, operation in enumerate(step):
                if operation.later:
                    outcomes[at] = _complete(operation, ids, calls[at])
    except Exception as error:  # noqa: BLE001  whatever it was, the other operations go on
        for operation in step:
            if operation.method == CREATE:
                ids.pop(operation.bulk_id, None)
        return _refuse(step, at, scim_error(error, f"{step[at].method} {step[at].path} of a Bulk"), calls)
    return outcomes


def _transaction(step: Step) -> AbstractContextManager[Any]:
    """A deed has its own transaction; those of a circle are one, so that nobody ever sees half of it."""
    return transaction.atomic() if any(operation.later for operation in step) else nullcontext()


def _call_of(operation: Operation, call: Call) -> Call:
    return Call(
        configuration=call.configuration,
        operation=OPERATIONS.get(operation.method, "bulk"),
        resource_type=operation.resource_type.name if operation.resource_type else "",
        request_id=call.request_id,
        at=call.at,
        started=time.perf_counter(),
        condition=condition({"HTTP_IF_MATCH": operation.version}),
        answers=_answers(operation, call),
    )


def _answers(operation: Operation, call: Call) -> int:
    """Return what the operation would be answered with if it were sent alone."""
    if operation.method == "PATCH" and operation.resource_type is USER:
        return int(call.configuration.user_patch_status)
    return {CREATE: 201, "PUT": 200}.get(operation.method, 204)


def _perform(operation: Operation, ids: Ids, call: Call) -> Outcome:
    """Raises ``ScimError`` and what the deeds raise."""
    if operation.refusal or operation.resource_type is None:
        raise operation.refusal or NotFound
    if missing := sorted(operation.needs - ids.keys()):
        raise Conflict(f"What has the bulkId {missing[0][:60]!r} could not be created.")
    if operation.needs:
        fill(operation.data, ids)
    resources, target = _RESOURCES[operation.resource_type.name], _target(operation, ids)
    match operation.method:
        case "POST":
            answer: Answer = resources.create(body=operation.data, call=call, projection=_ONLY_ID)
            ids[operation.bulk_id] = answer.location.rpartition("/")[2]
        case "PUT":
            answer = resources.replace(scim_id=target, body=operation.data, call=call, projection=_ONLY_ID)
        case "PATCH":
            answer = resources.modify(scim_id=target, body=operation.data, call=call, projection=None)
        case _:
            resources.remove(scim_id=target, call=call)
            answer = Answer(None, location(operation.resource_type, target, call.configuration.tenant_url), "")
    return Outcome(operation, _answers(operation, call), answer.location, answer.version)


def _target(operation: Operation, ids: Ids) -> str:
    name = reference(operation.target)
    return check_id(unquote(operation.target) if name is None else ids[name])


def _complete(operation: Operation, ids: Ids, call: Call) -> Outcome:
    """Add to what was created what it could not have before the rest of its circle was there."""
    assert operation.resource_type is not None
    fill(operation.later, ids)
    body = {"schemas": [PATCH_URN], "Operations": [{"op": "add", "value": operation.later}]}
    adding = Call(
        configuration=call.configuration,
        operation=OPERATIONS["PATCH"],
        resource_type=call.resource_type,
        request_id=call.request_id,
        at=call.at,
    )
    resources = _RESOURCES[operation.resource_type.name]
    answer = resources.modify(scim_id=ids[operation.bulk_id], body=body, call=adding, projection=None)
    return Outcome(operation, 201, answer.location, answer.version)


def _refuse(step: Step, failed: int, error: ScimError, calls: list[Call]) -> list[Outcome]:
    """Log and answer that nothing of a step was done: ``failed`` for its own reason, the others because of it."""
    outcomes = []
    for number, (operation, call) in enumerate(zip(step, calls, strict=True)):
        told = error if number == failed else Conflict(f"It needs {step[failed].bulk_id[:60]!r}, which failed.")
        data = operation.data if isinstance(operation.data, dict) else {}
        name = data.get("userName") or data.get("displayName")
        record_refusal(call, told, resource_id=operation.target, resource_name=name)
        outcomes.append(Outcome(operation, told.status, _place(operation, call), error=told))
    return outcomes


def _place(operation: Operation, call: Call) -> str:
    """Return the address of what an operation was about; a creation that failed made nothing that has one."""
    if operation.method == CREATE:
        return ""
    base = call.configuration.tenant_url
    if operation.resource_type is None:
        return f"{base}/{_encoded(operation.path.lstrip('/'))}"
    return location(operation.resource_type, _encoded(operation.target), base)


def _encoded(part: str) -> str:
    """Make what a client sent fit for an address; it may be encoded already."""
    return quote(unquote(part), safe="/:")


def _result(outcome: Outcome) -> Document:
    """Return the answer to one operation (RFC 7644 §3.7.3), without what there is not."""
    operation = outcome.operation
    result = {
        "method": operation.method,
        "bulkId": operation.bulk_id,
        "version": outcome.version,
        "location": outcome.location,
        "status": str(outcome.status),
        "response": outcome.error.body() if outcome.error else None,
    }
    return {name: value for name, value in result.items() if value}
