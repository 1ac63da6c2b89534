"""What the log says of a call, in words that people know, and nothing that could be a secret."""

import pytest

from provisioning.call_texts import ENTERPRISE, INFO, NOT_SHOWN, Change, advice, changed_words, changes, shown
from provisioning.services.calls import difference

CONTOSO = "urn:ietf:params:scim:schemas:extension:contoso:2.0:User"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"userName": ["ann@a.example", "ann@b.example"]}, [Change("Username", "ann@a.example", "ann@b.example")]),
        ({"active": [True, False]}, [Change("Enabled", "Yes", "No")]),
        ({"active": [None, True]}, [Change("Enabled", "", "Yes")]),
        ({INFO: [None, {"info1": "1001"}]}, [Change("Additional information 1", "", "1001")]),
        (
            {INFO: [{"info1": "a", "info2": "b"}, {"info1": "a", "info2": "c"}]},
            [Change("Additional information 2", "b", "c")],
        ),
        ({"name": [{"givenName": "Ann"}, {"givenName": "Anna"}]}, [Change("Given name", "Ann", "Anna")]),
        (
            {ENTERPRISE: [{"manager": {"value": "1", "displayName": "Bo"}}, {"department": "Legal"}]},
            [Change("Department", "", "Legal"), Change("Manager", "1 (Bo)", "")],
        ),
        (
            {"emails": [None, [{"value": "a@b.example", "type": "work", "primary": True}, {"value": "c@d.example"}]]},
            [Change("Email addresses", "", "a@b.example (work, primary)\nc@d.example")],
        ),
        (
            {"addresses": [[{"streetAddress": "Main St 1", "locality": "Tampere", "type": "work"}], None]},
            [Change("Addresses", "Main St 1, Tampere (work)", "")],
        ),
        ({"members": ["2 removed", "3 added"]}, [Change("Members", "2 removed", "3 added")]),
        ({"title": ["x", "y" * 500]}, [Change("Job title", "x", "y" * 200 + "…")]),
        ({"schemas": [["a"], ["a", "b"]]}, []),
        ({CONTOSO: [None, {"pin": "1234"}]}, [Change("Extension “contoso”", "", NOT_SHOWN)]),
        ({"password": ["old", "new"]}, [Change("password", "", NOT_SHOWN)]),
        ({"title": "not a pair"}, [Change("Job title", "", "not a pair")]),
        ({"name": ["no", {"givenName": "Ann"}]}, [Change("Given name", "", "Ann")]),
    ],
)
def test_changes_are_told_by_names_that_people_know(changed, said):
    assert changes(changed) == said


def test_what_is_not_on_the_list_is_named_without_its_value():
    kept = shown({"title": ["a", "b"], "password": ["old", "new"], CONTOSO: [None, {"pin": "1234"}], "schemas": [1, 2]})

    assert kept == {"title": ["a", "b"], "password": [None, NOT_SHOWN], CONTOSO: [None, NOT_SHOWN]}


def test_the_log_never_gets_a_value_that_could_be_a_secret():
    old, new = {"displayName": "Ann", "password": "old"}, {"displayName": "Anna", "password": "new", CONTOSO: {"a": 1}}

    assert difference(old, new) == {
        "displayName": ["Ann", "Anna"],
        "password": [None, NOT_SHOWN],
        CONTOSO: [None, NOT_SHOWN],
    }


def test_the_changed_attributes_in_a_row():
    assert changed_words({"name": [None, {"familyName": "Å", "givenName": "A"}], "active": [False, True]}) == (
        "Enabled, Family name, Given name"
    )


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 409, 412, 413, 415, 429, 500, 501, 503])
def test_every_refusal_comes_with_what_to_do(status):
    assert advice(status).endswith((".", "settings."))
    assert len(advice(status)) > 60


def test_a_fault_of_the_service_is_not_blamed_on_the_provider():
    assert advice(503) == advice(500)
    assert "not of the identity provider" in advice(500)
