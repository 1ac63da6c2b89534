"""Scenarios as data: requests, and what must come back (``tests/scim/cases/README.md`` says how one is written)."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER
from tests.scim.matching import compare, has_null, is_there, look_up

CASES = Path(__file__).with_name("cases")
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
SCIM_TYPES = {"invalidFilter", "tooMany", "mutability", "invalidSyntax", "invalidPath", "noTarget", "invalidValue"}
SCIM_TYPES |= {"invalidVers", "invalidCursor", "expiredCursor", "invalidCount"}
_VARIABLE = re.compile(r"\$\{(\w+)(%{0,2})\}")


@dataclass(frozen=True)
class Reply:
    """``body`` is None where there is none; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


Send = Callable[[str, str, dict[str, str], bytes], Reply]


@dataclass
class Scenario:
    """One run of one file against one configuration, which ``token`` opens; ``seen`` is what GET showed last."""

    send: Send
    token: str
    variables: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def run(self, case: Mapping[str, Any]) -> None:
        self.variables |= {"guid": str(uuid.uuid4()), "USER": USER.schema.urn, "GROUP": GROUP.schema.urn}
        self.variables |= {"ENT": ENTERPRISE_SCHEMA.urn, "INFO": INFO_SCHEMA.urn, "MESSAGES": MESSAGES}
        for number, step in enumerate([*case.get("setup", []), *case["steps"]], 1):
            try:
                self.take(step)
            except AssertionError as error:
                raise AssertionError(f"{case['title']}: request {number}: {error}") from error

    def take(self, step: Mapping[str, Any]) -> None:
        request = self.filled(step["request"])
        reply = self.ask(request)
        expected = self.filled(step.get("expect", {}))
        wanted = expected.get("status")
        allowed = wanted if isinstance(wanted, list) else [wanted] if wanted else [200, 201, 204]
        assert reply.status in allowed, f"{reply.status} instead of {allowed}: {reply.body}"
        check_manners(reply)
        for name, value in expected.get("headers", {}).items():
            compare(value, reply.headers.get(name.lower()), name)
        if "body" in expected:
            compare(expected["body"], reply.body, "")
        for pointer in expected.get("absent", []):
            assert not is_there(reply.body, pointer), f"{pointer} should not be there: {reply.body}"
        if request.get("method") in {"POST", "PUT", "PATCH", "DELETE"}:
            self.look_again(request, reply)
        elif request["path"] in self.seen and "query" not in request:
            self.seen[request["path"]] = reply.body
        for name, pointer in step.get("capture", {}).items():
            self.variables[name] = look_up(reply.body, pointer) if pointer else reply.body

    def look_again(self, request: Mapping[str, Any], reply: Reply) -> None:
        """Insist that GET shows what a write answered (R-CRD-11), and that a refused one changed nothing (R-PAT-02)."""
        if reply.status in {200, 201} and "location" in reply.headers:
            shown = self.look_at(reply.headers["location"].removeprefix(self.variables["base"]))
            if "query" not in request and "?" not in request["path"]:
                assert shown == reply.body, f"GET shows {shown}, the answer was {reply.body}"
            compare(reply.body, shown, "GET")
        elif request["path"] in self.seen:
            before = self.seen.pop(request["path"])
            if reply.status >= 400:
                shown = self.look_at(request["path"])
                assert _own(shown) == _own(before), f"refused, and yet {before} became {shown}"
            elif request["method"] != "DELETE":
                self.look_at(request["path"])

    def look_at(self, path: str) -> Any:
        reply = self.ask({"path": path})
        assert reply.status == 200, f"GET {path}: {reply.status}: {reply.body}"
        self.seen[path] = reply.body
        return reply.body

    def ask(self, request: Mapping[str, Any]) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}"}
        content = b""
        if (body := sent_body(request)) is not None:
            headers["Content-Type"] = "application/scim+json; charset=utf-8"
            content = body
        headers |= request.get("headers", {})
        path = request["path"] + (f"?{urlencode(request['query'])}" if "query" in request else "")
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.send(request.get("method", "GET"), path, kept, content)

    def filled(self, value: Any) -> Any:
        """Put the variables in: ``${name}`` in a text, or a whole value of any type."""
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str):
            whole = _VARIABLE.fullmatch(value)
            return self.variables[whole[1]] if whole and not whole[2] else _VARIABLE.sub(self.text_of, value)
        return value

    def text_of(self, found: re.Match[str]) -> str:
        """Return a variable as text; ``${name%}`` is each of its bytes encoded for an address, ``${name%%}`` twice."""
        text = str(self.variables[found[1]])
        encoded = "".join(f"%{byte:02X}" for byte in text.encode())
        return (text, encoded, encoded.replace("%", "%25"))[len(found[2])]


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case


def sent_body(request: Mapping[str, Any]) -> bytes | None:
    """Return what is sent: ``text`` as it is, ``body`` as JSON, ``operations`` as a PATCH."""
    if "text" in request:
        return str(request["text"]).encode()
    if "operations" in request:
        return json.dumps({"schemas": [f"{MESSAGES}:PatchOp"], "Operations": request["operations"]}).encode()
    return json.dumps(request["body"], ensure_ascii=False).encode() if "body" in request else None


def check_manners(reply: Reply) -> None:
    """Check what holds for every answer (SO-6, R-ERR-01, R-ERR-04, R-MOD-07, R-ETG-01, R-PAG-03, H-10, H-11)."""
    if reply.body is None:
        assert reply.status in {204, 304} or reply.status < 300, "an error without a body"
        return
    assert reply.headers["content-type"].startswith("application/scim+json"), reply.headers["content-type"]
    assert not has_null(reply.body), f"a null in {reply.body}"
    if reply.status >= 400:
        check_error(reply)
    elif "Resources" in reply.body:
        assert reply.body["itemsPerPage"] == len(reply.body["Resources"])
        assert type(reply.body["totalResults"]) is int
    if reply.status == 201:
        assert reply.headers["location"] == reply.body.get("meta", {}).get("location", reply.headers["location"])
    if reply.status in {200, 201} and (version := reply.body.get("meta", {}).get("version")):
        assert reply.headers["etag"] == version


def check_error(reply: Reply) -> None:
    """Check an error: ``status`` is a text, ``scimType`` is there wherever RFC 7644 has one (table 9)."""
    assert reply.body.keys() <= {"schemas", "status", "scimType", "detail"}
    assert reply.body["schemas"] == [ERROR]
    assert reply.body["status"] == str(reply.status)
    assert reply.body["detail"]
    if reply.status == 400:
        assert reply.body["scimType"] in SCIM_TYPES
    if reply.status == 409:
        assert reply.body["scimType"] == "uniqueness"


def _own(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what other resources say of this one."""
    return {name: value for name, value in resource.items() if name != "groups"}
