"""Whatever is sent is understood or refused by a ``ScimError``, never anything else, with work in bounds."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scim import patch
from scim.documents import Normalized, normalize
from scim.errors import InvalidFilter, ScimError
from scim.filter.ast import Node, Path, count_nodes
from scim.filter.match import fold_document
from scim.filter.parser import MAX_LEVELS, MAX_NODES, parse_filter, parse_path
from scim.filter.tokens import MAX_BYTES
from scim.patch import Patched
from scim.projection import Projection, read_projection
from scim.resources.queries import Query, read_query
from scim.schema import GROUP, RESOURCE_TYPES, USER
from scim.schema.table import ResourceType
from scim.schema.values import storable
from tests.fuzz import strategies as some
from tests.fuzz.counting import TooMuchWork, within

BASIC_CALLS, CALLS_PER_CHARACTER = 4_000, 60


def answer(deed: Callable[[], Any]) -> Any:
    """Return what the deed returns, or the SCIM error that it raises, which must have a body that can be sent."""
    try:
        return deed()
    except ScimError as error:
        orjson.dumps(error.body())
        return error


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in strings(item))]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@settings(deadline=None)
@given(text=some.filters, resource_type=some.RESOURCE_TYPES, lenient=st.booleans())
@example(text="(" * 100_000, resource_type=USER, lenient=False)
@example(text="not (" * 1600, resource_type=USER, lenient=False)
@example(text="emails[" * 1170, resource_type=USER, lenient=False)
@example(text=" or ".join(["active pr"] * 600), resource_type=USER, lenient=False)
@example(text='userName eq "' + "\\" * (MAX_BYTES - 14) + '"', resource_type=USER, lenient=False)
@example(text="x" * (MAX_BYTES + 1), resource_type=USER, lenient=True)
def test_any_text_is_a_filter_or_is_refused(text: str, resource_type: ResourceType, *, lenient: bool):
    calls = BASIC_CALLS + CALLS_PER_CHARACTER * min(len(text), MAX_BYTES)
    found = within(calls, lambda: answer(lambda: parse_filter(text, resource_type, lenient=lenient)))

    if not isinstance(found, ScimError):
        assert count_nodes(found) <= MAX_NODES
        assert parse_filter(str(found), resource_type) == found


@settings(deadline=None)
@given(text=some.paths, resource_type=some.RESOURCE_TYPES)
@example(text="emails" + "[" * 100_000, resource_type=USER)
@example(text='emails[type eq "' + "x" * 100_000 + '"].value', resource_type=USER)
@example(text="." * 100_000, resource_type=GROUP)
def test_any_text_is_a_path_or_is_refused(text: str, resource_type: ResourceType):
    calls = BASIC_CALLS + CALLS_PER_CHARACTER * min(len(text), MAX_BYTES)

    assert isinstance(within(calls, lambda: answer(lambda: parse_path(text, resource_type))), Path | ScimError)


@settings(deadline=None)
@given(raw=st.data(), resource_type=some.RESOURCE_TYPES)
def test_any_json_is_a_resource_or_is_refused(raw: Any, resource_type: ResourceType):
    sent = raw.draw(some.resources(resource_type))
    found = answer(lambda: normalize(resource_type, sent))

    assert isinstance(found, Normalized | ScimError)
    if isinstance(found, Normalized):
        assert all(storable(text) for text in strings(found.document))
        assert normalize(resource_type, found.document).document == found.document
        assert all(storable(text) for text in strings(fold_document(resource_type, found.document)))


@settings(deadline=None)
@given(body=some.patches, resource_type=some.RESOURCE_TYPES)
def test_any_json_is_a_patch_or_is_refused(body: Any, resource_type: ResourceType):
    document = normalize(
        resource_type,
        {
            "schemas": ["x"],
            "userName": "ada",
            "displayName": "Ada",
            "emails": [{"type": "work", "value": "a@x"}, {"type": "home", "value": "b@x", "primary": True}],
            "name": {"givenName": "Ada"},
            "manager": "m1",
        },
    ).document
    found = answer(lambda: patch.apply(patch.parse(body, resource_type), document, resource_type))

    assert isinstance(found, Patched | ScimError)
    if isinstance(found, Patched):
        assert all(storable(text) for text in strings(found.document))
        assert normalize(resource_type, found.document).document == found.document


@settings(deadline=None)
@given(
    resource_type=some.RESOURCE_TYPES,
    attributes=st.one_of(some.filters, st.lists(some.paths, max_size=4)),
    excluded=st.booleans(),
)
@example(resource_type=USER, attributes="," * 100_000, excluded=False)
@example(resource_type=USER, attributes="[" * 100_000, excluded=False)
@example(resource_type=USER, attributes="urn:" + "." * 10_000, excluded=True)
def test_any_text_is_a_projection_or_is_refused(resource_type: ResourceType, attributes: Any, *, excluded: bool):
    length = sum(map(len, attributes))
    resource = {"schemas": ["x"], "id": "1", "userName": "ada", "emails": [{"value": "a@x"}], "urn:x:y": {"a": 1}}

    def deed() -> Any:
        arguments = (None, attributes) if excluded else (attributes, None)
        projection = read_projection(resource_type, *arguments)
        return projection, projection.apply(resource)

    found = within(BASIC_CALLS + CALLS_PER_CHARACTER * length, lambda: answer(deed))

    if not isinstance(found, ScimError):
        projection, answered = found
        assert isinstance(projection, Projection)
        assert {"schemas", "id"} <= answered.keys() <= resource.keys()


@settings(deadline=None)
@given(parameters=some.parameters, resource_type=some.RESOURCE_TYPES)
def test_any_parameters_are_a_query_or_are_refused(parameters: dict[str, str], resource_type: ResourceType):
    found = answer(lambda: read_query(parameters, resource_type))

    assert isinstance(found, Query | ScimError)
    if isinstance(found, Query):
        assert 0 <= found.count <= 1000
        assert found.start_index >= 1


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda found: found.name)
def test_the_levels_and_nodes_of_a_filter_end_exactly_at_their_limits(resource_type: ResourceType):
    def nested(levels: int) -> str:
        return "(" * levels + "displayName pr" + ")" * levels

    def joined(terms: int) -> str:
        return " and ".join(["displayName pr"] * terms)

    assert isinstance(answer(lambda: parse_filter(nested(MAX_LEVELS), resource_type)), Node)
    assert isinstance(answer(lambda: parse_filter(nested(MAX_LEVELS + 1), resource_type)), InvalidFilter)
    assert isinstance(answer(lambda: parse_filter(joined(MAX_NODES - 1), resource_type)), Node)
    assert isinstance(answer(lambda: parse_filter(joined(MAX_NODES), resource_type)), InvalidFilter)


def test_work_is_counted():
    with pytest.raises(TooMuchWork):
        within(10, lambda: [abs(number) for number in range(100)])
    assert within(1_000, lambda: len("abc")) == 3
