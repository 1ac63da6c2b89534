"""What every resource that is answered has in common (RFC 7643 §3, §3.1)."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from scim.documents import Document, schemas_of
from scim.schema.table import ResourceType
from scim.schema.values import render_time


class Row(Protocol):
    """What a resource is rendered from: a row of the directory, or what was selected of it."""

    scim_id: str
    document: dict[str, Any]
    version: int
    created_at: datetime
    modified_at: datetime


class Answer(NamedTuple):
    """A resource as it is answered; ``body`` is None where nothing but success is told."""

    body: Document | None
    location: str
    version: str


def etag(version: int) -> str:
    return f'W/"{version}"'


def location(resource_type: ResourceType, scim_id: str, base: str) -> str:
    return f"{base}{resource_type.endpoint}/{scim_id}"


def meta(resource_type: ResourceType, row: Any, base: str) -> dict[str, str]:
    return {
        "resourceType": resource_type.name,
        "created": render_time(row.created_at),
        "lastModified": render_time(row.modified_at),
        "location": location(resource_type, row.scim_id, base),
        "version": etag(row.version),
    }


def read_only(resource_type: ResourceType, row: Any, base: str) -> Document:
    """Return what the service itself says of a resource, which a client may repeat but not change (R-PAT-22)."""
    return {"id": row.scim_id, "meta": meta(resource_type, row, base)}


def with_schemas(resource_type: ResourceType, document: Document) -> Document:
    """Return a stored document as normalized ones are; ``schemas`` follows from the rest and is not stored."""
    return {"schemas": schemas_of(resource_type, document), **document}


def without_schemas(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "schemas"}
