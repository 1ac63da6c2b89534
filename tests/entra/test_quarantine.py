"""Quarantine, and the removals that are held back."""

from datetime import timedelta

import pytest

from mfmanage.entra import quarantine
from mfmanage.entra.client import ConnectionFailed
from mfmanage.entra.job import Job
from mfmanage.entra.quarantine import JobDisabled
from mfmanage.entra.reading import parse
from mfmanage.entra.restarts import PORTAL, Restart
from mfmanage.entra.results import Action, Status
from mfmanage.entra.run import run
from mfmanage.entra.state import Quarantine, State
from mfmanage.entra.timing import moment
from tests.entra.builders import connect, directory, group, user
from tests.entra.conftest import NOON

CROWD = [user(f"user{number}") for number in range(12)]


def hours(provision) -> float:
    """Return after how many hours of simulated time the next cycle begins."""
    return (moment(provision.state.next_at) - NOON) / timedelta(hours=1)


def break_down(service, times: int) -> None:
    for _ in range(times):
        service.fail("POST", "/Users", 500)


def test_a_cycle_in_which_everything_fails_slows_the_job_to_once_a_day(service, provision):
    waits, before = [], NOON
    for _ in range(5):
        break_down(service, 12)
        provision(directory(*CROWD), restart={Restart.WATERMARK})
        waits.append((moment(provision.state.next_at) - before) / timedelta(hours=1))
        before = moment(provision.state.next_at)

    assert waits == [6, 12, 24, 24, 24]
    assert provision.state.quarantine == Quarantine(
        "EncounteredQuarantineException",
        "All 12 objects of the cycle failed.",
        since="2030-01-01T12:00:00+00:00",
        cycles=5,
    )


def test_one_success_leaves_quarantine(service, provision):
    break_down(service, 12)
    summary = provision(directory(*CROWD))
    assert summary.cycles[0].quarantine == "EncounteredQuarantineException"
    break_down(service, 11)

    summary = provision(directory(*CROWD))

    assert provision.state.quarantine is None
    assert (summary.cycles[0].created, summary.cycles[0].quarantine) == (1, "")


def test_a_few_failures_are_no_quarantine(service, provision):
    break_down(service, 2)

    provision(directory(user("anna"), user("bert")))

    assert provision.state.quarantine is None
    assert hours(provision) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("failed", "code"), [(5, "EncounteredEscrowProportionThreshold"), (4, None)])
def test_many_failures_are_held_against_all_objects(service, provision, monkeypatch, failed, code):
    monkeypatch.setattr(quarantine, "EVALUATED_FROM", 3)
    break_down(service, failed)

    provision(directory(*CROWD[:10]))

    assert (provision.state.quarantine and provision.state.quarantine.code) == code


@pytest.mark.parametrize("cause", ["credentials", "connection test"])
def test_a_service_that_cannot_be_used_is_quarantine_and_is_saved(service, cause):
    state, saved = State(), []
    connection = connect(service, client_secret="wrong" if cause == "credentials" else service.secret)
    service.fail("GET", "/Users", 404)

    with pytest.raises(ConnectionFailed) as failed:
        run(
            connection,
            parse(directory(*CROWD)),
            state=state,
            now=NOON,
            save=lambda state: saved.append((state.quarantine.code, state.next_at)),
        )

    assert saved == [("EncounteredQuarantineException", "2030-01-01T18:00:00+00:00")]
    assert state.quarantine.reason == str(failed.value)


def test_after_four_weeks_the_job_is_disabled_until_it_is_restarted(service, provision):
    for _ in range(30):
        service.fail("GET", "/Users", 404)
        with pytest.raises(ConnectionFailed):
            provision(directory(user("anna")))

    with pytest.raises(JobDisabled, match=r"The job is disabled: in quarantine since 2030-01-01T12:00:00"):
        provision(directory(user("anna")))

    assert provision(directory(user("anna")), restart=PORTAL).cycles[0].created == 1


LEAVERS = {"users": [{"id": f"user{number}", "assigned": False} for number in range(3)]}
CAREFUL = Job(deletion_threshold=2)


def test_more_removals_than_the_threshold_are_held_back(service, provision):
    summary = provision(directory(*CROWD, changes=[LEAVERS]), cycles=3, job=CAREFUL)

    assert [cycle.staged for cycle in summary.cycles] == [0, 3, 3]
    assert [cycle.disabled for cycle in summary.cycles] == [0, 0, 0]
    assert all(user["active"] for user in service.resources["Users"].values())
    result = provision.result("user0@contoso.com")
    assert (result.action, result.status) == (Action.STAGED_DELETE, Status.SKIPPED)
    assert provision.state.quarantine.reason == "3 removals wait to be allowed."


def test_what_is_allowed_is_done_and_ends_the_quarantine(service, provision):
    document = directory(*CROWD, changes=[LEAVERS])
    provision(document, cycles=2, job=CAREFUL)

    summary = provision(document, cycles=2, job=CAREFUL, restart={Restart.FORCE_DELETES})

    assert [(cycle.disabled, cycle.staged) for cycle in summary.cycles] == [(3, 0), (0, 0)]
    assert (provision.state.staged, provision.state.quarantine) == ([], None)


def test_what_is_undone_in_the_source_is_held_back_no_longer(service, provision):
    back = {"users": [{"id": "user0", "assigned": True}]}

    summary = provision(directory(*CROWD, changes=[LEAVERS, back]), cycles=3, job=CAREFUL)

    assert (summary.cycles[2].staged, summary.cycles[2].disabled) == (0, 2)


def test_as_many_removals_as_the_threshold_are_done(service, provision):
    changes = [{"users": LEAVERS["users"][:2]}]

    assert provision(directory(*CROWD, changes=changes), cycles=2, job=CAREFUL).cycles[1].disabled == 2


@pytest.mark.parametrize(
    "changes",
    [
        {
            "users": [{"id": "user0", "deleted": True}],
            "groups": [{"id": "a", "deleted": True}, {"id": "b", "assigned": False}],
        },
        {"users": [{"id": f"user{number}", "accountEnabled": False} for number in range(3)]},
        {"users": [{"id": f"user{number}", "softDeleted": True} for number in range(3)]},
    ],
)
def test_deleting_and_disabling_users_and_groups_all_count(service, provision, changes):
    document = directory(*CROWD, group("a"), group("b"), changes=[changes])

    summary = provision(document, cycles=2, job=CAREFUL)

    assert (summary.cycles[1].staged, summary.cycles[1].writes) == (3, 0)


def test_users_disabled_before_do_not_count_again(service, provision):
    more = {"users": [{"id": f"user{number}", "accountEnabled": False} for number in (3, 4)]}
    first = {"users": [{"id": f"user{number}", "accountEnabled": False} for number in (0, 1)]}

    summary = provision(directory(*CROWD, changes=[first, more]), cycles=3, job=CAREFUL)

    assert [cycle.disabled for cycle in summary.cycles] == [0, 2, 2]
