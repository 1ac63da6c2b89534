"""``.search`` and queries on all resource types at once (RFC 7644 §3.4.2.1, §3.4.3)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from scim.schema import ENTERPRISE_SCHEMA
from scim.views.search import SEARCH_URN
from tests.factories import make_configuration
from tests.scim.scenarios import Reply
from tests.scim.service import Service, statements

ENT = ENTERPRISE_SCHEMA.urn


@pytest.fixture
def configuration(db) -> ProvisioningConfiguration:
    return make_configuration()


@pytest.fixture
def service(configuration) -> Service:
    """Two users and two groups, of which names and places in time are mixed."""
    service = Service(configuration)
    ada = service.make_user("ada@x", displayName="D", title="Boss", active=True)
    service.make_group("C", externalId="e", members=[{"value": ada}])
    service.make_user("bob@x", displayName="B", active=False, **{ENT: {"manager": {"value": ada}}})
    service.make_group("A")
    return service


def search(service: Service, path: str = "/.search", **body: Any) -> Reply:
    return service.ask("POST", path, {"schemas": [SEARCH_URN], **body})


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [resource["displayName"] for resource in reply.body["Resources"]]


def test_a_search_answers_as_get_does(service):
    for path in ("/Users", "/Groups"):
        wanted: dict[str, Any] = {
            "filter": 'displayName gt "A"',
            "sortBy": "displayName",
            "sortOrder": "descending",
            "startIndex": 1,
            "count": 1,
        }
        got = service.ask("GET", f"{path}?{urlencode(wanted)}")
        assert got.body["totalResults"] == len(names(search(service, f"{path}/.search", filter=wanted["filter"])))
        assert search(service, f"{path}/.search", **wanted).body == got.body


def test_parts_are_chosen_by_lists_or_by_text(service):
    for attributes in (["userName", "name.givenName"], "userName, name.givenName"):
        found = search(service, "/Users/.search", attributes=attributes, filter='userName eq "ada@x"').body
        assert set(found["Resources"][0]) == {"schemas", "id", "userName"}
    without = search(service, "/Users/.search", excludedAttributes=["displayName", "meta"]).body["Resources"][0]
    assert "displayName" not in without
    assert "userName" in without


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no schemas"),
        pytest.param({"schemas": []}, id="none listed"),
        pytest.param({"schemas": SEARCH_URN}, id="no list"),
        pytest.param({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}, id="another message"),
        pytest.param({"schemas": [7, None]}, id="no texts"),
        pytest.param([], id="a list"),
        pytest.param("x", id="a text"),
    ],
)
def test_what_is_no_search_request_is_refused(service, body: Any):
    for path in ("/.search", "/Users/.search", "/Groups/.search"):
        reply = service.ask("POST", path, body)
        assert (reply.status, reply.body["scimType"]) == (400, "invalidSyntax")


@pytest.mark.parametrize(
    ("member", "scim_type"),
    [
        ({"filter": 7}, "invalidValue"),
        ({"filter": ""}, "invalidFilter"),
        ({"sortBy": ["userName"]}, "invalidValue"),
        ({"sortBy": "nothing"}, "invalidPath"),
        ({"sortOrder": "up"}, "invalidValue"),
        ({"count": "many"}, "invalidValue"),
        ({"count": True}, "invalidValue"),
        ({"startIndex": 1.5}, "invalidValue"),
        ({"attributes": [1]}, "invalidValue"),
        ({"attributes": ["userName"], "excludedAttributes": ["name"]}, "invalidValue"),
        ({"cursor": 5}, "invalidValue"),
        ({"cursor": "x"}, "invalidCursor"),
        ({"cursor": "", "count": 1001}, "invalidCount"),
    ],
)
def test_a_wrong_parameter_is_refused(service, member: dict[str, Any], scim_type: str):
    for path in ("/.search", "/Users/.search"):
        reply = search(service, path, **member)
        assert (reply.status, reply.body["scimType"]) == (400, scim_type)


def test_names_may_have_any_letter_case_and_null_says_nothing(service):
    body = {"Schemas": [SEARCH_URN.upper()], "FILTER": 'title eq "boss"', "Count": "5", "sortBy": None, "cursor": None}

    assert names(service.ask("POST", "/users/.SEARCH", body)) == ["D"]


def test_the_root_finds_users_and_groups(service):
    found = search(service)

    assert names(found) == ["D", "B", "C", "A"]
    assert [resource["meta"]["resourceType"] for resource in found.body["Resources"]] == ["User"] * 2 + ["Group"] * 2
    assert found.body["totalResults"] == 4
    assert len(found.body["Resources"][2]["members"]) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('meta.resourceType eq "User"', "DB", id="R-FIL-14"),
        pytest.param('meta.resourceType eq "Group"', "CA", id="the other type"),
        pytest.param('displayName gt "b"', "DC", id="what both have"),
        pytest.param('title eq "boss"', "D", id="what only users have"),
        pytest.param("members pr", "C", id="what only groups have"),
        pytest.param('title eq "boss" or members pr', "DC", id="what the one has and what the other has"),
        pytest.param('not (title eq "boss")', "BCA", id="what a type lacks is absent"),
        pytest.param("title eq null", "BCA", id="absent is null"),
        pytest.param("active eq false", "B", id="a boolean of users"),
        pytest.param("active ne false", "DCA", id="a boolean that groups lack"),
        pytest.param('emails[type eq "work"].value eq "x"', "", id="a value path of users"),
        pytest.param("manager pr", "B", id="an extension of users"),
        pytest.param(f"{ENT}:manager.displayName pr", "B", id="an extension's URN"),
        pytest.param('externalId eq "e"', "C", id="a common attribute"),
    ],
)
def test_a_filter_on_the_root(service, text: str, expected: str):
    found = search(service, filter=text)

    assert "".join(names(found)) == expected
    assert found.body["totalResults"] == len(expected)
    assert service.ask("GET", f"?{urlencode({'filter': text})}").body == found.body


@pytest.mark.parametrize("text", ["shoeSize pr", "userName pr and shoeSize pr", "emails.shoe pr", "urn:x:y pr"])
def test_what_neither_type_has_is_refused(service, text: str):
    reply = search(service, filter=text)

    assert (reply.status, reply.body["scimType"]) == (400, "invalidFilter")


def test_a_password_is_confidential_on_the_root_too(service):
    assert search(service, filter='password eq "x"').status == 403


@pytest.mark.parametrize(
    ("sort_by", "order", "expected"),
    [
        ("displayName", "ascending", "ABCD"),
        ("displayName", "descending", "DCBA"),
        ("title", "ascending", "DBCA"),
        ("title", "descending", "BCAD"),
        ("active", "ascending", "BDCA"),
        ("active", "descending", "CADB"),
        ("meta.created", "descending", "ABCD"),
        ("members", "ascending", "CDBA"),
        ("externalId", "ascending", "CDBA"),
    ],
)
def test_the_root_is_sorted_and_paged_across_types(service, sort_by: str, order: str, expected: str):
    wanted = {"sortBy": sort_by, "sortOrder": order}

    assert "".join(names(search(service, **wanted))) == expected
    for start in range(1, 6):
        page = search(service, **wanted, startIndex=start, count=2)
        assert "".join(names(page)) == expected[start - 1 : start + 1]
        assert page.body["totalResults"] == 4
    assert "".join(walked(service, **wanted)) == expected


def walked(service: Service, **wanted: Any) -> list[str]:
    seen, cursor = [], ""
    for _ in range(5):
        page = search(service, **wanted, cursor=cursor, count=1)
        assert page.body["totalResults"] == 4
        seen += names(page)
        if "nextCursor" not in page.body:
            break
        cursor = page.body["nextCursor"]
    return seen


def test_the_root_is_paged_without_an_order(service):
    assert walked(service) == ["D", "B", "C", "A"]
    assert names(search(service, startIndex=2, count=2)) == ["B", "C"]
    assert names(search(service, startIndex=3, count=9)) == ["C", "A"]
    assert search(service, count=0).body["totalResults"] == 4
    assert search(service, startIndex=9).body["totalResults"] == 4


def test_parts_are_chosen_on_the_root(service):
    found = search(service, attributes=["userName", "members.value"], sortBy="displayName").body["Resources"]

    assert [sorted(set(resource) - {"schemas", "id"}) for resource in found] == [
        [],
        ["userName"],
        ["members"],
        ["userName"],
    ]


def test_the_tenant_url_without_a_filter_is_no_resource(service):
    assert service.ask("GET", "").status == 404
    assert service.ask("GET", "/").status == 404
    assert service.ask("POST", "", {}).status == 405


def test_a_search_is_a_post(service):
    for path in ("/.search", "/Users/.search", "/Groups/.search"):
        reply = service.ask("GET", path)
        assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_search_leaves_no_row_but_for_a_connection_test_and_a_failure(service, configuration):
    def rows() -> list[tuple[str, str, int]]:
        entries = ProvisioningLogEntry.objects.filter(configuration=configuration).order_by("pk")
        return list(entries.values_list("operation", "resource_type", "status"))

    before = len(rows())
    search(service, "/Users/.search", filter='userName eq "nobody"')
    search(service, filter='userName eq "ada@x"')
    assert len(rows()) == before

    search(service, "/Users/.search", filter='userName eq "5b1b1f9e-4a2f-4f7e-9a9a-111111111111"')
    search(service, "/Groups/.search", filter="nothing")
    assert rows()[before:] == [("query", "User", 200), ("query", "Group", 400)]


def test_a_page_of_everything_takes_a_constant_number_of_statements(service):
    taken = statements(lambda: search(service))
    for number in range(5):
        service.make_user(f"u{number}")
        service.make_group(f"g{number}")

    assert len(statements(lambda: search(service))) == len(taken) == 5


def test_another_configuration_finds_nothing(service):
    other = Service(make_configuration())

    assert search(other).body["totalResults"] == 0
    assert search(other, filter="displayName pr or not (displayName pr)").body["totalResults"] == 0


def test_bare_words_are_taken_where_the_configuration_says_so(service, configuration):
    text = "displayName eq D"
    assert search(service, filter=text).status == 400

    configuration.accepts_bare_tokens = True
    configuration.save()

    assert names(search(service, filter=text)) == ["D"]
    assert names(service.ask("GET", f"/Users?{urlencode({'filter': text})}")) == ["D"]
