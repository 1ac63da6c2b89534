"""The requests that are measured, as Entra sends them."""

from collections.abc import Callable
from typing import Any

from tests.bench.world import World

Request = tuple[str, str, dict[str, Any]]
"""Method, path, and keyword arguments of ``httpx.Client.request``."""
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def operations(world: World) -> dict[str, Callable[[int], Request]]:
    """Return by name what makes the n-th request of an operation; no two requests of one operation are alike."""
    base = f"/scim/v2/{world.configuration.public_id}"
    return {
        "token": lambda _: ("POST", "/oauth/token", {"data": world.form}),
        "POST user": lambda n: ("POST", f"{base}/Users", {"json": _user(n)}),
        "GET user": lambda n: ("GET", f"{base}/Users/{world.user(_spread(n, world))}", {}),
        "filter by userName": lambda n: (
            "GET",
            f"{base}/Users",
            {"params": {"filter": f'userName eq "USER{_spread(n, world)}@contoso.com"'}},
        ),
        "PATCH active": lambda n: (
            "PATCH",
            f"{base}/Users/{world.user(_spread(n, world))}",
            {"json": _patch("Replace", "active", "False" if n % 2 else "True")},
        ),
        "PATCH group of 10, add 1 member": lambda n: _add_member(world, base, world.small_group, n),
        "PATCH group of 10,000, add 1 member": lambda n: _add_member(world, base, world.big_group, n),
        "list page of 100 users": lambda _: ("GET", f"{base}/Users", {"params": {"startIndex": "1", "count": "100"}}),
    }


def _spread(number: int, world: World) -> int:
    """Return users all over the table, so that no request finds the last one's pages still warm."""
    return number * 7919 % world.users


def _add_member(world: World, base: str, group: str, number: int) -> Request:
    member = world.user(world.users - 1 - number)
    return "PATCH", f"{base}/Groups/{group}", {"json": _patch("Add", "members", [{"value": member}])}


def _patch(op: str, path: str, value: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": [{"op": op, "path": path, "value": value}]}


def _user(number: int) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": f"new{number}@contoso.com",
        "externalId": f"N{number}",
        "active": True,
        "displayName": f"New {number}",
        "emails": [{"primary": True, "type": "work", "value": f"new{number}@contoso.com"}],
        "name": {"formatted": f"New {number}", "familyName": str(number), "givenName": "New"},
        "urn:ietf:params:scim:schemas:extension:info:2.0:User": {"info1": "Cost center", "info2": "Helsinki"},
    }
