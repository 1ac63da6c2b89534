"""The operations of a request → steps, in an order in which every reference can be resolved (RFC 7644 §3.7.1)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from scim.bulk.messages import CREATE, Operation
from scim.bulk.order import in_order
from scim.bulk.references import names, reference, split
from scim.errors import Conflict, InvalidValue

Step = tuple[Operation, ...]
"""Operations that are carried out together or not at all: one, or those that refer to one another in a circle."""


def plan(operations: Sequence[Operation]) -> list[Step]:
    """Return every operation once: creations before what names them, else in the order of the request.

    Of a circle, each is created without what is not there yet, which becomes its ``later``. Where that cannot be
    (a required attribute names a part of the circle), all of the circle get a refusal, ``Conflict``.
    """
    checked = _without_ambiguous(operations)
    creators = {
        one.bulk_id: one.number for one in checked if one.method == CREATE and one.bulk_id not in _doubled(checked)
    }
    known = [_with_needs(one, creators) for one in checked]
    edges = [sorted(creators[name] for name in one.needs) for one in known]
    return [_step([known[number] for number in circle]) for circle in in_order(edges)]


def _doubled(operations: Iterable[Operation]) -> set[str]:
    counted = Counter(one.bulk_id for one in operations if one.method == CREATE)
    return {name for name, times in counted.items() if times > 1}


def _without_ambiguous(operations: Sequence[Operation]) -> list[Operation]:
    """Refuse all creations that share a bulkId: nobody can tell which of them is meant."""
    doubled = _doubled(operations)
    return [
        replace(one, refusal=InvalidValue(f"Several operations have the bulkId {one.bulk_id[:60]!r}."))
        if one.method == CREATE and one.bulk_id in doubled and one.refusal is None
        else one
        for one in operations
    ]


def _with_needs(operation: Operation, creators: Mapping[str, int]) -> Operation:
    if operation.refusal:
        return operation
    target = reference(operation.target)
    needs = names(operation.data) | ({target} if target is not None else set())
    if strangers := sorted(needs - creators.keys()):
        return replace(operation, refusal=InvalidValue(f"No single POST has the bulkId {strangers[0][:60]!r}."))
    return replace(operation, needs=frozenset(needs))


def _step(circle: Sequence[Operation]) -> Step:
    pending = {one.bulk_id for one in circle if one.method == CREATE}
    step = []
    for operation in circle:
        step.append(_parted(operation, pending) if operation.needs & pending else operation)
        pending.discard(operation.bulk_id)
    impossible = [one for one in step if one.later.keys() & _required(one)]
    return tuple(replace(one, refusal=_circle(impossible[0])) for one in step) if impossible else tuple(step)


def _parted(operation: Operation, pending: set[str]) -> Operation:
    kept, later = split(operation.data, pending)
    return replace(operation, data=kept, later=later, needs=operation.needs - pending)


def _required(operation: Operation) -> set[str]:
    attributes = operation.resource_type.schema.attributes if operation.resource_type else ()
    return {attribute.name for attribute in attributes if attribute.required}


def _circle(operation: Operation) -> Conflict:
    return Conflict(f"The operations refer to one another in a circle; {operation.bulk_id[:60]!r} cannot do without.")
