"""Who gets which license, from facts alone (1-product §1.4)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.plans.backoff import wait_after
from licensing.plans.licenses import (
    AccountFacts,
    GroupClaim,
    Policy,
    ReleasePolicy,
    Seats,
    Source,
    SourceKind,
    changes,
    fill,
    free_seats,
    wanted_type,
    wish,
)
from provisioning.license_types import LicenseType

NONE, READ_ONLY, CONCURRENT, NAMED = LicenseType
NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(days=1)
LEGAL, SALES = GroupClaim(NAMED, "Legal", 1), GroupClaim(NAMED, "Sales", 2)
WEAK = GroupClaim(READ_ONLY, "Weak", 3)


def facts(**fields):
    known = {"account_id": 1, "username_key": "ann", "is_enabled": True, "is_new": False, "first_asked_at": EARLIER}
    return AccountFacts(**{**known, **fields})


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, (NONE, Source())),
        ({"default": READ_ONLY}, (READ_ONLY, Source(SourceKind.DEFAULT))),
        ({"default": NONE}, (NONE, Source())),
        ({"default": READ_ONLY, "groups": (LEGAL,)}, (NAMED, Source(SourceKind.GROUP, 1))),
        ({"default": NAMED, "groups": (LEGAL,)}, (NAMED, Source(SourceKind.DEFAULT))),
        ({"default": NAMED, "groups": (WEAK,)}, (NAMED, Source(SourceKind.DEFAULT))),
        ({"groups": (SALES, LEGAL, WEAK)}, (NAMED, Source(SourceKind.GROUP, 1))),
        ({"manual": CONCURRENT}, (CONCURRENT, Source(SourceKind.MANUAL))),
        ({"default": READ_ONLY, "manual": NAMED}, (READ_ONLY, Source(SourceKind.DEFAULT))),
        ({"default": NAMED, "groups": (LEGAL,), "pinned": READ_ONLY}, (READ_ONLY, Source(SourceKind.PIN))),
        ({"default": NAMED, "pinned": NONE}, (NONE, Source(SourceKind.PIN))),
        ({"default": NAMED, "groups": (LEGAL,), "pinned": NAMED, "is_enabled": False}, (NONE, Source())),
    ],
)
def test_the_wanted_type_is_the_highest_that_something_gives(known, expected):
    assert wanted_type(facts(**known)) == expected


@pytest.mark.parametrize(
    ("known", "asked_at"),
    [
        ({"default": NAMED, "is_new": True}, EARLIER),
        ({"default": NAMED}, NOON),
        ({"default": NAMED, "wanted": NAMED, "asked_at": EARLIER}, EARLIER),
        ({"default": NAMED, "wanted": READ_ONLY, "asked_at": EARLIER}, NOON),
        ({"default": NONE, "wanted": NAMED, "asked_at": EARLIER}, None),
    ],
)
def test_the_time_of_asking_stays_while_the_same_type_is_wanted(known, asked_at):
    assert wish(facts(**known), ReleasePolicy(), NOON).asked_at == asked_at


@pytest.mark.parametrize(
    ("policy", "disabled_days_ago", "released", "due_in_days"),
    [
        (Policy.KEEP, 400, False, None),
        (Policy.AT_ONCE, 0, True, None),
        (Policy.AFTER_DAYS, 0, False, 7),
        (Policy.AFTER_DAYS, 6, False, 1),
        (Policy.AFTER_DAYS, 7, True, None),
    ],
)
def test_the_release_policy_decides_about_disabled_accounts(policy, disabled_days_ago, released, due_in_days):
    disabled_at = NOON - timedelta(days=disabled_days_ago)
    known = facts(is_enabled=False, disabled_at=disabled_at, granted=NAMED, granted_at=EARLIER)

    result = wish(known, ReleasePolicy(policy, 7), NOON)

    assert result.granted == (NONE if released else NAMED)
    assert result.released == (NAMED if released else NONE)
    assert result.release_due_at == (None if due_in_days is None else NOON + timedelta(days=due_in_days))


def test_an_enabled_account_that_wants_nothing_gives_its_license_back():
    result = wish(facts(default=NONE, granted=NAMED), ReleasePolicy(Policy.KEEP), NOON)

    assert (result.granted, result.released, result.granted_at) == (NONE, NAMED, None)


def test_an_account_keeps_what_it_has_while_it_waits_for_another():
    result = wish(facts(default=NAMED, granted=READ_ONLY, granted_at=EARLIER), ReleasePolicy(), NOON)

    assert (result.granted, result.granted_at, result.released) == (READ_ONLY, EARLIER, NONE)


@pytest.mark.parametrize(
    ("free", "queues", "served"),
    [
        pytest.param({NAMED: 2}, {NAMED: [NONE, NONE, NONE]}, {NAMED: 2}, id="the first get the free seats"),
        pytest.param(
            {NAMED: 0, READ_ONLY: 0}, {CONCURRENT: [NONE, READ_ONLY]}, {CONCURRENT: 2}, id="Concurrent is not limited"
        ),
        pytest.param(
            {NAMED: 1, READ_ONLY: 0},
            {NAMED: [READ_ONLY], READ_ONLY: [NONE]},
            {NAMED: 1, READ_ONLY: 1},
            id="the seat that a move frees serves the next",
        ),
        pytest.param(
            {NAMED: 0, READ_ONLY: 1},
            {NAMED: [NONE, NONE], READ_ONLY: [NAMED, NONE, NAMED]},
            {NAMED: 1, READ_ONLY: 1},
            id="a freed seat is no seat for the next in the own queue",
        ),
        pytest.param(
            {NAMED: 0, READ_ONLY: 0},
            {NAMED: [READ_ONLY], READ_ONLY: [NAMED]},
            {NAMED: 1, READ_ONLY: 1},
            id="two who want each other's seats change places",
        ),
        pytest.param(
            {NAMED: 0, READ_ONLY: 0},
            {NAMED: [NONE, READ_ONLY], READ_ONLY: [NAMED]},
            {},
            id="two change places only when both are first",
        ),
        pytest.param(
            {NAMED: -2, READ_ONLY: 0},
            {NAMED: [READ_ONLY], READ_ONLY: [NAMED]},
            {},
            id="beside an over-used pool nobody changes places",
        ),
        pytest.param(
            {NAMED: -1, READ_ONLY: 1},
            {NAMED: [NONE], READ_ONLY: [NAMED, NONE]},
            {READ_ONLY: 1},
            id="an over-used pool grants nothing until it is balanced",
        ),
        pytest.param({NAMED: 5, READ_ONLY: 5}, {}, {}, id="nobody waits"),
    ],
)
def test_a_queue_is_served_from_its_head(free, queues, served):
    assert fill(Seats(dict(free)), queues) == {NAMED: 0, CONCURRENT: 0, READ_ONLY: 0} | served


def test_an_over_used_pool_has_fewer_seats_than_none():
    assert free_seats({NAMED: 1}, {NAMED: 3}).free == {NAMED: -2, READ_ONLY: 0}


def test_the_pools_change_by_who_comes_and_who_leaves():
    queues = {NAMED: [READ_ONLY, NONE, READ_ONLY], READ_ONLY: [NAMED], CONCURRENT: [NAMED]}

    assert changes(queues, {NAMED: 2, READ_ONLY: 1, CONCURRENT: 1}) == {CONCURRENT: 1}
    assert changes(queues, {NAMED: 3}) == {NAMED: 3, READ_ONLY: -2}
    assert changes({}, {NAMED: 0}) == {}


SEATS = st.fixed_dictionaries({NAMED: st.integers(-3, 6), READ_ONLY: st.integers(-3, 6)})
QUEUES = st.fixed_dictionaries(
    {
        wanted: st.lists(st.sampled_from([one for one in LicenseType if one != wanted]), max_size=12)
        for wanted in (NAMED, CONCURRENT, READ_ONLY)
    }
)


@given(free=SEATS, queues=QUEUES)
def test_no_seat_is_given_twice_and_nobody_waits_while_one_is_free(free, queues):
    seats = Seats(dict(free))

    served = fill(seats, queues)

    change = changes(queues, served)
    for license_type in (NAMED, READ_ONLY):
        assert seats.free[license_type] == free[license_type] - change.get(license_type, 0)
        assert seats.free[license_type] >= min(0, free[license_type])
    for license_type, queue in queues.items():
        assert served[license_type] == len(queue) or not seats.has(license_type)
    heads = [queues[one][served[one] :][:1] for one in (NAMED, READ_ONLY)]
    assert heads != [[READ_ONLY], [NAMED]] or min(seats.free.values()) < 0


@given(free=SEATS, queues=QUEUES, batch=st.integers(1, 3))
def test_it_does_not_matter_how_much_of_the_queues_is_looked_at_at_once(free, queues, batch):
    seats, total = Seats(dict(free)), dict.fromkeys(queues, 0)
    while served := any_served(seats, {one: queue[total[one] :][:batch] for one, queue in queues.items()}):
        total = {one: total[one] + served[one] for one in total}

    assert total == fill(Seats(dict(free)), {one: bytes(queue) for one, queue in queues.items()})


def any_served(seats, queues):
    served = fill(seats, queues)
    return served if any(served.values()) else None


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (500, 3600)])
def test_the_wait_doubles_from_half_a_minute_to_an_hour(attempts, seconds):
    assert wait_after(attempts) == timedelta(seconds=seconds)
