"""Requests that any SCIM client might send: values that collide, differ by letter case, or look like SQL patterns."""

import json
from typing import Any

from hypothesis import strategies as st

from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER
from tests.judges.both import Request
from tests.scim.scenarios import MESSAGES

Json = dict[str, Any]
ENTERPRISE, INFO = ENTERPRISE_SCHEMA.urn, INFO_SCHEMA.urn
PATCH_OP = f"{MESSAGES}:PatchOp"

USER_NAMES = ("ann@x.example", "ANN@x.example", "bob@x.example", "Cid@y.example", "d'or", 'e"e', "f\\f", "åsa", "Z")
TEXTS = ("a", "A", "ab", "Ab c", "b", "B_b", "50%", 'say "x"', "c:\\d", "å", "Å", "zz")
GROUP_NAMES = ("Alpha", "alpha", "Beta", "G 50%", "G_1", 'q"q', "gamma", "Delta", "delta 2", "å", "Å")
URLS = ("https://a.example/x", "https://A.example/X", "https://b.example/?q=1")
KINDS = ("work", "home", "Work", "other")
SIMPLE = ("displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone")
NAME_PARTS = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
SEVERAL = ("emails", "phoneNumbers", "ims", "entitlements", "roles")
DEPARTMENT = ("employeeNumber", "costCenter", "organization", "division", "department")

texts, kinds = st.sampled_from(TEXTS), st.sampled_from(KINDS)
texts_or_none = st.none() | texts


def cased(name: str) -> st.SearchStrategy[str]:
    """Return the name in some letter case (RFC 7643 §2.1)."""
    return st.sampled_from([name, name, name.upper(), name.lower(), name.swapcase()])


@st.composite
def renamed(draw: st.DrawFn, document: st.SearchStrategy[Json]) -> Json:
    """Write the names of a document in other letter cases, those of the extensions' URNs apart."""
    return {name if ":" in name else draw(cased(name)): value for name, value in draw(document).items()}


# Documents

elements = st.fixed_dictionaries({"value": texts, "type": kinds}, optional={"display": texts})
photos = st.fixed_dictionaries({"value": st.sampled_from(URLS)}, optional={"display": texts})
addresses = st.fixed_dictionaries(
    {"type": kinds, "locality": texts},
    optional={"formatted": texts, "streetAddress": texts, "postalCode": texts, "country": st.just("FI")},
)


@st.composite
def element_lists(draw: st.DrawFn, one: st.SearchStrategy[Json] = elements) -> list[Json]:
    """Return elements that differ in type and value, at most one of them primary (RFC 7643 §2.4)."""
    found = draw(
        st.lists(one, max_size=3, unique_by=lambda item: (item.get("type", "").lower(), str(item.get("value")).lower()))
    )
    chosen = draw(st.integers(-2, len(found) - 1))
    if chosen >= 0:
        found[chosen] = {**found[chosen], "primary": True}
    return found


def managers(users: list[str]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"value": st.sampled_from(users)}) if users else st.none()


def enterprise(users: list[str]) -> st.SearchStrategy[Json]:
    parts = dict.fromkeys(DEPARTMENT, texts_or_none)
    return st.fixed_dictionaries({}, optional={**parts, "manager": managers(users)})


def user_documents(number: int, users: list[str]) -> st.SearchStrategy[Json]:
    """Return users; ``number`` makes their ``externalId`` a new one."""
    optional = {
        **dict.fromkeys(SIMPLE, texts_or_none),
        **dict.fromkeys(SEVERAL, st.none() | element_lists()),
        "profileUrl": st.sampled_from(URLS),
        "photos": element_lists(photos),
        "name": st.fixed_dictionaries({}, optional=dict.fromkeys(NAME_PARTS, texts_or_none)),
        "addresses": element_lists(addresses),
        "externalId": st.sampled_from([f"x{number}", f"X{number}", f"{number}%"]),
        ENTERPRISE: enterprise(users),
        INFO: st.fixed_dictionaries({}, optional={"info1": texts_or_none, "info2": texts_or_none}),
    }
    required = {
        "schemas": st.just([USER.schema.urn, ENTERPRISE, INFO]),
        "userName": st.sampled_from(USER_NAMES),
        "active": st.booleans(),
    }
    return renamed(st.fixed_dictionaries(required, optional=optional))


def group_documents(number: int, users: list[str]) -> st.SearchStrategy[Json]:
    required = {"schemas": st.just([GROUP.schema.urn]), "displayName": st.sampled_from(GROUP_NAMES)}
    optional = {"externalId": st.just(f"g{number}"), "members": members(users)}
    return renamed(st.fixed_dictionaries(required, optional=optional))


def members(users: list[str]) -> st.SearchStrategy[list[Json]]:
    if not users:
        return st.just([])
    return st.lists(st.sampled_from(users), unique=True, max_size=3).map(lambda ids: [{"value": one} for one in ids])


# Queries

USER_TEXTS = (
    *("userName", *SIMPLE, "externalId", "meta.resourceType"),
    *(f"name.{part}" for part in NAME_PARTS),
    *(f"{name}.{sub}" for name in SEVERAL for sub in ("value", "type", "display")),
    *("emails", "roles", "addresses.locality", "addresses.type", "addresses.country"),
    *(f"{ENTERPRISE}:{name}" for name in DEPARTMENT),
    f"{INFO}:info1",
)
GROUP_TEXTS = ("displayName", "externalId", "meta.resourceType")
VALUED = st.sampled_from(USER_NAMES + TEXTS + GROUP_NAMES + KINDS).map(
    lambda text: json.dumps(text, ensure_ascii=False)
)
DAYS = ('"2000-01-01T00:00:00Z"', '"2100-01-01T00:00:00+02:00"', '"2100-01-01T00:00:00.5Z"')
ORDERED, FOR_TEXT = ("gt", "ge", "lt", "le"), ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")


def compared(path: str, operators: tuple[str, ...], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from([*operators, operators[0].upper()])
    return st.tuples(cased(path) if ":" not in path else st.just(path), operator, values).map(" ".join)


def presences(path: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{path} pr", f"{path} PR", f"{path} eq null", f"{path} ne null"])


def about_text(paths: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(paths).flatmap(lambda path: compared(path, FOR_TEXT, VALUED) | presences(path))


def inside(name: str) -> st.SearchStrategy[str]:
    parts = about_text(("value", "type", "display")) | compared(
        "primary", ("eq", "ne"), st.sampled_from(["true", "false"])
    )
    return joined(parts).map(lambda text: f"{name}[{text}]")


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return conditions with and, or, not and grouping."""
    return st.recursive(
        parts,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" and ", " or ", " AND "]), inner).map("".join),
            inner.map(lambda text: f"not ({text})"),
            inner.map(lambda text: f"({text})"),
        ),
        max_leaves=4,
    )


def user_filters(users: list[str]) -> st.SearchStrategy[str]:
    places = [
        about_text(USER_TEXTS),
        compared("active", ("eq", "ne"), st.sampled_from(["true", "false", '"True"', '"false"'])),
        compared("emails.primary", ("eq", "ne"), st.sampled_from(["true", "false"])),
        compared("profileUrl", FOR_TEXT, st.sampled_from(URLS).map(json.dumps)) | presences("profileUrl"),
        compared("photos.value", FOR_TEXT, st.sampled_from(URLS).map(json.dumps)) | presences("photos"),
        compared("meta.created", ORDERED, st.sampled_from(DAYS)),
        compared("meta.lastModified", ORDERED, st.sampled_from(DAYS)),
        st.sampled_from(SEVERAL).flatmap(inside),
        st.sampled_from([*SEVERAL, "addresses", "name"]).map(lambda name: f"{name} pr"),
        *(
            [compared("id", ("eq", "ne"), own(users)), compared(f"{ENTERPRISE}:manager.value", ("eq",), own(users))]
            if users
            else []
        ),
    ]
    return joined(st.one_of(places))


def group_filters(users: list[str]) -> st.SearchStrategy[str]:
    places = [about_text(GROUP_TEXTS), st.just("members pr")]
    if users:
        places += [compared("members.value", ("eq",), own(users)), compared("members", ("eq",), own(users))]
    return joined(st.one_of(places))


def own(users: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(users).map(json.dumps)


USER_NAMED = (*SIMPLE, "userName", "name", "name.givenName", "emails", "emails.value", "active", "meta", ENTERPRISE)
GROUP_NAMED = ("displayName", "externalId", "meta")
SORTED_BY = (
    "userName",
    "displayName",
    "title",
    "name.familyName",
    "externalId",
    "profileUrl",
    f"{ENTERPRISE}:department",
)


def projections(named: tuple[str, ...]) -> st.SearchStrategy[Json]:
    names = st.lists(st.sampled_from(named), min_size=1, max_size=3, unique=True).map(",".join)
    parameter = st.sampled_from(["attributes", "excludedAttributes"])
    return st.just({}) | st.tuples(parameter, names).map(lambda pair: {pair[0]: pair[1]})


orders = st.sampled_from(["ascending", "descending"])
pages = st.fixed_dictionaries(
    {"sortBy": st.just("userName"), "sortOrder": orders},
    optional={"startIndex": st.integers(-1, 5).map(str), "count": st.integers(-1, 4).map(str)},
)
sorts = st.fixed_dictionaries({"sortBy": st.sampled_from(SORTED_BY), "sortOrder": orders})


def lists(endpoint: str, filters: st.SearchStrategy[str], named: tuple[str, ...]) -> st.SearchStrategy[Request]:
    """Return searches; a sort that has ties comes without a projection, which would hide what ties."""
    condition: st.SearchStrategy[Json] = st.just({}) | filters.map(lambda text: {"filter": text})
    rest = [projections(named)]
    if endpoint == "/Users":
        rest += [sorts, st.tuples(pages, projections(named)).map(lambda found: found[0] | found[1])]
    return st.tuples(condition, st.one_of(rest)).map(lambda found: Request("GET", endpoint, query=found[0] | found[1]))
