"""Short ways to write directories and connections."""

from collections.abc import Sequence
from typing import Any

from mfmanage.entra.client import Connection
from tests.entra.scim_server import Service


def connect(service: Service, **values: Any) -> Connection:
    given = {
        "tenant_url": f"{service.address}/scim/",
        "token_endpoint": f"{service.address}/token",
        "client_id": "the client",
        "client_secret": service.secret,
    }
    return Connection(**(given | values))


def user(key: str, **values: Any) -> dict[str, Any]:
    """Return a user of a directory document: ``anna`` is ``anna@contoso.com`` with the id ``anna``."""
    return {
        "id": key,
        "userPrincipalName": f"{key}@contoso.com",
        "displayName": key.title(),
        "mail": f"{key}@contoso.com",
        "mailNickname": key,
        **values,
    }


def group(key: str, *members: Any, **values: Any) -> dict[str, Any]:
    return {"id": key, "displayName": key, "members": list(members), **values}


def directory(*entries: dict[str, Any], changes: Sequence[Any] = ()) -> dict[str, Any]:
    """Return a directory document of the given users and groups."""
    users = [entry for entry in entries if "userPrincipalName" in entry]
    groups = [entry for entry in entries if "userPrincipalName" not in entry]
    return {"users": users, "groups": groups, "changes": list(changes)}
