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


@dataclass(frozen=True, eq=False)
class Kind:
    """A resource type: its address, what each query carries, and how a query asks for a reference alone."""

    name: str
    address: str
    query: dict[str, str] = field(default_factory=dict)
    only_id: str = "id"


USERS = Kind("User", "/Users", only_id="ID")
GROUPS = Kind("Group", "/Groups", {"excludedAttributes": "members"})


def probe(client: Client, matching: dict[Kind, str]) -> None:
    """Query kinds of resources for a random GUID, as *Test Connection* does; raises ``ConnectionFailed``.

    ``matching`` names the attribute to ask for. The answer must be 200 and an empty list.
    """
    for kind, attribute in matching.items():
        try:
            found = find(client, kind, attribute, str(uuid.uuid4()))
        except RequestFailed as error:
            raise ConnectionFailed(f"The connection test failed at {kind.address}. {error.detail}") from error
        if found:
            raise ConnectionFailed(f"The connection test failed at {kind.address}: a random GUID was found.")


def find(client: Client, kind: Kind, attribute: str, value: str) -> list[Json]:
    """Return the resources whose ``attribute`` equals ``value``."""
    return _listed(client, kind, {**kind.query, "filter": f"{attribute} eq {_quoted(value)}"})


def refers(client: Client, kind: Kind, target: str, attribute: str, to: str) -> bool:
    """Ask whether the reference ``attribute`` of the resource ``target`` names the resource ``to``."""
    condition = f"id eq {_quoted(target)} and {attribute} eq {_quoted(to)}"
    return bool(_listed(client, kind, {"filter": condition, "attributes": kind.only_id}))


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _listed(client: Client, kind: Kind, query: dict[str, str]) -> list[Json]:
    answer = client.call("GET", kind.address, query=query)
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


def delete(client: Client, kind: Kind, target: str) -> bool:
    """Delete the resource with the id ``target``; return whether it was still there."""
    try:
        client.call("DELETE", _address(kind, target))
    except RequestFailed as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


def _address(kind: Kind, target: str) -> str:
    return f"{kind.address}/{target}"


def _resource(kind: Kind, entry: Any, *, written: bool = False) -> Json:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise RequestFailed(INCOMPATIBLE, f"The answer is not a {kind.name} with an id.")
    if kind.query and "members" in entry and not written:
        raise RequestFailed(MULTIPLE, "The service answered members in spite of excludedAttributes=members.")
    return entry
