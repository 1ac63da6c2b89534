"""The SQL of a filter answers as the plain-Python oracle does, on SQLite and on PostgreSQL."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.models import ProvisioningConfiguration
from scim.errors import ScimError
from scim.filter.match import matches
from scim.filter.parser import parse_filter
from scim.resources import groups, users
from scim.resources.queries import MAX_PAGE_SIZE, Query
from scim.schema import GROUP, RESOURCE_TYPES, USER, ResourceType, Type
from tests.factories import NOON, make_configuration
from tests.scim.directories import ENT, IDS, MOMENTS, UNKNOWN, WORDS, directories, fill, group_body

pytestmark = pytest.mark.django_db

OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]


def fields_of(resource_type: ResourceType) -> list[tuple[str, Type]]:
    """List every place of the table that a filter may compare, with its type."""
    found: list[tuple[str, Type]] = []
    tables = [("", resource_type.attributes), *((f"{s.urn}:", s.attributes) for s in resource_type.extensions)]
    for prefix, attributes in tables:
        for attribute in attributes:
            if attribute.name == "password":
                continue
            if (value := attribute.sub("value")) or not attribute.sub_attributes:
                found.append((f"{prefix}{attribute.name}", (value or attribute).type))
            found += [(f"{prefix}{attribute.name}.{sub.name}", sub.type) for sub in attribute.sub_attributes]
    return found


def literal_of(kind: Type) -> st.SearchStrategy[Any]:
    if kind is Type.BOOLEAN:
        return st.booleans()
    if kind is Type.DATE_TIME:
        return st.sampled_from([*(moment.isoformat() for moment in MOMENTS), "2026-05-12T14:00:00+02:00"])
    known = [*WORDS, "", "work", "WORK", "direct", "User", "group", *IDS, USER.schema.urn, UNKNOWN, 'W/"1"', "2026-05"]
    return st.sampled_from(known)


@st.composite
def comparisons(draw: st.DrawFn, fields: list[tuple[str, Type]]) -> str:
    name, kind = draw(st.sampled_from(fields))
    if draw(st.integers(0, 7)) == 0:
        return f"{name} pr"
    operators = ["eq", "ne"] if kind in {Type.BOOLEAN, Type.BINARY} else OPERATORS
    return f"{name} {draw(st.sampled_from(operators))} {json.dumps(draw(literal_of(kind)))}"


def logic(terms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        terms,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: "({} {} {})".format(*parts)),
            inner.map("not ({})".format),
        ),
        max_leaves=5,
    )


def value_paths(resource_type: ResourceType) -> st.SearchStrategy[str]:
    conditions = {
        attribute.name: logic(comparisons([(sub.name, sub.type) for sub in attribute.sub_attributes]))
        for attribute in resource_type.attributes
        if attribute.sub_attributes
    }
    return st.one_of(*[condition.map((name + "[{}]").format) for name, condition in conditions.items()])


def work_addresses() -> st.SearchStrategy[str]:
    address = st.sampled_from(WORDS).map(json.dumps)
    return st.one_of(
        address.map('emails[type eq "work"].value eq {}'.format),
        address.map('emails[value eq {} and type eq "WORK"]'.format),
        address.map('emails[type eq "work" and value eq {} and primary eq true]'.format),
    )


def filters(resource_type: ResourceType) -> st.SearchStrategy[str]:
    terms = st.one_of(comparisons(fields_of(resource_type)), value_paths(resource_type))
    return logic(terms | work_addresses() if resource_type is USER else terms)


SEARCHES = {USER: users.search, GROUP: groups.search}


def found(configuration: ProvisioningConfiguration, resource_type: ResourceType, text: str | None) -> list[Any]:
    condition = None if text is None else parse_filter(text, resource_type)
    query = Query(condition=condition, count=MAX_PAGE_SIZE)
    return SEARCHES[resource_type](configuration=configuration, query=query)[1]


def check(configuration: ProvisioningConfiguration, resource_type: ResourceType, texts: list[str]) -> None:
    everything = found(configuration, resource_type, None)
    for text in texts:
        node = parse_filter(text, resource_type)
        expected = [resource["id"] for resource in everything if matches(node, resource)]
        assert [resource["id"] for resource in found(configuration, resource_type, text)] == expected, text


bounded = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@bounded
@given(directory=directories(), texts=st.lists(filters(USER), min_size=8, max_size=8))
def test_sql_finds_the_users_that_the_oracle_finds(transaction, directory: dict[str, Any], texts: list[str]):
    fill(transaction, directory)
    check(transaction, USER, texts)


@bounded
@given(directory=directories(), texts=st.lists(filters(GROUP), min_size=8, max_size=8))
def test_sql_finds_the_groups_that_the_oracle_finds(transaction, directory: dict[str, Any], texts: list[str]):
    fill(transaction, directory)
    check(transaction, GROUP, texts)


@pytest.fixture
def transaction() -> ProvisioningConfiguration:
    return make_configuration()


DIRECTORY = {
    "users": [
        {
            "schemas": [USER.schema.urn],
            "userName": "Änne@Contoso.com",
            "externalId": "e-1",
            "displayName": "Straße",
            "name": {"givenName": "Änne"},
            "active": True,
            "emails": [{"type": "work", "value": "a@x"}, {"type": "Work", "value": "B@x"}, {"value": "c@x"}],
            ENT: {"manager": IDS[1], "department": "Legal"},
        },
        {
            "schemas": [USER.schema.urn],
            "userName": "bob",
            "name": {"givenName": "Bob", "familyName": "STRASSE"},
            "active": False,
            "emails": [{"type": "work", "value": "a@x", "primary": True}],
        },
    ],
    "groups": [group_body(0, "a", True), group_body(1, "ß", False)],
    "members": [{0}, {0, 1}],
    "nested": {(0, 1), (1, 1)},
    "moments": MOMENTS,
    "intended": [None, None],
}


@pytest.mark.parametrize("resource_type", RESOURCE_TYPES, ids=lambda resource_type: resource_type.name)
def test_sql_agrees_on_every_field_and_operator(resource_type: ResourceType):
    configuration = make_configuration()
    fill(configuration, DIRECTORY)

    for name, kind in fields_of(resource_type):
        literals = [json.dumps(value) for value in values_of(kind)]
        texts = [f"{name} {operator} {literal}" for operator in OPERATORS for literal in literals]
        check(configuration, resource_type, [f"{name} pr", *(text for text in texts if is_filter(text, resource_type))])


def values_of(kind: Type) -> list[Any]:
    if kind is Type.BOOLEAN:
        return [True, False]
    if kind is Type.DATE_TIME:
        return [NOON.isoformat(), "2026-05-12T13:00:00.5Z"]
    return ["Straße", "a@x", "", "/Users/"]


def is_filter(text: str, resource_type: ResourceType) -> bool:
    try:
        parse_filter(text, resource_type)
    except ScimError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param('emails[type eq "work"].value eq "A@X"', [0, 1], id="E-QRY-05"),
        pytest.param('emails[type eq "work"].value eq "b@x"', [0], id="D-20 the second work address"),
        pytest.param('emails.value eq "c@x"', [0], id="an address without a type"),
        pytest.param('emails[type eq "work"].value eq "c@x"', [], id="another type"),
        pytest.param('userName eq "ÄNNE@contoso.COM"', [0], id="E-QRY-02"),
        pytest.param('userName co "%" or userName sw "_"', [], id="Q-12 no wildcards"),
        pytest.param(f'id eq "{IDS[0]}" and manager eq "{IDS[1]}"', [0], id="E-QRY-09"),
        pytest.param(f'{ENT}:manager.displayName eq "BOB strasse"', [0], id="the manager's name"),
        pytest.param('not (title eq "x")', [0, 1], id="R-FIL-07"),
        pytest.param('meta.created lt "2026-05-12T14:00:00.4+02:00"', [0], id="R-FIL-05"),
        pytest.param('groups.display sw "SS"', [0, 1], id="groups"),
    ],
)
def test_users_are_found(text: str, numbers: list[int]):
    configuration = make_configuration()
    fill(configuration, DIRECTORY)

    assert [resource["id"] for resource in found(configuration, USER, text)] == [IDS[number] for number in numbers]


def test_active_is_what_was_intended_while_a_protection_holds_it_back():
    configuration = make_configuration()
    fill(configuration, {**DIRECTORY, "intended": [False, None]})

    assert [resource["id"] for resource in found(configuration, USER, "active eq true")] == []
    assert [resource["id"] for resource in found(configuration, USER, "active eq false")] == IDS[:2]


def test_a_filter_never_leaves_its_configuration():
    own, other = make_configuration(), make_configuration()
    fill(other, DIRECTORY)

    assert found(own, USER, 'userName pr or not (userName pr) or userName eq "bob"') == []
    assert found(own, GROUP, "displayName pr or not (displayName pr)") == []


def test_the_largest_filter_is_answered():
    configuration = make_configuration()
    fill(configuration, DIRECTORY)
    text = " or ".join(['emails[value eq "x"]'] * 99)

    assert found(configuration, USER, f"{'(' * 30}{text} or active eq false{')' * 30}")[0]["id"] == IDS[1]
