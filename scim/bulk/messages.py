"""A BulkRequest → its operations, each with what is wrong with it (RFC 7644 §3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from scim.errors import InvalidSyntax, InvalidValue, MethodNotAllowed, NotFound, PayloadTooLarge, ScimError
from scim.messages import read_message, read_object, read_operations
from scim.patch.operations import PATCH_URN
from scim.schema import RESOURCE_TYPES
from scim.schema.table import ResourceType

REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
METHODS = ("POST", "PUT", "PATCH", "DELETE")
CREATE = "POST"

_TYPES = {found.endpoint[1:].lower(): found for found in RESOURCE_TYPES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: ``number`` is its place in the request, ``target`` the id in its path as sent, or ``bulkId:…``.

    ``refusal`` says why it cannot be carried out. ``needs`` are the bulkIds whose resources must be there before it;
    ``later`` is the part of its data that can be added only when the whole circle is there.
    """

    number: int
    method: str
    path: str
    bulk_id: str = ""
    version: str = ""
    data: Any = field(default_factory=dict)
    resource_type: ResourceType | None = None
    target: str = ""
    refusal: ScimError | None = None
    needs: frozenset[str] = frozenset()
    later: Mapping[str, Any] = field(default_factory=dict)


class Request(NamedTuple):
    """``fail_on_errors`` is the number of errors after which nothing more is done; None: do what can be done."""

    operations: list[Operation]
    fail_on_errors: int | None


def read(body: object, max_operations: int) -> Request:
    """Read a BulkRequest; names of members may have any letter case.

    Raises ``InvalidSyntax`` for what is none, ``PayloadTooLarge`` for more operations than ``max_operations``,
    ``InvalidValue`` for a ``failOnErrors`` below 1, which could mean both never and at once.
    """
    members = read_message(body, REQUEST_URN)
    operations = read_operations(members)
    if len(operations) > max_operations:
        raise PayloadTooLarge(f"There are {len(operations):,} operations; {max_operations:,} can be sent at once.")
    return Request([_read(raw, number) for number, raw in enumerate(operations)], _limit(members.get("failonerrors")))


def _limit(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise InvalidValue("failOnErrors must be an integer of 1 or more.")
    return value


def _read(raw: object, number: int) -> Operation:
    members = read_object(raw, "Each of Operations must be an object.")
    method, path, bulk_id = (_text(members, name) for name in ("method", "path", "bulkid"))
    shown = Operation(number=number, method=method.upper(), path=path, bulk_id=bulk_id)
    try:
        return _understood(shown, members)
    except ScimError as refusal:
        return replace(shown, refusal=refusal)


def _understood(shown: Operation, members: Mapping[str, Any]) -> Operation:
    if shown.method not in METHODS:
        raise InvalidSyntax(f"method must be one of {', '.join(METHODS)}.")
    if shown.method == CREATE and not shown.bulk_id:
        raise InvalidSyntax("A POST needs its bulkId, a text.")
    version = members.get("version")
    if version is not None and not isinstance(version, str):
        raise InvalidValue("version must be a string, as meta.version is.")
    resource_type, target = _address(shown.method, shown.path)
    data = _data(shown.method, members.get("data"))
    return replace(shown, version=version or "", resource_type=resource_type, target=target, data=data)


def _address(method: str, path: str) -> tuple[ResourceType, str]:
    """Return what ``/Users`` or ``/Users/id`` names, in any letter case and with slashes too many or too few."""
    endpoint, *rest = [part for part in path.split("/") if part] or [""]
    if not endpoint:
        raise InvalidSyntax("path is missing. It should be like /Users or /Users/id.")
    if endpoint.lower() not in _TYPES or len(rest) > 1:
        raise NotFound(f"There is nothing at {path[:200]!r}.")
    if (method == CREATE) == bool(rest):
        raise MethodNotAllowed(f"{method} is not supported at {path[:200]!r}.")
    return _TYPES[endpoint.lower()], "".join(rest)


def _data(method: str, data: Any) -> Any:
    """Return the data; a PATCH may come as its bare list of operations, as in the example of RFC 7644 §3.7.3."""
    if method == "DELETE":
        return {}
    if method == "PATCH" and isinstance(data, list):
        return {"schemas": [PATCH_URN], "Operations": data}
    if not isinstance(data, dict):
        raise InvalidSyntax(f"A {method} needs its data, an object.")
    return data


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""
