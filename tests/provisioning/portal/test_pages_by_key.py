"""Pages by key: no row is lost or shown twice, and what is not a cursor of ours is the first page."""

import base64
import json
from datetime import timedelta

import pytest
from django.db.models import Q

from provisioning.models import LoginAccount, ProvisioningLogEntry
from provisioning.queries.pages import count_words, fetch, fetch_few, number_words
from provisioning.services.calls import record_failure
from tests.factories import NOON, make_account, make_call, make_configuration

pytestmark = pytest.mark.django_db
NAMES = ["", "a", "A", "b", "b", "b", "Ö", "ö", "\N{ZERO WIDTH SPACE}x", "line\nbreak", "z" * 300]


@pytest.fixture
def accounts():
    configuration = make_configuration()
    for name in NAMES:
        account = make_account(configuration)
        LoginAccount.objects.filter(pk=account.pk).update(full_name=name)
    return LoginAccount.objects.filter(configuration=configuration)


def walk(rows, *, forwards=True, cursor="", **how):
    """Return the ids of all pages from the cursor on."""
    seen = []
    while True:
        page = fetch(rows, cursor=cursor, **how)
        seen += [row.pk for row in (page.rows if forwards else reversed(page.rows))]
        cursor = page.next if forwards else page.previous
        if not cursor:
            return seen


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize("keys", [("full_name", "id"), ("id",), ("-id",)])
def test_walking_forth_and_back_shows_every_row_once(accounts, keys, size):
    everything = [row.pk for row in accounts.order_by(*keys)]

    forth = walk(accounts, keys=keys, size=size)

    assert forth == everything
    last = fetch(accounts, keys=keys, cursor="", size=len(NAMES) - 1)
    back = walk(
        accounts, keys=keys, size=size, forwards=False, cursor=fetch(accounts, keys=keys, cursor=last.next).previous
    )
    assert back == everything[:-1][::-1]


@pytest.fixture
def calls():
    """Thirty calls, some of them at the same time, and the numbers of the rare ones."""
    configuration = make_configuration()
    for number in range(30):
        at = NOON + timedelta(seconds=number // 4)
        record_failure(make_call(configuration, at=at), status=409, detail="", resource_name=f"name {number}")
    return ProvisioningLogEntry.objects.filter(configuration=configuration)


BY_TIME = ("-at", "-id")
RARE = Q(resource_name__in=["name 29", "name 11", "name 10", "name 0"])


@pytest.mark.parametrize("size", [1, 3, 50])
def test_pages_in_the_order_of_time_show_every_row_once(calls, size):
    everything = [row.pk for row in calls.order_by(*BY_TIME)]

    assert walk(calls, keys=BY_TIME, size=size) == everything


@pytest.mark.parametrize("stretch", [2, 3, 7, 29, 30, 31])
@pytest.mark.parametrize("size", [1, 2, 50])
def test_what_no_index_finds_is_found_in_stretches_forth_and_back(calls, size, stretch):
    wanted = [row.pk for row in calls.filter(RARE).order_by(*BY_TIME)]

    assert walk(calls, keys=BY_TIME, size=size, narrow=RARE, stretch=stretch) == wanted
    oldest = cursor_of([NOON.isoformat(), 0])
    back = walk(calls, keys=BY_TIME, size=size, narrow=RARE, stretch=stretch, forwards=False, cursor="b" + oldest[1:])
    assert back == wanted[::-1]


PARTS = [Q(resource_name__endswith=digit) for digit in "0123456789"]
"""Three calls each, far apart."""


@pytest.mark.parametrize("keys", [BY_TIME, ("at", "id"), ("resource_name", "id")])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_a_list_put_together_from_parts_shows_every_row_once(calls, size, keys):
    everything = [row.pk for row in calls.order_by(*keys)]

    assert walk(calls, keys=keys, size=size, parts=PARTS) == everything
    assert walk(calls, keys=keys, size=size, parts=[*PARTS, Q(resource_name="nobody")]) == everything
    assert walk(calls, keys=keys, size=size, parts=[Q(pk__gt=0)]) == everything


@pytest.mark.parametrize("stretch", [1, 2, 10, 20, 29, 30, 31])
@pytest.mark.parametrize("size", [1, 2, 50])
def test_parts_are_searched_in_stretches_forth_and_back(calls, size, stretch):
    wanted = [row.pk for row in calls.filter(RARE).order_by(*BY_TIME)]
    options = {"keys": BY_TIME, "size": size, "narrow": RARE, "stretch": stretch, "parts": PARTS}

    assert walk(calls, **options) == wanted
    oldest = cursor_of([NOON.isoformat(), 0])
    assert walk(calls, **options, forwards=False, cursor="b" + oldest[1:]) == wanted[::-1]


def test_a_list_of_parts_takes_one_statement(calls, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert len(fetch(calls, keys=BY_TIME, cursor="", parts=PARTS, size=5).rows) == 5


@pytest.mark.parametrize("keys", [("full_name", "id"), ("-full_name", "-id"), ("modified_at", "id")])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_few_rows_are_sorted_into_the_same_pages(accounts, size, keys):
    cursor, seen = "", []
    while True:
        page = fetch_few(accounts, keys=keys, cursor=cursor, size=size)
        assert page == fetch(accounts, keys=keys, cursor=cursor, size=size)
        seen += [row.pk for row in page.rows]
        if not (cursor := page.next):
            break

    assert seen == [row.pk for row in accounts.order_by(*keys)]


def test_a_search_that_stops_says_how_far_it_came(calls):
    first = fetch(calls, keys=BY_TIME, cursor="", narrow=RARE, stretch=10)
    last = fetch(calls, keys=BY_TIME, cursor="", narrow=RARE, stretch=30)

    assert [row.resource_name for row in first.rows] == ["name 29"]
    assert (first.reached, first.searched) == (NOON + timedelta(seconds=5), 10)
    assert (last.reached, last.searched, last.next) == (None, 0, "")


@pytest.mark.parametrize("at", ["", "noon", "2026-05-12T12:00:00", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_is_none_gives_the_first_page(calls, at):
    assert len(fetch(calls, keys=BY_TIME, cursor=cursor_of([at, 1])).rows) == 30


def test_a_row_that_appears_meanwhile_moves_no_other(accounts):
    first = fetch(accounts, keys=("id",), cursor="", size=4)
    LoginAccount.objects.filter(pk=first.rows[0].pk).delete()

    second = fetch(accounts, keys=("id",), cursor=first.next, size=4)

    assert second.rows[0].pk == first.rows[-1].pk + 1


def cursor_of(values):
    return "a" + base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "a",
        "nonsense",
        "a!!!",
        "x" + cursor_of(["a", 1])[1:],
        cursor_of(["a"]),
        cursor_of(["a", "1"]),
        cursor_of(["a", -1]),
        cursor_of(["a", 2**63]),
        cursor_of(["a", True]),
        cursor_of([7, 1]),
        cursor_of(["a\x00", 1]),
        cursor_of(["\ud800", 1]),
        cursor_of({"a": 1}),
        "a" + base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_what_is_not_a_cursor_is_the_first_page(accounts, cursor):
    page = fetch(accounts, keys=("full_name", "id"), cursor=cursor, size=3)

    assert page == fetch(accounts, keys=("full_name", "id"), cursor="", size=3)


def test_counting_stops(accounts, django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        assert count_words(accounts, limit=5) == "more than 5"
    assert "LIMIT 6" in queries.captured_queries[0]["sql"]
    assert count_words(accounts, limit=11) == "11"
    assert count_words(ProvisioningLogEntry.objects.none()) == "0"


def test_long_numbers_are_grouped():
    assert number_words(9_999) == "9,999"
    assert number_words(10_001) == "more than 10,000"
