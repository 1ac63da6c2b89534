"""``sortBy`` and ``sortOrder`` (RFC 7644 §3.4.2.3): what they mean, and that SQL sorts as plain Python does."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.models import ProvisioningConfiguration
from scim.errors import InvalidPath, InvalidValue, Sensitive
from scim.filter.order import Order, arrange, read_order
from scim.resources import groups, users
from scim.resources.queries import MAX_PAGE_SIZE, Query
from scim.resources.reading import Page
from scim.schema import GROUP, RESOURCE_TYPES, USER, ResourceType
from tests.factories import make_configuration
from tests.scim.directories import ENT, INFO, directories, fill

SEARCHES = {USER: users.search, GROUP: groups.search}


def names_of(resource_type: ResourceType) -> list[str]:
    """List every place of the table that a list may be sorted by."""
    tables = [("", resource_type.attributes), *((f"{s.urn}:", s.attributes) for s in resource_type.extensions)]
    fields = [(f"{prefix}{attribute.name}", attribute) for prefix, attributes in tables for attribute in attributes]
    plain = [name for name, attribute in fields if attribute.sub("value") or not attribute.sub_attributes]
    parts = [f"{name}.{sub.name}" for name, attribute in fields for sub in attribute.sub_attributes]
    return [name for name in [*plain, *parts] if name != "password"]


def found(configuration: ProvisioningConfiguration, resource_type: ResourceType, **more: Any) -> tuple[Page, list[Any]]:
    return SEARCHES[resource_type](configuration=configuration, query=Query(**{"count": MAX_PAGE_SIZE, **more}))


def ids(answer: tuple[Page, list[Any]]) -> list[str]:
    return [resource["id"] for resource in answer[1]]


def paged(configuration: ProvisioningConfiguration, resource_type: ResourceType, order: Order) -> list[str]:
    """Return the ids of everything, one resource a page, each page found by the position of the one before."""
    collected, position = [], None
    for _ in range(5):
        answer = found(configuration, resource_type, order=order, position=position, count=1, cursor="x")
        collected += ids(answer)
        if (position := answer[0].end) is None:
            break
    return collected


@pytest.fixture
def configuration(db) -> ProvisioningConfiguration:
    return make_configuration()


bounded = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda resource_type: resource_type.name)
@bounded
@given(data=st.data(), directory=directories())
def test_sql_sorts_as_the_oracle_does(
    configuration, resource_type: ResourceType, data: st.DataObject, directory: dict[str, Any]
):
    fill(configuration, directory)
    everything = found(configuration, resource_type)[1]

    for name in data.draw(st.lists(st.sampled_from(names_of(resource_type)), min_size=4, max_size=4)):
        order = read_order(name, data.draw(st.sampled_from(["ascending", "descending"])), resource_type)
        assert order is not None
        expected = [resource["id"] for resource in arrange(order, everything)]
        assert ids(found(configuration, resource_type, order=order)) == expected, str(order)
        assert ids(found(configuration, resource_type, order=order, start_index=2)) == expected[1:], str(order)
        assert paged(configuration, resource_type, order) == expected, str(order)


PEOPLE: list[dict[str, Any]] = [
    {"id": "0", "userName": "b", "name": {"familyName": "Ö"}, "emails": [{"value": "z"}, {"value": "a"}]},
    {"id": "1", "userName": "C", "emails": [{"value": "m"}, {"value": "y", "primary": True}], "active": True},
    {
        "id": "2",
        "userName": "a",
        "externalId": "a",
        "active": False,
        ENT: {"department": "x", "manager": {"value": "m"}},
    },
    {"id": "3", "userName": "d", "externalId": "B", "active": False, "groups": [{"value": "g2"}, {"value": "g1"}]},
]


@pytest.mark.parametrize(
    ("sort_by", "sort_order", "expected"),
    [
        pytest.param("userName", "", "2013", id="not caseExact, ascending by default"),
        pytest.param("USERNAME", "Descending", "3102", id="any letter case"),
        pytest.param("externalId", "ascending", "3201", id="caseExact; absent values last"),
        pytest.param("externalId", "descending", "0123", id="absent values first when descending"),
        pytest.param("emails", "", "1023", id="primary value, else the first"),
        pytest.param("emails.value", "descending", "2301", id="a sub-attribute"),
        pytest.param("name.familyName", "", "0123", id="a part of a complex attribute"),
        pytest.param(f"{ENT}:department", "", "2013", id="an extension's URN"),
        pytest.param("manager", "", "2013", id="a bare name of an extension, its value"),
        pytest.param("active", "", "2310", id="a boolean; equals in order of creation"),
        pytest.param("active", "DESCENDING", "0123", id="equals in order of creation when descending, too"),
        pytest.param("groups", "", "3012", id="the least of a set"),
        pytest.param(f"{USER.schema.urn}:userName", "", "2013", id="the core's URN"),
    ],
)
def test_documents_are_arranged(sort_by: str, sort_order: str, expected: str):
    order = read_order(sort_by, sort_order, USER)

    assert order is not None
    assert "".join(document["id"] for document in arrange(order, PEOPLE)) == expected


@pytest.mark.parametrize(
    ("sort_by", "sort_order", "error"),
    [
        pytest.param("shoeSize", "", InvalidPath, id="unknown attribute"),
        pytest.param(f"{INFO}:info3", "", InvalidPath, id="unknown attribute of an extension"),
        pytest.param("emails.shoe", "", InvalidPath, id="unknown sub-attribute"),
        pytest.param('emails[type eq "work"].value', "", InvalidPath, id="a value path is no attribute"),
        pytest.param("name", "", InvalidPath, id="complex without a value"),
        pytest.param("addresses", "", InvalidPath, id="several without a value"),
        pytest.param("meta", "descending", InvalidPath, id="meta as a whole"),
        pytest.param("password", "", Sensitive, id="what is never returned"),
        pytest.param("userName", "up", InvalidValue, id="no order"),
        pytest.param("", "1", InvalidValue, id="no order of nothing"),
    ],
)
def test_what_cannot_be_sorted_by_is_refused(sort_by: str, sort_order: str, error: type[Exception]):
    with pytest.raises(error):
        read_order(sort_by, sort_order, USER)


def test_nothing_is_sorted_where_nothing_is_said():
    assert read_order("", "", USER) is None
    assert read_order("", "descending", USER) is None
