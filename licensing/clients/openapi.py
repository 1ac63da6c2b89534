"""The OpenAPI 3.1 description of the vault agent contract, written from its calls and dataclasses."""

import inspect
import types
import typing
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any

from licensing.clients.agent import (
    CONTRACT_VERSION,
    MAX_ITEMS,
    MAX_PAGE,
    AgentError,
    Figures,
    GroupMember,
    ItemResult,
    LoginAccount,
    Page,
    ServerInfo,
    Sessions,
    VaultAgent,
    VaultInfo,
    VaultUser,
    VaultUserGroup,
    VaultUserWish,
)
from licensing.clients.calls import CALLS, KEY_HEADER, REFUSALS, VERSION_HEADER, Call, refusals_of
from licensing.clients.fields import COM_FIELDS
from licensing.clients.wire import LARGEST_NUMBER
from provisioning.license_types import LicenseType

JsonSchema = dict[str, Any]

_TEXT: JsonSchema = {"type": "string"}
_UID: JsonSchema = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_NAME: JsonSchema = {"type": "string", "pattern": r"\S"}
_SCALARS: dict[Any, JsonSchema] = {
    str: _TEXT,
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER},
}
_DATACLASSES = (
    *(AgentError, Figures, GroupMember, ItemResult, LoginAccount, ServerInfo, Sessions),
    *(VaultInfo, VaultUser, VaultUserGroup, VaultUserWish),
)
_REFINED: dict[str, JsonSchema] = {"name": _NAME}
_ABOUT = """\
What mfmanage asks of the service beside a vault server. docs/vault-agent.md explains it and names, call by call and
field by field, the M-Files COM API behind it; here `x-com` names it. Keys that a side does not know are passed over.
Answers 5xx and 429, time-outs and broken connections mean that the effect is unknown: repeat the call with the same
Idempotency-Key.
"""


def describe() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "mfmanage vault agent", "version": str(CONTRACT_VERSION), "description": _ABOUT},
        "servers": [{"url": "{agent}", "variables": {"agent": {"default": "http://127.0.0.1:8100"}}}],
        "security": [{"bearer": []}, {"certificate": []}],
        "paths": _paths(),
        "components": {
            "schemas": dict(_schemas()),
            "parameters": _parameters(),
            "headers": _headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "certificate": {"type": "mutualTLS", "description": "A client certificate that the agent trusts."},
            },
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = defaultdict(dict)
    for call in CALLS:
        paths[call.path][call.method.lower()] = _operation(call)
    return dict(paths)


def _operation(call: Call) -> dict[str, Any]:
    summary, _, details = (inspect.getdoc(getattr(VaultAgent, call.name)) or "").partition("\n\n")
    named = [f"Items fail with {', '.join(f'`{code}`' for code in call.failures)}."] if call.failures else []
    about = "\n\n".join(part for part in (details, *named) if part)
    return {
        "operationId": call.name,
        "summary": summary.replace("\n", " "),
        **({"description": about} if about else {}),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _parameter_names(call)],
        **({"requestBody": _request_body(call)} if call.body else {}),
        "responses": _responses(call),
        "x-com": list(call.com),
    }


def _parameter_names(call: Call) -> Iterator[str]:
    if "{guid}" in call.path:
        yield "newGuid" if call.name == "create_vault" else "guid"
    if "{id}" in call.path:
        yield "id"
    yield VERSION_HEADER
    if call.is_paged:
        yield from ("cursor", "limit")
    if call.method == "GET":
        yield "If-None-Match"
    if call.is_change:
        yield KEY_HEADER


def _request_body(call: Call) -> dict[str, Any]:
    properties = {name: _field_of_body(call, name) for name in call.body}
    required = [name for name, needed in call.body.items() if needed]
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _field_of_body(call: Call, name: str) -> JsonSchema:
    kind = call.kinds[name]
    if kind == list[LoginAccount]:
        items: JsonSchema = {"$ref": "#/components/schemas/LoginAccountToPut"}
        return {"type": "array", "items": items, "maxItems": MAX_ITEMS}
    schema = _REFINED.get(name) or _schema(kind)
    return {**schema, "maxItems": MAX_ITEMS} if typing.get_origin(kind) is list else schema


def _responses(call: Call) -> dict[str, Any]:
    by_status: dict[str, list[str]] = defaultdict(list)
    for code in refusals_of(call):
        by_status[str(REFUSALS[code].status)].append(_told(code, REFUSALS[code].retryable, REFUSALS[code].meaning))
    if call.body:
        by_status["413"].append(_told("invalid_request", False, "The body is larger than 16 MiB."))
    by_status["429"].append("The agent is asked too often; whether it acted is unknown.")
    found: dict[str, Any] = {"200": _answer(call)}
    if call.method == "GET":
        found["304"] = {"description": "It is as `If-None-Match` says.", **_with_headers("ETag", VERSION_HEADER)}
    errors = {status: _error(status, told) for status, told in by_status.items()}
    return dict(sorted({**found, **errors}.items()))


def _answer(call: Call) -> dict[str, Any]:
    names = [VERSION_HEADER, *(["ETag"] if call.method == "GET" else [])]
    content = {"application/json": {"schema": _schema(call.kinds["return"])}}
    return {"description": "Done, or looked up.", **_with_headers(*names), "content": content}


def _told(code: str, retryable: bool, meaning: str) -> str:  # noqa: FBT001
    return f"`{code}` ({'retryable' if retryable else 'not retryable'}): {meaning}"


def _error(status: str, told: list[str]) -> dict[str, Any]:
    names = [VERSION_HEADER, *(["Retry-After"] if status in {"429", "503"} else [])]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/AgentError"}}}
    return {"description": "\n".join(told), **_with_headers(*names), "content": content}


def _with_headers(*names: str) -> dict[str, Any]:
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _headers() -> dict[str, Any]:
    version = "The version of the contract that the answer was made by; without it, no agent answered."
    return {
        VERSION_HEADER: {"description": version, "required": True, "schema": {"const": str(CONTRACT_VERSION)}},
        "ETag": {"description": "Differs when the answer does.", "required": True, "schema": _TEXT},
        "Retry-After": {"description": "Seconds to wait before the call is repeated.", "schema": _TEXT},
    }


def _parameters() -> dict[str, Any]:
    key = "Any text, best a random UUID: with the same key and request, the first answer again for 24 hours."
    return {
        "guid": _parameter("guid", "path", "The vault's GUID, lower case, without braces.", _TEXT),
        "newGuid": _parameter("guid", "path", "The new vault's GUID, lower case, without braces.", _UID),
        "id": _parameter("id", "path", "The number of the user group.", {"type": "integer", "minimum": 1}),
        "cursor": _parameter("cursor", "query", "`next_cursor` of the page before; absent: the first page.", _TEXT),
        "limit": _parameter(
            "limit",
            "query",
            "The most items of the page.",
            {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": MAX_ITEMS},
        ),
        VERSION_HEADER: _parameter(
            VERSION_HEADER,
            "header",
            "The version of the contract that is asked for; absent: the agent's own.",
            {"type": "string", "enum": [str(CONTRACT_VERSION)]},
        ),
        "If-None-Match": _parameter("If-None-Match", "header", "Answer 304 if the ETag is one of these.", _TEXT),
        KEY_HEADER: _parameter(KEY_HEADER, "header", key, {"type": "string", "minLength": 1}, required=True),
    }


def _parameter(name: str, place: str, about: str, schema: JsonSchema, *, required: bool = False) -> dict[str, Any]:
    needed = required or place == "path"
    return {"name": name, "in": place, "required": needed, "description": about, "schema": schema}


def _schemas() -> Iterator[tuple[str, JsonSchema]]:
    for kind in _DATACLASSES:
        yield kind.__name__, _object(kind)
    put = _object(LoginAccount)
    put["properties"] = {**put["properties"], "uid": _UID, "username": {**put["properties"]["username"], **_NAME}}
    yield "LoginAccountToPut", put
    for item in sorted({typing.get_args(call.kinds["return"])[0].__name__ for call in CALLS if call.is_paged}):
        yield f"PageOf{item}", _page_of(item)


def _page_of(item: str) -> JsonSchema:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}, "maxItems": MAX_PAGE}
    properties = {"items": items, "next_cursor": {"type": ["string", "null"]}}
    return {"type": "object", "description": Page.__doc__, "properties": properties, "required": list(properties)}


def _object(kind: type[Any]) -> JsonSchema:
    hints = typing.get_type_hints(kind)
    com = COM_FIELDS.get(kind, {})
    named = {field.metadata.get("json", field.name): field for field in fields(kind)}
    properties = {key: _property(field, hints[field.name], com.get(key)) for key, field in named.items()}
    required = [key for key, field in named.items() if field.default is MISSING]
    return {
        "type": "object",
        "description": inspect.getdoc(kind),
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _property(field: Field[Any], hint: Any, com: str | None) -> JsonSchema:
    schema = dict(_schema(hint))
    if field.default is not MISSING:
        schema["default"] = field.default.slug if isinstance(field.default, LicenseType) else field.default
    return {**schema, "x-com": com} if com else schema


def _schema(kind: Any) -> JsonSchema:
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _nullable(_schema(next(a for a in arguments if a is not type(None))))
    if origin in (list, tuple):
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is Page:
        return {"$ref": f"#/components/schemas/PageOf{arguments[0].__name__}"}
    if is_dataclass(kind):
        return {"$ref": f"#/components/schemas/{kind.__name__}"}  # type: ignore[union-attr]
    return _choice(kind)


def _nullable(schema: JsonSchema) -> JsonSchema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _choice(kind: type[Enum]) -> JsonSchema:
    if kind is LicenseType:
        return {"type": "string", "enum": [member.slug for member in LicenseType]}
    return {"type": "string", "enum": [member.value for member in kind]}
