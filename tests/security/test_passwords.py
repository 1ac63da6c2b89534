"""Passwords as OWASP ASVS 5.0 §6.2 wants them (docs/security.md)."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.test import Client, override_settings

import mfmanage.settings
from provisioning.passwords import CONTEXT_WORDS
from tests.contoso import make_contoso
from tests.factories import PASSWORD, make_admin

pytestmark = pytest.mark.django_db
CHANGE = "/account/password/change/"
LONG = "a" * 40 + " öß🔑 " + "B" * 100


@pytest.fixture
def browser() -> Client:
    make_admin(make_contoso().subscription, "root@contoso.example")
    client = Client()
    client.post("/account/login/", {"login": "root@contoso.example", "password": PASSWORD})
    return client


def change(browser: Client, new: str, old: str = PASSWORD) -> bool:
    """Return whether the new password was taken."""
    answer = browser.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new})
    return answer.status_code == 302


def lets_in(password: str) -> bool:
    cache.clear()
    return Client().post("/account/login/", {"login": "root@contoso.example", "password": password}).status_code == 302


@pytest.mark.parametrize(
    "password",
    ["only lowercase letters", "123456789012345 678", "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑", "x" * 12 + "y" * 116, LONG],
    ids=["letters", "digits", "pictures", "128 characters", "long"],
)
def test_a_password_of_any_composition_and_length_is_taken(password, browser):
    assert change(browser, password)
    assert lets_in(password)


@pytest.mark.parametrize("password", ["eleven char", "qwerty123456", "root@contoso.example", "telechargement"])
def test_a_short_common_or_own_one_is_not(password, browser):
    assert not change(browser, password)
    assert lets_in(PASSWORD)


@pytest.mark.parametrize("password", ["mfmanage-2026!!", "Welcome2Contoso", "M-Files Password 1", "contosocontoso"])
def test_one_of_names_that_belong_here_is_not(password, browser):
    assert not change(browser, password)


def test_a_name_that_belongs_here_may_stand_in_a_longer_one(browser):
    validate_password("contoso sells purple umbrellas", get_user_model().objects.get())


def test_the_words_that_belong_here_stand_in_the_documentation():
    page = (mfmanage.settings.BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")

    assert ", ".join(f"`{word}`" for word in CONTEXT_WORDS) in " ".join(page.split())


@pytest.mark.parametrize("other", [f" {LONG} ", LONG.lower(), LONG[:72], LONG.strip("B"), LONG + " "])
def test_it_is_compared_exactly_as_it_was_typed(other, browser):
    assert change(browser, LONG)

    assert not lets_in(other)
    assert lets_in(LONG)


def test_blanks_at_its_ends_belong_to_it(browser):
    assert change(browser, "  a password with blanks  ")

    assert lets_in("  a password with blanks  ")
    assert not lets_in("a password with blanks")


def test_fields_hide_it_and_let_managers_and_paste_fill_them(browser):
    pages = Client().get("/account/login/"), browser.get(CHANGE)
    text = "".join(page.content.decode() for page in pages)

    assert text.count('type="password"') >= 3
    assert 'autocomplete="current-password"' in text
    assert 'autocomplete="new-password"' in text
    assert "onpaste" not in text


def test_it_is_stored_by_argon2id_with_a_salt_and_more_work_than_is_least():
    with override_settings(PASSWORD_HASHERS=mfmanage.settings.PASSWORD_HASHERS):
        first, second = make_password("x"), make_password("x")
        hasher = get_hasher()

    assert first.startswith("argon2$argon2id$")
    assert first != second
    assert hasher.memory_cost >= 19 * 1024
    assert hasher.time_cost >= 2


def test_a_new_installation_has_nobody_in_it():
    assert get_user_model().objects.count() == 0
