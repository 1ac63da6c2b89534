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

CASES = Path(__file__).with_name("cases")
ID = re.compile(r"(E-(CON|QRY|USR|PAT|OPT|DEL|GRP)|V-[SL]|Q|O(-OK)?|R-[A-Z]{2,3}|N|H|X|D|SO|A|F)-\d{1,2}")
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Reply:
    """``body`` is None where there is none; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


Send = Callable[[str, str, dict[str, str], bytes], Reply]


@dataclass
class Scenario:
    """One run of one file against one configuration, which ``token`` opens."""

    send: Send
    token: str
    variables: dict[str, Any] = field(default_factory=dict)

    def run(self, case: Mapping[str, Any]) -> None:
        self.variables |= {"guid": str(uuid.uuid4()), "USER": USER.schema.urn, "GROUP": GROUP.schema.urn}
        self.variables |= {"ENT": ENTERPRISE_SCHEMA.urn, "INFO": INFO_SCHEMA.urn, "MESSAGES": MESSAGES}
        for number, step in enumerate([*case.get("setup", []), *case["steps"]], 1):
            try:
                self.take(step)
            except AssertionError as error:
                raise AssertionError(f"{case['title']}: request {number}: {error}") from error

    def take(self, step: Mapping[str, Any]) -> None:
        reply = self.ask(self.filled(step["request"]))
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
        for name, pointer in step.get("capture", {}).items():
            self.variables[name] = look_up(reply.body, pointer)

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
            return _VARIABLE.sub(lambda found: str(self.variables[found[1]]), value)
        return value


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
    """Check what holds for every answer (SO-6, R-ERR-01, R-MOD-07, R-ETG-01, H-10, H-11)."""
    if reply.body is None:
        assert reply.status in {204, 304} or reply.status < 300, "an error without a body"
        return
    assert reply.headers["content-type"].startswith("application/scim+json"), reply.headers["content-type"]
    assert not has_null(reply.body), f"a null in {reply.body}"
    if reply.status >= 400:
        assert reply.body["schemas"] == [ERROR]
        assert reply.body["status"] == str(reply.status)
        assert reply.body["detail"]
    if reply.status == 201:
        assert reply.headers["location"] == reply.body.get("meta", {}).get("location", reply.headers["location"])
    if reply.status in {200, 201} and (version := reply.body.get("meta", {}).get("version")):
        assert reply.headers["etag"] == version


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_null(item) for item in value.values())
    return any(has_null(item) for item in value) if isinstance(value, list) else value is None


def compare(expected: Any, actual: Any, at: str) -> None:
    """Insist that ``actual`` has at least what ``expected`` has; lists are compared item by item, and in length."""
    if isinstance(expected, dict) and len(expected) == 1 and (name := next(iter(expected))) in _MATCHERS:
        assert _MATCHERS[name](expected[name], actual), f"{at}: {actual!r} does not satisfy {expected}"
    elif isinstance(expected, dict):
        assert isinstance(actual, dict), f"{at}: {actual!r} is no object"
        for key, value in expected.items():
            assert key in actual, f"{at}/{key} is missing in {actual}"
            compare(value, actual[key], f"{at}/{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), f"{at}: {actual!r} is no list"
        assert len(actual) == len(expected), f"{at}: {actual!r} instead of {expected!r}"
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            compare(one, other, f"{at}/{number}")
    else:
        assert type(actual) is type(expected), f"{at}: {actual!r} instead of {expected!r}"
        assert actual == expected, f"{at}: {actual!r} instead of {expected!r}"


def holds(expected: Any, actual: Any) -> bool:
    try:
        compare(expected, actual, "")
    except AssertionError:
        return False
    return True


def same_set(expected: list[Any], actual: Any) -> bool:
    rest = list(actual or [])
    for item in expected:
        found = next((other for other in rest if holds(item, other)), None)
        if found is None:
            return False
        rest.remove(found)
    return not rest


_MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "$exactly": lambda expected, actual: bool(actual == expected),
    "$contains": lambda expected, actual: (
        expected in actual if isinstance(actual, str) else any(holds(expected, item) for item in actual or [])
    ),
    "$set": same_set,
    "$length": lambda expected, actual: len(actual) == expected,
    "$matches": lambda expected, actual: isinstance(actual, str) and re.search(expected, actual) is not None,
    "$atLeast": lambda expected, actual: isinstance(actual, int) and actual >= expected,
}


def look_up(body: Any, pointer: str) -> Any:
    """Return what stands at ``a/b/0`` in ``body``."""
    for part in pointer.split("/"):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def is_there(body: Any, pointer: str) -> bool:
    try:
        look_up(body, pointer)
    except (KeyError, IndexError, TypeError):
        return False
    return True
