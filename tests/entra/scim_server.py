"""A small SCIM service in memory behind real HTTP, written apart from the project's own one.

It understands what the simulator is meant to send and nothing else: whatever else comes is answered with 400,
so a wrong request fails its test.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import http_server
from tests.http_server import Answer, Asked, json_answer

Json = dict[str, Any]
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MATCHING = {"Users": "userName", "Groups": "displayName"}


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any

    @property
    def path(self) -> str:
        return urlsplit(self.target).path.removeprefix("/scim")

    @property
    def operations(self) -> list[Json]:
        operations: list[Json] = self.body["Operations"]
        return operations


@dataclass
class Service:
    """What the service holds, what it was asked, and what a test makes it do wrong."""

    address: str = ""
    secret: str = "a secret/with+signs"
    lifetime: int = 3600
    resources: dict[str, dict[str, Json]] = field(default_factory=lambda: {"Users": {}, "Groups": {}})
    requests: list[Request] = field(default_factory=list)
    token_requests: list[Request] = field(default_factory=list)
    live_tokens: set[str] = field(default_factory=set)
    faults: list[tuple[str, str, int]] = field(default_factory=list)
    distort: Callable[[Json], Json] = lambda resource: resource

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    def patches(self, kind: str) -> list[list[Json]]:
        """Return the operations of every PATCH of a kind of resource, in order."""
        return [r.operations for r in self.writes if r.method == "PATCH" and r.path.startswith(f"/{kind}/")]

    def fail(self, method: str, path: str, status: int) -> None:
        """Answer the next request that fits with ``status``."""
        self.faults.append((method, path, status))

    def user(self, name: str) -> Json:
        return next(user for user in self.resources["Users"].values() if user["userName"] == name)

    def group(self, name: str) -> Json:
        return next(group for group in self.resources["Groups"].values() if group["displayName"] == name)

    def add(self, kind: str, **attributes: Any) -> Json:
        """Put a resource there that the simulator did not make."""
        resource = {"id": uuid.uuid4().hex, **attributes}
        self.resources[kind][resource["id"]] = resource
        return resource


class Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@contextmanager
def serving() -> Iterator[Service]:
    """Serve on a free port of the loopback interface until the block ends."""
    service = Service()
    with http_server.serving(lambda asked: _Call(service, asked).answer()) as service.address:
        yield service


class _Call:
    def __init__(self, service: Service, asked: Asked) -> None:
        self.service, self.asked, self.path = service, asked, asked.path

    def answer(self) -> Answer:
        status, document = self._any()
        return status, {"Content-Type": "application/scim+json"}, b"" if document is None else json_answer(document)[2]

    def _any(self) -> tuple[int, Any]:
        method, path, headers, body = self.asked
        if path == "/token":
            return self._token(body.decode())
        try:
            request = Request(method, path, dict(headers.items()), json.loads(body) if body else None)
            self.service.requests.append(request)
            return self._scim(request)
        except json.JSONDecodeError:
            return 400, {"status": "400", "detail": "This is not JSON."}
        except Refused as refusal:
            return refusal.status, {"status": str(refusal.status), "detail": str(refusal)}

    def _token(self, raw: str) -> tuple[int, Json]:
        self.service.token_requests.append(Request("POST", self.path, dict(self.asked.headers.items()), raw))
        form = {key: values[0] for key, values in parse_qs(raw).items()}
        given = (form.get("client_id"), form.get("client_secret"))
        scheme, _, encoded = self.asked.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            client, _, secret = base64.b64decode(encoded).decode().partition(":")
            given = (unquote(client), unquote(secret))
        if form.get("grant_type") != "client_credentials" or given != ("the client", self.service.secret):
            return 401, {"error": "invalid_client"}
        token = uuid.uuid4().hex
        self.service.live_tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.service.lifetime}

    def _scim(self, request: Request) -> tuple[int, Any]:
        if self.asked.headers["Authorization"].removeprefix("Bearer ") not in self.service.live_tokens:
            raise Refused(401, "The token is not valid.")
        for fault in self.service.faults:
            method, path, status = fault
            if request.method == method and request.path.startswith(path):
                self.service.faults.remove(fault)
                raise Refused(status, "Made to fail.")
        _, kind, *rest = request.path.split("/")
        resources = self.service.resources[kind]
        if not rest:
            return self._collection(request, kind, resources)
        if rest[0] not in resources:
            raise Refused(404, f"{rest[0]} is not there.")
        return self._single(request, kind, resources, rest[0])

    def _collection(self, request: Request, kind: str, resources: dict[str, Json]) -> tuple[int, Any]:
        name = MATCHING[kind]
        if request.method == "POST":
            if any(r[name].lower() == request.body[name].lower() for r in resources.values()):
                raise Refused(409, f"{request.body[name]} is taken.")
            return 201, self._shown(kind, self.service.add(kind, **request.body))
        query = parse_qs(urlsplit(self.path).query)
        found = [self._shown(kind, r) for r in resources.values() if _passes(r, query["filter"][0])]
        return 200, {"schemas": [LIST], "totalResults": len(found), "Resources": found}

    def _single(self, request: Request, kind: str, resources: dict[str, Json], key: str) -> tuple[int, Any]:
        if request.method == "GET":
            return 200, self._shown(kind, resources[key])
        if request.method == "DELETE":
            del resources[key]
            for group in self.service.resources["Groups"].values():
                group["members"] = [m for m in group.get("members", []) if m["value"] != key]
            return 204, None
        changed = json.loads(json.dumps(resources[key]))
        for operation in request.operations:
            _apply(changed, operation)
        resources[key] = changed
        return 204, None

    def _shown(self, kind: str, resource: Json) -> Json:
        if self.path.lower().endswith("&attributes=id"):
            return {"id": resource["id"]}
        hidden = {"members"} if kind == "Groups" and "excludedAttributes=members" in self.path else set()
        return self.service.distort({key: value for key, value in resource.items() if key not in hidden})


REFERENCE = re.compile(r'id eq "(?P<id>[^"]*)" and (?P<attribute>members|manager) eq "(?P<to>[^"]*)"')
CONDITION = re.compile(r'(?P<path>userName|displayName|externalId|emails\[type eq "work"\]\.value) eq (?P<value>".*")')


def _passes(resource: Json, text: str) -> bool:
    if reference := REFERENCE.fullmatch(text):
        manager = resource.get(MANAGER_URN, {}).get("manager")
        there = [manager] if manager else resource.get("members", [])
        return bool(resource["id"] == reference["id"]) and any(one["value"] == reference["to"] for one in there)
    condition = CONDITION.fullmatch(text)
    if condition is None:
        raise Refused(400, f"cannot read {text}")
    name, wanted = condition["path"], str(json.loads(condition["value"]))
    if name.startswith("emails"):
        return any(mail["type"] == "work" and mail["value"] == wanted for mail in resource.get("emails", []))
    return str(resource.get(name, "")).lower() == wanted.lower()


def _apply(resource: Json, operation: Json) -> None:
    path, verb = operation.get("path"), operation["op"].lower()
    value: Any = operation.get("value")
    if path is None:
        for key, part in value.items():
            _set(resource, key, part)
    elif path.startswith("members"):
        _apply_members(resource, path, verb, value)
    elif verb == "remove":
        del resource[MANAGER_URN]["manager"]
    else:
        _set(resource, path, value)


def _apply_members(resource: Json, path: str, verb: str, value: Any) -> None:
    members = resource.setdefault("members", [])
    ids = re.findall(r'^members\[value eq "(.*)"\]$', path) or [entry["value"] for entry in value]
    resource["members"] = [member for member in members if member["value"] not in ids]
    if verb == "add":
        resource["members"] += [{"value": key} for key in ids]


MANAGER_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATH = re.compile(r'(?:(?P<urn>urn:.*):)?(?P<name>\w+)(?:\[type eq "(?P<type>\w+)"\])?(?:\.(?P<sub>\w+))?')


def _set(resource: Json, path: str, value: Any) -> None:
    parts = PATH.fullmatch(path)
    if parts is None:
        raise Refused(400, f"cannot read the path {path}")
    node = resource.setdefault(parts["urn"], {}) if parts["urn"] else resource
    name, kind, sub = parts["name"], parts["type"], parts["sub"]
    if name == "active" and isinstance(value, str):
        value = {"True": True, "False": False}[value]
    if name == "manager":
        value = value if isinstance(value, dict) else {"value": value}
    if kind:
        elements = node.setdefault(name, [])
        element = next((e for e in elements if e["type"] == kind), None)
        if element is None:
            element = {"type": kind}
            elements.append(element)
        element[sub] = value
    elif sub:
        node.setdefault(name, {})[sub] = value
    else:
        node[name] = value
