"""What changed in the source since the last finished cycle: what an incremental cycle looks at."""

from collections.abc import Iterator
from hashlib import blake2b

from mfmanage.entra.context import Context, key
from mfmanage.entra.directory import Group, Snapshot, User
from mfmanage.entra.service import GROUPS, USERS, Kind


def digests(snapshot: Snapshot) -> dict[str, str]:
    """Return a digest of every object, as the state keeps them at the end of a cycle."""
    return {key(kind, source.id): digest(source) for kind, source in _objects(snapshot)}


def digest(thing: object) -> str:
    """Return a short text that differs when ``thing`` does."""
    return blake2b(repr(thing).encode(), digest_size=8).hexdigest()


def is_due(context: Context, kind: Kind, source: User | Group) -> bool:
    """Whether this cycle looks at the object: an initial one at all, others at what changed or is to be retried."""
    if context.is_initial:
        return True
    name, state = key(kind, source.id), context.state
    if state.seen.get(name) != digest(source) or name in state.staged:
        return True
    return name in state.escrows and not context.rests(name)


def vanished(context: Context, kind: Kind) -> list[str]:
    """Return the source ids of objects provisioned before that are no longer in the source."""
    there = context.snapshot.users if kind is USERS else context.snapshot.groups
    gone = [source_id for source_id in context.anchors(kind) if source_id not in there]
    return [source_id for source_id in gone if context.is_initial or not context.rests(key(kind, source_id))]


def size(context: Context) -> int:
    """Count the objects that this cycle will look at, those aside whose references turn up on the way."""
    gone = sum(len(vanished(context, kind)) for kind in (USERS, GROUPS))
    return gone + sum(is_due(context, kind, source) for kind, source in _objects(context.snapshot))


def _objects(snapshot: Snapshot) -> Iterator[tuple[Kind, User | Group]]:
    yield from ((USERS, user) for user in snapshot.users.values())
    yield from ((GROUPS, group) for group in snapshot.groups.values())
