"""A PATCH body → elementary operations, each with one path (RFC 7644 §3.5.2).

Values without a path are taken apart, a key being a path (D-02: ``name.givenName``, ``URN:attribute``); values of
single complex attributes and of extensions are taken apart into their sub-attributes, so that what they do not
name stays. So both styles of Entra, Okta's and the RFC's come out the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scim.documents import is_urn
from scim.errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget, PayloadTooLarge
from scim.filter.ast import Path, count_nodes
from scim.filter.parser import parse_path
from scim.messages import read_message, read_object, read_operations
from scim.schema.checks import alone, check_for, id_of
from scim.schema.table import Attribute, Field, Mutability, ResourceType, Type

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MAX_CHANGES = 1000
MAX_SET_VALUES = 8000

_RESERVED = "urn:ietf:params:scim:schemas:core:"


class Op(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class ExtensionPath:
    """A whole extension, or an attribute of one that the table does not know."""

    urn: str
    attribute: str | None = None
    sub: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """``implicit``: it comes from a value without a path, where what cannot be written may stand unchanged."""

    op: Op
    path: Path | ExtensionPath
    value: Any = None
    implicit: bool = False


def parse(body: object, resource_type: ResourceType) -> list[Operation]:
    """Return the elementary operations of a PATCH body; none is a valid number (D-21).

    Raises ``InvalidSyntax`` for what is no PATCH, ``InvalidPath``, ``InvalidFilter``, ``NoTarget`` and
    ``InvalidValue`` for a wrong operation, ``PayloadTooLarge`` beyond 1,000 changes of the document (a condition counts
    by its nodes) or 8,000 values of sets.
    """
    operations: list[Operation] = []
    changes = values = 0
    for raw in read_operations(read_message(body, PATCH_URN)):
        for operation in _read(raw, resource_type):
            changes += _weight(operation)
            values += _set_size(operation)
            if changes > MAX_CHANGES or values > MAX_SET_VALUES:
                raise PayloadTooLarge(
                    f"A PATCH can hold {MAX_CHANGES} changes and {MAX_SET_VALUES} members. Split it into several."
                )
            operations.append(operation)
    return operations


def _weight(operation: Operation) -> int:
    """Count a change of the document; one that selects elements counts for each node of its condition."""
    if _is_of_set(operation.path):
        return 0
    condition = operation.path.condition if isinstance(operation.path, Path) else None
    return count_nodes(condition) if condition else 1


def _set_size(operation: Operation) -> int:
    """Count the values for an attribute that is kept as a set."""
    if not _is_of_set(operation.path):
        return 0
    return len(operation.value) if isinstance(operation.value, list) else 1


def _is_of_set(path: Path | ExtensionPath) -> bool:
    return isinstance(path, Path) and path.field.attribute.kept_as_set


def _read(raw: object, resource_type: ResourceType) -> Iterator[Operation]:
    members = read_object(raw, "Each of Operations must be an object.")
    op, path = _op(members.get("op")), members.get("path")
    if path is None or path == "":
        return _read_pathless(op, members.get("value"), resource_type)
    if not isinstance(path, str):
        raise InvalidPath("path must be a string.")
    if op is not Op.REMOVE and "value" not in members:
        raise InvalidValue(f"The {op} of {path[:200]!r} lacks its value.")
    return _read_path(Operation(op, _path(path, resource_type), members.get("value")), resource_type)


def _op(word: object) -> Op:
    try:
        return Op(str(word).lower())
    except ValueError:
        raise InvalidSyntax(f"op must be add, remove or replace, not {str(word)[:60]!r}.") from None


def _read_pathless(op: Op, value: object, resource_type: ResourceType) -> Iterator[Operation]:
    if op is Op.REMOVE:
        raise NoTarget("A remove needs a path.")
    if not isinstance(value, dict):
        raise InvalidValue(f"The value of the {op} must be an object, because there is no path.")
    for key, item in value.items():
        if key.lower() == "schemas":  # a member of every message, and not for the client to change
            continue
        urn, rest = resource_type.split(key)
        if urn == resource_type.schema.urn and not rest:
            yield from _read_pathless(op, item, resource_type)
        elif path := _known_path(key, resource_type):
            yield from _read_path(Operation(op, path, item, implicit=True), resource_type)


def _known_path(text: str, resource_type: ResourceType) -> Path | ExtensionPath | None:
    """Read a key as a path; None for what the resource does not have, which is ignored (D-10)."""
    try:
        return _path(text, resource_type)
    except InvalidPath:
        return None


def _path(text: str, resource_type: ResourceType) -> Path | ExtensionPath:
    urn, rest = resource_type.split(text)
    if urn and urn != resource_type.schema.urn and not rest:
        return ExtensionPath(urn)
    if urn is None and is_urn(text) and not text.lower().startswith(_RESERVED):
        return _unknown_extension(text, resource_type)
    return parse_path(text, resource_type)


def _unknown_extension(text: str, resource_type: ResourceType) -> ExtensionPath:
    """Part a URN that ends in the resource type's name, as extensions' do, from an attribute behind it."""
    if text.lower().endswith(f":{resource_type.name.lower()}"):
        return ExtensionPath(text)
    urn, _, name = text.rpartition(":")
    attribute, _, sub = name.partition(".")
    if not is_urn(urn) or not attribute or not name.replace(".", "").replace("-", "").isidentifier():
        raise InvalidPath(f"{resource_type.name} has no attribute {text[:200]!r}.")
    return ExtensionPath(urn, attribute, sub or None)


def _read_path(operation: Operation, resource_type: ResourceType) -> Iterator[Operation]:
    path = operation.path
    if isinstance(path, Path) and path.field.leaf.follows_id and not path.field.attribute.multi_valued:
        yield from _read_following(operation, path.field)
    elif operation.op is Op.REMOVE or operation.value is None:
        yield operation
    elif isinstance(path, ExtensionPath):
        yield from _read_extension(operation, path, resource_type)
    elif _is_single_complex(path):
        yield from _read_complex(operation, path.field)
    else:
        yield operation


def _is_single_complex(path: Path) -> bool:
    leaf = path.field.leaf
    return (
        leaf.type is Type.COMPLEX
        and not leaf.multi_valued
        and path.condition is None
        and leaf.mutability is not Mutability.READ_ONLY
    )


def _read_extension(operation: Operation, path: ExtensionPath, resource_type: ResourceType) -> Iterator[Operation]:
    schema = resource_type.extension(path.urn)
    if schema is None:
        yield operation
        return
    if not isinstance(operation.value, dict):
        raise InvalidValue(f"{schema.urn} must be an object.")
    for key, item in operation.value.items():
        attribute, _, sub = key.partition(".")
        if field := resource_type.resolve(schema.urn, attribute, sub or None):
            yield from _read_path(Operation(operation.op, Path(field), item, implicit=True), resource_type)


def _read_complex(operation: Operation, field: Field) -> Iterator[Operation]:
    value = alone(operation.value)
    if isinstance(value, str) and value and _may_write(field.attribute.sub("value")):
        value = {"value": value}
    if not isinstance(value, dict):
        yield operation
        return
    names_id = any(key.lower() == "value" and item is not None for key, item in value.items())
    for key, item in value.items():
        sub = field.attribute.sub(key)
        if not sub or not _may_write(sub):
            continue
        part = Field(field.extension, field.attribute, sub)
        change = Operation(operation.op, Path(part), item, operation.implicit)
        if not sub.follows_id:
            yield change
        elif not names_id:
            yield from _read_following(change, part)


def _read_following(operation: Operation, field: Field) -> Iterator[Operation]:
    """Read the id of another resource out of its address; without one there is nothing to change."""
    address = check_for(field)(operation.value)
    if operation.op is not Op.REMOVE and (identifier := id_of(address)):
        path = Path(Field(field.extension, field.attribute, field.attribute.sub("value")))
        yield Operation(operation.op, path, identifier, operation.implicit)


def _may_write(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.mutability is not Mutability.READ_ONLY
