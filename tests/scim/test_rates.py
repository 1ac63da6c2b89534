"""How fast a configuration may call, and that another one's haste is no business of its own (3-scim §3.2)."""

import threading
import time
import uuid

import pytest
from django.conf import settings as installation
from hypothesis import given
from hypothesis import strategies as st

from provisioning.models import ProvisioningLogEntry
from scim.errors import TooManyRequests
from scim.rates import SECOND, Grant, Limit, Rates, in_memory, in_redis, rates, take
from tests.factories import make_configuration
from tests.scim.service import Service

LIMIT = Limit(rate=100, burst=400)


def drain(full_at: int, limit: Limit, now: int) -> tuple[int, int]:
    """Take tokens one by one until there is none; return when the bucket is full again, and how many there were."""
    number = 0
    while True:
        full_at, grant = take(full_at, limit, wanted=1, now=now)
        if not grant.number:
            return full_at, number
        number += 1


def test_a_full_bucket_gives_its_burst_and_no_more():
    assert drain(0, LIMIT, now=7) == (7 + 4 * SECOND, 400)


def test_an_empty_bucket_fills_at_its_rate():
    full_at, _ = drain(0, LIMIT, now=0)

    assert take(full_at, LIMIT, wanted=1, now=0)[1] == Grant(0, SECOND // 100)
    assert take(full_at, LIMIT, wanted=1, now=SECOND // 100 - 1)[1] == Grant(0, 1)
    assert take(full_at, LIMIT, wanted=1, now=SECOND // 100)[1] == Grant(1)
    assert take(full_at, LIMIT, wanted=1000, now=SECOND)[1] == Grant(100)
    assert take(full_at, LIMIT, wanted=1000, now=3600 * SECOND)[1] == Grant(400)


def test_a_clock_that_is_put_back_shuts_nobody_out_for_longer_than_a_bucket_takes_to_fill():
    full_at, grant = take(3600 * SECOND, LIMIT, wanted=1, now=0)

    assert (full_at, grant) == (4 * SECOND, Grant(0, SECOND // 100))


@given(
    st.integers(1, 1000),
    st.integers(1, 1000),
    st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 50)), max_size=50),
)
def test_in_no_stretch_of_time_comes_more_than_the_burst_and_the_rate(
    rate: int, burst: int, asked: list[tuple[int, int]]
):
    limit, full_at, now, given = Limit(rate, burst), 0, 0, list[tuple[int, int]]()
    for pause, wanted in asked:
        now += pause
        full_at, grant = take(full_at, limit, wanted=wanted, now=now)
        assert (grant.number > 0) == (grant.wait == 0)
        if not grant.number:
            assert take(full_at, limit, wanted=1, now=now + grant.wait)[1].number == 1, "the wait is long enough"
        given.append((now, grant.number))

    for start, (begin, _) in enumerate(given):
        for end in range(start, len(given)):
            seconds = (given[end][0] - begin) / SECOND
            assert sum(number for _, number in given[start : end + 1]) <= burst + rate * seconds


def test_a_refusal_says_how_long_to_wait_and_is_news_once_a_minute():
    limits = Rates(in_memory(Limit(rate=1, burst=1)), 1)
    limits.check("a", 0)

    told = []
    for now in (0, SECOND // 2, 59 * SECOND, 59 * SECOND, 119 * SECOND, 119 * SECOND):
        try:
            limits.check("a", now)
        except TooManyRequests as refusal:
            told.append((now // SECOND, refusal.retry_after, refusal.is_news))
    assert told == [(0, 1, True), (0, 1, False), (59, 1, False), (119, 1, True)]
    assert TooManyRequests(retry_after=7).body()["status"] == "429"


def test_tokens_are_fetched_together_and_kept_for_a_second():
    fetched = list[int]()

    def fetch(_key: str, wanted: int, _now: int) -> Grant:
        fetched.append(wanted)
        return Grant(wanted)

    limits = Rates(fetch, 10)
    for _ in range(25):
        limits.check("a", 0)
    assert fetched == [10, 10, 10]
    limits.check("b", 0)
    limits.check("a", SECOND)
    assert fetched == [10] * 5


def test_a_small_burst_is_counted_exactly():
    assert (Limit(1, 1).lease, Limit(10, 39).lease, LIMIT.lease) == (1, 1, 10)


def hammer(limits: list[Rates], key: str, seconds: float) -> tuple[int, float]:
    """Ask from all threads as fast as they can; return how many requests were let through, and in which time."""
    passed = list[int]()
    start = time.monotonic()

    def run(limit: Rates) -> None:
        number = 0
        while time.monotonic() - start < seconds:
            try:
                limit.check(key, time.monotonic_ns() // 1000)
                number += 1
            except TooManyRequests:
                time.sleep(0.0005)
        passed.append(number)

    threads = [threading.Thread(target=run, args=(limit,)) for limit in limits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(passed), time.monotonic() - start


def test_parallel_threads_get_no_more_than_there_is():
    limits = Rates(in_memory(Limit(rate=200, burst=50)), 1)

    number, seconds = hammer([limits] * 8, "a", 0.5)

    assert 50 < number <= 50 + 200 * seconds


@pytest.mark.postgresql
def test_parallel_processes_get_no_more_than_there_is_from_redis():
    limit, key = Limit(rate=200, burst=80), uuid.uuid4().hex
    processes = [Rates(in_redis(limit, installation.REDIS_URL), limit.lease) for _ in range(4)]

    number, seconds = hammer(processes * 2, key, 0.5)

    assert 80 < number <= 80 + 200 * seconds


@pytest.mark.postgresql
def test_redis_counts_as_python_does():
    limit, key = Limit(rate=1, burst=5), uuid.uuid4().hex
    fetch = in_redis(limit, installation.REDIS_URL)

    assert [fetch(key, 3, 0).number for _ in range(3)] == [3, 2, 0]
    assert 0 < fetch(key, 1, 0).wait <= SECOND
    assert fetch(uuid.uuid4().hex, 9, 0) == Grant(5)


def test_without_redis_everybody_is_let_through_and_the_log_tells_once_a_minute(caplog, tmp_path):
    fetch = in_redis(Limit(rate=1, burst=1), f"unix://{tmp_path}/nobody.sock")

    granted = [fetch("a", 1, now) for now in (0, 1, 6 * SECOND, 61 * SECOND)]

    assert granted == [Grant(1)] * 4
    assert len([record for record in caplog.records if "Redis does not answer" in record.message]) == 2


@pytest.fixture
def slow(settings) -> None:
    settings.SCIM_RATE, settings.SCIM_BURST = 1, 3
    rates.cache_clear()


@pytest.mark.django_db
def test_one_configurations_haste_does_not_slow_another(slow):
    hasty, calm = Service(make_configuration()), Service(make_configuration())

    replies = [hasty.ask("GET", "/Users") for _ in range(6)]

    assert [reply.status for reply in replies] == [200, 200, 200, 429, 429, 429]
    assert calm.ask("GET", "/Users").status == 200
    assert (replies[3].headers["retry-after"], replies[3].body["status"]) == ("1", "429")
    row = ProvisioningLogEntry.objects.get()
    assert (row.status, row.is_success) == (429, False), "a refusal costs no more than one row a minute"


@pytest.mark.django_db
def test_who_has_no_token_uses_nobodys_share(slow):
    service = Service(make_configuration())
    token, service.token = service.token, "wrong"

    assert {service.ask("GET", "/Users").status for _ in range(6)} == {401}
    service.token = token
    assert service.ask("GET", "/Users").status == 200


@pytest.mark.django_db
def test_a_rate_of_zero_limits_nothing(settings):
    settings.SCIM_RATE = 0
    service = Service(make_configuration())

    assert rates(0, 1, "") is None
    assert {service.ask("GET", "/Users").status for _ in range(6)} == {200}
