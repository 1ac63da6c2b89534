"""The SCIM service as a client sees it, through Django's handler."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken

from provisioning.models import ProvisioningConfiguration
from scim.schema import GROUP, USER
from tests.scim.scenarios import MESSAGES, Reply, Send

_BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def make_token(configuration: ProvisioningConfiguration) -> str:
    token = f"token-of-{configuration.public_id}"
    expires = timezone.now() + timedelta(hours=1)
    AccessToken.objects.create(application=configuration.application, token=token, expires=expires, scope="scim")
    return token


def in_process(configuration: ProvisioningConfiguration) -> Send:
    client = Client(raise_request_exception=False)

    def send(method: str, path: str, headers: dict[str, str], content: bytes) -> Reply:
        kind = headers.pop("Content-Type", "")
        url = f"/scim/v2/{configuration.public_id}{path}"
        response = client.generic(method, url, content, content_type=kind, headers=headers)
        names = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, names, json.loads(response.content) if response.content else None)

    return send


class Service:
    """One configuration's service, with a token that opens it; ``ask`` sends any request."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        self.send, self.token = in_process(configuration), make_token(configuration)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json", **headers}
        return self.send(method, path, given, content)

    def make_user(self, name: str, **more: Any) -> str:
        reply = self.ask("POST", "/Users", {"schemas": [USER.schema.urn], "userName": name, **more})
        assert reply.status == 201, reply.body
        return str(reply.body["id"])

    def make_group(self, name: str, **more: Any) -> str:
        reply = self.ask("POST", "/Groups", {"schemas": [GROUP.schema.urn], "displayName": name, **more})
        assert reply.status == 201, reply.body
        return str(reply.body["id"])

    def patch(self, path: str, *operations: dict[str, Any]) -> Reply:
        return self.ask("PATCH", path, {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": list(operations)})


def statements(deed: Callable[[], Any]) -> list[str]:
    """Return the statements of ``deed`` without those that open and close transactions."""
    with CaptureQueriesContext(connection) as captured:
        deed()
    return [query["sql"] for query in captured if not query["sql"].startswith(_BRACKETS)]
