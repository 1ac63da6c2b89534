"""What the messages of RFC 7644 (PatchOp, BulkRequest, SearchRequest) have in common."""

from typing import Any

from scim.errors import InvalidSyntax


def read_message(body: object, urn: str) -> dict[str, Any]:
    """Return the members of a message by their names in lower case.

    Raises ``InvalidSyntax`` for what is no object, and unless ``schemas`` lists ``urn`` in whatever letter case.
    """
    members = read_object(body, f"A {urn.rpartition(':')[2]} must be a JSON object.")
    schemas = members.get("schemas")
    if not isinstance(schemas, list) or urn.lower() not in {str(listed).lower() for listed in schemas}:
        raise InvalidSyntax(f'schemas must list "{urn}".')
    return members


def read_operations(members: dict[str, Any]) -> list[Any]:
    """Return the operations of a message. Raises ``InvalidSyntax`` if they are no list."""
    operations = members.get("operations")
    if not isinstance(operations, list):
        raise InvalidSyntax("Operations must be a list.")
    return operations


def read_object(value: object, refusal: str) -> dict[str, Any]:
    """Return the members of an object by their names in lower case. Raises ``InvalidSyntax`` with ``refusal``."""
    if not isinstance(value, dict):
        raise InvalidSyntax(refusal)
    return {name.lower(): item for name, item in value.items()}
