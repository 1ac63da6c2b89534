"""What a source object should look like in the target, and what differs from what is there."""

import pytest

from mfmanage.entra import mapping
from mfmanage.entra.directory import Group, User
from mfmanage.entra.mapping import ENTERPRISE, GROUP_ROWS, INFO, MANAGER, USER_ROWS, differences, group_body, user_body

ANNA = User(
    id="1",
    user_principal_name="anna.o'brien@contoso.com",
    display_name="Anna O'Brien",
    given_name="Anna",
    surname="O'Brien",
    mail="anna@contoso.com",
    mail_nickname="anna.o'brien",
    info1="Ångström",
    manager="2",
)


def test_a_new_user_is_sent_as_entra_sends_it_without_references():
    assert user_body(ANNA) == {
        "schemas": [mapping.USER, ENTERPRISE],
        "externalId": "anna.o'brien",
        "userName": "anna.o'brien@contoso.com",
        "active": True,
        "displayName": "Anna O'Brien",
        "emails": [{"primary": True, "type": "work", "value": "anna@contoso.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Anna O'Brien", "familyName": "O'Brien", "givenName": "Anna"},
        "roles": [],
        INFO: {"info1": "Ångström"},
    }


def test_empty_source_values_are_not_sent():
    body = user_body(User(id="1", user_principal_name="a@b", surname="", info1=None))

    assert set(body) == {"schemas", "meta", "roles", "userName", "active"}


def test_a_new_group_is_sent_without_members():
    assert group_body(Group(id="g", display_name="Legal/Contracts", members=("1",))) == {
        "schemas": [mapping.GROUP],
        "externalId": "g",
        "displayName": "Legal/Contracts",
        "members": [],
        "meta": {"resourceType": "Group"},
    }


def test_what_was_sent_does_not_differ_when_it_comes_back():
    assert differences(USER_ROWS, ANNA, {"id": "x", **user_body(ANNA)}) == []


@pytest.mark.parametrize(
    ("change", "path", "is_filled"),
    [
        ({"userName": "old@contoso.com"}, "userName", True),
        ({"userName": "ANNA.O'BRIEN@contoso.com"}, "userName", True),
        ({"active": False}, "active", True),
        ({"active": "True"}, "active", True),
        ({"active": 1}, "active", True),
        ({"emails": []}, 'emails[type eq "work"].value', False),
        ({"emails": None}, 'emails[type eq "work"].value', False),
        ({"emails": [{"type": "home", "value": "anna@contoso.com"}]}, 'emails[type eq "work"].value', False),
        ({"emails": [{"type": "work", "value": "old"}]}, 'emails[type eq "work"].value', True),
        ({"externalId": ""}, "externalId", False),
        ({INFO: {}}, f"{INFO}:info1", False),
        ({INFO: {"info1": "Angstrom"}}, f"{INFO}:info1", True),
        ({INFO: "text"}, f"{INFO}:info1", False),
    ],
)
def test_a_difference_is_found_and_names_its_path(change, path, is_filled):
    [found] = differences(USER_ROWS, ANNA, {**user_body(ANNA), **change})

    assert (found.target.path, found.is_filled) == (path, is_filled)


def test_a_representation_with_other_key_case_cannot_be_read():
    body = user_body(ANNA)
    body["UserName"] = body.pop("userName")

    assert [change.target.path for change in differences(USER_ROWS, ANNA, body)] == ["userName"]


def test_clearing_a_source_value_changes_nothing():
    cleared = User(id="1", user_principal_name=ANNA.user_principal_name)

    assert differences(USER_ROWS, cleared, user_body(ANNA)) == []


def test_a_renamed_group_differs_in_its_name_only():
    [change] = differences(GROUP_ROWS, Group(id="g", display_name="New"), {"displayName": "Old", "externalId": "g"})

    assert (change.target.path, change.value) == ("displayName", "New")


@pytest.mark.parametrize(
    ("resource", "manager"),
    [
        ({ENTERPRISE: {"manager": {"value": "2"}}}, "2"),
        ({ENTERPRISE: {"manager": "2"}}, None),
        ({ENTERPRISE: {}}, None),
        ({}, None),
    ],
)
def test_a_manager_is_read_only_as_an_object(resource, manager):
    assert MANAGER.read(resource) == manager
