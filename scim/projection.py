"""``attributes`` and ``excludedAttributes`` (RFC 7644 §3.9): which parts of a resource an answer has."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from scim.documents import Document, is_urn
from scim.errors import InvalidValue
from scim.schema.table import ResourceType, Returned

_CONDITION = re.compile(r"\[[^\]]*\]?")  # one that does not end takes the rest, or searching for its end is quadratic

# Names in lower case; None stands for all of what has the name, a shape for some of it.
Shape = dict[str, "Shape | None"]
Names = tuple[str, ...]

_NOTHING: tuple[object, ...] = ({}, [])


@dataclass(frozen=True, slots=True)
class Projection:
    """``only`` is None where everything that is returned by default is wanted."""

    only: Shape | None = None
    excluded: Shape = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Whether any of the core attribute ``name`` is wanted; what is not need not be read from the database."""
        if self.only is not None:
            return name.lower() in self.only
        return self.excluded.get(name.lower(), {}) is not None

    def apply(self, resource: Document) -> Document:
        """Return the wanted parts of a rendered resource, which stays as it is."""
        if self.only is not None:
            projected: Document = _only(self.only, resource)
            return projected
        remaining: Document = _without(self.excluded, resource) if self.excluded else resource
        return remaining


def read_projection(
    resource_type: ResourceType,
    attributes: str | Iterable[str] | None = None,
    excluded: str | Iterable[str] | None = None,
) -> Projection:
    """Read both parameters: comma-separated (of a query), or lists (of a search request).

    Names may have any letter case and notation of RFC 7644 §3.10; brackets are ignored (E-QRY-18), as are unknown
    names (R-PRJ-05). What is returned always stays. Raises ``InvalidValue`` if both are given (R-PRJ-03).
    """
    wanted, unwanted = _names(attributes), _names(excluded)
    if wanted and unwanted:
        raise InvalidValue("attributes and excludedAttributes exclude each other. Send one of them.")
    always = {attribute.name.lower() for attribute in resource_type.attributes if attribute.returned is Returned.ALWAYS}
    if wanted:
        paths = [path for name in wanted for path in _paths(name, resource_type)]
        return Projection(_shape([*((name,) for name in always), *paths]))
    paths = [path for name in unwanted for path in _paths(name, resource_type) if path[0] not in always]
    return Projection(None, _shape(paths))


def _names(parameter: str | Iterable[str] | None) -> list[str]:
    texts = [parameter] if isinstance(parameter, str) else parameter or []
    return [name for text in texts for part in _CONDITION.sub("", text).split(",") if (name := part.strip())]


def _paths(text: str, resource_type: ResourceType) -> Iterator[Names]:
    """Yield where ``text`` leads in a document, as names in lower case."""
    urn, rest = resource_type.split(text)
    if found := resource_type.locate(text):
        names = (found.extension, found.attribute.name, found.sub.name if found.sub else None)
        yield tuple(name.lower() for name in names if name)
    elif urn == resource_type.schema.urn and not rest:
        yield from ((attribute.name.lower(),) for attribute in resource_type.schema.attributes)
    elif is_urn(text):
        extension, _, name = text.lower().rpartition(":")
        yield from [(text.lower(),), (extension, *name.split(".", 1))]


def _shape(paths: Iterable[Names]) -> Shape:
    shape: Shape = {}
    for path in paths:
        _add(shape, path)
    return shape


def _add(shape: Shape, path: Names) -> None:
    name, *rest = path
    if not rest:
        shape[name] = None
        return
    inner = shape.setdefault(name, {})
    if inner is not None:
        _add(inner, tuple(rest))


def _only(shape: Shape | None, value: Any) -> Any:
    if shape is None:
        return value
    if isinstance(value, list):
        return [kept for item in value if (kept := _only(shape, item))]
    kept = {name: _only(shape[name.lower()], item) for name, item in value.items() if name.lower() in shape}
    return {name: item for name, item in kept.items() if item not in _NOTHING}


def _without(shape: Shape, value: Any) -> Any:
    if isinstance(value, list):
        return [kept for item in value if (kept := _without(shape, item))]
    kept = {}
    for name, item in value.items():
        inner = shape.get(name.lower(), {})
        if inner is not None:
            kept[name] = _without(inner, item) if inner else item
    return {name: item for name, item in kept.items() if name.lower() not in shape or item not in _NOTHING}
