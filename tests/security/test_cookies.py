"""The cookies of the portal, and what else the settings turn on when the base address is https."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

import mfmanage.settings
import mfmanage.urls
from mfmanage import env
from tests.contoso import make_contoso
from tests.factories import PASSWORD, make_admin
from tests.single_sign_on import make_single_sign_on

NEW = "another long passphrase"
OVER_HTTPS = {"SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True}


def executed(module: ModuleType) -> Any:
    """Return a module of the same source, executed anew under the present environment and settings."""
    spec = importlib.util.spec_from_file_location("executed_anew", Path(str(module.__file__)))
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


@pytest.fixture
def https(monkeypatch, tmp_path) -> Any:
    """The product's settings with a base address of https."""
    monkeypatch.setenv("MFMANAGE_BASE_URL", "https://manage.example.com")
    monkeypatch.setenv("MFMANAGE_DATA_DIR", str(tmp_path))
    return executed(mfmanage.settings)


def test_over_https_the_settings_protect(https):
    assert https.SECURE_SSL_REDIRECT
    assert https.SECURE_HSTS_SECONDS >= 365 * 24 * 60 * 60
    assert https.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert https.SESSION_COOKIE_SECURE
    assert https.CSRF_COOKIE_SECURE
    assert not https.DEBUG
    assert https.ALLOWED_HOSTS == ["manage.example.com", "127.0.0.1", "localhost"]


def test_over_https_every_cookie_belongs_to_this_host_alone(https):
    names = {getattr(https, name) for name in dir(https) if name.endswith("_COOKIE_NAME")}

    assert len(names) == 5
    assert all(name.startswith("__Host-") for name in names)


def test_over_http_as_on_ones_own_machine_cookies_have_plain_names():
    fresh = executed(mfmanage.settings)

    assert not fresh.SESSION_COOKIE_NAME.startswith("__")
    assert not fresh.SESSION_COOKIE_SECURE


@pytest.mark.django_db
@override_settings(**OVER_HTTPS)
def test_cookies_are_for_http_alone_for_https_alone_for_this_host_and_site():
    contoso, browser = make_contoso(), Client()
    make_admin(contoso.subscription, "root@contoso.example")
    make_single_sign_on(contoso.subscription)
    form = {"login": "root@contoso.example", "password": PASSWORD}

    browser.get("/account/login/", secure=True)
    browser.post("/account/single-sign-on/", {"name": "root@contoso.example"}, secure=True)
    browser.post("/account/login/", form, secure=True)
    browser.post("/theme/", {"theme": "dark"}, secure=True)
    browser.post(
        "/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}, secure=True
    )

    assert {"sessionid", "csrftoken", "messages", "theme", "sign_on"} <= browser.cookies.keys()
    for cookie in (one for one in browser.cookies.values() if one.value):
        assert cookie["httponly"] is True
        assert cookie["secure"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert len(cookie.key) + len(cookie.value) < 4_096


@override_settings(SECURITY_CONTACT="mailto:security@example.com", BASE_URL="https://manage.example.com")
def test_who_finds_something_reads_where_to_report_it():
    with override_settings(ROOT_URLCONF=executed(mfmanage.urls)):
        answer = Client().get("/.well-known/security.txt")

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert lines["Contact"] == "mailto:security@example.com"
    assert lines["Canonical"] == "https://manage.example.com/.well-known/security.txt"
    assert lines["Expires"].endswith("T00:00:00Z")


@pytest.mark.django_db
@override_settings(SECURITY_CONTACT="")
def test_without_a_contact_there_is_no_such_page():
    with override_settings(ROOT_URLCONF=executed(mfmanage.urls)):
        assert Client().get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize(
    ("given", "contact"),
    [
        ("", ""),
        ("security@example.com", "mailto:security@example.com"),
        ("mailto:security@example.com", "mailto:security@example.com"),
        ("https://example.com/security", "https://example.com/security"),
    ],
)
def test_a_contact_is_an_address_of_either_kind(given, contact, monkeypatch):
    monkeypatch.setenv("MFMANAGE_SECURITY_CONTACT", given)

    assert env.contact("SECURITY_CONTACT") == contact


@pytest.mark.parametrize("given", ["call us", "http://example.com/", "javascript:alert(1)", "a@b\nContact: c@d"])
def test_another_contact_is_refused(given, monkeypatch):
    monkeypatch.setenv("MFMANAGE_SECURITY_CONTACT", given)

    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_SECURITY_CONTACT must be like security@example"):
        env.contact("SECURITY_CONTACT")
