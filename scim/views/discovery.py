"""What the service says of itself (RFC 7644 §4), and addresses that it does not have."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from scim import discovery
from scim.documents import Document
from scim.errors import Forbidden, NotFound, NotImplementedByService
from scim.http import ScimResponse
from scim.views.base import ScimView


class DiscoveryView(ScimView):
    """One document, or a list of them, that is the same for everybody."""

    document: Callable[[str, str], Document]

    def get(self, _request: HttpRequest, *, name: str = "", **_kwargs: Any) -> HttpResponse:
        if "filter" in self.parameters():
            raise Forbidden("Discovery cannot be filtered (RFC 7644 §4). Ask without a filter.")
        return ScimResponse(self.document(self.configuration.tenant_url, name))

    head = get


class ServiceProviderConfigView(DiscoveryView):
    @staticmethod
    def document(base: str, _name: str) -> Document:
        return discovery.service_provider_config(base, discovery.Capabilities())


class ResourceTypesView(DiscoveryView):
    @staticmethod
    def document(base: str, name: str) -> Document:
        return discovery.resource_type(name, base) if name else discovery.resource_types(base)


class SchemasView(DiscoveryView):
    @staticmethod
    def document(base: str, name: str) -> Document:
        return discovery.schema(name, base) if name else discovery.schemas(base)


class UnknownView(ScimView):
    """Whatever else is asked for under a Tenant URL."""

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing at this address. Check the Tenant URL.")


class NotOfferedView(ScimView):
    """What RFC 7644 knows and this service does not offer."""

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotImplementedByService
