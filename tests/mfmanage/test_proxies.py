"""Who calls, behind none, one or several proxies: the trusted ones are believed, and nobody further left."""

import pytest
from django.http import HttpResponse

from mfmanage.proxies import ClientAddressMiddleware, caller


def seen(rf, settings, *, proxies: int, told: str | None) -> str:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if told is None else {"x-forwarded-for": told}
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", headers=headers)
    ClientAddressMiddleware(lambda _request: HttpResponse())(request)
    return str(request.META["REMOTE_ADDR"])


def test_without_a_proxy_the_header_is_the_callers_word_and_worth_nothing(rf, settings):
    assert seen(rf, settings, proxies=0, told="192.0.2.9") == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (1, "192.0.2.9", "192.0.2.9"),
        (1, "198.51.100.1, 192.0.2.9", "192.0.2.9"),
        (2, "198.51.100.1, 192.0.2.9, 10.0.0.2", "192.0.2.9"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, " [2001:db8::1] ", "2001:db8::1"),
    ],
)
def test_the_outermost_trusted_proxy_says_who_called(rf, settings, proxies, told, address):
    assert seen(rf, settings, proxies=proxies, told=told) == address


@pytest.mark.parametrize("told", [None, "", "unknown", "192.0.2.9:1234", "<script>", ","])
def test_what_is_no_address_leaves_that_of_the_connection(rf, settings, told):
    assert seen(rf, settings, proxies=1, told=told) == "10.0.0.1"


def test_a_proxy_that_was_passed_by_leaves_the_connections_address():
    assert caller("192.0.2.9", proxies=2) == ""


def test_failed_attempts_are_counted_for_who_called_and_not_for_the_proxy(client, settings, db):
    from provisioning.services.throttle import throttle

    settings.TRUSTED_PROXIES, settings.TOKEN_FAILURES, settings.REDIS_URL = 1, 1, ""
    throttle.cache_clear()
    body = {"grant_type": "client_credentials", "client_secret": "x"}

    def ask(address: str, client_id: str) -> int:
        form = body | {"client_id": client_id}
        return int(client.post("/oauth/token", form, headers={"x-forwarded-for": address}).status_code)

    assert [ask("192.0.2.1", "a"), ask("192.0.2.1", "b"), ask("192.0.2.2", "c")] == [401, 429, 401]
    throttle.cache_clear()
