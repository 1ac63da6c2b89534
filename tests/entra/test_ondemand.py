"""Provisioning on demand."""

from typing import Any

import pytest

from mfmanage.entra.job import Job
from mfmanage.entra.ondemand import ObjectMissing, on_demand
from mfmanage.entra.reading import parse
from mfmanage.entra.results import Action, ObjectResult, Status
from mfmanage.entra.state import State
from tests.entra.builders import connect, directory, group, user
from tests.entra.conftest import NOON
from tests.entra.scim_server import Service


def demand(service: Service, document: dict[str, Any], state: State | None = None, **whom: Any) -> list[ObjectResult]:
    service.requests.clear()
    return on_demand(
        connect(service, tenant_url=f"{service.address}/scim/?aadOptscim062020"),
        parse(document),
        state=State() if state is None else state,
        job=Job(),
        now=NOON,
        **whom,
    )


def sent(service: Service) -> list[tuple[str, str]]:
    return [(request.method, request.path.split("/")[1]) for request in service.requests]


def test_a_user_is_tested_for_found_by_a_query_and_patched_straight_away(service):
    there = service.add("Users", userName="anna@contoso.com", active=False)

    [result] = demand(service, directory(user("anna"), user("bert")), user="ANNA@contoso.com")

    assert sent(service) == [("GET", "Users"), ("GET", "Users"), ("PATCH", "Users")]
    assert service.requests[2].path == f"/Users/{there['id']}"
    assert (result.action, result.status) == (Action.UPDATE, Status.SUCCESS)


def test_the_style_is_the_default_one_whatever_the_tenant_url_asks_for(service):
    service.add("Users", userName="anna@contoso.com", active=False)

    demand(service, directory(user("anna")), user="anna@contoso.com")

    assert service.patches("Users")[0][0] == {"op": "Replace", "path": "active", "value": "True"}


def test_a_user_who_is_not_there_is_created(service):
    [result] = demand(service, directory(user("anna")), user="anna@contoso.com")

    assert [step.step for step in result.steps] == ["import", "scope", "match", "action"]
    assert result.action is Action.CREATE


def test_a_cached_id_is_not_used_and_the_found_one_is_remembered(service):
    state = State()
    demand(service, directory(user("anna")), state, user="anna@contoso.com")
    service.resources["Users"].clear()

    demand(service, directory(user("anna")), state, user="anna@contoso.com")

    assert state.users["anna"].target == service.user("anna@contoso.com")["id"]
    assert state.watermark == 0


def test_the_source_is_what_the_next_cycle_would_see(service, provision):
    document = directory(user("anna"), changes=[{"users": [{"id": "anna", "displayName": "New"}]}])
    provision(document)

    demand(service, document, provision.state, user="anna@contoso.com")

    assert service.user("anna@contoso.com")["displayName"] == "New"


def test_a_user_out_of_scope_is_skipped(service):
    [result] = demand(service, directory(user("anna", assigned=False)), user="anna@contoso.com")

    assert (result.status, result.steps[-1].step) == (Status.SKIPPED, "scope")
    assert service.writes == []


def test_a_manager_known_from_cycles_is_written(service, provision):
    provision(directory(user("boss")))

    demand(service, directory(user("boss"), user("anna", manager="boss")), provision.state, user="anna@contoso.com")

    assert [request.method for request in service.writes] == ["POST", "PATCH"]


@pytest.mark.parametrize(("there", "written"), [(True, "PATCH"), (False, "POST")])
def test_a_manager_whom_no_cycle_has_met_is_looked_for(service, there, written):
    if there:
        service.add("Users", userName="boss@contoso.com")

    [result] = demand(service, directory(user("boss"), user("anna", manager="boss")), user="anna@contoso.com")

    assert service.writes[-1].method == written
    assert (result.steps[-1].status is Status.SUCCESS) is there


PEOPLE = [user(f"user{number}") for number in range(7)]
LEGAL = group("Legal", *(one["id"] for one in PEOPLE))


def test_a_group_comes_with_its_first_five_members(service):
    results = demand(service, directory(*PEOPLE, LEGAL), group="legal")

    assert [result.name for result in results] == [f"user{number}@contoso.com" for number in range(5)] + ["Legal"]
    assert len(service.group("Legal")["members"]) == 5
    assert sent(service)[0] == ("GET", "Groups")


def test_members_can_be_chosen_are_asked_about_and_others_stay(service):
    other = service.add("Users", userName="other@contoso.com")
    there = service.add("Users", userName="user6@contoso.com", active=True)
    service.add("Groups", displayName="Legal", members=[{"value": other["id"]}, {"value": there["id"]}])

    demand(service, directory(*PEOPLE, LEGAL), group="Legal", members=["user6@contoso.com", "user5@contoso.com"])

    new = service.user("user5@contoso.com")["id"]
    assert [member["value"] for member in service.group("Legal")["members"]] == [other["id"], there["id"], new]
    assert sum("members+eq" in request.target for request in service.requests) == 2


def test_nobody_is_taken_out_of_a_group_and_no_group_is_deleted(service, provision):
    provision(directory(*PEOPLE, LEGAL))

    demand(service, directory(*PEOPLE, group("Legal", "user0")), provision.state, group="Legal")
    assert len(service.group("Legal")["members"]) == 7

    [*_, result] = demand(service, directory(*PEOPLE, group("Legal", assigned=False)), provision.state, group="Legal")
    assert (result.status, len(service.resources["Groups"])) == (Status.SKIPPED, 1)


@pytest.mark.parametrize(
    ("whom", "sentence"),
    [
        ({"user": "nobody@contoso.com"}, "There is no user 'nobody@contoso.com'."),
        ({"group": "Nothing"}, "There is no group 'Nothing'."),
        ({"group": "Legal", "members": ["bert@contoso.com"]}, "There is no user 'bert@contoso.com' in the group."),
    ],
)
def test_who_is_not_in_the_directory_is_refused_before_anything_is_asked(service, whom, sentence):
    with pytest.raises(ObjectMissing) as missing:
        demand(service, directory(user("anna"), user("bert"), group("Legal", "anna")), **whom)

    assert str(missing.value) == sentence
    assert service.requests == []
