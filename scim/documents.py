"""The body of POST and PUT → the document that is kept (RFC 7643 §2, §3; RFC 7644 §3.3, §3.5.1).

A document holds canonical names, extensions under their URN, and nothing unassigned; ``schemas`` says which
schemas it has data of. What the service gives (``id``, ``meta``, ``groups``) is not in it.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from scim.errors import InvalidSyntax, InvalidValue
from scim.schema.checks import check_for, index, kept_of, opaque, set_ids
from scim.schema.table import Field, Mutability, ResourceType, Returned, Schema

Document = dict[str, Any]


class Normalized(NamedTuple):
    """``sets`` holds the ids of the attributes that are kept as sets (``members``), as sent, each once."""

    document: Document
    sets: dict[str, list[str]]


Keep = Callable[[Normalized, Any], None]


def normalize(resource_type: ResourceType, raw: object) -> Normalized:
    """Check a resource that a client sent and give it its canonical form.

    Ignored are unknown attributes (D-10) and what a client cannot write (R-MOD-11); ``password`` is checked and
    dropped; extensions that the table does not know are kept as they are.
    Raises ``InvalidSyntax`` for what is no resource, ``InvalidValue`` for a wrong or missing value.
    """
    if not isinstance(raw, dict):
        raise InvalidSyntax(f"A {resource_type.name} must be a JSON object.")
    _check_schemas(resource_type, raw)
    plan, normalized = _plan(resource_type), Normalized({}, {})
    for key, value in raw.items():
        keep = plan.get(key) or plan.get(key.lower())
        if keep:
            keep(normalized, value)
        elif is_urn(key) and isinstance(value, dict) and (kept := opaque(value, key)):
            normalized.document[opaque(key, "A schema's URN")] = kept
    require(resource_type, normalized.document)
    schemas = schemas_of(resource_type, normalized.document)
    return Normalized({"schemas": schemas, **normalized.document}, normalized.sets)


def schemas_of(resource_type: ResourceType, document: Mapping[str, Any]) -> list[str]:
    """List the core schema and the extensions that ``document`` has data of (R-MOD-06).

    They are sorted, because PostgreSQL keeps the members of an object in an order of its own.
    """
    return [resource_type.schema.urn, *sorted(name for name in document if is_urn(name))]


def require(resource_type: ResourceType, document: Mapping[str, Any]) -> None:
    """Raise ``InvalidValue`` for a required attribute that is absent or blank (R-MOD-16)."""
    for name in _required(resource_type):
        if not str(document.get(name, "")).strip():
            raise InvalidValue(f"{name} is required.")


def is_urn(name: str) -> bool:
    return name[:4].lower() == "urn:"


def _check_schemas(resource_type: ResourceType, raw: Mapping[str, Any]) -> None:
    """Insist on ``schemas``; which URNs it lists is not looked at (E-USR-22, E-USR-23, E-GRP-01)."""
    schemas = raw.get("schemas") or next((raw[key] for key in raw if key.lower() == "schemas"), None)
    if not schemas:
        raise InvalidSyntax(f'schemas is missing. It should list "{resource_type.schema.urn}".')
    if not isinstance(schemas, list) or not all(isinstance(urn, str) for urn in schemas):
        raise InvalidSyntax("schemas must be a list of URNs.")


@cache
def _required(resource_type: ResourceType) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in resource_type.attributes if attribute.required)


@cache
def _plan(resource_type: ResourceType) -> dict[str, Keep]:
    """Index what to do with a value by canonical and by lower-case names; the core's names come last and win."""
    rows = [row for schema in resource_type.extensions for row in _extension_rows(schema)]
    rows += [(attribute.name, _keeper(Field(None, attribute))) for attribute in resource_type.attributes]
    return {name.lower(): keep for name, keep in rows} | dict(rows)


def _extension_rows(schema: Schema) -> Iterator[tuple[str, Keep]]:
    """Yield rows for the attributes sent outside their extension (E-USR-21) and for the extension itself."""
    fields = [Field(schema.urn, attribute) for attribute in schema.attributes]
    yield from ((field.attribute.name, _stray_keeper(field)) for field in fields)
    yield schema.urn, _extension_keeper(schema, fields)


def _keeper(field: Field) -> Keep:
    attribute, name = field.attribute, field.attribute.name
    if attribute.mutability is Mutability.READ_ONLY:
        return lambda _normalized, _value: None
    if attribute.kept_as_set:
        return lambda normalized, value: normalized.sets.update({name: set_ids(field, value)})
    check, is_kept = check_for(field), attribute.returned is not Returned.NEVER

    def keep(normalized: Normalized, value: Any) -> None:
        kept = check(value)
        if kept is not None and is_kept:
            normalized.document[name] = kept

    return keep


def _stray_keeper(field: Field) -> Keep:
    check, urn, name = check_for(field), str(field.extension), field.attribute.name

    def keep(normalized: Normalized, value: Any) -> None:
        if (kept := check(value)) is not None:
            normalized.document.setdefault(urn, {}).setdefault(name, kept)

    return keep


def _extension_keeper(schema: Schema, fields: list[Field]) -> Keep:
    table = index(fields)

    def keep(normalized: Normalized, value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            raise InvalidValue(f"{schema.urn} must be an object.")
        if kept := kept_of(table, value):
            normalized.document[schema.urn] = normalized.document.get(schema.urn, {}) | kept

    return keep
