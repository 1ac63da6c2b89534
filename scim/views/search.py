"""Queries: lists by GET, by ``.search``, and on all resource types at once (RFC 7644 §3.4.2, §3.4.3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse

from provisioning.models import ProvisioningConfiguration
from provisioning.services.calls import Call, record_success
from scim.errors import NotFound
from scim.http import ScimResponse, read_json
from scim.messages import read_message
from scim.resources import lists
from scim.schema import GROUP, RESOURCE_TYPES, USER
from scim.schema.table import ResourceType
from scim.views.base import ScimView

SEARCH_URN: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def list_of(call: Call, parameters: Mapping[str, Any], *resource_types: ResourceType) -> HttpResponse:
    """Answer a query; only a connection test, which looks for what nobody has, leaves a row in the log."""
    listed = lists.answer(
        configuration=call.configuration, parameters=parameters, resource_types=resource_types, at=call.at
    )
    if listed.probe:
        detail = f"Nothing matches {listed.probe}"
        record_success(call, status=200, resource_id="", resource_name="", changes={}, detail=detail)
    return ScimResponse(listed.body)


class SearchView(ScimView):
    """A query in the body of a POST, so that no personal data stand in an address (R-SEC-03)."""

    resource_types: ClassVar[tuple[ResourceType, ...]] = RESOURCE_TYPES

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        return list_of(self.call, read_message(read_json(request), SEARCH_URN), *self.resource_types)

    def _begin(self, configuration: ProvisioningConfiguration, now: datetime, started: float) -> Call:
        return replace(super()._begin(configuration, now, started), operation="query")


class RootView(ScimView):
    """The Tenant URL itself, which answers a filter as its ``.search`` does."""

    def get(self, _request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        parameters = self.parameters()
        if "filter" not in parameters:
            raise NotFound("This is the Tenant URL. Ask below it, for /Users, or for what matches a filter.")
        return list_of(self.call, parameters, *RESOURCE_TYPES)

    head = get


class UserSearchView(SearchView):
    resource_types, logged_type = (USER,), USER.name


class GroupSearchView(SearchView):
    resource_types, logged_type = (GROUP,), GROUP.name
