"""Which objects a cycle looks at: all of them in an initial one, what changed in an incremental one."""

from itertools import pairwise

import pytest

from mfmanage.entra.attributes import GENERIC
from mfmanage.entra.job import Job
from mfmanage.entra.reading import parse
from mfmanage.entra.restarts import FULL, PORTAL, Restart
from mfmanage.entra.results import Action, Status
from mfmanage.entra.run import run
from mfmanage.entra.state import State
from tests.entra.builders import connect, directory, group, user

PEOPLE = [user("anna"), user("bert"), user("carl")]


def names(provision) -> list[str]:
    return [result.name.partition("@")[0] for result in provision.results]


def test_a_cycle_without_change_asks_for_nothing(service, provision):
    summary = provision(directory(*PEOPLE, group("Legal", "anna")), cycles=2)

    assert [cycle.kind for cycle in summary.cycles] == ["initial", "incremental"]
    assert (summary.cycles[1].requests, summary.cycles[1].objects) == (0, 0)


def test_an_incremental_cycle_looks_at_what_changed_and_at_nothing_else(service, provision):
    changes = [
        {"users": [{"id": "bert", "displayName": "New"}, user("dora")], "groups": [{"id": "Legal", "members": []}]}
    ]
    document = directory(*PEOPLE, group("Legal", "anna"), group("Sales", "anna"), changes=changes)
    provision(document)

    summary = provision(document)

    assert names(provision) == ["bert", "dora", "Legal"]
    assert (summary.cycles[0].created, summary.cycles[0].updated) == (1, 2)


def test_what_changed_is_remembered_with_the_state_from_run_to_run(service, provision):
    provision(directory(*PEOPLE))

    provision(directory(user("anna"), user("bert", info1="new"), user("carl")))

    assert names(provision) == ["bert"]


def test_a_cycle_that_broke_off_is_repeated_whole(service):
    state, seen = State(), []

    def interrupt(result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(connect(service), parse(directory(*PEOPLE)), state=state, report=interrupt)
    run(connect(service), parse(directory(*PEOPLE)), state=state, report=lambda result: seen.append(result.name))

    assert seen == ["anna@contoso.com", "bert@contoso.com", "carl@contoso.com"]


def test_a_manager_provisioned_later_is_written_although_the_user_did_not_change(service, provision):
    service.fail("POST", "/Users", 500)

    provision(directory(user("boss"), user("anna", manager="boss")), cycles=2)

    assert provision.result("anna@contoso.com").action is Action.UPDATE
    assert [r.method for r in service.requests[-2:]] == ["GET", "PATCH"]


def test_a_member_provisioned_later_is_added_although_the_group_did_not_change(service, provision):
    service.fail("POST", "/Users", 500)

    provision(directory(*PEOPLE, group("Legal", "anna", "bert"), group("Sales", "bert")), cycles=2)

    assert names(provision)[-2:] == ["anna", "Legal"]
    assert len(service.group("Legal")["members"]) == 2


def test_a_failed_reference_rests_as_any_failed_object_does(service, provision):
    for _ in range(2):
        service.fail("PATCH", "/Users", 500)

    summary = provision(directory(user("boss"), user("anna", manager="boss")), cycles=4)

    assert [cycle.objects for cycle in summary.cycles] == [2, 1, 0, 1]
    assert provision.state.escrows == {}


def test_another_mapping_makes_the_next_cycle_an_initial_one(service, provision):
    provision(directory(*PEOPLE))

    summary = provision(directory(*PEOPLE), job=Job(mapping=GENERIC))

    assert (summary.cycles[0].kind, summary.cycles[0].objects) == ("initial", 3)


@pytest.mark.parametrize(
    ("kinds", "kind", "objects"),
    [
        (frozenset(), "incremental", []),
        ({Restart.NONE}, "incremental", []),
        ({Restart.WATERMARK}, "initial", ["anna", "bert", "carl"]),
        (PORTAL, "initial", ["anna", "bert", "carl"]),
        ({Restart.FULL}, "initial", ["anna", "bert", "carl"]),
        ({Restart.CONNECTOR_DATA_STORE}, "incremental", []),
    ],
)
def test_a_restart_looks_at_everything_when_it_forgets_the_watermark(service, provision, kinds, kind, objects):
    provision(directory(*PEOPLE))

    summary = provision(directory(*PEOPLE), restart=kinds)

    assert (summary.cycles[0].kind, names(provision)) == (kind, objects)
    assert summary.cycles[0].writes == 0
    assert provision.state.watermark == 2


@pytest.mark.parametrize(("kinds", "query"), [(PORTAL, False), (FULL, True), ({Restart.FULL}, True)])
def test_only_a_full_restart_forgets_the_cached_ids(service, provision, kinds, query):
    provision(directory(user("anna")))

    provision(directory(user("anna")), restart=kinds)

    assert ("filter=" in service.requests[-1].target) is query


def test_cleared_escrows_are_not_retried(service, provision):
    service.fail("POST", "/Users", 500)
    provision(directory(user("anna")))

    assert provision(directory(user("anna")), restart={Restart.ESCROWS}).cycles[0].objects == 0
    assert provision(directory(user("anna")), restart={Restart.WATERMARK}).cycles[0].created == 1


def test_the_delay_of_an_escrow_doubles_up_to_a_day(service, provision):
    for _ in range(7):
        service.fail("POST", "/Users", 500)

    summary = provision(directory(user("anna")), cycles=130)

    tried = [number for number, cycle in enumerate(summary.cycles, 1) if cycle.objects]
    assert [later - earlier for earlier, later in pairwise(tried)] == [1, 2, 4, 8, 16, 32, 36]


def test_a_change_in_the_source_is_tried_before_the_delay_is_over(service, provision):
    for _ in range(2):
        service.fail("POST", "/Users", 500)
    changes = [{}, {"users": [{"id": "anna", "info1": "new"}]}]

    summary = provision(directory(user("anna"), changes=changes), cycles=3)

    assert [cycle.objects for cycle in summary.cycles] == [1, 1, 1]
    assert provision.result("anna@contoso.com").status is Status.SUCCESS


def test_the_escrow_of_an_object_that_left_both_sides_is_forgotten(service, provision):
    service.fail("POST", "/Users", 500)
    provision(directory(user("anna")))

    provision(directory())

    assert provision.state.escrows == {}
