"""What cycles do to users, against a service over HTTP."""

import pytest

from mfmanage.entra.attributes import GALLERY, GENERIC
from mfmanage.entra.job import Job
from mfmanage.entra.mapping import ENTERPRISE, INFO
from mfmanage.entra.results import HEADINGS, Action, CycleSummary, Status, Step
from mfmanage.entra.styles import Style
from tests.entra.builders import directory, user
from tests.entra.scim_server import Service

BOTH = pytest.mark.parametrize("style", list(Style))


def counts(cycle: CycleSummary) -> dict[str, int]:
    """Return the counts of objects that are not 0."""
    return {heading: number for heading in ("failed", *HEADINGS.values()) if (number := getattr(cycle, heading))}


def sent(service: Service) -> list[tuple[str, str]]:
    return [(request.method, request.path.split("/")[1]) for request in service.requests]


def test_the_first_contact_is_the_connection_test_then_a_query_then_a_post(service, provision):
    summary = provision(directory(user("anna")))

    assert sent(service) == [("GET", "Users"), ("GET", "Groups"), ("GET", "Users"), ("POST", "Users")]
    assert counts(summary.cycles[0]) == {"created": 1}
    assert (summary.cycles[0].requests, summary.cycles[0].writes) == (4, 1)
    assert service.user("anna@contoso.com")["displayName"] == "Anna"


def test_the_steps_of_a_created_user_are_those_that_entra_shows(service, provision):
    provision(directory(user("anna")))

    result = provision.result("anna@contoso.com")
    assert (result.action, result.status) == (Action.CREATE, Status.SUCCESS)
    assert result.steps == [
        Step("import", Status.SUCCESS, "Read from the source directory."),
        Step("scope", Status.SUCCESS, "In scope: the application is assigned."),
        Step("match", Status.SUCCESS, "Nothing has the userName 'anna@contoso.com'."),
        Step("action", Status.SUCCESS, f"User {service.user('anna@contoso.com')['id']} was created."),
    ]


def test_later_contacts_are_reads_of_the_cached_id_and_an_unchanged_user_is_not_written(service, provision):
    provision(directory(user("anna")))

    summary = provision.restarted(directory(user("anna")))

    assert sent(service)[2:] == [("GET", "Users")]
    assert service.requests[-1].path == f"/Users/{service.user('anna@contoso.com')['id']}"
    assert counts(summary.cycles[0]) == {"skipped": 1}
    assert provision.result("anna@contoso.com").status is Status.SKIPPED


def test_a_user_that_is_there_already_is_matched_and_updated(service, provision):
    there = service.add("Users", userName="ANNA@contoso.com", active=True, title="kept")

    summary = provision(directory(user("anna", info1="4711")))

    assert counts(summary.cycles[0]) == {"updated": 1}
    anna = service.user("anna@contoso.com")
    assert (anna["id"], anna["title"], anna[INFO]) == (there["id"], "kept", {"info1": "4711"})


@BOTH
def test_only_what_differs_is_written(service, provision, style):
    changes = [{"users": [{"id": "anna", "mail": "new@contoso.com", "surname": "O'Brien"}]}]

    provision(directory(user("anna", givenName="Anna"), changes=changes), cycles=2, style=style)

    [operations] = service.patches("Users")
    paths = {operation.get("path") for operation in operations} | {
        key for operation in operations if "path" not in operation for key in operation["value"]
    }
    assert paths == {'emails[type eq "work"].value', "name.familyName", "name.formatted"}
    assert service.user("anna@contoso.com")["name"] == {
        "givenName": "Anna",
        "familyName": "O'Brien",
        "formatted": "Anna O'Brien",
    }


def test_a_renamed_user_stays_the_same_account(service, provision):
    changes = [{"users": [{"id": "anna", "userPrincipalName": "anna.berg@contoso.com"}]}]

    provision(directory(user("anna"), changes=changes), cycles=2)

    assert [user["userName"] for user in service.resources["Users"].values()] == ["anna.berg@contoso.com"]


def test_a_cleared_attribute_sends_nothing(service, provision):
    summary = provision(directory(user("anna"), changes=[{"users": [{"id": "anna", "mail": None}]}]), cycles=2)

    assert summary.cycles[1].writes == 0


@BOTH
@pytest.mark.parametrize("why", [{"accountEnabled": False}, {"assigned": False}, {"softDeleted": True}])
def test_a_user_who_leaves_is_disabled_once_and_comes_back_as_the_same_account(service, provision, style, why):
    gone = {"users": [{"id": "anna", **why}]}
    back = {"users": [{"id": "anna", "accountEnabled": True, "assigned": True, "softDeleted": False}]}
    document = directory(user("anna"), changes=[gone, {}, back])

    summary = provision(document, cycles=2, style=style)
    assert counts(summary.cycles[1]) == {"disabled": 1}
    assert provision.result("anna@contoso.com").action is Action.DISABLE
    disabled = service.user("anna@contoso.com")
    assert disabled["active"] is False

    summary = provision.restarted(document, cycles=2, style=style)
    assert [cycle.writes for cycle in summary.cycles] == [0, 1]
    assert counts(summary.cycles[1]) == {"updated": 1}
    assert service.user("anna@contoso.com") == {**disabled, "active": True}


def test_leaving_the_scope_writes_nothing_but_active(service, provision):
    changes = [{"users": [{"id": "anna", "assigned": False, "mail": "new@contoso.com"}]}]

    provision(directory(user("anna"), changes=changes), cycles=2)

    assert service.patches("Users") == [[{"op": "Replace", "path": "active", "value": "False"}]]


def test_a_disabled_user_never_provisioned_is_not_created(service, provision):
    summary = provision(directory(user("anna", accountEnabled=False)))

    assert counts(summary.cycles[0]) == {"skipped": 1}
    assert summary.cycles[0].writes == 0
    assert provision.result("anna@contoso.com").steps[-1].detail == (
        "Not active in the source and not provisioned before: not created."
    )


def test_an_unassigned_user_never_provisioned_is_not_even_looked_up(service, provision):
    provision(directory(user("anna", assigned=False)))

    assert len(service.requests) == 2
    assert provision.result("anna@contoso.com").steps[-1] == Step(
        "scope", Status.SKIPPED, "Not in scope: the application is not assigned."
    )


def test_a_hard_deleted_user_is_read_and_deleted(service, provision):
    provision(directory(user("anna")))

    summary = provision(directory())

    assert sent(service)[2:] == [("GET", "Users"), ("DELETE", "Users")]
    assert counts(summary.cycles[0]) == {"deleted": 1}
    assert service.resources["Users"] == {}
    assert provision.state.users == {}


def test_a_soft_deleted_user_is_deleted_in_the_end(service, provision):
    changes = [{"users": [{"id": "anna", "softDeleted": True}]}, {"users": [{"id": "anna", "deleted": True}]}]

    summary = provision(directory(user("anna"), changes=changes), cycles=3)

    assert [counts(cycle) for cycle in summary.cycles] == [{"created": 1}, {"disabled": 1}, {"deleted": 1}]


def test_a_user_unassigned_first_and_deleted_later_gets_no_delete(service, provision):
    changes = [{"users": [{"id": "anna", "assigned": False}]}, {"users": [{"id": "anna", "deleted": True}]}]

    summary = provision(directory(user("anna"), changes=changes), cycles=3)

    assert counts(summary.cycles[2]) == {}
    assert service.user("anna@contoso.com")["active"] is False


def test_a_user_gone_on_both_sides_needs_no_delete(service, provision):
    provision(directory(user("anna")))
    service.resources["Users"].clear()

    summary = provision(directory())

    assert counts(summary.cycles[0]) == {"skipped": 1}
    assert provision.state.users == {}


def test_a_deleted_users_name_can_be_taken_over_in_the_same_cycle(service, provision):
    provision(directory(user("anna")))

    summary = provision(directory(user("heir", userPrincipalName="anna@contoso.com")))

    assert counts(summary.cycles[0]) == {"deleted": 1, "created": 1}


def test_a_cached_id_that_is_gone_is_matched_again_with_a_warning(service, provision):
    provision(directory(user("anna")))
    service.resources["Users"].clear()

    summary = provision.restarted(directory(user("anna")))

    result = provision.result("anna@contoso.com")
    assert (result.action, result.status) == (Action.CREATE, Status.WARNING)
    assert [step.code for step in result.steps if step.code] == ["InvalidAnchor"]
    assert counts(summary.cycles[0]) == {"created": 1}
    assert provision.state.users["anna"].target == service.user("anna@contoso.com")["id"]


def test_several_matches_are_a_failure(service, provision):
    service.add("Users", userName="anna@contoso.com")
    service.add("Users", userName="anna@contoso.com")

    summary = provision(directory(user("anna")))

    assert counts(summary.cycles[0]) == {"failed": 1}
    assert summary.cycles[0].writes == 0
    failure = provision.result("anna@contoso.com").steps[-1]
    assert (failure.step, failure.code) == ("match", "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse")


def test_a_conflict_goes_into_escrow_and_is_retried_in_the_next_cycle(service, provision):
    service.fail("POST", "/Users", 409)

    summary = provision(directory(user("anna"), user("bert")))

    assert counts(summary.cycles[0]) == {"created": 1, "failed": 1}
    result = provision.result("anna@contoso.com")
    assert (result.action, result.status, result.steps[-1].code) == (Action.CREATE, Status.FAILURE, "EntryConflict")
    assert provision.state.escrows["User anna"].attempts == 1

    summary = provision(directory(user("anna"), user("bert")))
    assert counts(summary.cycles[0]) == {"created": 1}
    assert provision.state.escrows == {}


def test_a_failure_says_how_often_it_was_retried_and_when_it_will_be_again(service, provision):
    for _ in range(3):
        service.fail("POST", "/Users", 500)

    provision(directory(user("anna")), cycles=4)

    assert provision.state.escrows["User anna"].attempts == 3
    assert provision.result("anna@contoso.com").steps[-1] == Step(
        "action",
        Status.FAILURE,
        "The service answered 500: Made to fail. "
        "This operation was retried 2 times. It will be retried again after this date: 2030-01-01T16:40:00+00:00",
        "InternalServerError",
    )


def test_an_account_that_goes_between_read_and_write_is_matched_again_next_time(service, provision):
    provision(directory(user("anna")))
    service.fail("PATCH", "/Users", 404)

    provision(directory(user("anna", displayName="New")))
    assert provision.result("anna@contoso.com").steps[-1].code == "InvalidAnchor"
    assert provision.state.users == {}

    provision(directory(user("anna", displayName="New")))
    assert service.user("anna@contoso.com")["displayName"] == "New"


def test_a_failed_disable_is_tried_again(service, provision):
    document = directory(user("anna"), changes=[{"users": [{"id": "anna", "assigned": False}]}])
    provision(document)
    service.fail("PATCH", "/Users", 500)

    summary = provision(document, cycles=2)

    assert [counts(cycle) for cycle in summary.cycles] == [{"failed": 1}, {"disabled": 1}]


def test_a_service_that_shows_active_as_text_is_written_again_in_every_cycle(service, provision):
    provision(directory(user("anna")))
    service.distort = lambda resource: {**resource, "active": str(resource.get("active"))}

    for _ in range(2):
        assert provision.restarted(directory(user("anna"))).cycles[0].writes == 1


@BOTH
def test_a_manager_is_written_in_a_request_of_its_own_when_all_accounts_exist(service, provision, style):
    summary = provision(directory(user("anna", manager="boss"), user("boss")), style=style)

    assert [(r.method, len(r.body.get("Operations", ()))) for r in service.writes] == [
        ("POST", 0),
        ("POST", 0),
        ("PATCH", 1),
    ]
    assert service.user("anna@contoso.com")[ENTERPRISE] == {
        "manager": {"value": service.user("boss@contoso.com")["id"]}
    }
    assert counts(summary.cycles[0]) == {"created": 2}
    again = provision.restarted(directory(user("anna", manager="boss"), user("boss")), style=style)
    assert again.cycles[0].writes == 0


@BOTH
def test_a_manager_changes_and_goes(service, provision, style):
    people = [user("anna", manager="boss"), user("boss"), user("chief")]
    changes = [{"users": [{"id": "anna", "manager": "chief"}]}, {"users": [{"id": "anna", "manager": None}]}]

    provision(directory(*people, changes=changes), cycles=2, style=style)
    assert service.user("anna@contoso.com")[ENTERPRISE]["manager"]["value"] == service.user("chief@contoso.com")["id"]

    summary = provision(directory(*people, changes=changes), cycles=2, style=style)
    assert [cycle.writes for cycle in summary.cycles] == [1, 0]
    assert "manager" not in service.user("anna@contoso.com")[ENTERPRISE]


def test_a_manager_that_was_not_written_from_here_is_left_alone(service, provision):
    service.add("Users", userName="anna@contoso.com", **{ENTERPRISE: {"manager": {"value": "of old"}}})

    provision(directory(user("anna")))

    assert service.user("anna@contoso.com")[ENTERPRISE] == {"manager": {"value": "of old"}}


def test_a_manager_out_of_scope_is_not_written(service, provision):
    provision(directory(user("anna", manager="boss"), user("boss", assigned=False)))

    assert service.patches("Users") == []
    result = provision.result("anna@contoso.com")
    assert result.status is Status.SUCCESS
    assert result.steps[-1] == Step("action", Status.SKIPPED, "The manager is not provisioned: not written.")


def test_a_manager_that_could_not_be_written_is_tried_again(service, provision):
    service.fail("PATCH", "/Users", 500)
    document = directory(user("anna", manager="boss"), user("boss"))

    summary = provision(document, cycles=2)

    assert [counts(cycle) for cycle in summary.cycles] == [{"created": 1, "failed": 1}, {"updated": 1}]
    assert "manager" in service.user("anna@contoso.com")[ENTERPRISE]


def test_a_service_that_shows_the_manager_as_text_is_written_again(service, provision):
    document = directory(user("anna", manager="boss"), user("boss"))
    provision(document)
    boss = service.user("boss@contoso.com")["id"]
    service.distort = lambda resource: (
        {**resource, ENTERPRISE: {"manager": boss}} if ENTERPRISE in resource else resource
    )

    assert provision.restarted(document).cycles[0].writes == 1


def test_matching_attributes_are_tried_in_order_until_one_finds_somebody(service, provision):
    there = service.add("Users", userName="old@contoso.com", externalId="anna", active=True)
    by = Job(mapping=GALLERY.matched_by(['emails[type eq "work"].value', "externalId", "userName"]))

    provision(directory(user("anna")), job=by)

    queries = [r.target.partition("filter=")[2].partition("+eq+")[0] for r in service.requests if r.method == "GET"]
    assert queries[2:] == ["emails%5Btype", "externalId"]
    assert service.user("anna@contoso.com")["id"] == there["id"]


def test_the_generic_mapping_is_written_and_changed(service, provision):
    changes = [{"users": [{"id": "anna", "city": "Espoo", "jobTitle": "Lead"}]}]
    anna = user("anna", city="Tampere", postalCode="33100", telephoneNumber="+358 1")

    provision(directory(anna, changes=changes), cycles=2, job=Job(mapping=GENERIC))

    assert service.user("anna@contoso.com")["addresses"] == [
        {"type": "work", "locality": "Espoo", "postalCode": "33100"}
    ]
    assert service.patches("Users") == [
        [
            {"op": "Add", "path": "title", "value": "Lead"},
            {"op": "Replace", "path": 'addresses[type eq "work"].locality', "value": "Espoo"},
        ]
    ]


def test_a_manager_is_asked_about_before_it_is_written_when_references_are_checked(service, provision):
    people = [user("anna", manager="boss"), user("boss")]

    provision(directory(*people), job=Job(checks_references=True))

    anna, boss = (service.user(f"{name}@contoso.com")["id"] for name in ("anna", "boss"))
    asked, written = service.requests[-2:]
    query = f"filter=id+eq+%22{anna}%22+and+manager+eq+%22{boss}%22&attributes=ID"
    assert (asked.target, written.method) == (f"/scim/Users?{query}", "PATCH")
