"""What is sent to the portal: no form without its token, no way out to another site, nothing too large."""

import io
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from mfmanage.middleware import MOST_UPLOADED
from provisioning.models import LoginAccount
from provisioning.user_rows import MOST_BYTES
from tests.factories import PASSWORD
from tests.security.addresses import PEOPLE, address_of, ask, name_of, undone
from tests.trust.routes import Route
from tests.trust.world import Tenant

ADMIN = LoginAccount.Role.SUBSCRIPTION_ADMIN
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
EVIL = (
    "https://evil.example/",
    "http://evil.example",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "https:///evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    " https://evil.example/",
    "/\t/evil.example/",
    "\thttps://evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
)


def strict(browser: Client | None = None) -> Client:
    """Return a browser, signed in like the other, of which forms are checked."""
    client = Client(enforce_csrf_checks=True)
    if browser:
        client.cookies = browser.cookies
    return client


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_nothing_is_taken_from_a_form_without_its_token(route: Route, tenant):
    address = address_of(route, tenant)
    for browser in (strict(tenant.browsers[ADMIN]), strict()):
        for method in CHANGING:
            assert ask(browser, method, address).status_code == 403, method
            assert ask(browser, method, address, headers={"hx-request": "true"}).status_code == 403, method


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_every_form_that_a_page_shows_holds_its_token(route: Route, tenant):
    answer = ask(tenant.browsers[ADMIN], "GET", address_of(route, tenant))
    if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        assert forms_without_token(answer.content.decode()) == []


def test_control_with_its_token_a_form_is_taken(tenant):
    browser = strict(tenant.browsers[ADMIN])
    page = browser.get(tenant.contoso.url()).content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

    own = browser.post("/theme/", {"theme": "dark", "csrfmiddlewaretoken": token})
    other_site = browser.post("/theme/", {"csrfmiddlewaretoken": token}, headers={"origin": "https://evil.example"})

    assert own.status_code == 302
    assert other_site.status_code == 403


def test_the_look_for_forms_without_a_token_finds_them():
    page = "<form method=POST action=/a/></form><form action=/b/></form><div hx-post=/c/></div>"

    assert forms_without_token(page) == ["/a/", "/c/"]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: str | None = None
        self.without: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and (values.get("method") or "").lower() == "post":
            self.open = values.get("action") or "its page"
        elif tag == "input" and values.get("name") == "csrfmiddlewaretoken" and values.get("value"):
            self.open = None
        changing = {"hx-post", "hx-put", "hx-patch", "hx-delete"} & values.keys()
        if changing and tag != "form" and self.open is None:
            self.without.extend(values[name] or "" for name in changing)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.open is not None:
            self.without.append(self.open)
            self.open = None


def forms_without_token(page: str) -> list[str]:
    parser = _Forms()
    parser.feed(page)
    return parser.without


def leads_away(location: str) -> bool:
    """Return whether a browser that is sent to ``location`` leaves the portal (WHATWG URL, special schemes)."""
    read = "".join(location.split()).replace("\\", "/")
    scheme, colon, rest = read.partition(":")
    if colon and scheme.isalpha():
        return scheme.lower() not in {"http", "https"} or rest.lstrip("/").partition("/")[0] != "testserver"
    return read.startswith("//") and urlsplit(read).netloc != "testserver"


@pytest.mark.parametrize("target", EVIL)
def test_the_look_for_ways_out_finds_them(target):
    assert leads_away(target)
    assert not leads_away("/s/1/")
    assert not leads_away("http://testserver/s/1/")


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_no_address_leads_to_another_site(route: Route, tenant):
    """Whatever the parameter is called by which an address is told where to go next."""
    address = address_of(route, tenant)
    for client in (tenant.browsers[ADMIN], Client()):
        for target in EVIL[0], EVIL[2]:
            names = dict.fromkeys(("next", "redirect", "redirect_to", "url", "return", "return_to", "back"), target)
            with undone():
                stays(client.get(address, names, headers={"referer": target, "hx-current-url": target}))
            with undone():
                stays(client.post(address, {**names, "theme": "dark"}, query_params=names))


def stays(answer: Any) -> None:
    for name in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "Refresh"):
        assert not leads_away(answer.get(name, "")), answer[name]


@pytest.mark.parametrize("target", EVIL)
def test_signing_in_and_out_and_in_again_lead_to_no_other_site(target, tenant):
    name = tenant.contoso.subscription.name.lower()
    login = {"login": f"subscription_admin@{name}.example", "password": PASSWORD, "next": target}
    with undone():
        browser = Client()
        signed_in = browser.post("/account/login/", login)
        again = browser.post("/account/reauthenticate/", {"password": PASSWORD, "next": target})
        theme = browser.post("/theme/", {"theme": "dark", "next": target})
        out = browser.post("/account/logout/", {"next": target})

    assert [one.status_code for one in (signed_in, again, theme, out)] == [302] * 4
    for answer in (signed_in, again, theme, out):
        stays(answer)


@pytest.mark.parametrize("path", ["//evil.example/s", "//evil.example/account/login", "/\\evil.example/s"])
def test_an_address_that_looks_like_another_site_leads_nowhere(path, tenant):
    answer = ask(Client(), "GET", "/", PATH_INFO=path)

    assert answer.status_code in {301, 404}
    stays(answer)


def browser_of(tenant: Tenant) -> Client:
    return tenant.browsers[ADMIN]


@pytest.mark.parametrize(
    ("kind", "length"),
    [("multipart/form-data; boundary=x", MOST_UPLOADED), ("application/x-www-form-urlencoded", 2**21)],
)
def test_a_body_that_no_form_has_is_refused_unread_with_a_sentence(kind, length, tenant):
    answer = ask(browser_of(tenant), "POST", "/theme/", CONTENT_TYPE=kind, CONTENT_LENGTH=str(length + 1))

    assert answer.status_code == 413
    assert f"It has more than {length // 2**20} MB. Nothing was changed." in answer.content.decode()


@pytest.mark.parametrize("length", ["", "-1", "many", "9" * 5_000])
def test_a_length_that_is_no_number_is_no_fault(length, tenant):
    assert ask(browser_of(tenant), "POST", "/theme/", CONTENT_LENGTH=length).status_code in {302, 413}


def test_too_many_fields_are_refused_with_a_sentence(tenant):
    fields = dict.fromkeys((f"name{number}" for number in range(1_001)), "x")
    with undone():
        answer = browser_of(tenant).post("/theme/", fields)

    assert answer.status_code == 400
    assert "It is too large, has too many fields" in answer.content.decode()


def test_a_file_that_is_too_large_is_refused_with_a_sentence(tenant):
    file = io.BytesIO(b"x" * (MOST_BYTES + 1))
    file.name = "users.csv"
    with undone():
        answer = browser_of(tenant).post(tenant.contoso.url("users/import/"), {"file": file})

    assert answer.status_code == 422
    assert "The file has more than 20 MB. Split it and import the parts." in answer.content.decode()


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + b"\0" * 100, b"\x89PNG\r\n\x1a\n", b"\xff\xfe\x00a", b"<html><script>x</script>", b""]
)
def test_a_file_that_is_no_csv_of_users_is_refused_with_a_sentence(data, tenant):
    file = io.BytesIO(data)
    file.name = "../../users.csv"
    with undone():
        answer = browser_of(tenant).post(tenant.contoso.url("users/import/"), {"file": file})

    assert answer.status_code == 422
    assert "<script>x" not in answer.content.decode()


@pytest.mark.parametrize("length", [2**21 + 1, 2**40])
def test_a_body_too_large_for_the_token_endpoint_is_refused_in_its_words(length, tenant):
    kind = "application/x-www-form-urlencoded"
    answer = ask(Client(), "POST", "/oauth/token", CONTENT_TYPE=kind, CONTENT_LENGTH=str(length))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer["Cache-Control"] == "no-store"
