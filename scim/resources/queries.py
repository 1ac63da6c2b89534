"""What a list is asked for, and what it answers (RFC 7644 §3.4.2, RFC 9865 §2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim.discovery import LIST_URN, Capabilities
from scim.errors import InvalidCount, InvalidValue
from scim.filter.ast import Compare, Node, ValuePath
from scim.filter.order import Order, read_order
from scim.filter.parser import parse_filter
from scim.projection import Projection, read_projection
from scim.resources.cursors import Position
from scim.schema.table import ResourceType

DEFAULT_PAGE_SIZE = Capabilities().default_page_size
MAX_PAGE_SIZE = Capabilities().max_results

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_GUID = re.compile(r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"', re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """``start_index`` counts from 1; ``count`` is at most ``MAX_PAGE_SIZE``, and 0 asks for the number only.

    ``cursor`` is None where pages go by index, and empty for the first page; ``position`` is what it says.
    ``among`` are the primary keys of the only rows that are looked at, None for all.
    """

    condition: Node | None = None
    order: Order | None = None
    start_index: int = 1
    count: int = DEFAULT_PAGE_SIZE
    cursor: str | None = None
    position: Position | None = None
    among: tuple[int, ...] | None = None
    projection: Projection = Projection()  # noqa: RUF009  frozen

    @property
    def offset(self) -> int:
        return 0 if self.position else self.start_index - 1

    @property
    def is_probe(self) -> bool:
        """Whether it looks for one random identifier, as connection tests do (E-CON-01 to E-CON-03)."""
        return isinstance(self.condition, Compare | ValuePath) and bool(_GUID.search(str(self.condition)))


def read_query(parameters: Mapping[str, Any], *resource_types: ResourceType, lenient: bool = False) -> Query:
    """Read the parameters of a list of the first of ``resource_types``, of a URL or of a search request.

    Names are in lower case, unknown ones are ignored (R-PAG-01, -05, -06). The other resource types are searched by
    the same query, ``lenient`` takes bare words for strings (D-23).
    Raises ``InvalidFilter``, ``Sensitive``, ``InvalidPath``, ``InvalidValue`` and ``InvalidCount``.
    """
    text, cursor = _text(parameters, "filter"), _text(parameters, "cursor")
    sort_by, sort_order = _text(parameters, "sortBy") or "", _text(parameters, "sortOrder") or ""
    return Query(
        condition=None if text is None else parse_filter(text, *resource_types, lenient=lenient),
        order=read_order(sort_by, sort_order, *resource_types),
        start_index=max(_integer(parameters, "startIndex", 1), 1) if cursor is None else 1,
        count=_page_size(parameters) if cursor is None else _size_by_cursor(parameters),
        cursor=cursor,
        projection=read_projection(
            resource_types[0], _names(parameters, "attributes"), _names(parameters, "excludedAttributes")
        ),
    )


def list_response(
    query: Query, *, total: int, resources: list[dict[str, Any]], next_cursor: str | None
) -> dict[str, Any]:
    """Return the answer to a list; ``total`` counts all that match, not only the page."""
    answer: dict[str, Any] = {"schemas": [LIST_URN], "totalResults": total}
    if query.cursor is None:
        answer["startIndex"] = query.start_index
    answer["itemsPerPage"] = len(resources)
    if next_cursor:
        answer["nextCursor"] = next_cursor
    return {**answer, "Resources": resources}


def _page_size(parameters: Mapping[str, Any]) -> int:
    return min(max(_integer(parameters, "count", DEFAULT_PAGE_SIZE), 0), MAX_PAGE_SIZE)


def _size_by_cursor(parameters: Mapping[str, Any]) -> int:
    """Read ``count`` as RFC 9865 §2 has it: below zero is zero, above the limit is an error."""
    try:
        count = max(_integer(parameters, "count", DEFAULT_PAGE_SIZE), 0)
    except InvalidValue as error:
        raise InvalidCount(error.detail) from error
    if count > MAX_PAGE_SIZE:
        raise InvalidCount(f"count is at most {MAX_PAGE_SIZE}, not {count}.")
    return count


def _text(parameters: Mapping[str, Any], name: str) -> str | None:
    value = parameters.get(name.lower())
    if value is None or isinstance(value, str):
        return value
    raise InvalidValue(f"{name} must be a string.")


def _names(parameters: Mapping[str, Any], name: str) -> str | list[str] | None:
    value = parameters.get(name.lower())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return _text(parameters, name)


def _integer(parameters: Mapping[str, Any], name: str, default: int) -> int:
    value = parameters.get(name.lower())
    if value is None:
        return default
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
        raise InvalidValue(f"{name} must be an integer, not {str(value)[:40]!r}.")
    return int(value)
