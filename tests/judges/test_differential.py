"""This service and scim2-server answer generated requests alike (``README.md`` beside this file)."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories import make_configuration
from tests.judges.answers import exchange
from tests.judges.both import Both, Request
from tests.judges.excuses import EXCUSES, Excuse
from tests.judges.machine import Client

pytestmark = [pytest.mark.processes, pytest.mark.django_db]

EXAMPLES, STEPS, SEED = 30, 25, 2026
"""Of the runs that CI makes, always the same."""
BUDGET = settings(stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
COMPARED = {
    *(("POST", endpoint, status) for endpoint in ("Users", "Groups") for status in (201, 409)),
    *(("PUT", endpoint, 200) for endpoint in ("Users", "Groups")),
    *(("PATCH", endpoint, status) for endpoint in ("Users", "Groups") for status in ("200 or 204", 400)),
    *(("DELETE", endpoint, 204) for endpoint in ("Users", "Groups")),
    *(("GET", endpoint, status) for endpoint in ("Users", "Groups") for status in (200, 404)),
}


def test_both_services_answer_alike(request, capsys):
    examples = request.config.getoption("judge_examples", default=None) or EXAMPLES
    number = request.config.getoption("judge_seed", default=None) or SEED
    with capsys.disabled():
        print(f"\n{examples} runs of {STEPS} steps; to repeat them: --judge-examples {examples} --judge-seed {number}")
    run_state_machine_as_test(seed(number)(Client), settings=settings(BUDGET, max_examples=examples))

    assert Client.seen.keys() >= COMPARED


def test_a_service_that_forgets_is_found_out():
    def forget(send):
        def forgetting(method, path, body):
            reply = send(method, path, body)
            if reply.body:
                reply.body.pop("title", None)
            return reply

        return forgetting

    class Victim(Client):
        seen, excused = Counter(), Counter()

        def __init__(self):
            super().__init__()
            self.both.ours.send = forget(self.both.ours.send)

    budget = settings(BUDGET, max_examples=EXAMPLES, phases=[Phase.generate])
    with pytest.raises(AssertionError, match="/title: ours null, the peer's"):
        run_state_machine_as_test(seed(SEED)(Victim), settings=budget)


@pytest.mark.parametrize("excuse", EXCUSES, ids=lambda excuse: excuse.name)
def test_the_excuse_is_still_needed(excuse):
    both = Both(make_configuration())
    applied, answers = excuse.applies is None, None
    for number, request in enumerate(excuse.example, 1):
        applied = applied or applies(excuse, request, both)
        answers = exchange(both, request, creates=name_of(request, number))

    assert applied
    assert answers.ours != answers.peer, "both answer alike now: this excuse is stale"


def applies(excuse: Excuse, request: Request, both: Both) -> bool:
    before = both.ours.ask(Request("GET", request.path)).body if request.method == "PATCH" else {}
    return excuse.applies is not None and excuse.applies(request, before)


def name_of(request: Request, number: int) -> str:
    return f"<{request.path[1:-1]} {number}>" if request.method == "POST" else ""
