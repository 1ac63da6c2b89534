"""What Entra asks of a SCIM service, one function a request, with its checks of the answer."""

import json
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mfmanage.entra.client import SCIM, Client, ConnectionFailed, RequestFailed
from mfmanage.entra.mapping import Json

INCOMPATIBLE = f"{SCIM}ServiceIncompatible"
MULTIPLE = f"{SCIM}MultipleEntriesInResponse"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(frozen=True)
class Kind:
    """A resource type: its address, the attribute that objects are matched by, and what each query carries."""

    name: str
    address: str
    matching: str
    query: dict[str, str] = field(default_factory=dict)


USERS = Kind("User", "/Users", "userName")
GROUPS = Kind("Group", "/Groups", "displayName", {"excludedAttributes": "members"})


def probe(client: Client) -> None:
    """Query users and groups for a random GUID, as *Test Connection* does; raises ``ConnectionFailed``.

    The answer must be 200 and an empty list.
    """
    for kind in (USERS, GROUPS):
        try:
            found = find(client, kind, str(uuid.uuid4()))
        except RequestFailed as error:
            raise ConnectionFailed(f"The connection test failed at {kind.address}. {error.detail}") from error
        if found:
            raise ConnectionFailed(f"The connection test failed at {kind.address}: a random GUID was found.")


def find(client: Client, kind: Kind, value: str) -> list[Json]:
    """Return the resources whose matching attribute equals ``value``."""
    condition = f"{kind.matching} eq {json.dumps(value, ensure_ascii=False)}"
    answer = client.call("GET", kind.address, query={**kind.query, "filter": condition})
    found = answer.get("Resources", []) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise RequestFailed(INCOMPATIBLE, "The answer to a query is not a SCIM list.")
    return [_resource(kind, entry) for entry in found]


def get(client: Client, kind: Kind, target: str) -> Json | None:
    """Return the resource with the id ``target``, ``None`` if the service does not know it."""
    try:
        return _resource(kind, client.call("GET", _address(kind, target), query=kind.query))
    except RequestFailed as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def create(client: Client, kind: Kind, body: Json) -> Json:
    """Create a resource and return it as the service answered it."""
    return _resource(kind, client.call("POST", kind.address, body=body), written=True)


def patch(client: Client, kind: Kind, target: str, operations: list[Json]) -> None:
    """Change the resource with the id ``target``."""
    client.call("PATCH", _address(kind, target), body={"schemas": [PATCH_OP], "Operations": operations})


def delete(client: Client, kind: Kind, target: str) -> None:
    """Delete the resource with the id ``target``."""
    client.call("DELETE", _address(kind, target))


def _address(kind: Kind, target: str) -> str:
    return f"{kind.address}/{target}"


def _resource(kind: Kind, entry: Any, *, written: bool = False) -> Json:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise RequestFailed(INCOMPATIBLE, f"The answer is not a {kind.name} with an id.")
    if kind.query and "members" in entry and not written:
        raise RequestFailed(MULTIPLE, "The service answered members in spite of excludedAttributes=members.")
    return entry
