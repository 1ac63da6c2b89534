"""What only the wire has: tokens, versions, malformed bodies, ETags, addresses where no agent answers."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from licensing.clients.agent import AgentRefused, AgentUnavailable
from licensing.clients.http import HttpVaultAgent
from licensing.vaultserver import admin
from licensing.vaultserver.app import LARGEST_BODY
from licensing.vaultserver.faults import Faults
from licensing.vaultserver.serving import CannotListen, listen, serving
from tests.licensing.vaultserver.conftest import TOKEN
from tests.licensing.vaultserver.people import key, put_people


@pytest.fixture
def wire(url):
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        yield client


def test_a_wrong_token_is_refused_and_does_not_appear_in_the_answer(url):
    for token in (None, "", "canary-toke", f"{TOKEN}x"):
        with HttpVaultAgent(url, token=token) as agent, pytest.raises(AgentRefused) as refusal:
            agent.get_server()
        assert (refusal.value.code, refusal.value.retryable) == ("unauthorized", False)
        assert TOKEN not in refusal.value.sentence


@pytest.mark.parametrize("path", ["/", "/v1/vaults", "/admin/faults", "/nowhere"])
def test_nothing_is_open_without_a_token(url, path):
    assert httpx.get(url + path, trust_env=False).status_code == 401


def test_a_browser_is_asked_for_a_password_in_a_header_of_its_own(url):
    asked = httpx.get(url, trust_env=False).headers.get_list("WWW-Authenticate")

    assert asked == ["Bearer", 'Basic realm="Vault server"']


def test_a_browser_may_show_the_token_as_its_password(url):
    assert httpx.get(url, auth=("anyone", TOKEN), trust_env=False).status_code == 200
    assert httpx.get(url, auth=(TOKEN, "wrong"), trust_env=False).status_code == 401


def test_another_version_of_the_contract_is_refused_and_ours_is_named(wire):
    answer = wire.get("/v1/server", headers={"Vault-Agent-Version": "2"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "version_not_supported"
    assert answer.headers["Vault-Agent-Version"] == "1"


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("users/put", b"{", "unexpected end of data"),
        ("users/put", b"[]", "document must be an object."),
        ("users/put", b"{}", "document.users is missing."),
        ("users/put", b'{"users": {}}', "document.users must be an array."),
        ("users/put", b'{"users": [7]}', "document.users[0] must be an object."),
        ("users/put", b'{"users": [{"account_uid": "x"}]}', "document.users[0].enabled is missing."),
        ("users/put", b'{"users": [{"account_uid": 7, "enabled": true}]}', "account_uid must be a string."),
        ("users/put", b'{"users": [{"account_uid": "x", "enabled": 1}]}', "enabled must be true or false."),
        (
            "users/put",
            b'{"users": [{"account_uid": "x", "enabled": true, "roles": 1.5}]}',
            "roles must be a whole number.",
        ),
        (
            "users/put",
            b'{"users": [{"account_uid": "x", "enabled": true, "roles": 9223372036854775808}]}',
            "roles must be a whole number.",
        ),
        (
            "login-accounts/put",
            b'{"accounts": [{"uid": null, "username": "x", "license_type": "gold"}]}',
            "license_type must be one of none, read-only, concurrent, named.",
        ),
        ("users/get", b'{"keys": [null]}', "document.keys[0] must be a string."),
    ],
)
def test_a_malformed_body_is_refused_with_its_place(wire, vault, path, body, sentence):
    headers = {"Content-Type": "application/json", "Idempotency-Key": key()}

    answer = wire.post(f"/v1/vaults/{vault}/{path}", content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
    assert sentence in answer.json()["message"]
    assert answer.json()["retryable"] is False


@pytest.mark.parametrize("limit", ["x", "-1", "0", "99999999999999999999"])
def test_a_malformed_limit_is_refused(wire, vault, limit):
    assert wire.get(f"/v1/vaults/{vault}/users", params={"limit": limit}).status_code == 400


def test_a_form_of_another_site_is_refused(wire):
    answer = wire.post("/admin/vaults", content=b'{"name": "x"}', headers={"Content-Type": "text/plain"})

    assert answer.status_code == 400


def test_a_body_beyond_the_limit_is_refused(wire, vault):
    headers = {"Content-Type": "application/json"}

    answer = wire.post(f"/v1/vaults/{vault}/users/get", content=b" " * (LARGEST_BODY + 1), headers=headers)

    assert answer.status_code == 413


def test_an_unknown_address_or_method_is_not_found(wire):
    assert wire.get("/v1/nowhere").json()["code"] == "not_found"
    wrong = wire.delete("/v1/vaults", headers={"Content-Type": "application/json"})
    assert (wrong.status_code, sorted(wrong.headers["Allow"].split(", "))) == (405, ["GET", "HEAD"])


@pytest.mark.parametrize("number", ["9" * 15, "9" * 30])
def test_a_group_of_any_number_is_not_found(wire, vault, number):
    answer = wire.get(f"/v1/vaults/{vault}/groups/{number}/members")

    assert (answer.status_code, answer.json()["retryable"]) == (404, False)


def test_an_unchanged_listing_is_not_sent_again(wire, http_agent, vault):
    path = f"/v1/vaults/{vault}/users"
    tag = wire.get(path).headers["ETag"]

    assert wire.get(path, headers={"If-None-Match": tag}).status_code == 304
    put_people(http_agent, vault, "anna")
    assert wire.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_keys_that_the_contract_does_not_know_are_passed_over(wire, vault):
    headers = {"Content-Type": "application/json", "Idempotency-Key": key()}

    answer = wire.post(f"/v1/vaults/{vault}/groups/ensure", json={"name": "Legal", "color": "red"}, headers=headers)

    assert answer.json()["name"] == "Legal"


def test_a_dead_address_is_unavailable():
    with listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with HttpVaultAgent(address) as agent, pytest.raises(AgentUnavailable, match=r"cannot be reached: [A-Z]"):
        agent.get_server()


def test_silence_is_unavailable_after_the_timeout():
    with listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with HttpVaultAgent(address, timeout=0.1) as agent, pytest.raises(AgentUnavailable, match="in time"):
            agent.get_server()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response("<html>", status=200), ("not_an_agent", False)),
        (Response("<html>", status=404), ("not_an_agent", False)),
        (Response("", status=302, headers={"Location": "/"}), ("not_an_agent", False)),
        (Response('{"code": "new_code", "message": "No.", "retryable": true}', status=409), ("new_code", True)),
    ],
    ids=["a web site", "nothing there", "a redirect", "a newer agent"],
)
def test_a_strange_refusal_is_mapped(answer, expected):
    with strange_agent(answer) as url, HttpVaultAgent(url) as agent, pytest.raises(AgentRefused) as refusal:
        agent.get_server()

    assert (refusal.value.code, refusal.value.retryable) == expected


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (Response("oops", status=502), None),
        (Response("", status=503, headers={"Retry-After": "7"}), 7.0),
        (Response("", status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), None),
        (Response('{"name": 7}', headers={"Vault-Agent-Version": "1"}), None),
        (Response("{", headers={"Vault-Agent-Version": "1"}), None),
    ],
    ids=["proxy error", "busy", "too many", "wrong document", "half an answer"],
)
def test_a_strange_failure_is_unavailable(answer, retry_after):
    with strange_agent(answer) as url, HttpVaultAgent(url) as agent, pytest.raises(AgentUnavailable) as failure:
        agent.get_server()

    assert failure.value.retry_after == retry_after


@contextmanager
def strange_agent(answer):
    application = Request.application(lambda _request: answer)
    with listen("127.0.0.1", 0) as listener, serving(application, listener) as url:
        yield url


def test_a_slow_vault_does_not_delay_another(server, http_agent, vault):
    slow = admin.create_vault(server, name="Slow").guid
    server.faults.put(Faults(latency=60), vault=slow)
    asked, released = threading.Event(), threading.Event()
    server.faults.sleep = lambda _: (asked.set(), released.wait())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http_agent.list_groups, slow)
        assert asked.wait(10)

        assert len(http_agent.list_groups(vault)) == 2

        assert not waiting.done()
        released.set()
        assert len(waiting.result(10)) == 2


def test_a_port_in_use_is_one_clear_line():
    with listen("127.0.0.1", 0) as taken, pytest.raises(CannotListen, match="Address already in use"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_half_sent_request_does_not_hold_the_server(url, http_agent):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /v1/vaults HTTP/1.1\r\nContent-Length: 100\r\n\r\n")

        assert http_agent.list_vaults() == ()
