"""Every address under a Tenant URL, and what each of its methods takes and answers (RFC 7644 §3.2, table 2)."""

import re
from typing import Any

from scim.discovery import SCHEMAS
from scim.openapi.parts import answered, body, refused, with_headers, with_parameters
from scim.schema import RESOURCE_TYPES
from scim.schema.table import ResourceType

Operation = dict[str, Any]
PathItem = dict[str, Operation]

_ALWAYS = (400, 401, 403, 406, 429, 500, 503)
_WITH_BODY = (413, 415)
_PROJECTION = ("attributes", "excludedAttributes")
_QUERY = ("filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", *_PROJECTION)
_VERSIONED = ("Location", "ETag")
_ONE_OF_MANY = ("get", "put", "patch", "delete")


def paths() -> dict[str, PathItem]:
    """Return the addresses; a resource type's own come from its row of the schema table."""
    described: dict[str, PathItem] = {}
    for found in RESOURCE_TYPES:
        described |= {
            found.endpoint: _collection(found),
            f"{found.endpoint}/{{id}}": _resource(found),
            f"{found.endpoint}/.search": _search(f"{found.name}s", f"ListOf{found.name}s"),
        }
    root = _readable("Anything", "Find resources of all types, by a filter.", "ListOfAnything", *_QUERY, missing=True)
    described |= {"/": root, "/.search": _search("Anything", "ListOfAnything"), "/Bulk": _bulk(), "/Me": _me()}
    return {path: _with_options(path, item) for path, item in (described | _discovery()).items()}


def _operation(name: str, summary: str, answers: dict[str, Any], *errors: int, **more: Any) -> Operation:
    statuses = sorted({*_ALWAYS, *errors})
    return {"operationId": name, "summary": summary, **more, "responses": {**answers, **refused(*statuses)}}


def _collection(found: ResourceType) -> PathItem:
    name = found.name
    create = _operation(
        f"create{name}",
        f"Create a {name.lower()}.",
        {"201": {**answered("Created.", name, *_VERSIONED), "links": _links(name)}},
        409,
        *_WITH_BODY,
        **with_parameters(*_PROJECTION),
        **body(f"{name}ToWrite"),
    )
    return {**_readable(f"{name}s", f"Find {name.lower()}s.", f"ListOf{name}s", *_QUERY), "post": create}


def _links(name: str) -> dict[str, Any]:
    deeds = ("read", "replace", "update", "delete")
    return {deed: {"operationId": f"{deed}{name}", "parameters": {"id": "$response.body#/id"}} for deed in deeds}


def _resource(found: ResourceType) -> PathItem:
    name, noun = found.name, found.name.lower()
    whole = {"200": answered("As it is now.", name, *_VERSIONED)}
    changed = whole | {"204": {"description": "Done; not asked for its content.", **with_headers(*_VERSIONED)}}
    writing, conditional = (404, 409, 412, *_WITH_BODY), with_parameters(*_PROJECTION, "If-Match")
    unchanged = {"304": {"description": "The version is one of If-None-Match.", **with_headers("ETag")}}
    read = _operation(
        f"read{name}",
        f"Read one {noun}.",
        whole | unchanged,
        404,
        412,
        **with_parameters(*_PROJECTION, "If-Match", "If-None-Match"),
    )
    return {
        **with_parameters("id"),
        "get": read,
        "head": _without_content(read, f"peekAt{name}"),
        "put": _operation(
            f"replace{name}", f"Replace a {noun}.", whole, *writing, **conditional, **body(f"{name}ToWrite")
        ),
        "patch": _operation(f"update{name}", f"Change a {noun}.", changed, *writing, **conditional, **body("PatchOp")),
        "delete": _operation(
            f"delete{name}",
            f"Delete a {noun}.",
            {"204": {"description": "Deleted."}},
            404,
            412,
            **with_parameters("If-Match"),
        ),
    }


def _search(name: str, schema: str) -> PathItem:
    answers = {"200": answered("What matches.", schema)}
    found = _operation(
        f"search{name}", "Find, with the query in the body.", answers, *_WITH_BODY, **body("SearchRequest")
    )
    return {"post": found}


def _bulk() -> PathItem:
    answers = {"200": answered("What became of each operation.", "BulkResponse")}
    return {
        "post": _operation("bulk", "Many changes in one request.", answers, 409, *_WITH_BODY, **body("BulkRequest"))
    }


def _me() -> PathItem:
    """Describe RFC 7644 §3.11: a token belongs to a configuration, not to a user."""
    return {
        method: _operation(f"{method}Me", "Not offered.", {}, 501)
        for method in ("get", "head", "post", "put", "patch", "delete")
    }


def _discovery() -> dict[str, PathItem]:
    types = [found.name for found in RESOURCE_TYPES]
    urns = [schema.urn for schema in SCHEMAS]
    summary = "What the service says of itself."
    return {
        "/ServiceProviderConfig": _readable("ServiceProviderConfig", summary, "ServiceProviderConfig"),
        "/ResourceTypes": _readable("ResourceTypes", summary, "ListOfResourceTypes"),
        "/ResourceTypes/{name}": _named(
            "name", types, _readable("ResourceType", summary, "ResourceType", missing=True)
        ),
        "/Schemas": _readable("Schemas", summary, "ListOfSchemas"),
        "/Schemas/{urn}": _named("urn", urns, _readable("Schema", summary, "Schema", missing=True)),
    }


def _readable(name: str, summary: str, schema: str, *parameters: str, missing: bool = False) -> PathItem:
    answers = {"200": answered("What was asked for.", schema)}
    errors = [404] if missing else []
    read = _operation(f"get{name}", summary, answers, *errors, **with_parameters(*parameters))
    return {"get": read, "head": _without_content(read, f"head{name}")}


def _named(name: str, names: list[str], item: PathItem) -> PathItem:
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": names}}
    return {"parameters": [parameter], **item}  # type: ignore[dict-item]


def _without_content(operation: Operation, name: str) -> Operation:
    """Describe HEAD: what GET answers, without its body."""
    answers = {status: {"description": "As GET, without a body."} for status in operation["responses"]}
    return {**operation, "operationId": name, "responses": answers}


def _with_options(path: str, item: PathItem) -> PathItem:
    if path == "/Me":
        return item
    answers = {"204": {"description": "The methods are in Allow.", **with_headers("Allow")}}
    name, errors = re.sub(r"\W", "", path.title()), [404] if "{" in path else []
    return {**item, "options": _operation(f"options{name}", "Which methods there are.", answers, *errors)}
