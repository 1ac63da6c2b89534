"""A directory file is read whole or refused with one sentence that names the place."""

import json

import pytest

from mfmanage.entra.fields import DirectoryInvalid
from mfmanage.entra.reading import load, parse
from tests.entra.builders import directory, group, user


def test_a_user_has_what_the_file_says_and_defaults_for_the_rest():
    anna = parse(directory(user("anna", info1="4711", manager=None))).at(1).users["anna"]

    assert (anna.user_principal_name, anna.info1, anna.info2) == ("anna@contoso.com", "4711", None)
    assert anna.assigned
    assert anna.is_active


@pytest.mark.parametrize(
    "values",
    [{"accountEnabled": False}, {"assigned": False}, {"softDeleted": True}],
    ids=lambda values: next(iter(values)),
)
def test_a_user_is_not_active_when_disabled_unassigned_or_in_the_recycle_bin(values):
    assert not parse(directory(user("anna", **values))).at(1).users["anna"].is_active


def test_a_later_cycle_keeps_what_its_change_does_not_mention():
    changes = [{"users": [{"id": "anna", "info1": "new"}]}, {"users": [{"id": "anna", "mail": None}]}]

    source = parse(directory(user("anna", info1="old", info2="kept"), changes=changes))

    seen = [source.at(cycle).users["anna"] for cycle in (1, 2, 3, 4)]
    assert [anna.info1 for anna in seen] == ["old", "new", "new", "new"]
    assert [anna.mail for anna in seen] == ["anna@contoso.com", "anna@contoso.com", None, None]
    assert {anna.info2 for anna in seen} == {"kept"}


def test_a_change_can_bring_new_users_and_groups():
    changes = [{"users": [user("bert")], "groups": [group("Legal", "bert")]}]

    later = parse(directory(user("anna"), changes=changes)).at(2)

    assert list(later.users) == ["anna", "bert"]
    assert later.groups["Legal"].members == ("bert",)


def test_a_deleted_user_leaves_groups_and_those_who_had_it_as_manager():
    changes = [{"users": [{"id": "boss", "deleted": True}]}]

    later = parse(
        directory(user("boss"), user("anna", manager="boss"), group("Legal", "boss", "anna"), changes=changes)
    ).at(2)

    assert later.users["anna"].manager is None
    assert later.groups["Legal"].members == ("anna",)


def test_members_come_and_go_by_a_change():
    changes = [{"groups": [{"id": "Legal", "addMembers": ["bert", "anna"], "removeMembers": ["carl"]}]}]

    later = parse(
        directory(user("anna"), user("bert"), user("carl"), group("Legal", "anna", "carl"), changes=changes)
    ).at(2)

    assert later.groups["Legal"].members == ("anna", "bert")


def test_a_deleted_group_is_gone_from_the_next_cycle_on():
    source = parse(directory(group("Legal"), changes=[{"groups": [{"id": "Legal", "deleted": True}]}]))

    assert [list(source.at(cycle).groups) for cycle in (1, 2)] == [["Legal"], []]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "The document must be an object."),
        ({"user": []}, "The document has the unknown key 'user'; known are users, groups, changes, scopingFilters."),
        ({"users": {}}, "users must be a list."),
        ({"users": ["anna"]}, "users[0] must be an object."),
        ({"users": [{"id": "anna"}]}, "users[0].userPrincipalName is missing."),
        ({"users": [user("anna", mail=7)]}, "users[0].mail must be a text."),
        ({"users": [user("anna", accountEnabled="yes")]}, "users[0].accountEnabled must be true or false."),
        ({"users": [user("anna"), user("anna")]}, "users[1].id: 'anna' is there twice."),
        (
            {"users": [user("anna"), user("b", userPrincipalName="ANNA@contoso.com")]},
            "There are two users with the userPrincipalName 'ANNA@contoso.com'.",
        ),
        ({"users": [user("anna", manager="boss")]}, "User 'anna': its manager 'boss' is not a user."),
        ({"groups": [{"id": "g"}]}, "groups[0].displayName is missing."),
        ({"groups": [group("g", 7)]}, "groups[0].members[0] must be a text."),
        ({"groups": [group("Legal", "anna")]}, "Group 'Legal': its member 'anna' is not a user."),
        ({"groups": [group("g"), group("G")]}, "There are two groups with the displayName 'G'."),
        ({"changes": [{"users": [{"mail": "x"}]}]}, "changes[0].users[0].id is missing."),
        (
            {"changes": [{"members": []}]},
            "changes[0] has the unknown key 'members'; known are users, groups, scopingFilters.",
        ),
        (
            {"changes": [{"users": [{"id": "anna", "deleted": True}]}]},
            "changes[0].users[0].id: nothing with the id 'anna' is there to delete.",
        ),
        (
            {"users": [user("anna")], "changes": [{"users": [{"id": "anna", "deleted": False}]}]},
            "changes[0].users[0].deleted must be true when it is there.",
        ),
        (
            {"users": [user("anna")], "changes": [{}, {"users": [{"id": "anna", "manager": "x"}]}]},
            "User 'anna': its manager 'x' is not a user (after changes[1]).",
        ),
        (
            {"users": [user("anna")], "changes": [{"users": [{"id": "anna", "userPrincipalName": None}]}]},
            "changes[0].users[0].userPrincipalName must be a text.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_document_is_refused_with_the_place(document, sentence):
    with pytest.raises(DirectoryInvalid) as refused:
        parse(document)

    assert str(refused.value) == sentence


def test_an_unknown_key_of_a_user_is_refused():
    with pytest.raises(DirectoryInvalid, match=r"users\[0\] has the unknown key 'userPrincipleName'"):
        parse({"users": [user("anna", userPrincipleName="x")]})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"users": [}', " is not JSON: Expecting value (line 1, column 12)."),
        (b'{"users": "\xff"}', " is not UTF-8 text: wrong byte at 11."),
        (b"[]", ": The document must be an object."),
    ],
)
def test_a_file_that_is_no_directory_is_refused_by_name(tmp_path, content, sentence):
    path = tmp_path / "directory.json"
    path.write_bytes(content)

    with pytest.raises(DirectoryInvalid) as refused:
        load(path)

    assert str(refused.value) == f"{path}{sentence}"


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(DirectoryInvalid, match="cannot be read: No such file or directory"):
        load(tmp_path / "none.json")


def test_a_file_is_read(tmp_path):
    path = tmp_path / "directory.json"
    path.write_text(json.dumps(directory(user("anna"))))

    assert list(load(path).at(1).users) == ["anna"]
