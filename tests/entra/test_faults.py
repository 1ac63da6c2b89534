"""Faults made on purpose, and how the client meets them."""

import json

import httpx
import pytest

from mfmanage.entra import faults
from mfmanage.entra import service as scim
from mfmanage.entra.client import Client, RequestFailed, wire
from mfmanage.entra.faults import Faults, FaultsUnreadable, FaultyTransport
from tests.entra.builders import connect, directory, group, user


class Script(httpx.BaseTransport):
    """Answers with what a test wrote down, one after another, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": f"token {len(self.asked)}", "expires_in": 3600})
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def found() -> httpx.Response:
    return httpx.Response(200, json={"totalResults": 0, "Resources": []})


def busy(seconds: str | None) -> httpx.Response:
    return httpx.Response(429, headers={} if seconds is None else {"Retry-After": seconds})


def talk(service, script: Script) -> list[float]:
    """Ask once for a user; return how long was waited in between."""
    waited: list[float] = []
    with Client(connect(service), transport=script, sleep=waited.append) as client:
        scim.find(client, scim.USERS, "userName", "x")
    return waited


def test_a_request_that_nothing_answers_is_sent_once_more(service):
    script = Script(httpx.ReadTimeout("slow"), found())

    talk(service, script)

    assert len(script.asked) == 2


def test_silence_twice_is_a_timeout(service):
    script = Script(httpx.ReadTimeout("slow"), httpx.ConnectTimeout("slow"))

    with pytest.raises(RequestFailed) as failed:
        talk(service, script)

    assert (failed.value.code, failed.value.status) == ("Timeout", 0)


def test_429_is_waited_out_as_long_as_it_says(service):
    assert talk(service, Script(busy("3"), busy("2"), found())) == [3, 2]


@pytest.mark.parametrize(
    ("answers", "waits"), [(["1"] * 4, 3), (["61"], 0), ([None], 0), (["Wed, 21 Oct 2026 07:28:00 GMT"], 0)]
)
def test_429_without_end_or_with_a_wait_that_is_too_long_is_left_to_the_next_cycle(service, answers, waits):
    waited: list[float] = []
    script = Script(*map(busy, answers))

    with (
        Client(connect(service), transport=script, sleep=waited.append) as client,
        pytest.raises(RequestFailed) as failed,
    ):
        scim.find(client, scim.USERS, "userName", "x")

    assert (failed.value.code, len(waited)) == ("TooManyRequests", waits)


def test_a_lost_response_comes_after_the_work_is_done_and_the_second_create_meets_409(service, provision):
    transport = FaultyTransport(wire(), Faults(chances={"lost-responses": 0.5}, seed=2))
    names = [f"user{number}" for number in range(20)]

    summary = provision(directory(*map(user, names)), cycles=12, transport=transport)

    assert transport.met["lost-responses"] > 5
    assert any(result.steps[-1].code == "EntryConflict" for result in provision.results)
    assert sorted(one["externalId"] for one in service.resources["Users"].values()) == sorted(names)
    assert summary.cycles[-1].failed == 0


def test_a_duplicate_is_delivered_twice(service, provision):
    transport = FaultyTransport(wire(), Faults(chances={"duplicates": 1.0}))

    provision(directory(user("anna")), transport=transport)

    assert [request.method for request in service.writes] == ["POST", "POST"]
    assert len(service.resources["Users"]) == 1


def test_an_expired_token_is_renewed(service, provision):
    transport = FaultyTransport(wire(), Faults(chances={"expired-tokens": 0.4}, seed=3))

    summary = provision(directory(*(user(f"user{number}") for number in range(10))), cycles=6, transport=transport)

    assert transport.met["expired-tokens"] > 1
    assert len(service.token_requests) > 1
    assert len(service.resources["Users"]) == 10
    assert summary.cycles[-1].failed == 0


def test_429_and_503_do_not_reach_the_service(service):
    for name, status in (("429", 429), ("503", 503)):
        transport = FaultyTransport(wire(), Faults(chances={name: 1.0}, retry_after="0"))
        with Client(connect(service), transport=transport) as client, pytest.raises(RequestFailed) as failed:
            scim.find(client, scim.USERS, "userName", "x")
        assert failed.value.status == status

    assert service.requests == []


@pytest.mark.parametrize("style", ["default", "aadOptscim062020"])
def test_a_patch_of_members_is_taken_apart_into_several_at_a_time(service, provision, style):
    people = [user(f"user{number}") for number in range(30)]
    transport = FaultyTransport(wire(), Faults(chances={"parallel-patches": 1.0}))
    changes = [{"groups": [{"id": "Legal", "removeMembers": [f"user{number}" for number in range(20)]}]}]
    document = directory(*people, group("Legal", *(one["id"] for one in people)), changes=changes)

    provision(document, cycles=2, style=style, transport=transport)

    sizes = [sum(len(one.get("value", [1])) for one in operations) for operations in service.patches("Groups")]
    assert len(sizes) == 15
    assert (sum(sizes), max(sizes)) == (50, 4)
    assert transport.met["parallel-patches"] == 2


def test_a_patch_of_names_stays_whole_and_the_worst_of_several_answers_is_told(service):
    script = Script(httpx.Response(204), httpx.Response(204), httpx.Response(409, json={"detail": "no"}))
    transport = FaultyTransport(script, Faults(chances={"parallel-patches": 1.0}))
    members = [{"op": "add", "path": "members", "value": [{"value": "1"}, {"value": "2"}]}]

    with Client(connect(service), transport=transport) as client:
        scim.patch(client, scim.GROUPS, "g", [{"op": "replace", "path": "displayName", "value": "n"}])
        with pytest.raises(RequestFailed, match="409: no"):
            scim.patch(client, scim.GROUPS, "g", members)

    assert [len(json.loads(request.content)["Operations"]) for request in script.asked] == [1, 1, 1]


def test_the_same_seed_makes_the_same_faults(service):
    met = []
    for _ in range(2):
        transport = FaultyTransport(
            Script(*(found() for _ in range(60))), Faults(chances={"503": 0.3, "lost-responses": 0.3}, seed=5)
        )
        with Client(connect(service), transport=transport) as client:
            for _ in range(15):
                try:
                    scim.find(client, scim.USERS, "userName", "x")
                except RequestFailed:
                    continue
        met.append(transport.met)

    assert met[0] == met[1]
    assert met[0]["503"] > 0


def test_faults_are_read_from_a_text_and_have_usual_probabilities():
    assert faults.parse("lost-responses=0.25,duplicates,parallel-patches", 7) == Faults(
        chances={"lost-responses": 0.25, "duplicates": 0.1, "parallel-patches": 1.0}, seed=7
    )
    assert faults.parse("", 1).chances == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fire", f"there is no fault 'fire'; known are {', '.join(faults.USUAL)}"),
        ("429=often", "'429=often' is not a fault and a probability"),
        ("429=1.5", "the probability in '429=1.5' is not between 0 and 1"),
    ],
)
def test_faults_that_there_are_not_are_refused(text, sentence):
    with pytest.raises(FaultsUnreadable) as refused:
        faults.parse(text, 1)

    assert str(refused.value) == sentence
