"""PATCH of users: both styles of Entra, Okta's and the RFC's."""

from typing import Any

import pytest

from tests.scim.patching import ANNA, BARE, CORE, CUSTOM, ENT, HOME, INFO, WORK, op, patch


def differences(document: dict[str, Any], *operations: object) -> dict[str, Any]:
    """Patch ``document``; return what is other afterwards, None for what is gone."""
    patched = patch(
        document, *operations, read_only={"id": "Anna-1", "meta": {"resourceType": "User", "version": "W/1"}}
    )
    after = patched.document
    names = [name for name in {**document, **after} if name != "schemas"]
    assert patched.sets == {}
    return {name: after.get(name) for name in names if after.get(name) != document.get(name)}


DISABLED = {"active": False}


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        pytest.param([op("Replace", "active", "False")], DISABLED, id="E-PAT-01"),
        pytest.param([op("Replace", "active", "True")], {}, id="E-PAT-02"),
        pytest.param([op("replace", "active", "FALSE")], DISABLED, id="E-PAT-03"),
        pytest.param([op("Replace", "active", False)], DISABLED, id="E-PAT-04"),
        pytest.param([op("Add", "active", "False")], DISABLED, id="E-PAT-06"),
        pytest.param([op("replace", "active", False)], DISABLED, id="E-OPT-01"),
        pytest.param([op("replace", None, {"active": False})], DISABLED, id="O-OK-09"),
        pytest.param([op("add", None, {"active": False})], DISABLED, id="O-02"),
        pytest.param([op("replace", "", {"active": False})], DISABLED, id="an empty path is none"),
        pytest.param(
            [op("Replace", 'emails[type eq "work"].value', "n@x"), op("Replace", "name.familyName", "F")],
            {"emails": [WORK | {"value": "n@x"}, HOME], "name": ANNA["name"] | {"familyName": "F"}},
            id="E-PAT-07",
        ),
        pytest.param(
            [op("replace", 'emails[type eq "other"].Value', "o@x")],
            {"emails": [WORK, HOME, {"type": "other", "value": "o@x"}]},
            id="E-PAT-10, E-PAT-13",
        ),
        pytest.param([op("Replace", "userName", "new@x")], {"userName": "new@x"}, id="E-PAT-22"),
        pytest.param([op("Add", "nickName", "Babs")], {"nickName": "Babs"}, id="E-PAT-24, E-OPT-02"),
        pytest.param(
            [op("Add", "title", "T"), op("Replace", "nickName", "N")], {"title": "T", "nickName": "N"}, id="E-PAT-25"
        ),
        pytest.param(
            [op("replace", f"{CORE}:name.givenName", "G"), op("replace", f'{CORE}:emails[type eq "home"].value', "h")],
            {"name": ANNA["name"] | {"givenName": "G"}, "emails": [WORK, HOME | {"value": "h"}]},
            id="E-PAT-26",
        ),
        pytest.param([op("replace", f"{INFO}:info1", "one")], {INFO: {"info1": "one"}}, id="E-PAT-27"),
        pytest.param([op("Add", f"{ENT}:department", "Retail")], {ENT: {"department": "Retail"}}, id="E-PAT-21"),
        pytest.param([op("add", f"{ENT}.department", "Retail")], {ENT: {"department": "Retail"}}, id="customappsso"),
        pytest.param([op("replace", "title", "")], {"title": None}, id="E-PAT-29"),
        pytest.param([op("replace", "title", None)], {"title": None}, id="E-PAT-30"),
        pytest.param(
            [op("replace", 'emails[type eq "home"].value', "")],
            {"emails": [WORK]},
            id="E-PAT-29 nothing but labels is left",
        ),
        pytest.param(
            [op("replace", 'emails[type eq "other"].value', ""), op("replace", 'emails[type eq "other"].value', None)],
            {},
            id="E-PAT-30 of an element that is gone",
        ),
        pytest.param([op("Remove", "title")], {"title": None}, id="E-PAT-31"),
        pytest.param([op("Remove", "nickName")], {}, id="E-PAT-31 when unset"),
        pytest.param([op("Remove", 'emails[type eq "work"].value', "x")], {"emails": [HOME]}, id="E-PAT-32"),
        pytest.param([op("REPLACE", "TITLE", "T")], {"title": "T"}, id="E-PAT-34, R-MOD-01"),
        pytest.param(
            [{"name": "x", "Op": "Replace", "Path": "title", "Value": "T", "id": 1}], {"title": "T"}, id="E-PAT-37"
        ),
        pytest.param(
            [op("replace", 'emails[type eq "home"].primary', "True")],
            {"emails": [WORK | {"primary": False}, HOME | {"primary": True}]},
            id="E-PAT-38, R-PAT-17",
        ),
        pytest.param([], {}, id="E-PAT-39"),
        pytest.param([op("replace", "title", "Boss")], {}, id="R-PAT-23"),
        pytest.param(
            [
                op("replace", 'emails[type eq "work"].value', "t@x"),
                op(
                    "replace",
                    None,
                    {"displayName": "T", "name.givenName": "G", "name.familyName": "F", f"{ENT}:employeeNumber": "846"},
                ),
            ],
            {
                "emails": [WORK | {"value": "t@x"}, HOME],
                "displayName": "T",
                "name": {"formatted": "Anna M", "givenName": "G", "familyName": "F"},
                ENT: {"employeeNumber": "846"},
            },
            id="E-OPT-03",
        ),
        pytest.param(
            [op("add", None, {"name.givenName": "G"})], {"name": ANNA["name"] | {"givenName": "G"}}, id="E-OPT-04"
        ),
        pytest.param(
            [op("replace", None, {"emails.value": "x"})], {"emails": [WORK | {"value": "x"}, HOME]}, id="E-OPT-05"
        ),
        pytest.param([op("replace", None, {ENT: {"department": "D"}})], {ENT: {"department": "D"}}, id="E-OPT-07"),
        pytest.param(
            [op("replace", ENT, {"Department": "D", "x": 1})], {ENT: {"department": "D"}}, id="an extension as path"
        ),
        pytest.param(
            [op("replace", None, {"name": {"givenName": "G"}})],
            {"name": ANNA["name"] | {"givenName": "G"}},
            id="E-OPT-08, Q-34",
        ),
        pytest.param(
            [op("replace", None, {"name.givenName": "", f"{ENT}:department": None, "title": ""})],
            {"name": {"formatted": "Anna M", "familyName": "M"}, "title": None},
            id="E-OPT-09",
        ),
        pytest.param([op("replace", None, {"title": "A", "TITLE": "B"})], {"title": "B"}, id="E-OPT-12"),
        pytest.param(
            [op("replace", None, {CORE: {"title": "A"}, "schemas": [CORE, ENT]})],
            {"title": "A"},
            id="core URN, schemas",
        ),
        pytest.param([op("replace", None, {"shoeSize": 47, "urn:x": 1, "a[b": 2})], {}, id="D-10"),
        pytest.param([op("replace", None, {"id": "Anna-1", "title": "A"})], {"title": "A"}, id="O-OK-12"),
        pytest.param([op("replace", None, {"groups": [], "meta": None})], {}, id="unassigned read-only attributes"),
        pytest.param([op("replace", None, {"password": "secret"})], {}, id="O-OK-10"),
        pytest.param([op("replace", "password", "secret")], {}, id="O-OK-10 path"),
        pytest.param([op("add", "title", ["A"])], {"title": "A"}, id="list of one"),
        pytest.param(
            [op("replace", "name", {"givenName": "G", "x": 1})],
            {"name": ANNA["name"] | {"givenName": "G"}},
            id="R-PAT-16",
        ),
        pytest.param(
            [op("add", "name", {"middleName": "J"})], {"name": ANNA["name"] | {"middleName": "J"}}, id="R-PAT-07"
        ),
        pytest.param([op("replace", "name", None)], {"name": None}, id="a complex as a whole"),
        pytest.param(
            [op("remove", "name.givenName")], {"name": {"formatted": "Anna M", "familyName": "M"}}, id="remove sub"
        ),
        pytest.param([op("remove", "emails")], {"emails": None}, id="R-PAT-09 all"),
        pytest.param([op("remove", 'emails[type eq "work"]')], {"emails": [HOME]}, id="R-PAT-09 matching"),
        pytest.param([op("remove", 'emails[type eq "fax"]')], {}, id="remove without match"),
        pytest.param(
            [op("remove", 'emails[type eq "work"].primary')],
            {"emails": [{"type": "work", "value": "a@work"}, HOME]},
            id="R-PAT-09 sub",
        ),
        pytest.param(
            [op("remove", "emails.type")],
            {"emails": [{"value": "a@work", "primary": True}, {"value": "a@home"}]},
            id="sub of all",
        ),
        pytest.param([op("remove", "emails", [{"value": "a@work"}])], {"emails": [HOME]}, id="D-03 for any list"),
        pytest.param([op("remove", "emails", [])], {}, id="D-03 nothing listed"),
        pytest.param([op("replace", "emails", [HOME])], {"emails": [HOME]}, id="R-PAT-11"),
        pytest.param([op("replace", "emails", [])], {"emails": None}, id="R-PAT-11 clears"),
        pytest.param([op("add", "emails", [])], {}, id="adding nothing"),
        pytest.param([op("add", "emails", [HOME])], {}, id="R-PAT-06 the same"),
        pytest.param(
            [op("add", "emails", {"value": "o@x"})], {"emails": [WORK, HOME, {"value": "o@x"}]}, id="R-PAT-06"
        ),
        pytest.param(
            [op("add", "emails", [{"value": "o@x", "primary": True}])],
            {"emails": [WORK | {"primary": False}, HOME, {"value": "o@x", "primary": True}]},
            id="R-PAT-17 add",
        ),
        pytest.param(
            [op("replace", 'emails[type eq "work"]', {"value": "n@x"})],
            {"emails": [{"type": "work", "value": "n@x"}, HOME]},
            id="R-PAT-12 keeps what selected it",
        ),
        pytest.param(
            [op("add", 'emails[type eq "work"]', {"display": "W"})],
            {"emails": [WORK | {"display": "W"}, HOME]},
            id="add to an element",
        ),
        pytest.param(
            [op("replace", 'emails[value co "@"].display', "D")],
            {"emails": [WORK | {"display": "D"}, HOME | {"display": "D"}]},
            id="R-PAT-13, D-20",
        ),
        pytest.param(
            [op("replace", 'emails[value co "@"].type', "x"), op("replace", 'emails[type eq "x"].value', "n@x")],
            {"emails": [{"type": "x", "value": "n@x", "primary": True}]},
            id="R-MOD-10 two become one",
        ),
        pytest.param(
            [op("replace", None, {"meta": {"resourceType": "User"}, "title": "A"})],
            {"title": "A"},
            id="R-PAT-22 a part of what is known",
        ),
        pytest.param(
            [op("replace", 'emails[type ne "work"].value', "x")],
            {"emails": [WORK, HOME | {"value": "x"}]},
            id="any filter that matches",
        ),
        pytest.param(
            [op("remove", "title"), op("add", "title", "A"), op("replace", "title", "B")], {"title": "B"}, id="R-PAT-01"
        ),
    ],
)
def test_operations_on_anna(operations: list[object], expected: dict[str, Any]):
    assert differences(ANNA, *operations) == expected


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        pytest.param(
            [op("Replace", 'emails[type eq "work"].value', "n@x")],
            {"emails": [{"type": "work", "value": "n@x"}]},
            id="E-PAT-08, Q-04",
        ),
        pytest.param(
            [op("Add", 'emails[type eq "work"].value', "n@x")],
            {"emails": [{"type": "work", "value": "n@x"}]},
            id="E-PAT-09",
        ),
        pytest.param(
            [op("Add", f'phoneNumbers[type eq "{kind}"].value', kind) for kind in ("mobile", "work", "fax")],
            {"phoneNumbers": [{"type": kind, "value": kind} for kind in ("mobile", "work", "fax")]},
            id="E-PAT-11",
        ),
        pytest.param(
            [
                op("Add", f'addresses[type eq "work"].{part}', part)
                for part in ("streetAddress", "locality", "region", "postalCode", "country", "Formatted")
            ],
            {
                "addresses": [
                    {"type": "work"}
                    | {p: p for p in ("streetAddress", "locality", "region", "postalCode", "country")}
                    | {"formatted": "Formatted"}
                ]
            },
            id="E-PAT-12",
        ),
        pytest.param(
            [
                op("Replace", 'roles[primary eq "True"].value', "Admin"),
                op("Replace", 'roles[primary eq "True"].display', "A"),
            ],
            {"roles": [{"primary": True, "value": "Admin", "display": "A"}]},
            id="E-PAT-14, V-S-23",
        ),
        pytest.param(
            [op("Replace", 'roles[type eq "WindowsRole"].value', "Admin")],
            {"roles": [{"type": "WindowsRole", "value": "Admin"}]},
            id="D-01 keeps the letter case",
        ),
        pytest.param(
            [op("Replace", 'emails[type eq "work" and primary eq true].value', "x")],
            {"emails": [{"type": "work", "primary": True, "value": "x"}]},
            id="D-01 and",
        ),
        pytest.param(
            [op("Add", "roles", [{"value": '{"id":"1","value":"Admin"}'}])],
            {"roles": [{"value": '{"id":"1","value":"Admin"}'}]},
            id="E-PAT-15",
        ),
        pytest.param(
            [
                op("Replace", 'emails[type eq "work"].value', "x"),
                op("Replace", 'addresses[type eq "work"].formatted', "18/2111"),
                op("Add", f"{ENT}:department", "Retail"),
            ],
            {
                "emails": [{"type": "work", "value": "x"}],
                "addresses": [{"type": "work", "formatted": "18/2111"}],
                ENT: {"department": "Retail"},
            },
            id="Q-05",
        ),
        pytest.param([op("Add", 'emails[type eq "work"].primary', False)], {}, id="V-S-21 a label alone"),
        pytest.param(
            [op("Add", 'emails[type eq "work"].primary', True), op("Add", 'emails[type eq "work"].value', "x")],
            {"emails": [{"type": "work", "primary": True, "value": "x"}]},
            id="V-S-21 a label first",
        ),
        pytest.param([op("replace", "emails.value", "x")], {"emails": [{"value": "x"}]}, id="E-OPT-05 first"),
        pytest.param([op("add", "emails", "x")], {"emails": [{"value": "x"}]}, id="a bare string"),
        pytest.param(
            [op("Add", f"{CUSTOM}:tags", [{"value": "1"}])], {CUSTOM: {"tags": [{"value": "1"}]}}, id="E-PAT-28"
        ),
        pytest.param(
            [op("Add", f"{CUSTOM}:tags", ["1"]), op("add", f"{CUSTOM}:TAGS", ["1", "2"])],
            {CUSTOM: {"tags": ["1", "2"]}},
            id="E-PAT-28 more",
        ),
        pytest.param(
            [op("replace", None, {CUSTOM: {"a": "1", "b": None}, f"{CUSTOM}:c.d": "2"})],
            {CUSTOM: {"a": "1", "c": {"d": "2"}}},
            id="custom nested",
        ),
        pytest.param([op("add", f"{CUSTOM}:a", "1"), op("remove", f"{CUSTOM}:a")], {}, id="custom remove"),
        pytest.param([op("add", f"{CUSTOM}:a", "1"), op("remove", CUSTOM)], {}, id="custom remove all"),
    ],
)
def test_operations_on_a_bare_user(operations: list[object], expected: dict[str, Any]):
    assert differences(BARE, *operations) == expected


MANAGED = {**BARE, "schemas": [CORE, ENT], ENT: {"department": "D", "manager": {"value": "m"}}}


@pytest.mark.parametrize(
    ("operation", "manager"),
    [
        pytest.param(op("Add", "manager", [{"$ref": "http://x/Users/m2", "value": "m2"}]), "m2", id="E-PAT-17, X-9"),
        pytest.param(op("Add", f"{ENT}:manager", "m2"), "m2", id="E-PAT-18, Q-07"),
        pytest.param(op("Replace", f"{ENT}:manager", {"value": "m2"}), "m2", id="E-PAT-19"),
        pytest.param(op("replace", f"{ENT}:manager.value", "m2"), "m2", id="E-PAT-19 sub"),
        pytest.param(op("replace", None, {f"{ENT}:manager": {"value": "m2", "displayName": "B"}}), "m2", id="E-OPT-06"),
        pytest.param(op("replace", None, {ENT: {"manager": "m2"}}), "m2", id="D-07 nested"),
        pytest.param(op("Remove", f"{ENT}:manager"), None, id="E-PAT-20"),
        pytest.param(op("remove", 'manager[value eq "m"]'), None, id="E-OPT-10, Q-32"),
        pytest.param(op("remove", f'{ENT}:manager[value eq "m"]'), None, id="E-OPT-10 URN"),
        pytest.param(op("remove", 'manager[value eq "other"]'), "m", id="E-OPT-10 no match"),
        pytest.param(op("replace", f'{ENT}:manager[value eq "m"].value', "m2"), "m2", id="a part of the selected"),
        pytest.param(op("replace", f"{ENT}:manager", ""), None, id="D-09"),
        pytest.param(op("replace", f"{ENT}:manager", None), None, id="D-09 null"),
    ],
)
def test_a_manager_comes_and_goes(operation: object, manager: str | None):
    after = patch(MANAGED, operation).document[ENT]

    assert after == {"department": "D"} | ({"manager": {"value": manager}} if manager else {})


def test_schemas_follows_the_extensions():
    assert patch(BARE, op("add", "department", "D")).document["schemas"] == [CORE, ENT]
    assert patch(MANAGED, op("remove", ENT)).document == BARE
    assert patch(MANAGED, op("remove", "department"), op("remove", "manager")).document == BARE


def test_both_styles_of_entra_end_in_the_same_state():  # SO-3, X-7
    verbose = [
        op("Replace", "displayName", "P"),
        op("Replace", 'emails[type eq "work"].value', "T"),
        op("Replace", "name.givenName", "G"),
        op("Replace", "name.familyName", "F"),
        op("Add", "externalId", "E"),
        op("Add", f"{ENT}:employeeNumber", "8"),
        op("Add", f"{ENT}:manager", "m"),
        op("Replace", "active", "False"),
    ]
    optimized = [
        op("replace", 'emails[type eq "work"].value', "T"),
        op(
            "replace",
            None,
            {
                "displayName": "P",
                "name.givenName": "G",
                "name.familyName": "F",
                "externalId": "E",
                f"{ENT}:employeeNumber": "8",
                f"{ENT}:manager": {"value": "m"},
                "active": False,
            },
        ),
    ]

    assert patch(ANNA, *verbose) == patch(ANNA, *optimized)
