"""Elementary operations on a document (RFC 7644 §3.5.2.1 to §3.5.2.3), driven by the schema table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from scim.documents import Document, require, schemas_of
from scim.errors import Mutability
from scim.filter.ast import Path
from scim.patch.elements import add_elements, change_elements, remove_listed
from scim.patch.operations import ExtensionPath, Op, Operation
from scim.patch.sets import SetChange, SetDraft
from scim.patch.unknown import change_extension
from scim.schema import table
from scim.schema.checks import check_for, only_labels
from scim.schema.table import Attribute, Field, ResourceType, Returned

NOTHING: Mapping[str, Any] = MappingProxyType({})
_UNASSIGNED: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Patched:
    """``sets``: changes of the attributes kept outside the document. ``changed``: whether the document is another."""

    document: Document
    sets: dict[str, tuple[SetChange, ...]]
    changed: bool


def apply(
    operations: list[Operation],
    document: Document,
    resource_type: ResourceType,
    *,
    read_only: Mapping[str, Any] = NOTHING,
) -> Patched:
    """Carry out all of ``operations``, in order, on a copy of ``document``, a normalized one.

    ``read_only`` holds what the service itself says of the resource (``id``, ``meta``): the same value may stand in
    a value without a path (O-OK-12). Raises a ``ScimError`` for the first operation that cannot be carried out;
    nothing of the others remains then (R-PAT-02).
    """
    draft: Document = _copy(document)
    sets: dict[str, SetDraft] = {}
    for operation in operations:
        path = operation.path
        if isinstance(path, ExtensionPath):
            change_extension(draft, operation, path)
        elif path.field.attribute.kept_as_set:
            sets.setdefault(path.field.attribute.name, SetDraft()).take(operation, path)
        elif _may_change(operation, path.field, read_only):
            _change(draft, operation, path)
    _prune(resource_type, draft)
    require(resource_type, draft)
    patched = {**draft, "schemas": schemas_of(resource_type, draft)}
    changes = {name: found for name, draft_set in sets.items() if (found := draft_set.changes())}
    return Patched(patched, changes, changed=patched != document)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _may_change(operation: Operation, field: Field, read_only: Mapping[str, Any]) -> bool:
    """Whether to carry on; raises ``Mutability`` for what a client cannot write (R-MOD-11, R-PAT-22)."""
    if table.Mutability.READ_ONLY in {field.attribute.mutability, field.leaf.mutability}:
        known = read_only.get(field.attribute.name)
        if field.sub:
            known = (known or {}).get(field.sub.name)
        if operation.implicit and (operation.value in _UNASSIGNED or _is_repeated(operation.value, known)):
            return False
        raise Mutability(f"{field} is given by the service and cannot be changed.")
    if field.leaf.required and operation.op is Op.REMOVE:
        raise Mutability(f"{field} is required and cannot be removed.")
    return True


def _is_repeated(value: Any, known: Any) -> bool:
    """Whether ``value`` says nothing else than what is known, all of it or a part (``{"resourceType": "User"}``)."""
    if isinstance(value, dict) and isinstance(known, dict):
        return all(name in known and known[name] == part for name, part in value.items())
    return bool(value == known)


def _change(draft: Document, operation: Operation, path: Path) -> None:
    field = path.field
    if field.attribute.returned is Returned.NEVER:
        check_for(field)(operation.value)
        return
    container = draft if field.extension is None else draft.setdefault(field.extension, {})
    if path.condition or (field.sub and field.attribute.multi_valued):
        change_elements(container, operation, path)
    elif field.sub:
        _assign(container.setdefault(field.attribute.name, {}), operation, field)
    elif field.attribute.multi_valued:
        _change_list(container, operation, field)
    else:
        _assign(container, operation, field)


def _assign(holder: dict[str, Any], operation: Operation, field: Field) -> None:
    """Set or unset a single value; to add it is to replace it (R-PAT-15)."""
    name = field.leaf.name
    value = None if operation.op is Op.REMOVE else check_for(field)(operation.value)
    if field.leaf.mutability is table.Mutability.IMMUTABLE and holder.get(name) not in {None, value}:
        raise Mutability(f"{field} cannot be changed once it has a value.")
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value


def _change_list(container: dict[str, Any], operation: Operation, field: Field) -> None:
    name = field.attribute.name
    present = container.get(name, [])
    if operation.op is Op.REMOVE and operation.value is None:
        container.pop(name, None)
        return
    values = check_for(field)(operation.value) or []
    match operation.op:
        case Op.REMOVE:
            container[name] = remove_listed(present, values)
        case Op.ADD:
            container[name] = add_elements(present, values, field)
        case Op.REPLACE:
            container[name] = values


def _prune(resource_type: ResourceType, draft: Document) -> None:
    """Take out what became unassigned, once all operations are done: a later one may fill it again."""
    for urn, attributes in _pruned(resource_type):
        container = draft if urn is None else draft.get(urn, {})
        for attribute in attributes:
            if attribute.name in container:
                _prune_attribute(container, attribute)
    for urn in schemas_of(resource_type, draft)[1:]:
        if not draft[urn]:
            del draft[urn]


def _prune_attribute(container: dict[str, Any], attribute: Attribute) -> None:
    kept = container[attribute.name]
    if attribute.multi_valued and attribute.sub_attributes:
        kept = [element for element in kept if not only_labels(element, attribute)]
        container[attribute.name] = kept
    if not kept:
        del container[attribute.name]


@cache
def _pruned(resource_type: ResourceType) -> tuple[tuple[str | None, tuple[Attribute, ...]], ...]:
    """List the attributes that can be left empty: complex and multi-valued ones, by extension."""
    places = [(None, resource_type.schema.attributes), *((e.urn, e.attributes) for e in resource_type.extensions)]
    return tuple(
        (urn, tuple(a for a in attributes if a.sub_attributes or a.multi_valued)) for urn, attributes in places
    )
