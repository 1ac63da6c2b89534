"""Attributes that are kept as sets outside the document: operations → what to do with the rows.

However many operations a PATCH has, what remains is one statement that removes and one that adds, or one that
replaces: the last word on each id counts (RFC 7644 §3.5.2: operations apply in order).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from scim.errors import InvalidFilter, Mutability
from scim.filter.ast import Compare, Node, Operator, Or, Path
from scim.patch.operations import Op, Operation
from scim.schema.checks import set_ids


class SetKind(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class SetChange:
    """``values`` are the ids to add, to remove, or to have in the end; to add what is there is no change (D-06)."""

    kind: SetKind
    values: tuple[str, ...] = ()


@dataclass(slots=True)
class SetDraft:
    """The last word on each id, and whether all others go."""

    is_replaced: bool = False
    wanted: dict[str, bool] = field(default_factory=dict)

    def take(self, operation: Operation, path: Path) -> None:
        """Note one operation. Raises ``InvalidValue`` for an id that is none, ``Mutability`` for an edit."""
        if path.field.sub or (path.condition and operation.op is not Op.REMOVE):
            raise Mutability(f"{path.field} cannot be edited, only added and removed.")
        value = operation.value
        if path.condition:
            value = list(_selected(path.condition, path))
        if operation.op is Op.REPLACE or (operation.op is Op.REMOVE and value is None):
            self.is_replaced, self.wanted = True, {}
        for key in set_ids(path.field, value):
            self.wanted[key] = operation.op is not Op.REMOVE

    def changes(self) -> tuple[SetChange, ...]:
        """Return what to do, in an order in which it can be done; nothing if nothing was asked for."""
        added = tuple(key for key, is_wanted in self.wanted.items() if is_wanted)
        if self.is_replaced:
            return (SetChange(SetKind.REPLACE, added),) if added else (SetChange(SetKind.CLEAR),)
        removed = tuple(key for key, is_wanted in self.wanted.items() if not is_wanted)
        pair = SetChange(SetKind.REMOVE, removed), SetChange(SetKind.ADD, added)
        return tuple(change for change in pair if change.values)


def _selected(condition: Node, path: Path) -> Iterator[str]:
    """Yield the ids in ``value eq "a" or value eq "b"``."""
    terms = condition.terms if isinstance(condition, Or) else (condition,)
    for term in terms:
        if not isinstance(term, Compare) or term.operator is not Operator.EQ or term.field.leaf.name != "value":
            raise InvalidFilter(f'{path.field} can be selected by [value eq "id"] only.')
        yield str(term.value)
