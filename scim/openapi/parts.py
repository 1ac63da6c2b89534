"""What operations share: parameters, headers, answers (RFC 7644 §3.4.2, §3.9, §3.12, §3.14; RFC 9865)."""

from collections import defaultdict
from typing import Any

from scim.discovery import Capabilities
from scim.http import MEDIA_TYPE
from scim.openapi.attributes import JsonSchema
from scim.openapi.messages import every_error, reference

SPOKEN = (MEDIA_TYPE, "application/json")

_TEXT: JsonSchema = {"type": "string"}
_HEADERS_OF_ERRORS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


def parameters(capabilities: Capabilities) -> dict[str, Any]:
    """Return the parameters by their names under ``#/components/parameters/``."""
    size = f"How many resources to answer, at most {capabilities.max_results}. 0 asks for the number only."
    return {
        "id": _in_path("id", "Identifier of the resource."),
        "filter": _in_query("filter", "Which resources (RFC 7644 §3.4.2.2).", _TEXT, 'userName eq "ada@example.com"'),
        "sortBy": _in_query("sortBy", "The attribute whose values give the order.", _TEXT, "name.familyName"),
        "sortOrder": _in_query("sortOrder", "The direction.", {"enum": ["ascending", "descending"]}, "ascending"),
        "startIndex": _in_query("startIndex", "Place of the first resource, counted from 1.", {"type": "integer"}, 1),
        "count": _in_query("count", size, {"type": "integer"}, 100),
        "cursor": _in_query("cursor", "Page by cursor (RFC 9865): empty at first, then nextCursor.", _TEXT, ""),
        "attributes": _in_query("attributes", "The only attributes to answer, by commas.", _TEXT, "userName,emails"),
        "excludedAttributes": _in_query("excludedAttributes", "What not to answer, by commas.", _TEXT, "members"),
        "If-Match": _in_header("If-Match", "Change the resource only if its version is one of these.", 'W/"1"'),
        "If-None-Match": _in_header("If-None-Match", "Answer 304 if the version is one of these.", 'W/"1"'),
    }


def headers() -> dict[str, Any]:
    """Return the headers of answers by their names under ``#/components/headers/``."""
    return {
        "Location": _header("Address of the resource.", {"type": "string", "format": "uri"}),
        "ETag": _header("Version of the resource, weak, the same as meta.version.", _TEXT),
        "WWW-Authenticate": _header("How to authenticate (RFC 6750 §3).", _TEXT),
        "Retry-After": _header("Seconds to wait before the request is repeated.", {"type": "string"}),
        "Allow": _header("The methods that the address supports.", _TEXT),
    }


def responses() -> dict[str, Any]:
    """Return an answer for every status of an error, under ``#/components/responses/``."""
    sentences = defaultdict(list)
    for error in every_error():
        sentences[error.status].append(error.default_detail)
    return {str(status): _error(status, details) for status, details in sorted(sentences.items())}


def refused(*statuses: int) -> dict[str, Any]:
    """Refer to the answers for these errors."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def with_parameters(*names: str) -> dict[str, Any]:
    return {"parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names]} if names else {}


def with_headers(*names: str) -> dict[str, Any]:
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}} if names else {}


def answered(description: str, schema: str, *names: str) -> dict[str, Any]:
    """Describe an answer that has a body, and these headers."""
    return {"description": description, **with_headers(*names), "content": {MEDIA_TYPE: {"schema": reference(schema)}}}


def body(schema: str) -> dict[str, Any]:
    """Describe the body of a request."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": reference(schema)} for kind in SPOKEN}}}


def _error(status: int, details: list[str]) -> dict[str, Any]:
    names = [_HEADERS_OF_ERRORS[status]] if status in _HEADERS_OF_ERRORS else []
    return answered(" ".join(dict.fromkeys(details)), "Error", *names)


def _in_path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _in_query(name: str, description: str, schema: JsonSchema, example: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": example}


def _in_header(name: str, description: str, example: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": _TEXT, "example": example}


def _header(description: str, schema: JsonSchema) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": schema}
