"""This service and scim2-server side by side, in one process, asked the same and answering in the same words."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from scim2_models import ResourceType, Schema, ScimProvider
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_service_provider_config
from werkzeug.test import Client

from provisioning.models import ProvisioningConfiguration
from scim import discovery
from tests.scim.scenarios import Reply
from tests.scim.service import Service

Json = dict[str, Any]
PEER = "http://localhost/v2"


@dataclass(frozen=True)
class Request:
    """``path`` and ``body`` name resources as ``<User 1>``; a query that is None is none."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        query = f"?{urlencode(self.query, quote_via=quote)}" if self.query else ""
        return f"{self.method} {self.path}{query} {json.dumps(self.body) if self.body is not None else ''}".strip()


@dataclass
class Side:
    """One service; ``ids`` maps the names of resources to its own identifiers."""

    send: Callable[[str, str, Any], Reply]
    base: str
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, request: Request) -> Reply:
        query = urlencode({key: self.own(value) for key, value in request.query.items()}, quote_via=quote)
        path = quote(self.own(request.path)) + (f"?{query}" if query else "")
        return self.send(request.method, path, self.own(request.body))

    def own(self, value: Any) -> Any:
        """Put this side's identifiers in for the names."""
        return replaced(value, self.ids)

    def common(self, value: Any) -> Any:
        """Put the names in for this side's identifiers and address."""
        return replaced(value, {self.base: "<base>", **{own: name for name, own in self.ids.items()}})


class Both:
    """A configuration of this service, and a scim2-server that knows the same schemas."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        service, client = Service(configuration), Client(WSGIApplication(InMemoryStorage(), peer_provider()))

        def ask_peer(method: str, path: str, body: Any) -> Reply:
            content = None if body is None else json.dumps(body)
            reply = client.open(f"/v2{path}", method=method, data=content, content_type="application/scim+json")
            return Reply(reply.status_code, dict(reply.headers), reply.get_json() if reply.data else None)

        self.ours = Side(service.ask, configuration.tenant_url)
        self.peer = Side(ask_peer, PEER)

    def ask(self, request: Request) -> tuple[Reply, Reply]:
        return self.ours.ask(request), self.peer.ask(request)


@cache
def peer_provider() -> ScimProvider:
    """Describe the peer by what this service says of itself, so that both go by the same characteristics."""
    return ScimProvider.from_discovery(
        [Schema.model_validate(schema) for schema in discovery.schemas(PEER)["Resources"]],
        [ResourceType.model_validate(kind) for kind in discovery.resource_types(PEER)["Resources"]],
        config=load_default_service_provider_config(),
    )


def replaced(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {replaced(key, words): replaced(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, words) for item in value]
    if isinstance(value, str):
        for word, other in words.items():
            value = value.replace(word, other)
    return value
