"""Pages by key: no row is lost or shown twice, and what is not a cursor of ours is the first page."""

import base64
import json

import pytest

from provisioning.models import LoginAccount, ProvisioningLogEntry
from provisioning.queries.pages import count_words, fetch, number_words
from tests.factories import make_account, make_configuration

pytestmark = pytest.mark.django_db
NAMES = ["", "a", "A", "b", "b", "b", "Ö", "ö", "\N{ZERO WIDTH SPACE}x", "line\nbreak", "z" * 300]


@pytest.fixture
def accounts():
    configuration = make_configuration()
    for name in NAMES:
        account = make_account(configuration)
        LoginAccount.objects.filter(pk=account.pk).update(full_name=name)
    return LoginAccount.objects.filter(configuration=configuration)


def walk(rows, *, keys, size, forwards=True, cursor=""):
    """Return the ids of all pages from the cursor on."""
    seen = []
    while True:
        page = fetch(rows, keys=keys, cursor=cursor, size=size)
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
