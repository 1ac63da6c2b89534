"""What filters mean: the truth tables that the SQL is held against."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim.filter.match import fold_document, matches
from scim.filter.parser import parse_filter
from scim.schema import ENTERPRISE_SCHEMA, GROUP, INFO_SCHEMA, USER

ENT = ENTERPRISE_SCHEMA.urn
INFO = INFO_SCHEMA.urn
CUSTOM = "urn:example:custom:2.0:User"
ANNA: dict[str, Any] = {
    "schemas": [USER.schema.urn, ENT, INFO],
    "id": "Id-1",
    "externalId": "Ext-1",
    "userName": "Anna.Müller@Contoso.com",
    "name": {"givenName": "Anna", "familyName": "Müller"},
    "active": True,
    "emails": [
        {"value": "anna@Contoso.com", "type": "work", "primary": True},
        {"value": "anna@home.example", "type": "home"},
    ],
    "addresses": [{"type": "work", "streetAddress": "Straße 1"}],
    "photos": [{"value": "https://x/A.png", "type": "photo"}],
    ENT: {"department": "Legal", "manager": {"value": "M-1"}},
    INFO: {"info1": "One"},
    CUSTOM: {"Keep": ["As Is"]},
    "meta": {"created": "2024-05-17T12:00:00+02:00", "lastModified": "2024-05-18T00:00:00.5Z", "version": 'W/"a"'},
}


def true_for_anna(text: str) -> bool:
    node = parse_filter(text, USER)
    answer = matches(node, ANNA)
    assert matches(node, fold_document(USER, ANNA)) is answer
    return answer


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('userName eq "ANNA.MÜLLER@contoso.COM"', id="E-QRY-02"),
        pytest.param('externalId eq "Ext-1"', id="E-QRY-03"),
        pytest.param('id eq "Id-1" and manager eq "M-1"', id="E-QRY-09"),
        pytest.param('manager eq "M-1" and id eq "Id-1"', id="E-QRY-09 other order"),
        pytest.param('emails[type eq "work"].value eq "ANNA@contoso.com"', id="E-QRY-05"),
        pytest.param('emails[primary eq "True"].value sw "anna@c"', id="E-QRY-06"),
        pytest.param('emails[type eq "work" and value co "@contoso"]', id="R-FIL-09 same element"),
        pytest.param('emails.type eq "home" and emails.value co "@contoso"', id="R-FIL-09 any elements"),
        pytest.param('emails co "@home"', id="R-FIL-08"),
        pytest.param('emails.value ew ".EXAMPLE"', id="ew"),
        pytest.param('addresses.streetAddress eq "STRASSE 1"', id="casefold"),
        pytest.param("active eq true", id="boolean"),
        pytest.param("active ne false", id="boolean ne"),
        pytest.param(f'{INFO}:info1 eq "one"', id="info"),
        pytest.param(f'{ENT}:department ge "legal" and {ENT}:department le "legal"', id="ge le"),
        pytest.param('department gt "Lega" and department lt "legam"', id="gt lt folded"),
        pytest.param('meta.created eq "2024-05-17T10:00:00Z"', id="R-FIL-05 eq"),
        pytest.param('meta.created lt "2024-05-17T10:00:00.000001Z"', id="R-FIL-05 lt"),
        pytest.param('meta.lastModified ge "2024-05-18T02:00:00.5+02:00"', id="R-FIL-05 ge"),
        pytest.param('meta.lastModified sw "2024-05-18"', id="dateTime as text"),
        pytest.param('schemas eq "urn:ietf:params:scim:schemas:extension:info:2.0:User"', id="schemas"),
        pytest.param("name pr and name.givenName pr and emails pr", id="pr"),
        pytest.param('title ne "x"', id="R-FIL-07 ne of the absent"),
        pytest.param('not (title eq "x")', id="R-FIL-07 not of the absent"),
        pytest.param("title eq null", id="R-FIL-03"),
        pytest.param("userName ne null", id="R-FIL-03 ne"),
        pytest.param('emails[display ne "x"]', id="ne inside an element"),
        pytest.param('userName co ""', id="everything contains nothing"),
        pytest.param('manager[value eq "M-1"]', id="Q-32 brackets after a single value"),
        pytest.param('photos.value eq "https://x/A.png"', id="a reference is caseExact"),
    ],
)
def test_a_filter_holds(text: str):
    assert true_for_anna(text) is True


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('externalId eq "ext-1"', id="E-QRY-03 caseExact"),
        pytest.param('manager eq "m-1"', id="ids are caseExact"),
        pytest.param('emails[type eq "home" and value co "@contoso"]', id="R-FIL-09 same element"),
        pytest.param('emails ne "anna@home.example"', id="R-FIL-07 ne is true for no value that equals"),
        pytest.param('emails.type ne "work"', id="R-FIL-07 ne over several"),
        pytest.param("title pr", id="R-FIL-06"),
        pytest.param("emails.display pr", id="R-FIL-06 sub"),
        pytest.param('title co ""', id="the absent contains nothing"),
        pytest.param('title ge ""', id="the absent has no order"),
        pytest.param('userName eq ""', id="empty"),
        pytest.param("active eq null", id="null"),
        pytest.param('photos.value eq "https://x/a.png"', id="a reference is caseExact"),
        pytest.param('userName eq "a*" or userName eq "Anna%"', id="Q-12 no wildcards"),
        pytest.param('groups.value eq "g"', id="no groups"),
        pytest.param('division eq "x"', id="an absent attribute of an extension"),
    ],
)
def test_a_filter_does_not_hold(text: str):
    assert true_for_anna(text) is False


def test_absent_extensions_have_no_values():
    assert not matches(parse_filter('manager eq "m"', USER), {"userName": "a"})
    assert matches(parse_filter('manager ne "m"', USER), {"userName": "a"})


def test_members_are_matched_where_a_document_shows_them():
    group = {"displayName": "G", "members": [{"value": "U1"}]}

    assert matches(parse_filter('members eq "U1"', GROUP), group)
    assert not matches(parse_filter('members eq "u1"', GROUP), group)


def test_a_folded_document_has_no_letter_case_where_none_counts():
    folded = fold_document(USER, ANNA)

    assert folded["userName"] == "anna.müller@contoso.com"
    assert folded["addresses"] == [{"type": "work", "streetAddress": "strasse 1"}]
    assert folded["externalId"] == "Ext-1"
    assert folded[ENT] == {"department": "legal", "manager": {"value": "M-1"}}
    assert folded["meta"]["created"] == "2024-05-17T10:00:00.000000Z"
    assert folded[CUSTOM] == ANNA[CUSTOM]
    assert ANNA["userName"] == "Anna.Müller@Contoso.com"


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries({}, optional={"userName": st.text(min_size=1), "externalId": st.text(min_size=1)}),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]),
    st.sampled_from(["userName", "externalId", "title"]),
    st.sampled_from(["", "a", "A", "ß", "İ", "\U0001f600"]),
)
def test_folding_a_document_twice_changes_no_answer(document: dict[str, str], operator: str, name: str, value: str):
    node = parse_filter(f'{name} {operator} "{value}"', USER)
    once = fold_document(USER, document)

    assert fold_document(USER, once) == once
    assert matches(node, document) == matches(node, once)
    assert matches(node, document) != matches(parse_filter(f"not ({node})", USER), document)
