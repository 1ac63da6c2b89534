"""Keys of issuers: read over real HTTP, kept by ``kid``, renewed seldom, and never trusted too far."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from jwt import PyJWK

from provisioning.services import issuers
from provisioning.services.issuers import IssuerUnreachable, Keys, KeyUnknown, read_keys, usable_keys
from tests.http_server import json_answer
from tests.provisioning.issuing import Issuer, ec_key, public, rsa_key, serving

METADATA = "/realm/.well-known/openid-configuration"


@pytest.fixture(autouse=True)
def _any_issuer(settings):
    settings.ISSUER_HOSTS = ["*"]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving() as found:
        yield found


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(kid: str) -> dict[str, PyJWK]:
    return usable_keys({"keys": [public(rsa_key(), kid)]})


def test_keys_are_found_by_discovery(issuer):
    assert set(read_keys(issuer.name)) == {"one"}
    assert issuer.asked == [METADATA, "/keys"]


FAULTS = {
    "metadata of another issuer": (METADATA, lambda: json_answer({"issuer": "https://x", "jwks_uri": "https://x/k"})),
    "no jwks_uri": (METADATA, lambda: json_answer({"issuer": "ISSUER"})),
    "a redirection": (METADATA, lambda: (302, {"Location": "/keys"}, b"")),
    "an error": ("/keys", lambda: (500, {}, b"")),
    "no JSON": ("/keys", lambda: (200, {}, b"<html>")),
    "a list": ("/keys", lambda: json_answer([])),
    "too much": ("/keys", lambda: (200, {}, b" " * (256 * 1024 + 1))),
    "something compressed": ("/keys", lambda: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08")),
}


@pytest.mark.parametrize("fault", FAULTS, ids=FAULTS)
def test_what_an_issuer_does_wrong_is_said(issuer, fault):
    path, answer = FAULTS[fault]
    status, headers, body = answer()
    issuer.faults[path] = lambda: (status, headers, body.replace(b"ISSUER", issuer.name.encode()))

    with pytest.raises(IssuerUnreachable, match=r"http://127\.0\.0\.1"):
        read_keys(issuer.name)


def test_an_issuer_that_is_silent_is_not_waited_for(issuer, monkeypatch):
    monkeypatch.setattr(issuers, "_PATIENCE", 0.05)
    issuer.faults["/keys"] = lambda: (time.sleep(0.2), (200, {}, b"{}"))[1]

    with pytest.raises(IssuerUnreachable, match="does not answer"):
        read_keys(issuer.name)


def test_an_issuer_that_sends_a_little_at_a_time_is_not_waited_for(issuer, monkeypatch):
    monkeypatch.setattr(issuers, "_clock", itertools.count(step=6).__next__)

    with pytest.raises(IssuerUnreachable, match="too slowly"):
        read_keys(issuer.name)


def test_an_issuer_that_is_away_is_said():
    with pytest.raises(IssuerUnreachable, match="does not answer"):
        read_keys("http://127.0.0.1:1/realm")


def test_a_host_that_the_operator_allows_no_more_is_not_called_and_that_is_logged(issuer, settings, caplog):
    settings.ISSUER_HOSTS = ["good.example"]

    with pytest.raises(IssuerUnreachable, match="does not name its host"):
        Keys(read_keys).find(issuer.name, "one")

    assert issuer.asked == []
    [told] = [one.getMessage() for one in caplog.records if one.name == issuers.__name__]
    assert told.endswith("is not called: MFMANAGE_ISSUER_HOSTS does not name its host.")


def test_metadata_of_another_machine_cannot_lead_to_this_one(monkeypatch):
    document = {"issuer": "https://example.com", "jwks_uri": "http://127.0.0.1:5432/"}
    monkeypatch.setattr(issuers, "_content", lambda _address: json.dumps(document).encode())

    with pytest.raises(IssuerUnreachable, match="not its own"):
        read_keys("https://example.com")


UNUSABLE = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "kid": "x"},
    "for encryption": public(rsa_key(), "x") | {"use": "enc"},
    "without a kid": {name: value for name, value in public(rsa_key(), "x").items() if name != "kid"},
    "of another algorithm": public(rsa_key(), "x", alg="PS512"),
    "too short": public(rsa_key(9, 1024), "x"),
    "private": public(rsa_key(), "x", d="AQAB"),
    "on another curve": public(ec_key(), "x") | {"crv": "P-384"},
    "broken": {"kty": "RSA", "kid": "x", "n": "!", "e": 1},
    "no key at all": "key",
    "with another type of kid": public(rsa_key(), "x") | {"kid": 7},
}


@pytest.mark.parametrize("key", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_keys_that_cannot_be_used_are_left_out(key):
    assert set(usable_keys({"keys": [key, public(rsa_key(), "good"), public(ec_key(), "also good", alg="ES256")]})) == {
        "good",
        "also good",
    }


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": []}])
def test_a_set_without_keys_has_none(document):
    assert usable_keys(document) == {}


def test_a_known_key_is_read_once(clock):
    asked = []
    keys = Keys(lambda issuer: asked.append(issuer) or made("one"), clock)

    assert keys.find("https://a", "one") is keys.find("https://a", "one")
    assert asked == ["https://a"]


def test_an_unknown_key_is_looked_for_anew_but_not_all_the_time(clock):
    published = ["one"]
    asked = []

    def read(_issuer):
        asked.append(clock.now)
        return made(published[-1])

    keys = Keys(read, clock)
    keys.find("https://a", "one")
    published.append("two")

    for _ in range(50):
        with pytest.raises(KeyUnknown):
            keys.find("https://a", "two")
    assert len(asked) == 1

    clock.now += 30
    assert keys.find("https://a", "two").key_id == "two"
    assert len(asked) == 2
    with pytest.raises(KeyUnknown):  # the key that the issuer has withdrawn
        keys.find("https://a", "one")


def test_keys_are_read_anew_after_an_hour_so_that_a_withdrawn_one_ends(clock):
    published = ["one"]
    keys = Keys(lambda _issuer: made(published[-1]), clock)
    keys.find("https://a", "one")
    published.append("two")

    clock.now += 3600

    with pytest.raises(KeyUnknown):
        keys.find("https://a", "one")


def test_while_an_issuer_is_away_its_keys_serve_for_a_day(clock):
    is_away = []

    def read(_issuer):
        if is_away:
            raise IssuerUnreachable("It is away.")
        return made("one")

    keys = Keys(read, clock)
    keys.find("https://a", "one")
    is_away.append(True)

    clock.now += 86_399
    assert keys.find("https://a", "one").key_id == "one"
    clock.now += 1
    with pytest.raises(IssuerUnreachable, match="It is away"):
        keys.find("https://a", "one")
    is_away.clear()
    clock.now += 30
    assert keys.find("https://a", "one").key_id == "one"


def test_issuers_do_not_share_keys(clock):
    keys = Keys(lambda issuer: made(issuer[-1]), clock)

    assert keys.find("https://a", "a").key_id == "a"
    with pytest.raises(KeyUnknown):
        keys.find("https://b", "a")


def test_only_so_many_issuers_are_remembered(clock, monkeypatch):
    monkeypatch.setattr(issuers, "_MOST_ISSUERS", 2)
    asked = []
    keys = Keys(lambda issuer: asked.append(issuer) or made("one"), clock)

    for name in ("a", "b", "c", "c", "a"):
        keys.find(name, "one")

    assert asked == ["a", "b", "c", "a"]


def test_many_threads_with_an_unknown_key_read_once():
    asked = []
    keys = Keys(lambda issuer: asked.append(issuer) or made("one"))

    with ThreadPoolExecutor(16) as threads:
        gate = threading.Barrier(16)
        found = list(threads.map(lambda _: (gate.wait(timeout=30), keys.find("https://a", "one").key_id)[1], range(16)))

    assert found == ["one"] * 16
    assert asked == ["https://a"]
