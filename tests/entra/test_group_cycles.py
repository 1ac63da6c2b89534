"""What cycles do to groups and their members, against a service over HTTP."""

import pytest

from mfmanage.entra import groups
from mfmanage.entra.job import Job
from mfmanage.entra.results import Action, Status
from mfmanage.entra.styles import Style
from tests.entra.builders import directory, group, user
from tests.entra.scim_server import Service

BOTH = pytest.mark.parametrize("style", list(Style))
PEOPLE = [user("anna"), user("bert"), user("carl")]


def members(service: Service, name: str = "Legal") -> list[str]:
    names = {key: user["userName"].partition("@")[0] for key, user in service.resources["Users"].items()}
    return sorted(names.get(member["value"], "unknown") for member in service.group(name)["members"])


@BOTH
def test_a_group_is_created_without_members_which_follow_in_a_request_of_their_own(service, provision, style):
    summary = provision(directory(*PEOPLE, group("Legal", "anna", "bert")), style=style)

    post, patch = [request for request in service.writes if request.path.startswith("/Groups")]
    assert post.body["members"] == []
    assert len(patch.operations) == 1
    assert members(service) == ["anna", "bert"]
    assert summary.cycles[0].created == 4
    assert provision.result("Legal").action is Action.CREATE


def test_groups_are_always_read_without_members(service, provision):
    for _ in range(2):
        provision.restarted(directory(*PEOPLE, group("Legal", "anna")))
        reads = [r.target for r in service.requests if r.method == "GET" and r.path.startswith("/Groups")]
        assert all("excludedAttributes=members" in target for target in reads)
        assert len(reads) == 2


def test_an_unchanged_group_is_not_written(service, provision):
    document = directory(*PEOPLE, group("Legal", "anna", "bert"))
    provision(document)

    summary = provision.restarted(document)

    assert summary.cycles[0].writes == 0
    assert provision.result("Legal").status is Status.SKIPPED


@BOTH
def test_members_come_and_go(service, provision, style):
    changes = [{"groups": [{"id": "Legal", "addMembers": ["carl"], "removeMembers": ["anna", "bert"]}]}]

    summary = provision(directory(*PEOPLE, group("Legal", "anna", "bert"), changes=changes), cycles=2, style=style)

    assert members(service) == ["carl"]
    assert summary.cycles[1].writes == 2
    assert summary.cycles[1].updated == 1


@BOTH
def test_members_others_put_there_stay(service, provision, style):
    other = service.add("Users", userName="other@contoso.com")
    service.add("Groups", displayName="Legal", externalId="Legal", members=[{"value": other["id"]}])
    changes = [{"groups": [{"id": "Legal", "removeMembers": ["anna"]}]}]

    provision(directory(*PEOPLE, group("Legal", "anna", "bert"), changes=changes), cycles=2, style=style)

    assert members(service) == ["bert", "other"]


def test_many_members_are_added_in_batches(service, provision, monkeypatch):
    monkeypatch.setattr(groups, "MEMBERS_PER_REQUEST", 2)

    provision(directory(*PEOPLE, group("Legal", "anna", "bert", "carl")))

    assert [len(operations[0]["value"]) for operations in service.patches("Groups")] == [2, 1]
    assert members(service) == ["anna", "bert", "carl"]


def test_a_batch_that_failed_is_sent_again_and_the_others_are_not(service, provision, monkeypatch):
    monkeypatch.setattr(groups, "MEMBERS_PER_REQUEST", 2)
    document = directory(*PEOPLE, group("Legal", "anna", "bert", "carl"))
    provision(directory(*PEOPLE, group("Legal")))
    service.fail("PATCH", "/Groups", 500)

    assert provision(document).failed == 1
    service.requests.clear()
    provision(document)

    assert [len(operations[0]["value"]) for operations in service.patches("Groups")] == [2, 1]
    assert members(service) == ["anna", "bert", "carl"]
    assert provision.restarted(document).cycles[0].writes == 0


def test_a_disabled_member_stays_a_member(service, provision):
    changes = [{"users": [{"id": "anna", "accountEnabled": False}, {"id": "bert", "assigned": False}]}]

    provision(directory(*PEOPLE, group("Legal", "anna", "bert"), changes=changes), cycles=2)

    assert members(service) == ["anna", "bert"]
    assert service.patches("Groups")[1:] == []


def test_an_unassigned_member_who_leaves_the_group_is_removed(service, provision):
    changes = [
        {"users": [{"id": "anna", "assigned": False}], "groups": [{"id": "Legal", "removeMembers": ["anna"]}]},
    ]

    provision(directory(*PEOPLE, group("Legal", "anna", "bert"), changes=changes), cycles=2)

    assert members(service) == ["bert"]


def test_a_user_out_of_scope_is_no_member(service, provision):
    provision(directory(user("anna"), user("bert", assigned=False), group("Legal", "anna", "bert")))

    assert members(service) == ["anna"]


def test_a_deleted_user_is_not_removed_from_groups_a_second_time(service, provision):
    changes = [{"users": [{"id": "anna", "deleted": True}]}]

    provision(directory(*PEOPLE, group("Legal", "anna", "bert"), changes=changes), cycles=2)

    assert members(service) == ["bert"]
    assert len(service.patches("Groups")) == 1


def test_a_member_created_anew_is_added_anew(service, provision):
    document = directory(*PEOPLE, group("Legal", "anna", "bert"))
    provision(document)
    old = service.user("anna@contoso.com")["id"]
    del service.resources["Users"][old]

    provision.restarted(document)

    assert members(service) == ["anna", "bert", "unknown"]
    [operations] = service.patches("Groups")
    assert [entry["value"] for entry in operations[0]["value"]] == [service.user("anna@contoso.com")["id"]]


def test_a_group_created_anew_gets_all_its_members(service, provision):
    document = directory(*PEOPLE, group("Legal", "anna", "bert"))
    provision(document)
    service.resources["Groups"].clear()

    provision.restarted(document)

    assert members(service) == ["anna", "bert"]
    assert provision.result("Legal").status is Status.WARNING


@BOTH
def test_a_renamed_group_stays_the_same(service, provision, style):
    changes = [{"groups": [{"id": "Legal", "displayName": "Legal/Contracts"}]}]

    provision(directory(*PEOPLE, group("Legal", "anna"), changes=changes), cycles=2, style=style)

    assert len(service.resources["Groups"]) == 1
    assert members(service, "Legal/Contracts") == ["anna"]


@pytest.mark.parametrize("why", [{"assigned": False}, {"deleted": True}])
def test_a_group_that_leaves_the_scope_is_deleted_and_its_users_stay(service, provision, why):
    changes = [{"groups": [{"id": "Legal", **why}]}]

    summary = provision(directory(*PEOPLE, group("Legal", "anna"), changes=changes), cycles=3)

    assert [cycle.deleted for cycle in summary.cycles] == [0, 1, 0]
    assert service.resources["Groups"] == {}
    assert len(service.resources["Users"]) == 3
    assert summary.failed == 0


def test_a_group_that_is_not_assigned_is_not_created(service, provision):
    summary = provision(directory(group("Legal", assigned=False)))

    assert summary.cycles[0].writes == 0
    assert provision.result("Legal").status is Status.SKIPPED


def test_a_group_whose_name_is_taken_fails_alone(service, provision):
    service.fail("POST", "/Groups", 409)

    summary = provision(directory(group("Legal"), group("Sales")))

    assert (summary.cycles[0].created, summary.cycles[0].failed) == (1, 1)
    assert provision.result("Legal").steps[-1].code == "EntryConflict"


def test_members_are_asked_about_before_they_are_written_when_references_are_checked(service, provision):
    anna = service.add("Users", userName="anna@contoso.com", active=True)
    there = service.add("Groups", displayName="Legal", externalId="Legal", members=[{"value": anna["id"]}])

    provision(directory(*PEOPLE, group("Legal", "anna", "bert")), job=Job(checks_references=True))

    asked = [r.target.partition("filter=")[2] for r in service.requests if "attributes=id" in r.target]
    assert asked[0] == f"id+eq+%22{there['id']}%22+and+members+eq+%22{anna['id']}%22&attributes=id"
    [operations] = service.patches("Groups")
    assert [entry["value"] for entry in operations[0]["value"]] == [service.user("bert@contoso.com")["id"]]
