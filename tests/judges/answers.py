"""What two services' answers are compared by: all that RFC 7643 and RFC 7644 decide, and nothing they leave open."""

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from scim.schema import ENTERPRISE_SCHEMA
from tests.judges.both import Both, Request, Side
from tests.scim.scenarios import Reply

Json = dict[str, Any]
OWN_FACTS = ("created", "lastModified", "version")
"""Of ``meta``: when and in which order a service wrote is its own affair."""
CASE_EXACT = {"externalId", "profileUrl"}
DERIVED = {"members": ("$ref", "display", "type"), "manager": ("$ref", "displayName")}
"""What this service says of who is referenced; the peer repeats what the client said (RFC 7643 §4.2, §4.3)."""


@dataclass(frozen=True)
class Exchange:
    """One request's two answers, in words that can be compared; ``details`` is what errors said."""

    status: int
    ours: Json
    peer: Json
    details: list[str]

    def differences(self) -> list[str]:
        return differences(self.ours, self.peer)


def exchange(both: Both, request: Request, *, creates: str = "") -> Exchange:
    """Send a request to both. What both create is from now on called ``creates``."""
    sides, replies = (both.ours, both.peer), both.ask(request)
    if creates and all(reply.status == 201 for reply in replies):
        for side, reply in zip(sides, replies, strict=True):
            side.ids[creates] = reply.body["id"]
    ours, peer = (comparable(request, side, reply) for side, reply in zip(sides, replies, strict=True))
    return Exchange(replies[0].status, ours, peer, [reply.body.get("detail", "") for reply in replies if reply.body])


def comparable(request: Request, side: Side, reply: Reply) -> Json:
    """Return what both services must answer alike."""
    body = side.common(reply.body) if reply.body is not None else {}
    if reply.status >= 400:
        return {"status": reply.status, "scimType": body.get("scimType")}
    if request.method == "PATCH":
        return {"status": "200 or 204"}  # RFC 7644 §3.5.2; a GET follows
    if "Resources" in body:
        listed = arranged([resource(item, request) for item in body["Resources"]], request.query.get("sortBy"))
        shown = {name: body.get(name) for name in ("totalResults", "startIndex", "itemsPerPage")}
        return {"status": reply.status, **shown, "Resources": listed}
    return {"status": reply.status, **resource(body, request)}


def arranged(resources: list[Json], sorted_by: str | None) -> list[Json]:
    """Put those in one order that may come in any: all, or those that sort alike (RFC 7644 §3.4.2.3)."""
    groups = groupby(resources, key=lambda found: sort_value(found, sorted_by) if sorted_by else None)
    return [one for _, alike in groups for one in in_order(list(alike))]


def sort_value(body: Json, path: str) -> str:
    urn, _, name = path.rpartition(":")
    value: Any = body.get(urn, {}) if urn else body
    for part in name.split("."):
        value = (value or {}).get(part)
    return str(value) if name in CASE_EXACT else str(value).lower()


def resource(body: Json, request: Request) -> Json:
    """Return a resource without what is a service's own affair, and with unordered values in one order."""
    kept = {name: assigned(value) for name, value in body.items() if name != "groups"}
    kept["schemas"] = sorted(kept.get("schemas", []))
    if {"attributes", "excludedAttributes"} & request.query.keys():
        del kept["schemas"]
    if "meta" in kept:
        kept["meta"] = {name: value for name, value in kept["meta"].items() if name not in OWN_FACTS}
    if "members" in kept:
        kept["members"] = in_order([without(member, DERIVED["members"]) for member in kept["members"]])
    if manager := kept.get(ENTERPRISE_SCHEMA.urn, {}).get("manager"):
        kept[ENTERPRISE_SCHEMA.urn]["manager"] = without(manager, DERIVED["manager"])
    return {
        name: in_order(value) if isinstance(value, list) else value
        for name, value in kept.items()
        if value not in (None, [], {})
    }


def assigned(value: Any) -> Any:
    """Return the value without what is unassigned: null and empty lists (RFC 7643 §2.5)."""
    if isinstance(value, dict):
        return {name: assigned(item) for name, item in value.items() if item not in (None, [], {})}
    return [assigned(item) for item in value] if isinstance(value, list) else value


def without(value: Json, names: tuple[str, ...]) -> Json:
    return {name: item for name, item in value.items() if name not in names}


def in_order(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def differences(ours: Any, peer: Any, at: str = "") -> list[str]:
    """Return a line for each place where the answers differ; of different statuses nothing else is told."""
    if isinstance(ours, dict) and isinstance(peer, dict):
        if ours.get("status") != peer.get("status"):
            ours, peer = ({name: answer.get(name) for name in ("status", "scimType")} for answer in (ours, peer))
        names = sorted(ours.keys() | peer.keys())
        return [line for name in names for line in differences(ours.get(name), peer.get(name), f"{at}/{name}")]
    return [] if ours == peer else [f"{at}: ours {json.dumps(ours)}, the peer's {json.dumps(peer)}"]
