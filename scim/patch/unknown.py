"""Operations on extensions as a whole, and on attributes that the table does not know: their JSON is kept as is."""

from typing import Any

from scim.documents import Document
from scim.errors import InvalidValue
from scim.patch.operations import ExtensionPath, Op, Operation
from scim.schema.checks import MAX_ELEMENTS, opaque


def change_extension(draft: Document, operation: Operation, path: ExtensionPath) -> None:
    """Carry out ``operation`` on ``draft``, in place. Raises ``InvalidValue``."""
    urn = _spelled(draft, path.urn)
    if path.attribute is None and _is_removal(operation):
        draft.pop(urn, None)
        return
    extension = draft.setdefault(opaque(urn, "A schema's URN"), {})
    if path.attribute is None:
        _merge(extension, operation, urn)
    elif path.sub is None:
        _set(extension, path.attribute, operation, urn)
    else:
        holder = extension.setdefault(_spelled(extension, path.attribute), {})
        if not isinstance(holder, dict):
            raise InvalidValue(f"{urn}:{path.attribute} is no object.")
        _set(holder, path.sub, operation, urn)


def _merge(extension: dict[str, Any], operation: Operation, urn: str) -> None:
    if not isinstance(operation.value, dict):
        raise InvalidValue(f"{urn} must be an object.")
    for name, value in operation.value.items():
        _set(extension, name, Operation(operation.op, operation.path, value), urn)


def _set(holder: dict[str, Any], name: str, operation: Operation, urn: str) -> None:
    name = _spelled(holder, name)
    if _is_removal(operation):
        holder.pop(name, None)
        return
    value, present = opaque(operation.value, urn), holder.get(name)
    if operation.op is Op.ADD and isinstance(present, list):
        value = _appended(present, value if isinstance(value, list) else [value], f"{urn}:{name}")
    holder[opaque(name, urn)] = value


def _appended(present: list[Any], added: list[Any], label: str) -> list[Any]:
    if len(present) + len(added) > MAX_ELEMENTS:
        raise InvalidValue(f"{label} takes at most {MAX_ELEMENTS} values.")
    return present + [item for item in added if item not in present]


def _is_removal(operation: Operation) -> bool:
    return operation.op is Op.REMOVE or operation.value is None or operation.value == ""


def _spelled(holder: dict[str, Any], name: str) -> str:
    """Return ``name`` as ``holder`` spells it (R-MOD-01)."""
    return next((key for key in holder if key.lower() == name.lower()), name)
