"""Scoping filters: who passes, and what happens to an object that passes no longer."""

import pytest

from mfmanage.entra.directory import User
from mfmanage.entra.fields import DirectoryInvalid
from mfmanage.entra.job import Job
from mfmanage.entra.reading import parse
from mfmanage.entra.results import Action
from mfmanage.entra.scoping import Clause, filtered
from tests.entra.builders import directory, group, user

ANNA = User(
    id="1", user_principal_name="anna@contoso.com", department="Sales", employee_id="42", proxy_addresses=("a@x", "b@x")
)


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "passes"),
    [
        ("department", "EQUALS", "Sales", True),
        ("department", "EQUALS", "sales", False),
        ("department", "EQUALS", "Sal", False),
        ("department", "NOT EQUALS", "sales", True),
        ("department", "NOT EQUALS", "Sales", False),
        ("job_title", "NOT EQUALS", "Sales", True),
        ("account_enabled", "IS TRUE", "", True),
        ("account_enabled", "IS FALSE", "", False),
        ("soft_deleted", "IS FALSE", "", True),
        ("department", "IS TRUE", "", False),
        ("job_title", "IS NULL", "", True),
        ("department", "IS NULL", "", False),
        ("job_title", "IS NOT NULL", "", False),
        ("proxy_addresses", "IS NOT NULL", "", True),
        ("employee_id", "REGEX MATCH", "([1-9][0-9])", True),
        ("employee_id", "REGEX MATCH", "[1-9]", False),
        ("job_title", "REGEX MATCH", ".*", False),
        ("department", "NOT REGEX MATCH", "S.*", False),
        ("department", "NOT REGEX MATCH", "s.*", True),
        ("job_title", "NOT REGEX MATCH", "x", False),
        ("employee_id", "GREATER_THAN", "41", True),
        ("employee_id", "GREATER_THAN", "42", False),
        ("employee_id", "GREATER_THAN_OR_EQUALS", "42", True),
        ("employee_id", "GREATER_THAN_OR_EQUALS", "43", False),
        ("department", "GREATER_THAN", "0", False),
        ("job_title", "GREATER_THAN", "0", False),
        ("department", "INCLUDES", "ale", True),
        ("department", "INCLUDES", "ALE", False),
        ("proxy_addresses", "INCLUDES", "b@x", True),
        ("department", "ENDS_WITH", "les", True),
        ("department", "ENDS_WITH", "Sal", False),
    ],
)
def test_a_clause_holds_as_microsoft_says(attribute, operator, value, passes):
    clause = Clause(attribute, operator, value)

    assert filtered([(clause,)], ANNA).filtered_out is not passes


def test_the_clauses_of_a_filter_must_all_hold_and_one_filter_is_enough():
    sales, title = Clause("department", "EQUALS", "Sales"), Clause("job_title", "IS NOT NULL", "")

    assert filtered([(sales, title)], ANNA).filtered_out
    assert not filtered([(title,), (sales,)], ANNA).filtered_out
    assert not filtered([], ANNA).filtered_out


def scoped(*entries, changes=(), **filters):
    """Return a directory with one clause a filter: ``users=("department", "EQUALS", "Sales")``."""
    return directory(*entries, changes=changes) | {"scopingFilters": written(**filters)}


def written(**filters):
    return {
        kind: [{"title": "Ours", "clauses": [dict(zip(("attribute", "operator", "value"), clause, strict=True))]}]
        for kind, clause in filters.items()
    }


SALES = ("department", "EQUALS", "Sales")


def test_only_those_who_pass_are_provisioned(service, provision):
    provision(scoped(user("anna", department="Sales"), user("bert", department="Legal"), users=SALES))

    assert [user["userName"] for user in service.resources["Users"].values()] == ["anna@contoso.com"]
    assert provision.result("bert@contoso.com").steps[-1].detail == "Not in scope: no scoping filter is met."


def test_who_passes_no_longer_is_disabled_and_comes_back_as_the_same_account(service, provision):
    changes = [
        {"users": [{"id": "anna", "department": "Legal"}]},
        {"users": [{"id": "anna", "department": "Sales"}]},
    ]
    document = scoped(user("anna", department="Sales"), users=SALES, changes=changes)

    summary = provision(document, cycles=2)
    there = service.user("anna@contoso.com")
    assert (summary.cycles[1].disabled, there["active"]) == (1, False)

    provision(document)
    assert service.user("anna@contoso.com") == {**there, "active": True}


def test_other_filters_make_the_next_cycle_an_initial_one(service, provision):
    changes = [{"scopingFilters": written(users=("department", "EQUALS", "Legal"))}]
    people = [user("anna", department="Sales"), user("bert", department="Legal")]

    summary = provision(scoped(*people, users=SALES, changes=changes), cycles=2)

    assert [(c.kind, c.created, c.disabled) for c in summary.cycles] == [("initial", 1, 0), ("initial", 1, 1)]


def test_a_group_that_passes_no_longer_is_deleted(service, provision):
    changes = [{"groups": [{"id": "g", "displayName": "Private"}]}]

    provision(
        scoped(group("g", displayName="Public Legal"), groups=("displayName", "INCLUDES", "Public"), changes=changes),
        cycles=2,
    )

    assert service.resources["Groups"] == {}
    assert provision.result("Private").action is Action.DELETE


@pytest.mark.parametrize(
    ("entry", "disabled", "deleted"),
    [
        ({"id": "anna", "assigned": False}, 0, 0),
        ({"id": "anna", "department": "Legal"}, 0, 0),
        ({"id": "anna", "accountEnabled": False}, 1, 0),
        ({"id": "anna", "softDeleted": True}, 1, 0),
        ({"id": "anna", "deleted": True}, 0, 1),
    ],
)
def test_out_of_scope_deletions_can_be_skipped(service, provision, entry, disabled, deleted):
    changes = [{"users": [entry]}]
    document = scoped(user("anna", department="Sales"), users=SALES, changes=changes)

    summary = provision(document, cycles=2, job=Job(skips_out_of_scope_deletions=True))

    assert (summary.cycles[1].disabled, summary.cycles[1].deleted) == (disabled, deleted)


def test_a_group_out_of_scope_stays_when_such_deletions_are_skipped(service, provision):
    changes = [{"groups": [{"id": "Legal", "assigned": False}]}]

    summary = provision(
        directory(group("Legal"), changes=changes), cycles=2, job=Job(skips_out_of_scope_deletions=True)
    )

    assert (summary.cycles[1].writes, len(service.resources["Groups"])) == (0, 1)


def clause(**values):
    return {"scopingFilters": {"users": [{"clauses": [{"attribute": "city", "operator": "IS NULL", **values}]}]}}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"scopingFilters": []}, "scopingFilters must be an object."),
        ({"scopingFilters": {"users": [{}]}}, "scopingFilters.users[0].clauses is missing."),
        ({"scopingFilters": {"users": [7]}}, "scopingFilters.users[0] must be an object."),
        (clause(attribute=""), "scopingFilters.users[0].clauses[0].attribute is missing."),
        (clause(operator="LIKE"), "scopingFilters.users[0].clauses[0].operator: there is no 'LIKE'; known are EQUALS"),
        (clause(attribute="town"), "scopingFilters.users[0].clauses[0].attribute: there is no 'town'; known are id"),
        (clause(value=7), "scopingFilters.users[0].clauses[0].value must be a text."),
        (
            clause(operator="REGEX MATCH", value="("),
            "scopingFilters.users[0].clauses[0].value is not a regular expression: missing )",
        ),
        (
            clause(operator="GREATER_THAN", value="many"),
            "scopingFilters.users[0].clauses[0].value must be a whole number.",
        ),
    ],
)
def test_wrong_filters_are_refused_with_the_place(document, sentence):
    with pytest.raises(DirectoryInvalid) as refused:
        parse(document)

    assert str(refused.value).startswith(sentence)
