"""Lists of one resource type, or of all of them at once (RFC 7644 §3.4.2, §3.4.3; RFC 9865)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from provisioning.models import ProvisioningConfiguration
from scim.documents import Document
from scim.resources import cursors, groups, users
from scim.resources.queries import Query, list_response, read_query
from scim.resources.reading import Page, mixed_page
from scim.schema import GROUP, USER
from scim.schema.table import ResourceType

Search = Callable[..., tuple[Page, list[Document]]]

_SEARCHES: Mapping[ResourceType, Search] = {USER: users.search, GROUP: groups.search}


class Listed(NamedTuple):
    """``probe`` is the filter of a connection test that found nothing, else empty."""

    body: Document
    probe: str


def answer(
    *,
    configuration: ProvisioningConfiguration,
    parameters: Mapping[str, Any],
    resource_types: Sequence[ResourceType],
    at: datetime,
) -> Listed:
    """Answer a query, whose ``parameters`` have names in lower case, on all ``resource_types`` as one list.

    Raises what ``read_query`` and ``cursors.unseal`` raise.
    """
    queries = [_query(parameters, found, resource_types, configuration) for found in resource_types]
    scope = [configuration.public_id]
    for resource_type, query in zip(resource_types, queries, strict=True):
        scope += [resource_type.name, str(query.condition or ""), str(query.order or "")]
    first = queries[0]
    if first.cursor:
        position = cursors.unseal(first.cursor, scope=scope, count=first.count, at=at)
        queries = [replace(query, position=position) for query in queries]
    page, resources = _found(configuration, queries, resource_types)
    end = page.end if first.cursor is not None else None
    next_cursor = cursors.seal(end, scope=scope, count=first.count, at=at) if end else None
    body = list_response(first, total=page.total, resources=resources, next_cursor=next_cursor)
    is_probe = page.total == 0 and first.is_probe
    return Listed(body, str(first.condition) if is_probe else "")


def _query(
    parameters: Mapping[str, Any],
    resource_type: ResourceType,
    resource_types: Sequence[ResourceType],
    configuration: ProvisioningConfiguration,
) -> Query:
    others = [other for other in resource_types if other is not resource_type]
    return read_query(parameters, resource_type, *others, lenient=configuration.accepts_bare_tokens)


def _found(
    configuration: ProvisioningConfiguration, queries: Sequence[Query], resource_types: Sequence[ResourceType]
) -> tuple[Page, list[Document]]:
    if len(queries) == 1:
        return _SEARCHES[resource_types[0]](configuration=configuration, query=queries[0])
    page = mixed_page(resource_types, configuration, queries)
    documents: dict[tuple[int, int], Document] = {}
    for part, (resource_type, query) in enumerate(zip(resource_types, queries, strict=True)):
        if among := tuple(row.pk for row in page.rows if row.part == part):
            chosen = Query(among=among, count=len(among), projection=query.projection)
            found, resources = _SEARCHES[resource_type](configuration=configuration, query=chosen)
            documents |= {(part, row.pk): resource for row, resource in zip(found.rows, resources, strict=True)}
    return page, [documents[key] for row in page.rows if (key := (row.part, row.pk)) in documents]
