"""SCIM's messages as JSON Schema: lists, searches, PATCH, Bulk, errors, discovery (RFC 7644 §3, RFC 7643 §5 to §7)."""

from collections.abc import Iterable, Iterator
from typing import Any

from scim import errors
from scim.discovery import CONFIG_URN, LIST_URN, RESOURCE_TYPE_URN, SCHEMA_URN, Capabilities
from scim.errors import ERROR_URN, ScimError
from scim.openapi.attributes import Direction, JsonSchema, resource_schema
from scim.patch.operations import PATCH_URN
from scim.schema import RESOURCE_TYPES
from scim.schema.table import Mutability, Returned, Type, Uniqueness

_MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
SEARCH_URN = f"{_MESSAGES}:SearchRequest"
BULK_REQUEST_URN = f"{_MESSAGES}:BulkRequest"
BULK_RESPONSE_URN = f"{_MESSAGES}:BulkResponse"

_TEXT: JsonSchema = {"type": "string"}
_FLAG: JsonSchema = {"type": "boolean"}
_NUMBER: JsonSchema = {"type": "integer", "minimum": 0}
_TEXTS: JsonSchema = {"type": "array", "items": _TEXT}
_STATUS: JsonSchema = {"type": "string", "pattern": "^[1-5][0-9][0-9]$"}
_METHODS = ["POST", "PUT", "PATCH", "DELETE"]


def schemas(capabilities: Capabilities) -> dict[str, JsonSchema]:
    """Return every schema by its name under ``#/components/schemas/``."""
    return {
        **dict(_resources()),
        "ListOfAnything": _list_response({"anyOf": [reference(found.name) for found in RESOURCE_TYPES]}),
        "SearchRequest": _search_request(),
        "PatchOp": _patch(),
        "BulkRequest": _bulk_request(capabilities),
        "BulkResponse": _bulk_response(),
        "Error": _error(),
        **_discovery(),
    }


def reference(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}


def _resources() -> Iterator[tuple[str, JsonSchema]]:
    for found in RESOURCE_TYPES:
        yield found.name, resource_schema(found, Direction.ANSWERED)
        yield f"{found.name}ToWrite", resource_schema(found, Direction.SENT)
        yield f"ListOf{found.name}s", _list_response(reference(found.name))


def _answered(properties: JsonSchema, *optional: str) -> JsonSchema:
    """Describe an object that the service writes: nothing else is in it, and all that is not optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _message(urn: str, properties: JsonSchema, *optional: str) -> JsonSchema:
    return _answered({"schemas": {"const": [urn]}, **properties}, *optional)


def _request(urn: str, properties: JsonSchema, *required: str) -> JsonSchema:
    named = {"type": "array", "items": _TEXT, "contains": {"const": urn}, "examples": [[urn]]}
    return {"type": "object", "properties": {"schemas": named, **properties}, "required": ["schemas", *required]}


def _list_response(resource: JsonSchema) -> JsonSchema:
    """Describe pages by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865 §2)."""
    properties = {
        "totalResults": {**_NUMBER, "description": "How many resources match in all."},
        "startIndex": {"type": "integer", "minimum": 1, "description": "Place of the first resource, counted from 1."},
        "itemsPerPage": {**_NUMBER, "description": "How many resources are in this answer."},
        "nextCursor": {**_TEXT, "description": "What to ask for to get the next page; absent on the last one."},
        "previousCursor": {**_TEXT, "description": "What to ask for to get the page before."},
        "Resources": {"type": "array", "items": resource},
    }
    return _message(LIST_URN, properties, "totalResults", "startIndex", "nextCursor", "previousCursor")


def _search_request() -> JsonSchema:
    properties = {
        "attributes": _TEXTS,
        "excludedAttributes": _TEXTS,
        "filter": _TEXT,
        "sortBy": _TEXT,
        "sortOrder": {"type": "string", "enum": ["ascending", "descending"]},
        "startIndex": {"type": "integer"},
        "count": {"type": "integer"},
        "cursor": {**_TEXT, "description": "Empty for the first page (RFC 9865 §2)."},
    }
    return _request(SEARCH_URN, properties)


def _patch() -> JsonSchema:
    operation = {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["add", "remove", "replace"], "description": "In any letter case."},
            "path": {**_TEXT, "examples": ["displayName", "name.familyName", 'emails[type eq "work"].value']},
            "value": {"description": "Of the type of the attribute; an object of attributes where there is no path."},
        },
        "required": ["op"],
    }
    return _request(PATCH_URN, {"Operations": {"type": "array", "items": operation}}, "Operations")


def _bulk_request(capabilities: Capabilities) -> JsonSchema:
    operation = {
        "type": "object",
        "properties": {
            "method": {"type": "string", "enum": _METHODS},
            "bulkId": {**_TEXT, "description": "Required for POST; others refer to it as bulkId:… ."},
            "version": {**_TEXT, "description": "As If-Match."},
            "path": {**_TEXT, "examples": ["/Users", "/Groups/bulkId:staff"]},
            "data": {"type": "object"},
        },
        "required": ["method", "path"],
    }
    properties = {
        "failOnErrors": {"type": "integer", "minimum": 1, "description": "After how many failures to stop."},
        "Operations": {"type": "array", "items": operation, "maxItems": capabilities.max_operations},
    }
    return _request(BULK_REQUEST_URN, properties, "Operations")


def _bulk_response() -> JsonSchema:
    properties = {
        "method": {**_TEXT, "description": "As it was sent."},
        "bulkId": _TEXT,
        "location": {"type": "string", "format": "uri"},
        "version": _TEXT,
        "status": _STATUS,
        "response": {"anyOf": [reference("Error"), *(reference(found.name) for found in RESOURCE_TYPES)]},
    }
    operation = _answered(properties, "method", "bulkId", "location", "version", "response")
    return _message(BULK_RESPONSE_URN, {"Operations": {"type": "array", "items": operation}})


def _error() -> JsonSchema:
    kinds = sorted({found.scim_type for found in every_error() if found.scim_type})
    properties = {
        "status": {**_STATUS, "description": "The status of the answer, as text."},
        "scimType": {"type": "string", "enum": kinds},
        "detail": {**_TEXT, "description": "What is wrong and what to do."},
    }
    return _message(ERROR_URN, properties, "scimType")


def every_error() -> list[type[ScimError]]:
    """Return the classes of all errors that the service answers."""
    return [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, ScimError)]


def _discovery() -> dict[str, JsonSchema]:
    meta = _answered({"resourceType": _TEXT, "location": {"type": "string", "format": "uri"}})
    described = {
        "ServiceProviderConfig": _service_provider_config(meta),
        "ResourceType": _resource_type(meta),
        "Schema": _schema(meta),
        "Attribute": _attribute(),
    }
    lists = {f"ListOf{name}s": _message(LIST_URN, _listed(reference(name))) for name in ("ResourceType", "Schema")}
    return described | lists


def _listed(item: JsonSchema) -> JsonSchema:
    numbers: JsonSchema = dict.fromkeys(("totalResults", "startIndex", "itemsPerPage"), _NUMBER)
    return {**numbers, "Resources": {"type": "array", "items": item}}


def _service_provider_config(meta: JsonSchema) -> JsonSchema:
    """Describe RFC 7643 §5 with the pagination of RFC 9865 §4."""
    supported = {"supported": _FLAG}
    limits: JsonSchema = dict.fromkeys(("defaultPageSize", "maxPageSize", "cursorTimeout"), _NUMBER)
    paging = {"cursor": _FLAG, "index": _FLAG, "defaultPaginationMethod": {"enum": ["index", "cursor"]}, **limits}
    scheme = dict.fromkeys(("type", "name", "description", "specUri", "documentationUri"), _TEXT) | {"primary": _FLAG}
    plain = {name: _answered(supported) for name in ("patch", "changePassword", "sort", "etag")}
    properties = {
        "documentationUri": {"type": "string", "format": "uri"},
        **plain,
        "bulk": _answered({**supported, "maxOperations": _NUMBER, "maxPayloadSize": _NUMBER}),
        "filter": _answered({**supported, "maxResults": _NUMBER}),
        "pagination": _answered(paging, *paging),
        "authenticationSchemes": {
            "type": "array",
            "items": _answered(scheme, "specUri", "documentationUri", "primary"),
        },
        "meta": meta,
    }
    return _message(CONFIG_URN, properties, "documentationUri", "pagination")


def _resource_type(meta: JsonSchema) -> JsonSchema:
    extension = _answered({"schema": _TEXT, "required": _FLAG})
    properties = {
        **dict.fromkeys(("id", "name", "endpoint", "description", "schema"), _TEXT),
        "schemaExtensions": {"type": "array", "items": extension},
        "meta": meta,
    }
    return _message(RESOURCE_TYPE_URN, properties)


def _schema(meta: JsonSchema) -> JsonSchema:
    attributes = {"attributes": {"type": "array", "items": reference("Attribute")}}
    return _message(SCHEMA_URN, {**dict.fromkeys(("id", "name", "description"), _TEXT), **attributes, "meta": meta})


def _attribute() -> JsonSchema:
    properties = {
        "name": _TEXT,
        "type": _one_of(Type),
        "multiValued": _FLAG,
        "description": _TEXT,
        "required": _FLAG,
        "caseExact": _FLAG,
        "mutability": _one_of(Mutability),
        "returned": _one_of(Returned),
        "uniqueness": _one_of(Uniqueness),
        "canonicalValues": _TEXTS,
        "referenceTypes": _TEXTS,
        "subAttributes": {"type": "array", "items": reference("Attribute")},
    }
    return _answered(properties, "canonicalValues", "referenceTypes", "subAttributes")


def _one_of(words: Iterable[Any]) -> JsonSchema:
    return {"type": "string", "enum": [str(word) for word in words]}
