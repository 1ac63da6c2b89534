"""The requests that are measured, as Entra sends them."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from django.utils import timezone

from scim.resources.cursors import Position, seal
from tests.bench.world import World

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
HUNDRED = 100


class Request(NamedTuple):
    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/scim+json"


def operations(world: World) -> dict[str, Callable[[int], Request]]:
    """Return by name what makes the n-th request of an operation; no two requests of one operation are alike."""
    base = f"/scim/v2/{world.configuration.public_id}"
    users, group = f"{base}/Users", f"{base}/Groups"
    last_page = world.users - HUNDRED + 1
    return {
        "token": lambda _: Request("POST", "/oauth/token", urlencode(world.form).encode(), _FORM),
        "GET user": lambda n: Request("GET", f"{users}/{world.user(_spread(n, world))}"),
        "filter userName eq": lambda n: _listed(users, filter=f'userName eq "USER{_spread(n, world)}@contoso.com"'),
        "POST user": lambda n: _json("POST", users, _user(n)),
        "PATCH active": lambda n: _patch(
            f"{users}/{world.user(_spread(n, world))}", "Replace", "active", str(n % 2 > 0)
        ),
        "PATCH group ± 100 members": lambda n: _members(world, f"{group}/{world.small_group}", n),
        "PATCH group of 10, + 1 member": lambda n: _member(world, f"{group}/{world.small_group}", n),
        "PATCH big group, + 1 member": lambda n: _member(world, f"{group}/{world.big_group}", n),
        "page of 100, the first": lambda _: _listed(users, startIndex="1", count="100"),
        "page of 100, the last by index": lambda _: _listed(users, startIndex=str(last_page), count="100"),
        "page of 100, by cursor at the start": _by_cursor(world, users, 0),
        "page of 100, by cursor at the end": _by_cursor(world, users, last_page - 1),
    }


def _spread(number: int, world: World) -> int:
    """Return users all over the table, so that no request finds the last one's pages still warm."""
    return number * 7919 % world.users


def _by_cursor(world: World, path: str, number: int) -> Callable[[int], Request]:
    """Return what asks for the page behind the user of that number, as the page before it would have said."""
    position = Position(0, world.row_id(number), None, world.users)
    scope = [world.configuration.public_id, "User", "", ""]
    cursor = seal(position, scope=scope, count=HUNDRED, at=timezone.now())
    return lambda _: _listed(path, cursor=cursor, count="100")


def _listed(path: str, **parameters: str) -> Request:
    return Request("GET", f"{path}?{urlencode(parameters)}")


def _member(world: World, group: str, number: int) -> Request:
    return _patch(group, "Add", "members", [{"value": world.user(world.users - 1 - number)}])


def _members(world: World, group: str, number: int) -> Request:
    """Add a hundred members, or remove those that the request before added."""
    first = number // 2 * HUNDRED % (world.users // 2 - HUNDRED)
    values = [{"value": world.user(first + offset)} for offset in range(HUNDRED)]
    return _patch(group, "Remove" if number % 2 else "Add", "members", values)


def _patch(path: str, op: str, name: str, value: Any) -> Request:
    return _json("PATCH", path, {"schemas": [PATCH_OP], "Operations": [{"op": op, "path": name, "value": value}]})


def _json(method: str, path: str, body: object) -> Request:
    return Request(method, path, orjson.dumps(body))


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


_FORM = "application/x-www-form-urlencoded"
