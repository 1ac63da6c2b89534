"""The tree of a parsed filter. Nodes carry the resolved rows of the schema table.

Meaning (``scope`` is the document, or inside ``ValuePath`` one element of the attribute):

``Present``    the field holds a value in the scope
``Compare``    some value of the field in the scope compares so; ``NE`` is the opposite of ``EQ``
``ValuePath``  some element of the attribute satisfies ``condition``, whose fields are its sub-attributes
``And`` ``Or`` ``Not``  two-valued logic; at least two terms

``str(node)`` is the filter again; parsing it gives an equal tree.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from scim.schema.table import Field
from scim.schema.values import folder

Literal = str | bool | int | float


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


@dataclass(frozen=True, slots=True)
class Compare:
    """``value`` is as the client wrote it, of the type of ``field.leaf``; ``comparand`` is compared."""

    field: Field
    operator: Operator
    value: Literal

    @property
    def comparand(self) -> Literal:
        """Return the value with letter case or time zone taken out, as in a folded document."""
        comparand: Literal = folder(self.field.leaf)(self.value)
        return comparand

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {json.dumps(self.value, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Present:
    field: Field

    def __str__(self) -> str:
        return f"{self.field} pr"


@dataclass(frozen=True, slots=True)
class ValuePath:
    field: Field
    condition: "Node"

    def __str__(self) -> str:
        return f"{self.field}[{self.condition}]"


@dataclass(frozen=True, slots=True)
class Not:
    term: "Node"

    def __str__(self) -> str:
        return f"not ({self.term})"


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple["Node", ...]

    def __str__(self) -> str:
        return " and ".join(f"({term})" if isinstance(term, And | Or) else str(term) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple["Node", ...]

    def __str__(self) -> str:
        return " or ".join(f"({term})" if isinstance(term, Or) else str(term) for term in self.terms)


Node = Compare | Present | ValuePath | Not | And | Or


def count_nodes(node: Node) -> int:
    """Return how many nodes a tree has: what it costs to ask it of one element."""
    match node:
        case And(terms) | Or(terms):
            return 1 + sum(count_nodes(term) for term in terms)
        case Not(term) | ValuePath(_, term):
            return 1 + count_nodes(term)
        case _:
            return 1


@dataclass(frozen=True, slots=True)
class Path:
    """What a PATCH operation addresses (RFC 7644 §3.5.2): ``field``, or the elements of it that ``condition``
    selects, or a sub-attribute of those (``field.sub``).
    """

    field: Field
    condition: Node | None = None
