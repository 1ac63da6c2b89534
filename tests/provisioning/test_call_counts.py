"""Calls are counted per configuration and minute, whoever counts, and cost no statement of their own."""

import queue
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError

from provisioning.models import CallCount, ProvisioningConfiguration
from provisioning.services import call_counts
from provisioning.services.call_counts import CallCounts, count_call, flush
from tests.factories import NOON, make_configuration
from tests.races import together
from tests.scim.service import Service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted_yet():
    call_counts.counts.take()


def rows():
    return list(CallCount.objects.order_by("configuration", "minute").values_list("minute", "calls", "failures"))


def test_calls_are_added_up_by_minute():
    configuration = make_configuration()
    for second, failed in [(0, False), (59.999, True), (60, False), (59.5, True)]:
        count_call(configuration.pk, failed=failed, at=NOON + timedelta(seconds=second))

    flush()

    assert rows() == [(NOON, 3, 2), (NOON + timedelta(minutes=1), 1, 0)]


def test_later_counts_are_added_to_the_row_of_their_minute():
    configuration = make_configuration()
    for failed in (True, False):
        count_call(configuration.pk, failed=failed, at=NOON)
        flush()

    assert rows() == [(NOON, 2, 1)]


def test_each_configuration_has_its_own():
    first, second = make_configuration(), make_configuration()
    count_call(second.pk, failed=False, at=NOON)
    count_call(first.pk, failed=True, at=NOON)

    flush()

    assert CallCount.objects.get(configuration=first).failures == 1
    assert CallCount.objects.get(configuration=second).failures == 0


def test_counting_costs_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        for second in (0, 30, 600):
            count_call(7, failed=False, at=NOON + timedelta(seconds=second))


@pytest.mark.django_db(transaction=True)
def test_a_process_writes_its_counts_again_and_again_by_itself(monkeypatch, settings):
    configuration, waits, go_on, never = make_configuration(), queue.Queue(), threading.Event(), threading.Event()

    def sleep(seconds):
        waits.put(seconds)
        (never if go_on.is_set() else go_on).wait()

    monkeypatch.setattr(call_counts, "counts", CallCounts())
    monkeypatch.setattr(call_counts.time, "sleep", sleep)
    settings.CALL_COUNT_SECONDS = 10
    count_call(configuration.pk, failed=True, at=NOON)
    assert waits.get(timeout=30) == 10
    assert rows() == []

    go_on.set()

    assert waits.get(timeout=30) == 10
    assert rows() == [(NOON, 1, 1)]


def test_nothing_counted_costs_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        flush()


def test_a_configuration_that_is_gone_keeps_no_other_from_being_counted():
    gone, stays = make_configuration(), make_configuration()
    for configuration in (gone, stays):
        count_call(configuration.pk, failed=False, at=NOON)
    ProvisioningConfiguration.objects.filter(pk=gone.pk).delete()

    flush()

    assert CallCount.objects.get().configuration == stays


def test_a_broken_database_stops_no_call(monkeypatch, caplog):
    def broken(*_args, **_more):
        raise DatabaseError("disk full")

    monkeypatch.setattr(call_counts.transaction, "atomic", broken)
    count_call(7, failed=False, at=NOON)

    flush()

    assert "The counts of 1 calls could not be written" in caplog.text


def test_no_call_of_many_threads_is_lost_in_memory():
    counts = CallCounts()

    together(8, lambda number: [counts.count(1, failed=number % 2 == 0, at=NOON) for _ in range(500)])

    assert counts.take() == [((1, NOON), 4000, 2000)]
    assert counts.take() == []


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_the_same_minute_at_once_add_up():
    first, second = make_configuration(), make_configuration()

    def write(number):
        for configuration in (first, second):
            count_call(configuration.pk, failed=number == 0, at=NOON)
        flush()

    assert together(6, write) == [None] * 6
    assert list(CallCount.objects.values_list("calls", "failures")) == [(6, 1), (6, 1)]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_writes_what_it_has_counted(child_environment):
    configuration = make_configuration()
    program = (
        "import django; django.setup()\n"
        "from datetime import datetime, UTC\n"
        "from provisioning.services.call_counts import count_call\n"
        f"count_call({configuration.pk}, failed=True, at=datetime(2026, 5, 12, 12, tzinfo=UTC))\n"
    )

    subprocess.run([sys.executable, "-c", program], env=child_environment, check=True, timeout=60)

    assert rows() == [(NOON, 1, 1)]


@pytest.mark.parametrize(
    ("method", "path", "body", "failed"),
    [
        ("GET", "/Users", None, 0),
        ("HEAD", "/Users", None, 0),
        ("GET", "/Users/7", None, 0),
        ("POST", "/Users", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann@x"}, 0),
        ("POST", "/Users", {}, 1),
        ("DELETE", "/Users/7", None, 1),
        ("GET", "/Users?filter=nonsense", None, 1),
    ],
)
def test_every_scim_call_is_counted_and_not_to_find_is_no_failure(method, path, body, failed):
    service = Service(make_configuration())
    call_counts.counts.take()

    service.ask(method, path, body)

    ((_, calls, failures),) = call_counts.counts.take()
    assert (calls, failures) == (1, failed)


def test_a_call_of_nobody_is_not_counted():
    service = Service(make_configuration())
    service.token = "wrong"

    service.ask("GET", "/Users")

    assert call_counts.counts.take() == []
