"""Sorting (RFC 7644 §3.4.2.3): by what, and what it means in plain Python; the SQL puts rows in the same order.

Values are compared as filters compare them: text that is not caseExact without regard to letter case, by code
point; dateTimes as moments. Of a text the first ``SIGNIFICANT`` characters count, so that a cursor stays short.
Of a multi-valued attribute the primary element counts, else the first; where no element can be primary
(``groups``, ``members``, ``schemas`` are sets without an order) the least value does. What has no value comes last
when ascending and first when descending. Equals stay in the order of creation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim.errors import InvalidPath, InvalidValue, Sensitive
from scim.filter.match import elements, values
from scim.filter.parser import locate, value_of
from scim.schema.table import Field, ResourceType, Returned
from scim.schema.values import folder

SIGNIFICANT = 128

_IS_DESCENDING = {"ascending": False, "descending": True}

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """``field`` is never complex."""

    field: Field
    is_descending: bool = False

    def __str__(self) -> str:
        return f"{self.field} {'descending' if self.is_descending else 'ascending'}"


def read_order(sort_by: str, sort_order: str, *resource_types: ResourceType) -> Order | None:
    """Read both parameters, of which an empty text says nothing.

    The name is looked up in one resource type after the other. Raises ``InvalidPath`` for what is no attribute or
    has no value of its own, ``Sensitive`` for an attribute that is never returned, ``InvalidValue`` for an order that
    is none.
    """
    is_descending = _IS_DESCENDING.get(sort_order.lower() or "ascending")
    if is_descending is None:
        raise InvalidValue(f"sortOrder is ascending or descending, not {sort_order[:40]!r}.")
    if not sort_by:
        return None
    field = locate(sort_by.strip(), resource_types)
    if field is None:
        raise InvalidPath(f"There is no attribute {sort_by[:200]!r} to sort by.")
    if field.attribute.returned is Returned.NEVER:
        raise Sensitive(f"{field} cannot be sorted by.")
    if (value := value_of(field)) is None:
        raise InvalidPath(f"{field} is complex: sort by one of its sub-attributes.")
    return Order(value, is_descending)


def arrange(order: Order, documents: Iterable[Document]) -> list[Document]:
    """Return the documents, which come in the order of creation, in this order."""
    ranked = [(rank(order.field, document), document) for document in documents]
    present = [(value, document) for value, document in ranked if value is not None]
    absent = [document for value, document in ranked if value is None]
    present.sort(key=lambda pair: pair[0], reverse=order.is_descending)
    sorted_ones = [document for _, document in present]
    return [*absent, *sorted_ones] if order.is_descending else [*sorted_ones, *absent]


def rank(field: Field, document: Document) -> Any:
    """Return the value that stands for ``document`` where it is sorted by ``field``, or None."""
    fold = folder(field.leaf)
    found = [fold(value) for value in _candidates(field, document)]
    value = min(found, default=None)
    return value[:SIGNIFICANT] if isinstance(value, str) else value


def _candidates(field: Field, document: Document) -> Iterable[Any]:
    if not field.sub or not field.attribute.sub("primary"):
        return values(field, document)
    value = _preferred(elements(field, document)).get(field.sub.name)
    return [] if value is None else [value]


def _preferred(listed: Sequence[Document]) -> Document:
    first: Document = listed[0] if listed else {}
    return next((element for element in listed if element.get("primary")), first)
