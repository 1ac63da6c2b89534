"""What a schema table is made of: attributes, schemas, resource types (RFC 7643 §2, §6, §7)."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

EXTENSION_SEPARATORS = ":."


class Type(StrEnum):
    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BINARY = "binary"
    REFERENCE = "reference"
    COMPLEX = "complex"


class Mutability(StrEnum):
    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


class Returned(StrEnum):
    ALWAYS = "always"
    NEVER = "never"
    DEFAULT = "default"
    REQUEST = "request"


class Uniqueness(StrEnum):
    NONE = "none"
    SERVER = "server"
    GLOBAL = "global"


@dataclass(frozen=True, eq=False)
class Attribute:
    """One row of the table, compared by identity.

    ``name`` has the canonical spelling. ``aliases`` are other names that clients use for it.
    ``kept_as_set``: the values are ids of other resources, stored as rows outside the document.
    ``is_id``: the value is the id of another resource, which has no spaces and is not long (D-08).
    ``follows_id``: what the service tells of the resource whose id is beside it. A client may send it; where it leaves
    out the id, the address (``$ref``) says which one is meant.
    ``label``: a sub-attribute that tells elements apart (``type``, ``primary``), nothing without a value.
    """

    name: str
    description: str = ""
    type: Type = Type.STRING
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    returned: Returned = Returned.DEFAULT
    uniqueness: Uniqueness = Uniqueness.NONE
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple["Attribute", ...] = ()
    aliases: tuple[str, ...] = ()
    kept_as_set: bool = False
    is_id: bool = False
    follows_id: bool = False
    label: bool = False

    @cached_property
    def _subs(self) -> dict[str, "Attribute"]:
        return _by_name(self.sub_attributes)

    def sub(self, name: str) -> "Attribute | None":
        """Return the sub-attribute of this name, in any letter case (RFC 7643 §2.1)."""
        return self._subs.get(name.lower())

    @property
    def is_text(self) -> bool:
        """Whether values are compared as text (RFC 7644 §3.4.2.2, table 3)."""
        return self.type in {Type.STRING, Type.DATE_TIME, Type.BINARY, Type.REFERENCE}

    @property
    def folds(self) -> bool:
        """Whether values are compared without regard to letter case."""
        return self.type is Type.STRING and not self.case_exact


@dataclass(frozen=True, eq=False)
class Schema:
    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]

    @cached_property
    def _attributes(self) -> dict[str, Attribute]:
        return _by_name(self.attributes)

    def attribute(self, name: str) -> Attribute | None:
        return self._attributes.get(name.lower())


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a document: ``document[extension][attribute][sub]``, ``extension`` None for the core."""

    extension: str | None
    attribute: Attribute
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        return self.sub or self.attribute

    def __str__(self) -> str:
        text = f"{self.extension}:{self.attribute.name}" if self.extension else self.attribute.name
        return f"{text}.{self.sub.name}" if self.sub else text


@dataclass(frozen=True, eq=False)
class ResourceType:
    """A kind of resource (RFC 7643 §6): ``common`` are the attributes every resource has (§3.1)."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()
    common: tuple[Attribute, ...] = ()

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """Everything that stands at the top of a document."""
        return self.common + self.schema.attributes

    @cached_property
    def _core(self) -> dict[str, Attribute]:
        return _by_name(self.attributes)

    @cached_property
    def _extensions(self) -> dict[str, Schema]:
        return {schema.urn.lower(): schema for schema in self.extensions}

    def extension(self, urn: str) -> Schema | None:
        return self._extensions.get(urn.lower())

    def resolve(self, urn: str | None, attribute: str, sub: str | None = None) -> Field | None:
        """Find an attribute by names in any letter case; None when there is none.

        A bare name that the core lacks is looked for in the extensions (``manager``).
        """
        field = self._base(urn, attribute)
        if field is None or sub is None:
            return field
        part = field.attribute.sub(sub)
        return Field(field.extension, field.attribute, part) if part else None

    def locate(self, text: str) -> Field | None:
        """Find an attribute by its notation of RFC 7644 §3.10: ``[urn:]attribute[.sub]``."""
        urn, name = self.split(text)
        attribute, dot, sub = name.partition(".")
        return self.resolve(urn, attribute, sub if dot else None)

    def split(self, text: str) -> tuple[str | None, str]:
        """Part a known schema's URN, in canonical spelling, from what follows it (``""`` if nothing does)."""
        lowered = text.lower()
        for prefix, urn in self._urns:
            rest = text[len(urn) :]
            if lowered.startswith(prefix) and (not rest or rest[0] in EXTENSION_SEPARATORS):
                return urn, rest[1:]
        return None, text

    @cached_property
    def _urns(self) -> tuple[tuple[str, str], ...]:
        return tuple((schema.urn.lower(), schema.urn) for schema in (self.schema, *self.extensions))

    def _base(self, urn: str | None, name: str) -> Field | None:
        if urn is None or urn.lower() == self.schema.urn.lower():
            if found := self._core.get(name.lower()):
                return Field(None, found)
            return None if urn else self._extended(name)
        schema = self.extension(urn)
        found = schema.attribute(name) if schema else None
        return Field(schema.urn, found) if schema and found else None

    def _extended(self, name: str) -> Field | None:
        for schema in self.extensions:
            if found := schema.attribute(name):
                return Field(schema.urn, found)
        return None


def _by_name(attributes: tuple[Attribute, ...]) -> dict[str, Attribute]:
    index = {alias.lower(): attribute for attribute in attributes for alias in attribute.aliases}
    return index | {attribute.name.lower(): attribute for attribute in attributes}
