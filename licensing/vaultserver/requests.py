"""Reading what a request to the emulated vault server carries. Everything raises ``MalformedDocument``."""

from typing import Any, TypeVar

import orjson
from werkzeug.wrappers import Request

from licensing.clients import wire
from licensing.clients.calls import KEY_HEADER, Call

T = TypeVar("T")


def document(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body is an empty object."""
    return wire.load(dict, orjson.loads(request.get_data() or b"{}"))


def needed(request: Request, name: str, kind: type[T]) -> T:
    """Return a field that must be there."""
    body = document(request)
    if name not in body:
        raise wire.MalformedDocument(f"document.{name} is missing.")
    return wire.load(kind, body[name], where=f"document.{name}")


def given(request: Request, **kinds: Any) -> dict[str, Any]:
    """Return those of the named fields that are there."""
    body = document(request)
    return {name: wire.load(kind, body[name], where=f"document.{name}") for name, kind in kinds.items() if name in body}


def body(request: Request, call: Call) -> dict[str, Any]:
    """Return the fields of the call's body as arguments."""
    optional = given(request, **{name: call.kinds[name] for name, is_needed in call.body.items() if not is_needed})
    return optional | {
        name: needed(request, name, call.kinds[name]) for name, is_needed in call.body.items() if is_needed
    }


def key(request: Request) -> dict[str, str]:
    """Return the idempotency key as an argument."""
    return {"idempotency_key": request.headers.get(KEY_HEADER, "")}


def paging(request: Request) -> dict[str, Any]:
    """Return cursor and limit as arguments."""
    limit = request.args.get("limit", "1000")
    if not limit.isdecimal() or len(limit) > len("1000000"):
        raise wire.MalformedDocument("limit must be a whole number.")
    return {"cursor": request.args.get("cursor"), "limit": int(limit)}
