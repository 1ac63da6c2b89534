"""Pages by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from provisioning.models import LoginAccount, ProvisioningConfiguration
from scim.discovery import Capabilities
from scim.errors import ExpiredCursor, InvalidCount, InvalidCursor
from scim.resources.cursors import LIFETIME, Position, seal, unseal
from scim.resources.queries import MAX_PAGE_SIZE
from tests.factories import NOON, make_configuration, make_subscription
from tests.scim.scenarios import Reply
from tests.scim.service import Service, statements

SCOPE = ["configuration", "User", 'userName sw "a"', ""]
HERE = Position(part=0, pk=41, value=None, total=1000)


@pytest.fixture
def configuration(db) -> ProvisioningConfiguration:
    return make_configuration()


@pytest.fixture
def service(configuration) -> Service:
    return Service(configuration)


def listed(service: Service, path: str = "/Users", **parameters: Any) -> Reply:
    return service.ask("GET", f"{path}?{urlencode(parameters)}")


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [resource.get("userName") or resource["displayName"] for resource in reply.body["Resources"]]


def walk(service: Service, path: str = "/Users", **parameters: Any) -> list[list[str]]:
    """Return the names on each page, by cursor."""
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = listed(service, path, cursor=cursor, **parameters)
        pages.append(names(reply))
        cursor = reply.body.get("nextCursor")
        assert len(pages) < 20
    return pages


def test_a_list_is_walked_by_cursor(service):
    for number in range(5):
        service.make_user(f"u{number}")

    assert walk(service, count=2) == [["u0", "u1"], ["u2", "u3"], ["u4"]]
    assert walk(service, count=5) == [["u0", "u1", "u2", "u3", "u4"]]
    assert walk(service) == [["u0", "u1", "u2", "u3", "u4"]]


def test_a_page_by_cursor_tells_the_total_and_no_index(service):
    for number in range(3):
        service.make_user(f"u{number}")

    first = listed(service, cursor="", count=2).body
    last = listed(service, cursor=first["nextCursor"], count=2).body

    assert (first["totalResults"], first["itemsPerPage"], "startIndex" in first) == (3, 2, False)
    assert (last["totalResults"], last["itemsPerPage"], "nextCursor" in last) == (3, 1, False)


def test_pages_go_by_index_unless_a_cursor_is_sent(service):
    for number in range(3):
        service.make_user(f"u{number}")

    page = listed(service, count=2).body

    assert (page["startIndex"], page["totalResults"], "nextCursor" in page) == (1, 3, False)


def test_the_cursor_wins_over_an_index(service):
    service.make_user("ada")

    assert names(listed(service, cursor="", startIndex=7)) == ["ada"]


@pytest.mark.parametrize("count", [0, -3])
def test_no_resources_are_wanted_but_their_number(service, count: int):
    service.make_user("ada")

    page = listed(service, cursor="", count=count).body

    assert (page["totalResults"], page["Resources"], "nextCursor" in page) == (1, [], False)


def test_an_empty_list_is_one_empty_page(service):
    assert walk(service, count=2) == [[]]


def test_a_filtered_and_sorted_list_is_walked_by_cursor(service):
    for number, title in enumerate(["b", "", "a", "", "b", "x"]):
        service.make_user(f"u{number}", **({"title": title} if title else {}))
    wanted: dict[str, Any] = {"filter": 'userName ne "u5"', "sortBy": "title", "count": 2}

    assert walk(service, **wanted) == [["u2", "u0"], ["u4", "u1"], ["u3"]]
    assert walk(service, **wanted, sortOrder="descending") == [["u1", "u3"], ["u0", "u4"], ["u2"]]


@pytest.mark.parametrize("sort_by", ["meta.lastModified", "active", "emails.primary", "userName", "groups.display"])
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_every_kind_of_value_can_stand_in_a_cursor(service, sort_by: str, order: str):
    for number in range(5):
        more: dict[str, Any] = {"active": number % 2 == 0}
        service.make_user(f"u{number}", **more, emails=[{"value": "x", "primary": number != 1}] if number else [])

    pages = walk(service, sortBy=sort_by, sortOrder=order, count=2)

    assert [name for page in pages for name in page] == names(listed(service, sortBy=sort_by, sortOrder=order))
    assert len(pages) == 3


@pytest.mark.parametrize("sort_by", ["", "userName"])
def test_who_stays_is_seen_once_whoever_comes_and_goes_between_pages(service, sort_by: str):
    people = {name: service.make_user(name) for name in "bdfhjlnprt"}
    parameters: dict[str, Any] = {"count": 3, **({"sortBy": sort_by} if sort_by else {})}
    first = listed(service, cursor="", **parameters)
    seen, gone = names(first), ["d", "f", "h"]

    for name in gone:
        service.ask("DELETE", f"/Users/{people[name]}")
    for name in "aceg":
        service.make_user(name)
    cursor = first.body.get("nextCursor")
    while cursor:
        reply = listed(service, cursor=cursor, **parameters)
        seen += names(reply)
        cursor = reply.body.get("nextCursor")

    assert seen[:3] == ["b", "d", "f"]
    assert len(seen) == len(set(seen))
    assert set(seen) >= set("bdfjlnprt")
    assert "h" not in seen


def test_a_value_that_changes_between_pages_loses_nobody_else(service):
    people = {name: service.make_user(name) for name in "abcdef"}
    first = listed(service, cursor="", count=2, sortBy="userName")

    service.patch(f"/Users/{people['b']}", {"op": "replace", "path": "userName", "value": "z"})
    rest = listed(service, cursor=first.body["nextCursor"], count=2, sortBy="userName")

    assert names(rest) == ["c", "d"]


def test_following_pages_by_cursor_are_not_counted_again(service):
    for number in range(5):
        service.make_user(f"u{number}")
    wanted = {"count": 2, "filter": "userName pr"}
    cursor = listed(service, cursor="", **wanted).body["nextCursor"]

    taken = statements(lambda: listed(service, cursor=cursor, **wanted))

    assert len(taken) == 2
    assert not any("count(*)" in statement or "OFFSET 2" in statement for statement in taken)


@pytest.mark.parametrize(
    ("parameters", "scim_type"),
    [
        pytest.param({"cursor": "nonsense"}, "invalidCursor", id="no cursor at all"),
        pytest.param({"cursor": "e30.AAAA"}, "invalidCursor", id="not signed"),
        pytest.param({"cursor": "ä" * 40}, "invalidCursor", id="not of unreserved characters"),
        pytest.param({"cursor": "", "count": MAX_PAGE_SIZE + 1}, "invalidCount", id="more than a page may have"),
        pytest.param({"cursor": "", "count": "ten"}, "invalidCount", id="no number"),
        pytest.param({"cursor": "", "count": "1.5"}, "invalidCount", id="half a resource"),
    ],
)
def test_what_is_no_page_is_refused(service, parameters: dict[str, Any], scim_type: str):
    reply = listed(service, **parameters)

    assert (reply.status, reply.body["scimType"]) == (400, scim_type)


def test_the_largest_page_is_allowed(service):
    assert listed(service, cursor="", count=MAX_PAGE_SIZE).status == 200


def test_a_cursor_is_good_for_its_own_list_only(service):
    for number in range(3):
        service.make_user(f"u{number}")
        service.make_group(f"g{number}")
    own = {"filter": "id pr", "sortBy": "id"}
    cursor = listed(service, cursor="", count=1, **own).body["nextCursor"]

    assert listed(service, cursor=cursor, count=1, **own | {"filter": "ID PR", "sortBy": "ID"}).status == 200
    for other in (
        {"filter": "externalId pr", "sortBy": "id"},
        {"sortBy": "id"},
        {"filter": "id pr"},
        own | {"sortBy": "externalId"},
        own | {"sortOrder": "descending"},
    ):
        assert listed(service, cursor=cursor, count=1, **other).body["scimType"] == "invalidCursor"
    assert listed(service, "/Groups", cursor=cursor, count=1, **own).body["scimType"] == "invalidCursor"
    assert listed(service, "", cursor=cursor, count=1, **own).body["scimType"] == "invalidCursor"
    assert listed(service, cursor=cursor, count=2, **own).body["scimType"] == "invalidCount"


def test_a_cursor_is_worth_nothing_to_another_configuration(db):
    subscription = make_subscription()
    own, other = Service(make_configuration(subscription)), Service(make_configuration(subscription))
    for service in (own, other):
        for number in range(3):
            service.make_user(f"{number}-{service.token[-4:]}")
    cursor = listed(own, cursor="", count=1).body["nextCursor"]

    assert listed(own, cursor=cursor, count=1).status == 200
    assert listed(other, cursor=cursor, count=1).body["scimType"] == "invalidCursor"


def test_a_cursor_is_a_short_text_of_unreserved_characters():
    cursor = seal(HERE, scope=SCOPE, count=100, at=NOON)

    assert re.fullmatch(r"[A-Za-z0-9._~-]{1,110}", cursor)
    assert unseal(cursor, scope=SCOPE, count=100, at=NOON) == HERE
    longest = seal(HERE._replace(value="\U0001f600" * 128), scope=SCOPE, count=100, at=NOON)
    assert len(longest) < 1000


def test_a_cursor_expires():
    cursor = seal(HERE, scope=SCOPE, count=100, at=NOON)

    unseal(cursor, scope=SCOPE, count=100, at=NOON + timedelta(seconds=LIFETIME))
    with pytest.raises(ExpiredCursor):
        unseal(cursor, scope=SCOPE, count=100, at=NOON + timedelta(seconds=LIFETIME + 1))


def test_the_lifetime_of_a_cursor_is_published():
    assert Capabilities().cursor_timeout == LIFETIME == 3600


def test_an_expired_cursor_is_told_over_http(service, configuration):
    service.make_user("ada")
    scope = [configuration.public_id, "User", "", ""]
    cursor = seal(HERE, scope=scope, count=100, at=datetime(2020, 1, 1, tzinfo=UTC))

    assert listed(service, cursor=cursor).body["scimType"] == "expiredCursor"


@pytest.mark.parametrize("place", range(0, 90, 7))
def test_no_letter_of_a_cursor_can_be_changed(place: int):
    cursor = seal(HERE, scope=SCOPE, count=100, at=NOON)
    changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]

    with pytest.raises(InvalidCursor):
        unseal(changed, scope=SCOPE, count=100, at=NOON)
    with pytest.raises(InvalidCursor):
        unseal(cursor, scope=SCOPE[:-1], count=100, at=NOON)
    with pytest.raises(InvalidCount):
        unseal(cursor, scope=SCOPE, count=99, at=NOON)


def test_pages_by_index_are_disjoint_and_complete(service):
    for number in range(7):
        service.make_user(f"u{number}")
    seen, start = [], 1
    while page := names(listed(service, startIndex=start, count=3)):
        seen += page
        start += len(page)

    assert seen == [f"u{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (1, 2, (3, 1, 2)),
        (3, 2, (3, 3, 1)),
        (4, 2, (3, 4, 0)),
        (0, 0, (3, 1, 0)),
        (-5, -1, (3, 1, 0)),
        (99, 5, (3, 99, 0)),
    ],
)
def test_a_page_by_index_says_where_it_is(service, start: int, count: int, expected: tuple[int, ...]):
    for number in range(3):
        service.make_user(f"u{number}")
    for more in ({}, {"filter": "userName pr"}, {"sortBy": "userName"}):
        page = listed(service, startIndex=start, count=count, **more).body
        assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == expected, more


def test_a_list_without_a_filter_is_never_counted(service):
    for number in range(3):
        service.make_user(f"u{number}")
        service.make_group(f"g{number}")

    for path in ("/Users?count=1", "/Users?count=0", "/Groups?count=1", "/Users?startIndex=9"):
        assert not any("count(*)" in statement for statement in statements(lambda path=path: service.ask("GET", path)))


def test_rows_that_are_skipped_are_not_read_but_for_their_keys(service):
    manager = service.make_user("boss")
    for number in range(3):
        service.make_user(f"u{number}", manager={"value": manager})

    [_, page, *_] = statements(lambda: listed(service, startIndex=3, count=1))

    skipping = page[page.index("FROM (SELECT") : page.index("AS page")]
    assert "OFFSET 2" in skipping
    assert "manager" not in skipping
    assert LoginAccount.objects.count() == 4


def test_head_answers_as_get_without_a_body(service):
    service.make_user("ada")

    reply = service.ask("HEAD", "/Users?count=1")

    assert (reply.status, reply.body) == (200, None)
    assert int(reply.headers["content-length"]) > 100
