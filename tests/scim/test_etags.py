"""Versions: who writes under If-Match writes what it has read, or nothing (RFC 7644 §3.14)."""

import pytest

from provisioning.models import LoginAccount, ProvisioningLogEntry
from scim.schema import GROUP, USER
from scim.versions import condition, names
from tests.factories import make_configuration
from tests.races import together
from tests.scim.scenarios import MESSAGES, Reply
from tests.scim.service import Service

PATCH = {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": [{"op": "replace", "path": "displayName", "value": "New"}]}
PUT = {"schemas": [USER.schema.urn, GROUP.schema.urn], "userName": "new@x", "displayName": "New"}
WRITES = [("PUT", PUT), ("PATCH", PATCH), ("DELETE", None)]


@pytest.fixture
def service(db) -> Service:
    return Service(make_configuration())


@pytest.fixture(params=["Users", "Groups"])
def path(request, service) -> str:
    make = service.make_user if request.param == "Users" else service.make_group
    return f"/{request.param}/{make('old')}"


@pytest.mark.parametrize("header", ['W/"3"', '"3"', "W/3", "3", "*", 'W/"1", W/"3"', ' "2" , "3" '])
def test_a_header_names_a_version_in_every_form_that_clients_send(header: str):
    assert names(header, 'W/"3"')


@pytest.mark.parametrize("header", ['W/"4"', '"33"', '"', 'W/"', "w/3x", ",", '"*"', 'W/"03"', "\udcff", "3;4"])
def test_another_version_and_what_cannot_be_read_name_none(header: str):
    assert not names(header, 'W/"3"')


def test_without_a_header_there_is_no_condition():
    assert condition({}) is None
    assert condition({"HTTP_IF_MATCH": "", "HTTP_IF_NONE_MATCH": ""}) is None


@pytest.mark.parametrize(("method", "body"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_write_under_the_present_version_is_done(service, path: str, method: str, body: object):
    reply = service.ask(method, path, body, **{"If-Match": 'W/"1"'})

    assert reply.status in {200, 204}
    assert reply.headers.get("etag") == (None if method == "DELETE" else 'W/"2"')


@pytest.mark.parametrize("header", ['W/"2"', "nonsense"])
@pytest.mark.parametrize(("method", "body"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_write_under_another_version_changes_nothing(service, path: str, method: str, body: object, header: str):
    before = service.ask("GET", path).body

    reply = service.ask(method, path, body, **{"If-Match": header})

    assert (reply.status, reply.body["status"]) == (412, "412")  # R-PAT-24, R-ETG-02
    assert service.ask("GET", path).body == before
    row = ProvisioningLogEntry.objects.latest("pk")
    assert (row.status, row.is_success, row.changes) == (412, False, {})


@pytest.mark.parametrize(("method", "body"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_write_without_a_condition_is_done(service, path: str, method: str, body: object):  # R-ETG-03
    assert service.ask(method, path, body).status in {200, 204}


def test_a_write_that_wants_nothing_to_be_there_is_refused(service, path: str):  # RFC 9110 §13.1.2
    assert service.ask("PATCH", path, PATCH, **{"If-None-Match": "*"}).status == 412
    assert service.ask("PATCH", path, PATCH, **{"If-None-Match": '"7"'}).status in {200, 204}


def test_what_is_not_there_is_not_found_whatever_the_condition(service):
    for headers in ({"If-Match": "*"}, {"If-None-Match": "*"}):
        assert service.ask("PATCH", "/Users/nobody", PATCH, **headers).status == 404
        assert service.ask("GET", "/Users/nobody", **headers).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("header", ['W/"1"', '"1"', "*", '"0", "1"'])
def test_what_has_not_changed_is_not_sent_again(service, path: str, header: str, method: str):  # R-CRD-06
    reply = service.ask(method, path, **{"If-None-Match": header})

    assert (reply.status, reply.body, reply.headers["etag"]) == (304, None, 'W/"1"')


def test_what_has_changed_is_sent(service, path: str):
    service.ask("PATCH", path, PATCH)

    reply = service.ask("GET", path, **{"If-None-Match": 'W/"1"'})

    assert (reply.status, reply.headers["etag"], reply.body["displayName"]) == (200, 'W/"2"', "New")


def test_reading_one_version_only_is_possible(service, path: str):
    assert service.ask("GET", path, **{"If-Match": 'W/"1"'}).status == 200
    assert service.ask("GET", path, **{"If-Match": 'W/"2"'}).status == 412


def test_a_change_of_nothing_keeps_the_version(service):  # R-PAT-23
    user = service.make_user("ada@x", title="T")

    reply = service.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": "T"})

    assert reply.headers["etag"] == 'W/"1"'


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("header", [{"If-Match": 'W/"1"'}, {}], ids=["conditional", "control"])
def test_of_parallel_writes_under_one_version_one_is_done(transactional_db, header: dict[str, str]):
    service = Service(make_configuration())
    user = service.make_user("ada@x")

    def rename(number: int) -> Reply:
        operation = {"op": "replace", "path": "title", "value": f"T{number}"}
        body = {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": [operation]}
        return service.ask("PATCH", f"/Users/{user}", body, **header)

    replies = [reply for reply in together(8, rename) if isinstance(reply, Reply)]

    assert sorted(reply.status for reply in replies) == ([200] + [412] * 7 if header else [200] * 8)
    assert LoginAccount.objects.get().version == (2 if header else 9)
