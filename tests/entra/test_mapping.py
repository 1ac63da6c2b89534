"""What a source object should look like in the target, and what differs from what is there."""

import pytest

from mfmanage.entra import mapping
from mfmanage.entra.attributes import GALLERY, GENERIC, Roles, with_roles
from mfmanage.entra.directory import Group, User
from mfmanage.entra.mapping import (
    ENTERPRISE,
    INFO,
    MANAGER,
    ROLE_TYPE,
    MatchingUnknown,
    differences,
    group_body,
    user_body,
)

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
    assert user_body(GALLERY.users, ANNA) == {
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
    body = user_body(GALLERY.users, User(id="1", user_principal_name="a@b", surname="", info1=None))

    assert set(body) == {"schemas", "meta", "roles", "userName", "active"}


def test_a_new_group_is_sent_without_members():
    assert group_body(GALLERY.groups, Group(id="g", display_name="Legal/Contracts", members=("1",))) == {
        "schemas": [mapping.GROUP],
        "externalId": "g",
        "displayName": "Legal/Contracts",
        "members": [],
        "meta": {"resourceType": "Group"},
    }


def test_what_was_sent_does_not_differ_when_it_comes_back():
    assert differences(GALLERY.users, ANNA, {"id": "x", **user_body(GALLERY.users, ANNA)}) == []


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
    [found] = differences(GALLERY.users, ANNA, {**user_body(GALLERY.users, ANNA), **change})

    assert (found.target.path, found.is_filled) == (path, is_filled)


def test_a_representation_with_other_key_case_cannot_be_read():
    body = user_body(GALLERY.users, ANNA)
    body["UserName"] = body.pop("userName")

    assert [change.target.path for change in differences(GALLERY.users, ANNA, body)] == ["userName"]


def test_clearing_a_source_value_changes_nothing():
    cleared = User(id="1", user_principal_name=ANNA.user_principal_name)

    assert differences(GALLERY.users, cleared, user_body(GALLERY.users, ANNA)) == []


def test_a_renamed_group_differs_in_its_name_only():
    [change] = differences(GALLERY.groups, Group(id="g", display_name="New"), {"displayName": "Old", "externalId": "g"})

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


BERT = User(
    id="2",
    user_principal_name="bert@contoso.com",
    job_title="Engineer",
    proxy_addresses=("bert@other.com", "b@other.com"),
    preferred_language="fi-FI",
    physical_delivery_office_name="18/2111",
    street_address="Hämeenkatu 1",
    city="Tampere",
    state="Pirkanmaa",
    postal_code="33100",
    country="FI",
    telephone_number="+358 1",
    mobile="+358 2",
    facsimile_telephone_number="+358 3",
    employee_id="00042",
    department="Legal",
    info1="not mapped",
    app_roles=("Admin", "Reader"),
)
BERTS_BODY = {
    "schemas": [mapping.USER, ENTERPRISE],
    "meta": {"resourceType": "User"},
    "roles": [],
    "userName": "bert@contoso.com",
    "active": True,
    "title": "Engineer",
    "emails": [{"primary": True, "type": "other", "value": "bert@other.com"}],
    "preferredLanguage": "fi-FI",
    "addresses": [
        {"type": "other", "formatted": "18/2111"},
        {
            "type": "work",
            "streetAddress": "Hämeenkatu 1",
            "locality": "Tampere",
            "region": "Pirkanmaa",
            "postalCode": "33100",
            "country": "FI",
        },
    ],
    "phoneNumbers": [
        {"type": "work", "value": "+358 1"},
        {"type": "mobile", "value": "+358 2"},
        {"type": "fax", "value": "+358 3"},
    ],
    ENTERPRISE: {"employeeNumber": "00042", "department": "Legal"},
}


def test_the_generic_mapping_sends_what_the_gallerys_does_not():
    assert user_body(GENERIC.users, BERT) == BERTS_BODY
    assert differences(GENERIC.users, BERT, BERTS_BODY) == []


def test_the_paths_of_the_generic_mapping_are_spelled_as_entra_spells_them():
    changes = differences(GENERIC.users, BERT, {"userName": "bert@contoso.com", "active": True})

    assert [change.target.path for change in changes] == [
        "title",
        'emails[type eq "other"].Value',
        "preferredLanguage",
        'addresses[type eq "other"].Formatted',
        'addresses[type eq "work"].streetAddress',
        'addresses[type eq "work"].locality',
        'addresses[type eq "work"].region',
        'addresses[type eq "work"].postalCode',
        'addresses[type eq "work"].country',
        'phoneNumbers[type eq "work"].value',
        'phoneNumbers[type eq "mobile"].value',
        'phoneNumbers[type eq "fax"].value',
        f"{ENTERPRISE}:employeeNumber",
        f"{ENTERPRISE}:department",
    ]
    assert not any(change.is_filled for change in changes)


def test_a_single_role_is_the_primary_one():
    rows = with_roles(GALLERY, Roles.SINGLE).users

    body = user_body(rows, BERT)

    assert body["roles"] == [{"primary": True, "type": ROLE_TYPE, "value": "Admin"}]
    assert differences(rows, BERT, body) == []
    [change] = differences(rows, BERT, {**body, "roles": [{"primary": True, "value": "Reader"}]})
    assert (change.target.path, change.value, change.is_filled) == ('roles[primary eq "True"].value', "Admin", True)


def test_asserted_roles_are_the_whole_list():
    rows = with_roles(GALLERY, Roles.ASSERTIVE).users
    roles = [{"primary": False, "type": ROLE_TYPE, "display": role, "value": role} for role in ("Admin", "Reader")]

    assert user_body(rows, BERT)["roles"] == roles
    [change] = differences(rows, BERT, {**user_body(rows, BERT), "roles": roles[:1]})
    assert (change.target.path, change.value) == ("roles", roles)


def test_matching_attributes_are_asked_for_in_their_order_and_empty_ones_are_not():
    by = GALLERY.matched_by(["externalId", 'emails[type eq "work"].value', "userName"])

    assert list(by.criteria(ANNA)) == [
        ("externalId", "anna.o'brien"),
        ('emails[type eq "work"].value', "anna@contoso.com"),
        ("userName", "anna.o'brien@contoso.com"),
    ]
    assert list(by.criteria(BERT)) == [("userName", "bert@contoso.com")]


@pytest.mark.parametrize("path", ["active", "title", ""])
def test_an_attribute_that_is_not_mapped_cannot_be_matched_by(path):
    with pytest.raises(MatchingUnknown, match=f"there is no '{path}' to match by; known are userName, displayName, "):
        GALLERY.matched_by([path])
