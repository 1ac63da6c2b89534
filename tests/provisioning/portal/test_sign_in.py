"""Signing in and out."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from provisioning.models import LoginAccount, User
from tests.factories import PASSWORD, make_admin, make_person

LOGIN = "/account/login/"


def test_a_wrong_password_is_said_and_the_name_stays(contoso):
    make_admin(contoso.subscription, "root@contoso.example")

    page = Client().post(LOGIN, {"login": "root@contoso.example", "password": "wrong"}).content.decode()

    assert "The username or the password is wrong. Check both and try again." in page
    assert 'value="root@contoso.example"' in page
    assert "wrong&quot;" not in page


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password(contoso):
    make_admin(contoso.subscription, "root@contoso.example")

    known = Client().post(LOGIN, {"login": "root@contoso.example", "password": "wrong"})
    unknown = Client().post(LOGIN, {"login": "nobody@contoso.example", "password": "wrong"})

    assert known.status_code == unknown.status_code == 200
    assert "The username or the password is wrong" in unknown.content.decode()


def test_signing_in_leads_home_or_to_the_page_that_was_asked_for(contoso):
    make_admin(contoso.subscription, "root@contoso.example")
    form = {"login": "root@contoso.example", "password": PASSWORD}

    assert Client().post(LOGIN, form)["Location"] == "/"
    assert Client().post(LOGIN, {**form, "next": contoso.url("users/")})["Location"] == contoso.url("users/")


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "http://localhost/", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_host(address, contoso):
    make_admin(contoso.subscription, "root@contoso.example")
    form = {"login": "root@contoso.example", "password": PASSWORD, "next": address}

    assert Client().post(LOGIN, form)["Location"] == "/"


def test_a_disabled_person_is_told_so(contoso):
    account = make_admin(contoso.subscription, "root@contoso.example")
    account.user.is_active = False
    account.user.save()

    answer = Client().post(LOGIN, {"login": "root@contoso.example", "password": PASSWORD}, follow=True)

    assert "Your account is disabled" in answer.content.decode()


def test_too_many_attempts_are_refused_with_a_page_of_our_own(contoso):
    client = Client()
    answers = [client.post(LOGIN, {"login": f"name{number}", "password": "wrong"}) for number in range(31)]

    assert answers[-1].status_code == 429
    assert "Wait a minute, then try again." in answers[-1].content.decode()


def test_signing_out_ends_the_session(contoso, admin):
    assert admin.post("/account/logout/")["Location"] == LOGIN

    assert admin.get(contoso.url()).status_code == 302


def test_the_password_is_changed_with_the_old_one(contoso, admin):
    new = "another long passphrase"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    wrong = admin.post("/account/password/change/", {**form, "oldpassword": "wrong"})
    right = admin.post("/account/password/change/", form, follow=True)

    assert "That is not your current password. Try again." in wrong.content.decode()
    assert "Your password is changed." in right.content.decode()
    assert Client().post(LOGIN, {"login": "root@contoso.example", "password": new}).status_code == 302
    assert Client().post(LOGIN, {"login": "root@contoso.example", "password": PASSWORD}).status_code == 200


def test_nobody_can_register(client):
    assert client.get("/account/signup/").status_code == 404


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_the_theme_is_chosen_once_and_kept(chosen, contoso, admin):
    answer = admin.post("/theme/", {"theme": chosen, "next": contoso.url("vaults/")})

    assert answer["Location"] == contoso.url("vaults/")
    assert f'data-theme="{chosen}"' in admin.get(contoso.url()).content.decode()


def test_the_system_theme_leaves_it_to_the_browser(contoso, admin):
    admin.post("/theme/", {"theme": "dark"})
    admin.post("/theme/", {"theme": "system"})

    assert "data-theme=" not in admin.get(contoso.url()).content.decode()


@pytest.mark.parametrize(
    ("form", "goes_to"),
    [({"theme": "dark", "next": "//evil.example/"}, "/"), ({"theme": "<script>"}, "/")],
)
def test_the_theme_form_leads_nowhere_else_and_takes_no_other_word(form, goes_to, contoso, admin):
    answer = admin.post("/theme/", form)

    assert answer["Location"] == goes_to
    assert "<script>" not in str(answer.cookies.get("theme"))


@pytest.fixture
def hashed(monkeypatch):
    """How often a password was hashed, which is what signing in takes its time for."""
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *given: (hashed.append(1), encode(*given))[1])
    return hashed


@pytest.mark.parametrize(
    "name", ["root@contoso.example", "ROOT@contoso.example", "invited@contoso.example", "nobody@contoso.example"]
)
def test_a_wrong_password_takes_the_same_time_for_everybody(name, contoso, hashed):
    make_admin(contoso.subscription, "root@contoso.example")
    make_person(contoso.subscription, "invited@contoso.example", role=LoginAccount.Role.ACCESS_ADMIN)
    hashed.clear()

    Client().post(LOGIN, {"login": name, "password": "wrong"})

    assert len(hashed) == 1


def test_a_username_that_is_no_address_takes_the_same_time_too(contoso, hashed):
    account = make_admin(contoso.subscription, "root@contoso.example")
    User.objects.filter(pk=account.user_id).update(username="person-1")
    hashed.clear()
    for name in ("person-1", "person-2"):
        Client().post(LOGIN, {"login": name, "password": "wrong"})

    assert len(hashed) == 2
    assert Client().post(LOGIN, {"login": "person-1", "password": PASSWORD})["Location"] == "/"
    assert Client().post(LOGIN, {"login": "root@contoso.example", "password": PASSWORD})["Location"] == "/"


def test_attempts_at_one_person_are_counted_together_however_the_name_is_written(contoso):
    account = make_admin(contoso.subscription, "root@contoso.example")
    User.objects.filter(pk=account.user_id).update(username="person-1")
    for name in ("person-1", "root@contoso.example", "Person-1", "ROOT@contoso.example", "person-1"):
        Client().post(LOGIN, {"login": name, "password": "wrong"})

    page = Client().post(LOGIN, {"login": "root@contoso.example", "password": PASSWORD})

    assert "Too many wrong attempts." in page.content.decode()


def test_attempts_are_counted_together_whatever_host_is_asked_for(contoso):
    make_admin(contoso.subscription, "root@contoso.example")
    form = {"login": "root@contoso.example", "password": "wrong"}
    for port in range(1, 6):
        Client().post(LOGIN, form, headers={"host": f"localhost:{port}"})

    page = Client().post(LOGIN, {**form, "password": PASSWORD})

    assert "Too many wrong attempts." in page.content.decode()
