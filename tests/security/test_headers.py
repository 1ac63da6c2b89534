"""What stands in the head of every answer, whatever its address: the addresses come from the URL configuration."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client, override_settings

from mfmanage import health
from mfmanage.middleware import PERMISSIONS_POLICY
from provisioning.models import LoginAccount
from tests.security.addresses import EVERY, MACHINE, PEOPLE, address_of, ask, example, name_of, view_of, written
from tests.trust.routes import Route

ADMIN = LoginAccount.Role.SUBSCRIPTION_ADMIN
YEAR = 365 * 24 * 60 * 60
HTTPS = {
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": YEAR,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
}
"""As ``mfmanage.settings`` has them with a base address of https (``test_over_https_the_settings_protect``)."""
READ_AND_TOLD = {"provisioning_portalsession", "provisioning_auditentry", "provisioning_audithead", "licensing_future"}
"""What a GET may write: the session, that somebody took an export, and the temporary table of a preview."""


def policy_of(answer: Any) -> dict[str, list[str]]:
    words = [directive.split() for directive in answer["Content-Security-Policy"].split(";")]
    return {word[0]: word[1:] for word in words}


def check_page(answer: Any) -> None:
    """Assert what every answer to a browser must have."""
    policy = policy_of(answer)
    assert (
        policy["default-src"] == policy["object-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    )
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"} & {
        source for sources in policy.values() for source in sources
    }
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Permissions-Policy"] == PERMISSIONS_POLICY
    assert "Access-Control-Allow-Origin" not in answer
    assert "X-Powered-By" not in answer
    check_type(answer)


def check_type(answer: Any) -> None:
    """Assert that a body says what it is, and a text in which characters (RFC 9110 §8.3)."""
    kind = answer.get("Content-Type", "")
    if answer.streaming or answer.content:
        assert kind
    if kind.startswith(("text/", "application/xml")):
        assert "charset=utf-8" in kind.lower().replace('"', "")


@pytest.mark.parametrize("route", MACHINE, ids=name_of)
def test_the_example_of_a_machines_address_is_its_own(route: Route):
    found = view_of(example(route.pattern))

    assert getattr(found, "view_class", found) is getattr(route.view, "view_class", route.view)


def test_the_addresses_are_all_there_are():
    assert {"home", "account_login", "token", "alive", "licensing_home"} <= {route.name for route in EVERY}
    assert len(MACHINE) > 10
    assert len(PEOPLE) > 100


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_every_page_has_the_headers_that_protect_and_is_kept_by_nobody(route: Route, tenant):
    address = address_of(route, tenant)
    for client in (tenant.browsers[ADMIN], Client()):
        for method in ("GET", "POST"):
            answer = ask(client, method, address)
            assert answer.status_code < 500
            check_page(answer)
            assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("route", MACHINE, ids=name_of)
def test_every_answer_to_a_machine_has_the_headers_that_protect(route: Route, tenant):
    for method in ("GET", "POST"):
        answer = ask(Client(), method, example(route.pattern))
        assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer
        check_type(answer)
        assert not answer.cookies


@pytest.mark.parametrize("route", EVERY, ids=name_of)
def test_over_https_every_answer_says_so_for_a_year_and_all_subdomains(route: Route, tenant):
    with override_settings(**HTTPS):
        answer = ask(Client(), "GET", example(route.pattern), secure=True)

    assert answer["Strict-Transport-Security"] == f"max-age={YEAR}; includeSubDomains; preload"


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_looking_changes_nothing(route: Route, tenant):
    with written() as tables:
        ask(tenant.browsers[ADMIN], "GET", address_of(route, tenant))

    assert tables <= READ_AND_TOLD


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_a_page_runs_no_script_and_takes_no_style_but_from_files(route: Route, tenant):
    answer = ask(tenant.browsers[ADMIN], "GET", address_of(route, tenant))
    if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        assert _inline(answer.content.decode()) == []


def test_the_look_for_inline_scripts_finds_them():
    page = "<p style='x'><a href=' JavaScript:x'><b onclick=x></b><script>x</script><style></style><script src=/x>"

    assert _inline(page) == ["p style", "a href", "b onclick", "script", "style"]


class _Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in values and values.get("type") != "application/json"):
            self.found.append(tag)
        for name, value in values.items():
            runs = name in {"href", "src", "action", "formaction"} and (value or "").strip().lower().startswith(
                ("javascript:", "data:text")
            )
            if name == "style" or name.startswith(("on", "hx-on")) or runs:
                self.found.append(f"{tag} {name}")


def _inline(page: str) -> list[str]:
    parser = _Inline()
    parser.feed(page)
    return parser.found


def test_what_is_not_found_not_understood_and_broken_has_the_headers_too(tenant, monkeypatch):
    browser = tenant.browsers[ADMIN]
    browser.raise_request_exception = False
    answers = {
        404: ask(browser, "GET", "/no/such/page/"),
        400: ask(browser, "GET", "/", headers={"host": "elsewhere.example"}),
        413: ask(browser, "POST", "/theme/", CONTENT_LENGTH=str(2**40)),
        403: ask(Client(enforce_csrf_checks=True), "POST", "/account/login/"),
    }
    monkeypatch.setitem(health.CHECKS, "database", lambda: 1 / 0)
    answers[500] = ask(browser, "GET", "/readyz")
    browser.raise_request_exception = True

    for status, answer in answers.items():
        assert answer.status_code == status
        check_page(answer)
        assert "no-store" in answer["Cache-Control"]
        assert "Traceback" not in answer.content.decode()
        assert "ZeroDivisionError" not in answer.content.decode()


def test_files_of_the_portal_have_the_headers_and_may_be_kept(tenant):
    for name in ("portal.css", "logo.svg", "js/forms.js"):
        answer = ask(Client(), "GET", f"/static/{name}")
        assert answer.status_code == 200
        check_page(answer)
        assert "no-store" not in answer["Cache-Control"]


@pytest.mark.parametrize(
    "address", ["/static/", "/static/js/", "/static/../manage.py", "/static/%2e%2e/manage.py", "/.git/config"]
)
def test_no_folder_is_listed_and_no_other_file_is_served(address, tenant):
    assert ask(Client(), "GET", address).status_code == 404


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_a_trace_is_not_sent_back(route: Route, tenant):
    answer = ask(Client(), "TRACE", address_of(route, tenant), headers={"x-probe": "seen-by-nobody"})

    assert answer.get("Content-Type") != "message/http"
    assert b"seen-by-nobody" not in (b"" if answer.streaming else answer.content)


@pytest.mark.parametrize("address", ["/oauth/token", "/scim/openapi.json", "/scim/v2/x/Users"])
def test_a_trace_of_a_machine_is_refused(address, tenant):
    answer = ask(Client(), "TRACE", address)

    assert answer.status_code in {401, 405}
    assert answer.get("Content-Type") != "message/http"
