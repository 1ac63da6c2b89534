"""Who gets which license, from facts alone (1-product §1.4)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.plans.backoff import wait_after
from licensing.plans.licenses import (
    AccountFacts,
    GroupClaim,
    Move,
    Policy,
    ReleasePolicy,
    Seats,
    Source,
    SourceKind,
    Waiting,
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


def test_free_seats_go_to_the_first_in_the_queue():
    queue = [Waiting(3, NONE), Waiting(1, NONE), Waiting(2, NONE)]

    moves = fill(Seats({NAMED: 2}), {NAMED: queue})

    assert moves == [Move(3, NONE, NAMED), Move(1, NONE, NAMED)]


def test_concurrent_licenses_are_not_limited():
    moves = fill(Seats({NAMED: 0, READ_ONLY: 0}), {CONCURRENT: [Waiting(1, NONE), Waiting(2, READ_ONLY)]})

    assert [move.to for move in moves] == [CONCURRENT, CONCURRENT]


def test_the_seat_that_a_move_frees_serves_the_next():
    moves = fill(Seats({NAMED: 1, READ_ONLY: 0}), {NAMED: [Waiting(1, READ_ONLY)], READ_ONLY: [Waiting(2, NONE)]})

    assert moves == [Move(1, READ_ONLY, NAMED), Move(2, NONE, READ_ONLY)]


def test_two_change_places_only_when_both_are_first():
    up, down = Waiting(1, READ_ONLY), Waiting(2, NAMED)
    none_free = {NAMED: 0, READ_ONLY: 0}

    assert len(fill(Seats(dict(none_free)), {NAMED: [up], READ_ONLY: [down]})) == 2
    assert fill(Seats(dict(none_free)), {NAMED: [Waiting(3, NONE), up], READ_ONLY: [down]}) == []


def test_an_over_used_pool_grants_nothing_not_even_by_an_exchange():
    seats = free_seats({NAMED: 1, READ_ONLY: 0}, {NAMED: 3, READ_ONLY: 0})

    assert seats.free[NAMED] == -2
    assert fill(seats, {NAMED: [Waiting(1, READ_ONLY)], READ_ONLY: [Waiting(2, NAMED)]}) == []


def test_changes_are_summed_by_pool():
    moves = [Move(1, READ_ONLY, NAMED), Move(2, NONE, NAMED), Move(3, NAMED, READ_ONLY)]

    assert changes([NAMED, READ_ONLY], moves) == {READ_ONLY: -1}


@given(
    free=st.dictionaries(st.sampled_from([NAMED, READ_ONLY]), st.integers(-3, 6), min_size=2),
    wants=st.lists(st.tuples(st.sampled_from([READ_ONLY, CONCURRENT, NAMED]), st.sampled_from(list(LicenseType)))),
)
def test_no_seat_is_given_twice_and_nobody_waits_while_one_is_free(free, wants):
    queues = {
        wanted: [Waiting(pk, had) for pk, (asked, had) in enumerate(wants) if asked == wanted != had]
        for wanted in (NAMED, CONCURRENT, READ_ONLY)
    }
    seats = Seats(dict(free))

    moves = fill(seats, queues)

    for license_type, queue in queues.items():
        served = [move.account_id for move in moves if move.to == license_type]
        assert served == [waiting.account_id for waiting in queue][: len(served)]
        assert len(served) == len(queue) or not seats.has(license_type)
    for license_type in (NAMED, READ_ONLY):
        assert seats.free[license_type] >= min(0, free[license_type])


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (500, 3600)])
def test_the_wait_doubles_from_half_a_minute_to_an_hour(attempts, seconds):
    assert wait_after(attempts) == timedelta(seconds=seconds)
