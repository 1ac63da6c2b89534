"""Several objects at a time: the same outcome, in the same order of report."""

import threading

import pytest

from mfmanage.entra.generating import generate
from mfmanage.entra.job import Job
from mfmanage.entra.parallel import each
from tests.entra.conftest import Simulator
from tests.entra.scim_server import serving
from tests.entra.test_properties import end_state


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(each(lambda number: number * 2, range(100), workers)) == [number * 2 for number in range(100)]


def test_several_items_are_worked_on_at_a_time():
    gate = threading.Barrier(4, timeout=10)

    assert len(list(each(lambda _: gate.wait(), range(8), 4))) == 8


def test_what_fails_ends_the_work():
    with pytest.raises(ZeroDivisionError):
        list(each(lambda number: 1 / number, [2, 1, 0], 2))


def test_a_run_in_parallel_ends_in_the_state_of_a_run_in_turn(service):
    document = generate(40, 8, 4)
    with serving() as other:
        turn = Simulator(other)
        turn(document, cycles=2)
        wanted, order = end_state(other), [result.name for result in turn.results]
    parallel = Simulator(service)

    summary = parallel(document, cycles=2, job=Job(workers=4))

    assert summary.failed == 0
    assert end_state(service) == wanted
    assert [result.name for result in parallel.results] == order
    assert len(service.token_requests) == 1
