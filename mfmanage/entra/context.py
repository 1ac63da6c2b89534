"""What users and groups have in common in a cycle: import, scope, match, delete."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime

from mfmanage.entra import service
from mfmanage.entra.client import Client, RequestFailed
from mfmanage.entra.directory import Group, Snapshot, User
from mfmanage.entra.job import Job
from mfmanage.entra.mapping import Json
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.service import Kind
from mfmanage.entra.state import GroupAnchor, State, UserAnchor
from mfmanage.entra.styles import Dialect
from mfmanage.entra.timing import moment

INVALID_ANCHOR = "InvalidAnchor"


@dataclass(frozen=True, kw_only=True)
class Context:
    """A cycle at work: its number, its simulated time, the source as it is now, the way to write, the memory.

    An initial cycle looks at every object. On demand, objects are matched by a query although their id is
    cached. ``staged`` are the removals held back in this cycle, ``total`` the number of objects in view.
    """

    number: int
    at: datetime
    snapshot: Snapshot
    client: Client
    dialect: Dialect
    state: State
    job: Job
    is_initial: bool = True
    on_demand: bool = False
    staged: frozenset[str] = frozenset()
    total: int = 0

    def anchors(self, kind: Kind) -> Mapping[str, UserAnchor] | Mapping[str, GroupAnchor]:
        """Return the cached ids of a resource type, by source id."""
        return self.state.users if kind is service.USERS else self.state.groups

    def forget(self, kind: Kind, source_id: str) -> None:
        """Drop a cached id, so that the object is matched again."""
        anchors: MutableMapping[str, UserAnchor] | MutableMapping[str, GroupAnchor]
        anchors = self.state.users if kind is service.USERS else self.state.groups
        anchors.pop(source_id, None)

    def rests(self, name: str) -> bool:
        """Whether the object failed and is not to be tried again yet."""
        escrow = self.state.escrows.get(name)
        return escrow is not None and bool(escrow.retry_at) and moment(escrow.retry_at) > self.at

    def imported(self, kind: Kind, source: User | Group, name: str) -> ObjectResult:
        """Begin the result of an object that was read from the source, and note whether it is in scope."""
        result = ObjectResult(self.number, kind.name, source.id, name, total=self.total)
        result.add(Status.SUCCESS, "Read from the source directory.")
        result.stage = "scope"
        result.add(Status.SUCCESS if source.in_scope else Status.SKIPPED, _scope(source))
        return result

    def missing(self, kind: Kind, source_id: str) -> ObjectResult:
        """Begin the result of an object that is no longer in the source."""
        name = self.anchors(kind)[source_id].name
        result = ObjectResult(self.number, kind.name, source_id, name, total=self.total)
        result.add(Status.SUCCESS, "Deleted in the source directory.")
        return result


def key(kind: Kind, source_id: str) -> str:
    """Return the name under which the state remembers a source object."""
    return f"{kind.name} {source_id}"


def match(context: Context, kind: Kind, result: ObjectResult, source: User | Group) -> Json | None:
    """Return the object's counterpart as the service shows it now, ``None`` if it has none.

    A cached id is read; one that is gone is dropped and the object is matched again, by a query for each
    matching attribute in turn.
    """
    result.stage = "match"
    anchor = context.anchors(kind).get(result.id)
    if anchor is not None and not context.on_demand:
        resource = service.get(context.client, kind, anchor.target)
        if resource is not None:
            result.add(Status.SUCCESS, f"Read {kind.name} {anchor.target}.")
            return resource
        context.forget(kind, result.id)
        result.add(Status.WARNING, f"{kind.name} {anchor.target} is gone; matching again.", INVALID_ANCHOR)
    return _query(context, kind, result, source)


def _query(context: Context, kind: Kind, result: ObjectResult, source: User | Group) -> Json | None:
    for attribute, value in context.job.mapping.criteria(source):
        found = service.find(context.client, kind, attribute, value)
        if len(found) > 1:
            raise RequestFailed(service.MULTIPLE, f"{len(found)} objects have the {attribute} {value!r}.")
        detail = f"Found by {attribute}." if found else f"Nothing has the {attribute} {value!r}."
        result.add(Status.SUCCESS, detail)
        if found:
            return found[0]
    return None


def delete(context: Context, kind: Kind, result: ObjectResult, target: str) -> None:
    """Delete the counterpart of an object that left the source, unless it is gone already."""
    result.stage = "match"
    if service.get(context.client, kind, target) is None:
        result.add(Status.SKIPPED, f"{kind.name} {target} is gone already.")
        return
    result.add(Status.SUCCESS, f"Read {kind.name} {target}.")
    result.attempt(Action.DELETE)
    if service.delete(context.client, kind, target):
        result.add(Status.SUCCESS, f"{kind.name} {target} was deleted.")
    else:
        result.add(Status.WARNING, f"{kind.name} {target} went before it was deleted.", INVALID_ANCHOR)


def _scope(source: User | Group) -> str:
    if source.in_scope:
        return "In scope: the application is assigned."
    if not source.assigned:
        return "Not in scope: the application is not assigned."
    return "Not in scope: no scoping filter is met." if source.filtered_out else "Not in scope: in the recycle bin."
