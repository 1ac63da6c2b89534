"""Every attribute and sub-attribute that ``GET /Schemas`` publishes, with samples to try it with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scim import discovery
from scim.schema import GROUP, USER, ResourceType

SAMPLES: dict[str, Any] = {
    "string": "Straße-Ä1",
    "boolean": True,
    "reference": "https://example.com/A?b=C",
    "binary": "QUJDREVG",
}
OTHERS: dict[str, Any] = {
    "string": "Other",
    "boolean": False,
    "reference": "https://example.com/other",
    "binary": "R0hJ",
}
WRONG: dict[str, list[Any]] = {
    "string": [5, True, {"a": 1}],
    "boolean": ["maybe", 1, {"a": 1}],
    "reference": [5, {"a": 1}],
    "binary": ["###", 5],
}
Published = dict[str, Any]
FOLLOWING = {("manager", "$ref"), ("members", "$ref"), ("members", "type")}
"""What a client may send, and the service tells by the id beside it."""


@dataclass(frozen=True)
class Row:
    """One row of what is published: an attribute, or ``sub`` of it. ``urn`` is None for the core schema."""

    resource_type: ResourceType
    urn: str | None
    attribute: Published
    sub: Published | None = None

    @property
    def leaf(self) -> Published:
        return self.sub or self.attribute

    @property
    def place(self) -> str:
        return f"{self.urn}:{self.attribute['name']}" if self.urn else str(self.attribute["name"])

    def __str__(self) -> str:
        return f"{self.place}.{self.sub['name']}" if self.sub else self.place

    @property
    def is_read_only(self) -> bool:
        return "readOnly" in {self.attribute["mutability"], self.leaf["mutability"]}

    @property
    def is_written(self) -> bool:
        """Whether a client writes it at will; members are ids of others, and tried by tests of their own."""
        return not self.is_read_only and not self.follows(self.leaf) and self.attribute["name"] != "members"

    def follows(self, sub: Published) -> bool:
        """Whether the service tells this sub-attribute by another one, be it sent or not."""
        return (self.attribute["name"], sub["name"]) in FOLLOWING or sub["mutability"] == "readOnly"

    def put(self, body: dict[str, Any], value: Any) -> dict[str, Any]:
        """Return a copy of ``body`` with ``value`` for the whole attribute."""
        if self.urn is None:
            return {**body, self.attribute["name"]: value}
        return {**body, self.urn: {**body.get(self.urn, {}), self.attribute["name"]: value}}

    def get(self, resource: dict[str, Any]) -> Any:
        """Return what ``resource`` shows: the value, or that of the first element; None if it shows none."""
        holder = resource if self.urn is None else resource.get(self.urn, {})
        found = holder.get(self.attribute["name"])
        if self.sub is None:
            return self.own(found)
        element = found[0] if isinstance(found, list) and found else found
        return element.get(self.sub["name"]) if isinstance(element, dict) else None

    def own(self, found: Any) -> Any:
        """Leave out what the service adds to an object that a client wrote."""
        if not isinstance(found, dict) or self.is_read_only:
            return found
        added = {sub["name"] for sub in self.attribute["subAttributes"] if self.follows(sub)}
        return {name: value for name, value in found.items() if name not in added}

    def whole(self, values: dict[str, Any]) -> Any:
        """Return a value of the whole attribute, with every sub-attribute that a client can write."""
        if self.attribute["type"] != "complex":
            return values[self.attribute["type"]]
        element = {sub["name"]: values[sub["type"]] for sub in self.attribute["subAttributes"] if not self.follows(sub)}
        return [element] if self.attribute["multiValued"] else element

    def with_part(self, value: Any) -> Any:
        """Return a value of the whole attribute in which the row's own part is ``value``."""
        if self.sub is None:
            return value
        whole = self.whole(SAMPLES)
        element = whole[0] if isinstance(whole, list) else whole
        changed = {**element, self.sub["name"]: value}
        return [changed] if isinstance(whole, list) else changed

    def path(self) -> str:
        """Return a PATCH path that selects the one element by another sub-attribute, where there may be several."""
        if self.sub is None or not self.attribute["multiValued"]:
            return str(self)
        others = (sub["name"] for sub in self.attribute["subAttributes"] if sub != self.sub and sub["type"] == "string")
        return f'{self.place}[{next(others)} eq "{SAMPLES["string"]}"].{self.sub["name"]}'


def published() -> list[Row]:
    schemas = {schema["id"]: schema for schema in discovery.schemas("")["Resources"]}
    return [row for resource_type in (USER, GROUP) for row in _rows(resource_type, schemas)]


def _rows(resource_type: ResourceType, schemas: dict[str, Published]) -> Iterator[Row]:
    for urn in (None, *(extension.urn for extension in resource_type.extensions)):
        for attribute in schemas[urn or resource_type.schema.urn]["attributes"]:
            yield Row(resource_type, urn, attribute)
            for sub in attribute.get("subAttributes", []):
                yield Row(resource_type, urn, attribute, sub)
