"""What users and groups have in common in a cycle: import, scope, match, delete, and the escrow of failures."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass

from mfmanage.entra import service
from mfmanage.entra.client import Client, RequestFailed
from mfmanage.entra.directory import Snapshot
from mfmanage.entra.mapping import Json
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import Kind
from mfmanage.entra.state import Escrow, GroupAnchor, State, UserAnchor
from mfmanage.entra.styles import Dialect

INVALID_ANCHOR = "InvalidAnchor"


@dataclass(frozen=True)
class Context:
    """A cycle at work: its number, the source as it is now, the way to write, and what is remembered."""

    number: int
    snapshot: Snapshot
    client: Client
    dialect: Dialect
    state: State

    def anchors(self, kind: Kind) -> Mapping[str, UserAnchor] | Mapping[str, GroupAnchor]:
        """Return the cached ids of a resource type, by source id."""
        return self.state.users if kind is service.USERS else self.state.groups

    def forget(self, kind: Kind, source_id: str) -> None:
        """Drop a cached id, so that the object is matched again."""
        anchors: MutableMapping[str, UserAnchor] | MutableMapping[str, GroupAnchor]
        anchors = self.state.users if kind is service.USERS else self.state.groups
        anchors.pop(source_id, None)

    def imported(self, kind: Kind, source_id: str, name: str) -> ObjectResult:
        """Begin the result of an object that was read from the source."""
        result = ObjectResult(self.number, kind.name, source_id, name)
        result.add(Status.SUCCESS, "Read from the source directory.")
        return result

    def scoped(self, result: ObjectResult, *, in_scope: bool) -> None:
        """Note whether the object is in scope."""
        result.stage = "scope"
        detail = "In scope: the application is assigned." if in_scope else "Not in scope."
        result.add(Status.SUCCESS if in_scope else Status.SKIPPED, detail)


def match(context: Context, kind: Kind, result: ObjectResult, name: str) -> Json | None:
    """Return the object's counterpart as the service shows it now, ``None`` if it has none.

    A cached id is read; one that is gone is dropped and the object is matched again, by a query for
    its matching attribute.
    """
    result.stage = "match"
    anchor = context.anchors(kind).get(result.id)
    if anchor is not None:
        resource = service.get(context.client, kind, anchor.target)
        if resource is not None:
            result.add(Status.SUCCESS, f"Read {kind.name} {anchor.target}.")
            return resource
        context.forget(kind, result.id)
        result.add(Status.WARNING, f"{kind.name} {anchor.target} is gone; matching again.", INVALID_ANCHOR)
    return _query(context, kind, result, name)


def _query(context: Context, kind: Kind, result: ObjectResult, name: str) -> Json | None:
    found = service.find(context.client, kind, name)
    if len(found) > 1:
        raise RequestFailed(service.MULTIPLE, f"{len(found)} objects have the {kind.matching} {name!r}.")
    detail = f"Found by {kind.matching}." if found else f"Nothing has the {kind.matching} {name!r}."
    result.add(Status.SUCCESS, detail)
    return found[0] if found else None


def delete(context: Context, kind: Kind, result: ObjectResult, target: str) -> None:
    """Delete the counterpart of an object that left the source, unless it is gone already."""
    result.stage = "match"
    if service.get(context.client, kind, target) is None:
        result.add(Status.SKIPPED, f"{kind.name} {target} is gone already.")
        return
    result.add(Status.SUCCESS, f"Read {kind.name} {target}.")
    result.attempt(Action.DELETE)
    service.delete(context.client, kind, target)
    result.add(Status.SUCCESS, f"{kind.name} {target} was deleted.")


@contextmanager
def escrowed(context: Context, kind: Kind, result: ObjectResult) -> Iterator[None]:
    """Turn a failed request into a failed step, and stop the work on this object only."""
    try:
        yield
    except RequestFailed as error:
        if error.code == INVALID_ANCHOR:
            context.forget(kind, result.id)
        before = context.state.escrows.get(_key(result))
        retried = f" This operation was retried {before.attempts} times." if before else ""
        detail = f"{error.detail}{retried} It will be retried in the next cycle."
        result.add(Status.FAILURE, detail, error.code)


def settle(context: Context, result: ObjectResult) -> ObjectResult:
    """Put an object that failed into escrow, take one that did not out of it."""
    escrows, key = context.state.escrows, _key(result)
    before = escrows.pop(key, None)
    if result.status is Status.FAILURE:
        failure = next(step for step in result.steps if step.status is Status.FAILURE)
        escrows[key] = Escrow(before.attempts + 1 if before else 1, failure.code, failure.detail)
    return result


def _key(result: ObjectResult) -> str:
    return f"{result.kind} {result.id}"
