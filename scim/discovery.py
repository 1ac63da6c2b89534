"""What the service says of itself (RFC 7643 §5 to §7, RFC 7644 §4), written from the table that drives it.

``base`` is the Tenant URL, without a slash at its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim.documents import Document
from scim.errors import NotFound
from scim.schema import RESOURCE_TYPES
from scim.schema.table import Attribute, ResourceType, Schema

LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
SCHEMAS: tuple[Schema, ...] = (
    *(resource_type.schema for resource_type in RESOURCE_TYPES),
    *(extension for resource_type in RESOURCE_TYPES for extension in resource_type.extensions),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What is supported, and the limits. ``max_payload_size`` is in bytes, ``cursor_timeout`` in seconds."""

    max_results: int = 1000
    default_page_size: int = 100
    cursor_timeout: int = 3600
    bulk: bool = True
    max_operations: int = 1000
    max_payload_size: int = 2 * 1024 * 1024
    sort: bool = True
    etag: bool = True
    change_password: bool = False


def service_provider_config(base: str, capabilities: Capabilities) -> Document:
    return {
        "schemas": [CONFIG_URN],
        "patch": {"supported": True},
        "bulk": {
            "supported": capabilities.bulk,
            "maxOperations": capabilities.max_operations,
            "maxPayloadSize": capabilities.max_payload_size,
        },
        "filter": {"supported": True, "maxResults": capabilities.max_results},
        "changePassword": {"supported": capabilities.change_password},
        "sort": {"supported": capabilities.sort},
        "etag": {"supported": capabilities.etag},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": capabilities.default_page_size,
            "maxPageSize": capabilities.max_results,
            "cursorTimeout": capabilities.cursor_timeout,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth 2.0 bearer token",
                "description": "A token of the token endpoint, by the client credentials grant (RFC 6749 §4.4).",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
                "primary": True,
            }
        ],
        "meta": _meta("ServiceProviderConfig", f"{base}/ServiceProviderConfig"),
    }


def resource_types(base: str) -> Document:
    """Return the answer to ``GET /ResourceTypes``."""
    return _listed([_resource_type(resource_type, base) for resource_type in RESOURCE_TYPES])


def resource_type(name: str, base: str) -> Document:
    """Return one resource type. Raises ``NotFound``."""
    for found in RESOURCE_TYPES:
        if found.name.lower() == name.lower():
            return _resource_type(found, base)
    raise NotFound(f"There is no resource type {name[:200]!r}.")


def schemas(base: str) -> Document:
    """Return the answer to ``GET /Schemas``."""
    return _listed([_schema(found, base) for found in SCHEMAS])


def schema(urn: str, base: str) -> Document:
    """Return one schema by its URN in any letter case. Raises ``NotFound``."""
    for found in SCHEMAS:
        if found.urn.lower() == urn.lower():
            return _schema(found, base)
    raise NotFound(f"There is no schema {urn[:200]!r}.")


def _listed(resources: list[Document]) -> Document:
    return {
        "schemas": [LIST_URN],
        "totalResults": len(resources),
        "startIndex": 1,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _meta(resource_type: str, location: str) -> Mapping[str, str]:
    return {"resourceType": resource_type, "location": location}


def _resource_type(found: ResourceType, base: str) -> Document:
    return {
        "schemas": [RESOURCE_TYPE_URN],
        "id": found.name,
        "name": found.name,
        "endpoint": found.endpoint,
        "description": found.description,
        "schema": found.schema.urn,
        "schemaExtensions": [{"schema": extension.urn, "required": False} for extension in found.extensions],
        "meta": _meta("ResourceType", f"{base}/ResourceTypes/{found.name}"),
    }


def _schema(found: Schema, base: str) -> Document:
    return {
        "schemas": [SCHEMA_URN],
        "id": found.urn,
        "name": found.name,
        "description": found.description,
        "attributes": [_attribute(attribute) for attribute in found.attributes],
        "meta": _meta("Schema", f"{base}/Schemas/{found.urn}"),
    }


def _attribute(attribute: Attribute) -> Document:
    optional: dict[str, Any] = {
        "canonicalValues": list(attribute.canonical_values),
        "referenceTypes": list(attribute.reference_types),
        "subAttributes": [_attribute(sub) for sub in attribute.sub_attributes],
    }
    return {
        "name": attribute.name,
        "type": str(attribute.type),
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": str(attribute.mutability),
        "returned": str(attribute.returned),
        "uniqueness": str(attribute.uniqueness),
    } | {name: values for name, values in optional.items() if values}
