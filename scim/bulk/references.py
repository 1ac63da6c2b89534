"""``bulkId:…``: how an operation names the resource that another one of its request creates (RFC 7644 §3.7.2)."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from scim.documents import is_urn

_PREFIX = "bulkid:"


def reference(text: object) -> str | None:
    """Return the bulkId that ``text`` names, or None."""
    if isinstance(text, str) and text[: len(_PREFIX)].lower() == _PREFIX:
        return text[len(_PREFIX) :]
    return None


def names(data: Any) -> set[str]:
    """Return the bulkIds that stand anywhere in ``data``, an object or a list."""
    return {name for _, _, name in _mentions(data)}


def fill(data: Any, ids: Mapping[str, str]) -> None:
    """Put the ids of resources in the places that name them; ``data`` itself changes."""
    for holder, key, name in list(_mentions(data)):
        if name in ids:
            holder[key] = ids[name]


def split(
    resource: Mapping[str, Any], pending: AbstractSet[str], *, is_extension: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what names one of ``pending`` from the rest: values of lists one by one, other attributes as a whole."""
    kept: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for name, value in resource.items():
        if not names([value]) & pending:
            kept[name] = value
        elif isinstance(value, list):
            later[name] = [item for item in value if names([item]) & pending]
            kept[name] = [item for item in value if not names([item]) & pending]
        elif isinstance(value, dict) and is_urn(name) and not is_extension:
            kept[name], later[name] = split(value, pending, is_extension=True)
        else:
            later[name] = value
    return kept, later


def _mentions(data: Any) -> Iterator[tuple[Any, Any, str]]:
    """Yield the holder, its key and the bulkId; without recursion, for data may be nested a thousand levels deep."""
    holders = [data]
    while holders:
        holder = holders.pop()
        for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if isinstance(value, dict | list):
                holders.append(value)
            elif (name := reference(value)) is not None:
                yield holder, key, name
