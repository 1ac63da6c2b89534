"""PATCH operations that any SCIM client might send (RFC 7644 §3.5.2): valid ones, and some that must be refused."""

from typing import Any

from hypothesis import strategies as st

from tests.judges.strategies import (
    DEPARTMENT,
    ENTERPRISE,
    GROUP_NAMES,
    INFO,
    KINDS,
    NAME_PARTS,
    SEVERAL,
    SIMPLE,
    USER_NAMES,
    Json,
    element_lists,
    elements,
    enterprise,
    members,
    texts,
)

SETS = ("add", "replace")
ANY = (*SETS, "remove")


def operation(op: str, path: str | None = None, **value: Any) -> Json:
    return {"op": op, **({} if path is None else {"path": path}), **value}


def setting(paths: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    parts = st.tuples(st.sampled_from(SETS), st.sampled_from(paths), values)
    return parts.map(lambda found: operation(found[0], found[1], value=found[2]))


def removing(paths: tuple[str, ...]) -> st.SearchStrategy[Json]:
    return st.sampled_from(paths).map(lambda path: operation("remove", path))


ONE_VALUED = (
    *SIMPLE,
    *(f"name.{part}" for part in NAME_PARTS),
    *(f"{ENTERPRISE}:{name}" for name in DEPARTMENT),
    *(f"{INFO}:info1", f"{INFO}:info2"),
)
FOUND = tuple(f'{name}[type eq "{kind}"]' for name in ("emails", "roles") for kind in KINDS)
PARTS_FOUND = tuple(f"{path}.{sub}" for path in FOUND for sub in ("value", "display"))
REFUSED = (
    operation("replace", "id", value="x"),
    operation("add", "meta.created", value="2020-01-01T00:00:00Z"),
    operation("remove", "userName"),
    operation("replace", "userName", value=None),
    operation("remove"),
    operation("add", "nothingKnown", value="x"),
    operation("replace", "emails[type eq", value="x"),
    operation("replace", 'emails[nope eq "x"].value', value="x"),
    operation("replace", "active", value="perhaps"),
    operation("replace", "title", value=["a"]),
    operation("replace", "title", value=["a", "b"]),
    operation("replace", "groups", value=[]),
    operation("remove", "nothingKnown"),
    operation("replace", "name.nothing", value="x"),
    operation("replace", "title.sub", value="x"),
    operation("replace", "name", value="text"),
    operation("move", "title", value="x"),
)


def user_operations(users: list[str]) -> st.SearchStrategy[Json]:
    pathless = st.fixed_dictionaries(
        {}, optional={**dict.fromkeys(SIMPLE, texts), "active": st.booleans(), ENTERPRISE: enterprise([])}
    )
    return st.one_of(
        setting(ONE_VALUED, texts | st.none()),
        removing((*ONE_VALUED, "name", *SEVERAL, ENTERPRISE)),
        setting(("userName",), st.sampled_from(USER_NAMES)),
        setting(("active",), st.booleans()),
        setting(("name",), st.fixed_dictionaries({}, optional=dict.fromkeys(NAME_PARTS, texts))),
        setting((ENTERPRISE,), enterprise(users)),
        setting(SEVERAL, element_lists() | elements),
        setting(PARTS_FOUND, texts),
        removing(FOUND + PARTS_FOUND),
        st.tuples(st.sampled_from(SETS), pathless).map(lambda found: operation(found[0], value=found[1])),
        st.sampled_from(REFUSED),
        *([setting((f"{ENTERPRISE}:manager.value",), st.sampled_from(users))] if users else []),
    )


def group_operations(users: list[str]) -> st.SearchStrategy[Json]:
    found = [f'members[value eq "{user}"]' for user in users]
    return st.one_of(
        setting(("displayName",), st.sampled_from(GROUP_NAMES)),
        setting(("members",), members(users)),
        removing(("members", "externalId", *found)),
        st.sampled_from([operation("remove", "displayName"), operation("remove"), operation("add", "id", value="x")]),
    )
