"""The schema table → JSON Schema (2020-12, the dialect of OpenAPI 3.1).

A resource is described twice: as it is sent, and as it is answered. What is answered is described exactly; what may be
sent is described as RFC 7643 has it, though the service forgives more (``scim.schema.checks``).
"""

from enum import Enum, auto
from typing import Any

from scim.schema.table import Attribute, Mutability, ResourceType, Returned, Schema, Type

JsonSchema = dict[str, Any]

URN_KEY = "^[uU][rR][nN]:"
_TEXT_WITHOUT_NUL = r"^[^\u0000]*$"
_NOT_BLANK = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"


class Direction(Enum):
    SENT = auto()
    ANSWERED = auto()


def resource_schema(resource_type: ResourceType, direction: Direction) -> JsonSchema:
    """Describe a whole resource. Extensions that the table does not know are kept and come back (3-scim §3.2)."""
    described = _object(resource_type.attributes, direction)
    for extension in resource_type.extensions:
        described["properties"][extension.urn] = _extension(extension, direction)
    described["properties"] = {**described["properties"], "schemas": _schemas(resource_type)}
    described["patternProperties"] = {URN_KEY: {"type": "object"}}
    if direction is Direction.SENT:
        described["required"] = ["schemas", *described.get("required", [])]
    else:
        described["required"] = [a.name for a in resource_type.attributes if a.returned is Returned.ALWAYS]
    return {"description": resource_type.description, **described}


def attribute_schema(attribute: Attribute, direction: Direction) -> JsonSchema:
    """Describe one attribute, with all its values if it is multi-valued."""
    one = _complex(attribute, direction) if attribute.type is Type.COMPLEX else _simple(attribute, direction)
    described: JsonSchema = {"type": "array", "items": one} if attribute.multi_valued else one
    return {"description": attribute.description, **described, **_flags(attribute)}


def _complex(attribute: Attribute, direction: Direction) -> JsonSchema:
    return _object(attribute.sub_attributes, direction)


def _object(attributes: tuple[Attribute, ...], direction: Direction) -> JsonSchema:
    shown = [attribute for attribute in attributes if _is_shown(attribute, direction)]
    described: JsonSchema = {
        "type": "object",
        "properties": {attribute.name: attribute_schema(attribute, direction) for attribute in shown},
    }
    if direction is Direction.ANSWERED:
        return {**described, "additionalProperties": False}
    required = [attribute.name for attribute in shown if attribute.required]
    return {**described, "required": required} if required else described


def _is_shown(attribute: Attribute, direction: Direction) -> bool:
    if direction is Direction.SENT:
        return attribute.mutability is not Mutability.READ_ONLY
    return attribute.returned is not Returned.NEVER


def _extension(schema: Schema, direction: Direction) -> JsonSchema:
    return {"description": schema.description, **_object(schema.attributes, direction)}


def _schemas(resource_type: ResourceType) -> JsonSchema:
    """Describe ``schemas``, which lists unknown extensions, too, by whatever URN a client gave them."""
    urns = [resource_type.schema.urn, *(extension.urn for extension in resource_type.extensions)]
    return {
        "description": "URNs of the schemas the resource has data of.",
        "type": "array",
        "items": {"type": "string", "pattern": URN_KEY},
        "minItems": 1,
        "examples": [urns],
    }


def _simple(attribute: Attribute, direction: Direction) -> JsonSchema:
    described = dict(_TYPES[attribute.type])
    is_own = attribute.mutability is Mutability.READ_ONLY
    if is_own or direction is Direction.SENT:
        described |= _FORMATS.get(attribute.type, {})
    if direction is Direction.SENT and described == {"type": "string"}:
        described["pattern"] = _NOT_BLANK if attribute.required else _TEXT_WITHOUT_NUL
    if attribute.canonical_values:
        described["enum" if is_own else "examples"] = list(attribute.canonical_values)
    return described


def _flags(attribute: Attribute) -> JsonSchema:
    if attribute.mutability is Mutability.READ_ONLY:
        return {"readOnly": True}
    return {"writeOnly": True} if attribute.mutability is Mutability.WRITE_ONLY else {}


_TYPES: dict[Type, JsonSchema] = {
    Type.STRING: {"type": "string"},
    Type.BOOLEAN: {"type": "boolean"},
    Type.DECIMAL: {"type": "number"},
    Type.INTEGER: {"type": "integer", "format": "int64"},
    Type.DATE_TIME: {"type": "string"},
    Type.BINARY: {"type": "string", "contentEncoding": "base64"},
    Type.REFERENCE: {"type": "string"},
}
# Promised of what the service writes itself, asked of what is sent; what a client gave is kept as it came.
_FORMATS: dict[Type, JsonSchema] = {
    Type.DATE_TIME: {"format": "date-time"},
    Type.REFERENCE: {"format": "uri"},
}
