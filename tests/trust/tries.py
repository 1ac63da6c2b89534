"""Requests of one tenant, made at random of its own and of another tenant's names, ids, cursors and versions."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from hypothesis import strategies as st

from provisioning.models import LoginAccount, UserGroup
from scim.schema import GROUP, USER
from tests.judges.strategies import ENTERPRISE, group_filters, user_filters
from tests.scim.scenarios import MESSAGES
from tests.scim.service import Service
from tests.trust.routes import Route
from tests.trust.rules import RULES
from tests.trust.world import Role, Tenant

_CURSOR = re.compile(r'[?&;]page=([^"&#]+)')
_KINDS = re.compile(r"\{(\w+)\}")
"""The kinds of things in the query of a rule."""
WORDS = (
    "",
    "0",
    "1",
    "3",
    "all",
    "merge",
    "replace",
    "new",
    "Fabrikam",
    "ann",
    "Legal",
    "enabled",
    "failed",
    "no",
    "x",
)


@dataclass(frozen=True)
class Try:
    """A request: ``path`` has the query, ``body`` is JSON to SCIM and a form's fields to the portal."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """What the requests are made of: things of both tenants, and some that nobody has."""

    own: Tenant
    service: Service
    users: list[str]
    groups: list[str]
    names: list[str]
    cursors: list[str]
    etags: list[str]
    keys: dict[str, list[int]]
    """Numbers of rows, by the kind of thing (``tests.trust.rules``)."""


def make_pool(own: Tenant, other: Tenant) -> Pool:
    services = [Service(tenant.contoso.configuration) for tenant in (own, other)]
    accounts = list(LoginAccount.objects.exclude(scim_id=None))
    rows = list(UserGroup.objects.all())
    users, groups = [str(one.scim_id) for one in accounts], [one.scim_id for one in rows]
    kinds = own.things.keys() & other.things.keys()
    return Pool(
        own=own,
        service=services[0],
        users=[*users, "00000000-0000-4000-8000-000000000000"],
        groups=[*groups, "x"],
        names=[one.username for one in accounts] + [one.display_name for one in rows],
        cursors=[*(cursor for one in services for cursor in _cursors(one)), "nonsense"],
        etags=[str(one.ask("GET", f"/Users/{user}").headers.get("etag")) for one in services for user in users] + ["*"],
        keys={kind: [own.things[kind].pk, other.things[kind].pk, 999_999_999] for kind in kinds},
    )


def _cursors(service: Service) -> list[str]:
    """Return the cursors with which a tenant's lists of users and groups go on."""
    answers = [service.ask("GET", f"{path}?count=1&cursor") for path in ("/Users", "/Groups")]
    return [answer.body["nextCursor"] for answer in answers if "nextCursor" in answer.body]


def portal_cursors(tenant: Tenant) -> list[str]:
    """Return the cursors that stand in the tenant's pages."""
    pages = [tenant.browsers[Role.SUBSCRIPTION_ADMIN].get(tenant.contoso.url(path)) for path in ("users/", "audit/")]
    return [found for page in pages for found in _CURSOR.findall(page.content.decode())]


def reads_of_scim(pool: Pool) -> st.SearchStrategy[Try]:
    ids, names = st.sampled_from(pool.users + pool.groups), st.sampled_from(pool.names)
    alone = st.one_of(
        ids.map(lambda one: f"id eq {json.dumps(one)}"),
        ids.map(lambda one: f"not (id eq {json.dumps(one)}) or members.value eq {json.dumps(one)}"),
        names.map(lambda one: f"userName sw {json.dumps(one[:3])} or externalId pr"),
        names.map(lambda one: f"displayName co {json.dumps(one)}"),
        st.sampled_from(pool.groups).map(lambda one: f"groups.value eq {json.dumps(one)}"),
    )
    filters = st.one_of(alone, user_filters(pool.users), group_filters(pool.users + pool.groups))
    query = st.fixed_dictionaries(
        {},
        optional={
            "filter": filters,
            "count": st.integers(-1, 5).map(str),
            "startIndex": st.integers(-1, 5).map(str),
            "cursor": st.sampled_from([*pool.cursors, ""]),
            "sortBy": st.sampled_from(["userName", "displayName", "id", "meta.created"]),
            "attributes": st.sampled_from(["userName", "groups", "members", "id"]),
        },
    )
    places = st.sampled_from(["/Users", "/Groups", "/"])
    lists = st.builds(lambda place, found: Try("GET", f"{place}?{urlencode(found)}"), places, query)
    search = st.builds(
        lambda place, found: Try("POST", f"{place}/.search", _search(found)), st.sampled_from(["", "/Users"]), query
    )
    one = st.builds(
        lambda place, one, tag, header: Try("GET", f"{place}/{one}", headers={header: tag}),
        st.sampled_from(["/Users", "/Groups"]),
        ids,
        st.sampled_from(pool.etags),
        st.sampled_from(["If-None-Match", "If-Match"]),
    )
    return st.one_of(lists, search, one)


def _search(found: dict[str, str]) -> dict[str, Any]:
    numbers = {name: int(found[name]) for name in ("count", "startIndex") if name in found}
    listed = {"attributes": [found["attributes"]]} if "attributes" in found else {}
    return {"schemas": [f"{MESSAGES}:SearchRequest"], **found} | numbers | listed


def writes_of_scim(pool: Pool) -> st.SearchStrategy[Try]:
    ids, users = st.sampled_from(pool.users + pool.groups), st.sampled_from(pool.users)
    values = st.lists(ids, max_size=3).map(lambda found: [{"value": one} for one in found])
    places = st.builds("{}/{}".format, st.sampled_from(["/Users", "/Groups"]), ids)
    patches = st.builds(
        lambda op, change: {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": [{"op": op, **change}]},
        st.sampled_from(["add", "replace", "remove"]),
        st.one_of(
            values.map(lambda found: {"path": "members", "value": found}),
            users.map(lambda one: {"path": f'members[value eq "{one}"]'}),
            users.map(lambda one: {"path": f"{ENTERPRISE}:manager", "value": {"value": one}}),
            st.sampled_from(pool.names).map(lambda name: {"path": "userName", "value": name}),
            st.just({"path": "active", "value": False}),
        ),
    )
    names = st.sampled_from(pool.names)
    user = st.builds(_user, names, users)
    group = st.builds(
        lambda name, found: {"schemas": [GROUP.schema.urn], "displayName": name, "members": found}, names, values
    )
    headers: st.SearchStrategy[dict[str, str]] = st.just({}) | st.sampled_from(pool.etags).map(
        lambda tag: {"If-Match": tag}
    )
    plain = st.one_of(
        st.builds(Try, st.just("PATCH"), places, patches, headers),
        st.builds(Try, st.just("DELETE"), places, st.none(), headers),
        st.builds(Try, st.just("PUT"), places, st.one_of(user, group), headers),
        st.builds(Try, st.just("POST"), st.just("/Users"), user),
        st.builds(Try, st.just("POST"), st.just("/Groups"), group),
    )
    return st.one_of(plain, st.lists(plain, min_size=1, max_size=3).map(_bulk))


def _user(name: str, manager: str) -> dict[str, Any]:
    return {"schemas": [USER.schema.urn, ENTERPRISE], "userName": name, ENTERPRISE: {"manager": {"value": manager}}}


def _bulk(tries: list[Try]) -> Try:
    operations = [
        {"method": one.method, "path": one.path, "bulkId": str(number), **({"data": one.body} if one.body else {})}
        for number, one in enumerate(tries)
    ]
    return Try("POST", "/Bulk", {"schemas": [f"{MESSAGES}:BulkRequest"], "Operations": operations})


def visits(pool: Pool, pages: list[Route], cursors: list[str], method: str) -> st.SearchStrategy[Try]:
    """Return requests to pages of the portal, with numbers of rows of both tenants wherever one may stand."""
    numbers = [str(key) for keys in pool.keys.values() for key in keys]
    values = st.sampled_from([*WORDS, *cursors, *pool.users, *pool.groups, *numbers])
    sampled = {kind: st.sampled_from(found) for kind, found in pool.keys.items()}
    names = (
        *("q", "page", "row", "all", "group", "configuration", "vault", "target", "resource", "state", "role"),
        *("kind", "mode", "license_type", "new_target", "after", "type", "actor", "action", "members", "change"),
    )
    routes = st.sampled_from(pages)
    given = st.dictionaries(st.sampled_from(names), values, max_size=4)

    @st.composite
    def one(draw: st.DrawFn) -> Try:
        route = draw(routes)
        rule = RULES[route.name]
        keys = {kind: draw(sampled[kind]) for kind in [*rule.names, *_KINDS.findall(rule.query)]}
        parameters = [name for name in route.parameters if name != "number"]
        chosen = dict(zip(parameters, (keys[kind] for kind in rule.names), strict=True))
        path = route.address(number=pool.own.subscription.number, **chosen)
        query = {name: found[0] for name, found in parse_qs(rule.query.format(**keys)).items()} | draw(given)
        return Try(method, f"{path}?{urlencode(query)}", draw(given) if method == "POST" else None)

    return one()


def is_portals(one: Try) -> bool:
    return urlsplit(one.path).path.startswith(("/s/", "/licensing/"))
