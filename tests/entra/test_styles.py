"""Both styles of PATCH against the bodies of the wire cases."""

import pytest

from mfmanage.entra.mapping import ENTERPRISE, INFO, Change, Target, Value
from mfmanage.entra.styles import DIALECTS, Style

VERBOSE, FLAGGED = DIALECTS[Style.DEFAULT], DIALECTS[Style.AAD_OPT_SCIM]
MAIL = Target(attribute="emails", type="work", sub="value")
GIVEN = Target(attribute="name", sub="givenName")
FAMILY = Target(attribute="name", sub="familyName")
DISPLAY = Target(attribute="displayName")
ACTIVE = Target(attribute="active")
INFO1 = Target(attribute="info1", urn=INFO)
MANAGER = f"{ENTERPRISE}:manager"


def changed(target: Target, value: Value, *, is_filled: bool = True) -> Change:
    return Change(target, value, is_filled=is_filled)


def test_e_pat_01_and_02_default_style_writes_booleans_as_text():
    assert VERBOSE.attributes([changed(ACTIVE, value=False)]) == [{"op": "Replace", "path": "active", "value": "False"}]
    assert VERBOSE.attributes([changed(ACTIVE, value=True)]) == [{"op": "Replace", "path": "active", "value": "True"}]


def test_e_pat_23_default_style_writes_one_operation_an_attribute():
    changes = [changed(DISPLAY, "D"), changed(MAIL, "m@x"), changed(GIVEN, "G"), changed(INFO1, "i", is_filled=False)]

    assert VERBOSE.attributes(changes) == [
        {"op": "Replace", "path": "displayName", "value": "D"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "m@x"},
        {"op": "Replace", "path": "name.givenName", "value": "G"},
        {"op": "Add", "path": f"{INFO}:info1", "value": "i"},
    ]


def test_e_opt_01_flagged_style_writes_one_plain_attribute_by_its_path():
    assert FLAGGED.attributes([changed(ACTIVE, value=False)]) == [{"op": "replace", "path": "active", "value": False}]
    assert FLAGGED.attributes([changed(DISPLAY, "D", is_filled=False)]) == [
        {"op": "add", "path": "displayName", "value": "D"}
    ]


def test_e_opt_03_flagged_style_merges_plain_replaces_after_the_value_paths():
    changes = [
        changed(DISPLAY, "T"),
        changed(MAIL, "t@x"),
        changed(GIVEN, "G"),
        changed(FAMILY, "F"),
        changed(INFO1, "i"),
    ]

    assert FLAGGED.attributes(changes) == [
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "t@x"},
        {
            "op": "replace",
            "value": {"displayName": "T", "name.givenName": "G", "name.familyName": "F", f"{INFO}:info1": "i"},
        },
    ]


def test_e_opt_04_flagged_style_keeps_adds_apart_from_replaces():
    changes = [
        changed(GIVEN, "G", is_filled=False),
        changed(DISPLAY, "D"),
        changed(FAMILY, "F", is_filled=False),
        changed(MAIL, "m@x", is_filled=False),
    ]

    assert FLAGGED.attributes(changes) == [
        {"op": "add", "path": 'emails[type eq "work"].value', "value": "m@x"},
        {"op": "add", "value": {"name.givenName": "G", "name.familyName": "F"}},
        {"op": "replace", "path": "displayName", "value": "D"},
    ]


@pytest.mark.parametrize(
    ("seen", "wanted", "verbose", "flagged"),
    [
        (
            None,
            "m",
            {"op": "Add", "path": MANAGER, "value": "m"},
            {"op": "add", "value": {MANAGER: {"value": "m"}}},
        ),
        (
            "m",
            "n",
            {"op": "Replace", "path": MANAGER, "value": "n"},
            {"op": "replace", "value": {MANAGER: {"value": "n"}}},
        ),
        (
            "m",
            None,
            {"op": "Remove", "path": MANAGER},
            {"op": "remove", "path": f'{MANAGER}[value eq "m"]'},
        ),
    ],
    ids=["set", "changed", "removed"],
)
def test_a_manager_is_written_in_each_style(seen, wanted, verbose, flagged):
    assert VERBOSE.manager(seen, wanted) == [verbose]
    assert FLAGGED.manager(seen, wanted) == [flagged]


def test_e_grp_13_members_are_added_in_one_operation():
    assert VERBOSE.add_members(["a", "b"]) == [
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": "a"}, {"$ref": None, "value": "b"}]}
    ]
    assert FLAGGED.add_members(["a", "b"]) == [
        {"op": "add", "path": "members", "value": [{"value": "a"}, {"value": "b"}]}
    ]


def test_e_grp_16_default_style_removes_members_by_value():
    assert VERBOSE.remove_members(["a", "b"]) == [
        {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "a"}, {"$ref": None, "value": "b"}]}
    ]


def test_e_opt_11_flagged_style_removes_each_member_by_a_value_path():
    assert FLAGGED.remove_members(["a", "b"]) == [
        {"op": "remove", "path": 'members[value eq "a"]'},
        {"op": "remove", "path": 'members[value eq "b"]'},
    ]


def test_e_pat_13_a_capital_sub_attribute_keeps_an_operation_of_its_own():
    office = Target(attribute="addresses", type="other", sub="formatted", spelled="Formatted")
    path = 'addresses[type eq "other"].Formatted'

    assert VERBOSE.attributes([changed(office, "18/2111")]) == [{"op": "Replace", "path": path, "value": "18/2111"}]
    assert FLAGGED.attributes([changed(office, "18/2111")]) == [{"op": "replace", "path": path, "value": "18/2111"}]


def test_e_pat_14_and_16_roles_are_one_text_or_the_whole_list():
    primary, role = Target(attribute="roles", is_primary=True, sub="value"), {"primary": True, "value": "Admin"}

    assert VERBOSE.attributes([changed(primary, "Admin")]) == [
        {"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "Admin"}
    ]
    assert VERBOSE.attributes([changed(Target(attribute="roles"), [role])]) == [
        {"op": "Replace", "path": "roles", "value": [role]}
    ]
