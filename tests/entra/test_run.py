"""A run of several cycles: what is called when, and what is kept when it breaks off."""

import pytest

from mfmanage.entra.client import ConnectionFailed, CredentialsRefused
from mfmanage.entra.reading import parse
from mfmanage.entra.run import run
from mfmanage.entra.state import State
from tests.entra.builders import connect, directory, group, user


def test_the_connection_is_tested_once_a_run(service, provision):
    provision(directory(), cycles=3)

    assert len(service.requests) == 2
    assert len(service.token_requests) == 1


def test_between_two_cycles_the_caller_has_a_turn(service, provision):
    turns = []

    provision(directory(user("anna")), cycles=3, between_cycles=lambda cycle: turns.append(cycle.created))

    assert turns == [1, 0]


def test_the_state_is_saved_after_every_cycle(service, provision):
    saved = []

    provision(directory(user("anna")), cycles=2, save=lambda state: saved.append(state.watermark))

    assert saved == [1, 2]


def test_a_run_takes_up_where_the_last_one_ended(service, provision):
    document = directory(user("anna"), changes=[{"users": [{"id": "anna", "displayName": "New"}]}])

    provision(document)
    assert service.user("anna@contoso.com")["displayName"] == "Anna"

    provision(document)
    assert service.user("anna@contoso.com")["displayName"] == "New"


def test_a_run_that_breaks_off_saves_the_ids_it_knows_and_repeats_the_cycle(service):
    state, saved = State(), []

    def interrupt(result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(
            connect(service),
            parse(directory(user("anna"), user("bert"))),
            state=state,
            report=interrupt,
            save=lambda state: saved.append((state.watermark, list(state.users))),
        )

    assert saved == [(0, ["anna"])]


def test_no_object_is_touched_when_the_connection_test_fails(service, provision):
    service.fail("GET", "/Groups", 501)

    with pytest.raises(ConnectionFailed, match="The connection test failed at /Groups"):
        provision(directory(user("anna")))

    assert service.writes == []


def test_a_secret_that_is_revoked_during_the_run_ends_it(service, provision):
    def revoke(cycle):
        service.live_tokens.clear()
        service.secret = "another"

    changes = [{"users": [{"id": "anna", "displayName": "New"}]}]

    with pytest.raises(CredentialsRefused):
        provision(directory(user("anna"), changes=changes), cycles=2, between_cycles=revoke)

    assert provision.state.watermark == 1


def test_every_object_is_reported_once_a_cycle_users_before_groups(service, provision):
    document = directory(group("Legal", "anna"), user("anna", manager="boss"), user("boss"))

    summary = provision(document)

    names = [result.name.partition("@")[0] for result in provision.results]
    assert names == ["boss", "anna", "Legal"]
    assert summary.cycles[0].seconds > 0
