"""Hostile and half-hostile values: any text, any JSON, and what looks like SCIM until one looks closer."""

import json
from typing import Any

from hypothesis import strategies as st

from scim.filter.ast import Operator
from scim.patch.operations import PATCH_URN
from scim.schema import GROUP, USER
from scim.schema.table import ResourceType

RESOURCE_TYPES = st.sampled_from([USER, GROUP])
ODD_TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\u2028",
    "İ",
    "ß",
    "🙂",
    "a" * 300,
    "%",
    "\\",
    '"',
    "urn:",
    ".",
]
ODD_NUMBERS = [0, -1, 2**63, -(2**63) - 1, 10**400, 1e308, -1e308, 5e-324, 0.1, -0.0, float("inf"), float("nan")]
_SURROGATES_TOO = st.characters(codec=None, exclude_categories=())

texts = st.one_of(st.text(_SURROGATES_TOO, max_size=40), st.sampled_from(ODD_TEXTS))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(ODD_NUMBERS), texts)


def names_of(resource_type: ResourceType) -> list[str]:
    """Return every notation of an attribute (RFC 7644 §3.10), in several letter cases."""
    schemas = [resource_type.schema, *resource_type.extensions]
    plain = resource_type.attributes
    found = [a.name for a in plain] + [f"{a.name}.{sub.name}" for a in plain for sub in a.sub_attributes]
    for schema in schemas:
        found += [schema.urn, *(f"{schema.urn}:{a.name}" for a in schema.attributes)]
        found += [f"{schema.urn}:{a.name}.{sub.name}" for a in schema.attributes for sub in a.sub_attributes]
    return [*found, *(name.upper() for name in found), "manager", "info1", "nothing", "name.nothing", "schemas"]


NAMES = st.sampled_from(sorted({*names_of(USER), *names_of(GROUP)}))
keys = st.one_of(NAMES, texts, st.sampled_from(["schemas", "Operations", "op", "path", "value", "VALUE", "$ref"]))
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)

_LITERALS = st.one_of(
    texts.map(json.dumps),
    st.sampled_from(
        ["true", "False", "null", "1", "-1e400", "1" * 400, "0.1", "bare", '"', '"\\ud800"', '"\\u0000"', '"\\x"']
    ),
)
_WORDS = st.sampled_from(
    ["and", "OR", "not", "(", ")", "[", "]", "pr", ".", ".value", 'type eq "work"', "[type pr]", ",", "\\", *Operator]
)


def _extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or", "AND"]), inner).map(" ".join),
        st.tuples(st.sampled_from(["emails", "members", "addresses", "name"]), inner).map(lambda t: f"{t[0]}[{t[1]}]"),
    )


_COMPARISONS = st.tuples(NAMES, st.sampled_from([*Operator]), _LITERALS).map(" ".join)
filters = st.one_of(
    texts,
    st.recursive(_COMPARISONS, _extended, max_leaves=8),
    st.lists(st.one_of(_WORDS, NAMES, _LITERALS), max_size=12).map(" ".join),
)
_CONDITIONS = st.one_of(filters, st.sampled_from(['type eq "work"', "primary eq true", 'value eq "x"', "type pr"]))
paths = st.one_of(
    texts,
    NAMES,
    st.tuples(NAMES, _CONDITIONS, st.sampled_from(["", ".value", ".display", ".nothing", "]", ".value.value"])).map(
        lambda parts: f"{parts[0]}[{parts[1]}]{parts[2]}"
    ),
)

values = st.one_of(json_values, st.dictionaries(NAMES, json_values, max_size=4), texts, st.booleans())
_operations = st.fixed_dictionaries(
    {"op": st.one_of(st.sampled_from(["add", "remove", "replace", "Add", "move"]), scalars)},
    optional={"path": st.one_of(paths, scalars), "value": values, "Value": values},
)
patches: st.SearchStrategy[Any] = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {"schemas": st.just([PATCH_URN]), "Operations": st.lists(st.one_of(_operations, json_values), max_size=5)}
    ),
)


def resources(resource_type: ResourceType) -> st.SearchStrategy[Any]:
    """Return what might be a resource of this type."""
    names = st.sampled_from(names_of(resource_type))
    inner = st.one_of(json_values, st.lists(st.dictionaries(st.sampled_from(["value", "type", "primary"]), scalars)))
    start = {"schemas": [resource_type.schema.urn], "userName": "ada", "displayName": "Ada"}
    return st.one_of(json_values, st.dictionaries(names, inner, max_size=6).map(lambda found: {**start, **found}))


parameters = st.dictionaries(
    st.sampled_from(
        ["filter", "startindex", "count", "sortby", "sortorder", "cursor", "attributes", "excludedattributes", "x"]
    ),
    st.one_of(filters, paths, st.integers().map(str), st.sampled_from(["9" * 30, "1e3", "٣", "+1", "-0", "ascending"])),
    max_size=5,
)
