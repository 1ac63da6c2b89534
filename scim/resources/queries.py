"""What a list is asked for, and what it answers (RFC 7644 §3.4.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim.discovery import LIST_URN
from scim.errors import InvalidValue
from scim.filter.ast import Compare, Node, ValuePath
from scim.filter.parser import parse_filter
from scim.projection import Projection, read_projection
from scim.schema.table import ResourceType

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_GUID = re.compile(r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"', re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """``start_index`` counts from 1; ``count`` is at most ``MAX_PAGE_SIZE``, and 0 asks for the number only."""

    condition: Node | None
    start_index: int
    count: int
    projection: Projection

    @property
    def is_probe(self) -> bool:
        """Whether it looks for one random identifier, as connection tests do (E-CON-01 to E-CON-03)."""
        return isinstance(self.condition, Compare | ValuePath) and bool(_GUID.search(str(self.condition)))


def read_query(parameters: Mapping[str, str], resource_type: ResourceType) -> Query:
    """Read the parameters of a list; names in lower case, unknown ones are ignored (R-PAG-01, -05, -06).

    Raises ``InvalidFilter``, ``Sensitive`` and ``InvalidValue``.
    """
    text = parameters.get("filter")
    return Query(
        condition=None if text is None else parse_filter(text, resource_type),
        start_index=max(_integer(parameters, "startIndex", 1), 1),
        count=min(max(_integer(parameters, "count", DEFAULT_PAGE_SIZE), 0), MAX_PAGE_SIZE),
        projection=read_projection(resource_type, parameters.get("attributes"), parameters.get("excludedattributes")),
    )


def list_response(total: int, query: Query, resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a list; ``total`` counts all that match, not only the page."""
    return {
        "schemas": [LIST_URN],
        "totalResults": total,
        "startIndex": query.start_index,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _integer(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name.lower())
    if text is None:
        return default
    if not _INTEGER.fullmatch(text):
        raise InvalidValue(f"{name} must be an integer, not {text[:40]!r}.")
    return int(text)
