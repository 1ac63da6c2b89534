"""One's own sign-in: the password, the second factor with its recovery codes, and the sessions."""

import re
import time

import pytest
from allauth.account.forms import ChangePasswordForm
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.test import Client

from provisioning.models import AuditEntry, PortalSession, User
from tests.commandline import manage
from tests.factories import PASSWORD, make_admin
from tests.one_time_codes import code_of

LOGIN, CODE, METHODS = "/account/login/", "/account/login/code/", "/account/methods/"
ACTIVATE, DEACTIVATE = "/account/factor/activate/", "/account/factor/deactivate/"
CODES, MAKE = "/account/factor/codes/", "/account/factor/codes/make/"
SESSIONS, END, END_OTHERS = "/account/sessions/", "/account/sessions/end/", "/account/sessions/end-others/"
AGAIN, AGAIN_BY_CODE = "/account/reauthenticate/", "/account/reauthenticate/code/"
FORM = {"login": "root@contoso.example", "password": PASSWORD}
MINUTES = 60
WRONG = "The code is wrong, or was used already."


@pytest.fixture
def root(contoso):
    return make_admin(contoso.subscription, "root@contoso.example")


@pytest.fixture
def client(root, sign_in):
    return sign_in(root)


def text(answer):
    return answer.content.decode()


def key_on(page):
    return re.search(r'id="key" value="([A-Z2-7]+)"', text(page))[1]


def activate(client):
    """Set up an authenticator app; return its key and the recovery codes."""
    key = key_on(client.get(ACTIVATE))
    page = client.post(ACTIVATE, {"code": code_of(key)}, follow=True)
    return key, re.findall(r'<li class="code">(\d{8})</li>', text(page))


def with_password():
    """Return a browser in which the password was right, and a code is asked for."""
    client = Client()
    assert client.post(LOGIN, FORM)["Location"] == CODE
    return client


def grow_old(client, seconds=6 * MINUTES):
    """Let the last sign-in be so long ago."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - seconds}]
    session.save()


def audited(action):
    return AuditEntry.objects.filter(action=action)


def test_the_account_menu_leads_to_the_methods_and_sessions(contoso, client):
    page = text(client.get(contoso.url()))

    assert f'href="{METHODS}"' in page
    assert f'href="{SESSIONS}"' in page
    assert client.get(METHODS).status_code == client.get(SESSIONS).status_code == 200


def test_an_app_is_set_up_by_a_picture_or_a_key(client):
    page = text(client.get(ACTIVATE))

    assert 'src="data:image/svg+xml;base64,' in page
    assert re.search(r'value="[A-Z2-7]{32}" readonly', page)


def test_with_an_app_signing_in_asks_for_a_code(client):
    key, _ = activate(client)
    browser = with_password()
    assert browser.get("/").status_code == 302

    assert browser.post(CODE, {"code": code_of(key, later=1)})["Location"] == "/"

    assert browser.get(METHODS).status_code == 200
    assert audited("sign in").latest("pk").changes == {"how": [None, "password and code"]}
    assert audited("activate second factor").count() == 1


def test_the_code_leads_on_to_the_page_that_was_asked_for(client):
    key, _ = activate(client)
    browser = Client()
    browser.post(LOGIN, {**FORM, "next": SESSIONS})

    assert browser.post(CODE, {"code": code_of(key, later=1)})["Location"] == SESSIONS


@pytest.mark.django_db(transaction=True)
def test_an_operator_removes_the_factor_of_who_has_lost_everything(root, client, capsys):
    activate(client)

    answer = manage(capsys, "removefactor", "Root@contoso.example", "--json")

    assert answer.document == {"user": "root@contoso.example", "removed": True}
    assert client.get(METHODS).status_code == 302
    assert Client().post(LOGIN, FORM)["Location"] == "/"
    assert audited("remove second factor").get().actor_name == "manage.py removefactor"
    assert manage(capsys, "removefactor", "root@contoso.example", "--json").document["removed"] is False
    assert "Nobody signs in as “nobody”." in manage(capsys, "removefactor", "nobody").err


def test_a_wrong_code_sets_nothing_up(client):
    client.get(ACTIVATE)

    page = client.post(ACTIVATE, {"code": "000000"})

    assert WRONG in text(page)
    assert not Authenticator.objects.exists()


def test_a_wrong_code_lets_nobody_in_and_is_recorded(client):
    activate(client)
    browser = with_password()

    page = browser.post(CODE, {"code": "000000"})

    assert WRONG in text(page)
    assert browser.get(METHODS).status_code == 302
    assert audited("enter wrong code").get().target == "root@contoso.example"


def test_the_second_step_without_a_code_is_no_error(client):
    activate(client)

    assert with_password().post(CODE, {}).status_code == 200


def test_the_second_step_is_nothing_without_the_first(client):
    activate(client)

    assert Client().get(CODE)["Location"] == LOGIN
    assert Client().post(CODE, {"code": "000000"})["Location"] == LOGIN


def test_a_code_lets_in_once_even_after_its_half_minute(client):
    key, _ = activate(client)
    code = code_of(key, later=1)
    assert with_password().post(CODE, {"code": code}).status_code == 302
    root = Authenticator.objects.first().user_id
    cache.delete(f"allauth.mfa.totp.used?user={root}&code={code}")  # as django-allauth forgets it

    again = with_password().post(CODE, {"code": code})

    assert WRONG in text(again)


def test_the_code_by_which_the_app_was_set_up_lets_nobody_in(client):
    key = key_on(client.get(ACTIVATE))
    code = code_of(key)
    client.post(ACTIVATE, {"code": code})

    assert WRONG in text(with_password().post(CODE, {"code": code}))


def test_codes_are_not_guessed(client):
    key, _ = activate(client)
    browser = with_password()
    for _ in range(5):
        browser.post(CODE, {"code": "000000"})

    page = browser.post(CODE, {"code": code_of(key, later=1)})

    assert "Too many wrong attempts. Wait five minutes" in text(page)


def test_a_code_that_was_used_is_a_wrong_guess_and_lets_nobody_guess_on(client):
    key, _ = activate(client)
    used = code_of(key, later=1)
    assert with_password().post(CODE, {"code": used}).status_code == 302
    root = Authenticator.objects.first().user_id
    cache.delete(f"allauth.mfa.totp.used?user={root}&code={used}")  # as django-allauth forgets it
    browser = with_password()
    for code in ("000000", used, "000000", used, "000000"):
        browser.post(CODE, {"code": code})

    assert "Too many wrong attempts." in text(browser.post(CODE, {"code": "000000"}))


def test_another_password_ends_a_sign_in_that_waits_for_its_code(root, client):
    key, _ = activate(client)
    browser = with_password()
    root.user.set_password("another long passphrase")
    root.user.save()

    page = browser.post(CODE, {"code": code_of(key, later=1)}, follow=True)

    assert page.request["PATH_INFO"] == LOGIN
    assert "Your password was changed meanwhile." in text(page)
    assert browser.get(METHODS).status_code == 302


def test_recovery_codes_are_shown_once(client):
    _, codes = activate(client)

    again = text(client.get(CODES))

    assert len(set(codes)) == 10
    assert "Your codes were shown already" in again
    assert not any(code in again for code in codes)


def test_a_recovery_code_lets_in_once(client):
    _, codes = activate(client)

    assert with_password().post(CODE, {"code": codes[3]}).status_code == 302
    assert WRONG in text(with_password().post(CODE, {"code": codes[3]}))

    assert audited("sign in").latest("pk").changes == {"how": [None, "password and recovery code"]}
    assert "9 of 10 are left" in text(client.get(METHODS))


def test_new_recovery_codes_end_the_old_ones(client):
    _, codes = activate(client)

    page = client.post(MAKE, follow=True)

    fresh = re.findall(r'<li class="code">(\d{8})</li>', text(page))
    assert WRONG in text(with_password().post(CODE, {"code": codes[0]}))
    assert with_password().post(CODE, {"code": fresh[0]}).status_code == 302
    assert audited("make recovery codes").count() == 1


def test_without_the_app_the_password_is_enough_again(client):
    activate(client)

    client.post(DEACTIVATE)

    assert Client().post(LOGIN, FORM)["Location"] == "/"
    assert not Authenticator.objects.exists()
    assert audited("deactivate second factor").count() == 1


def test_keys_are_sealed_in_the_database(client):
    key, codes = activate(client)

    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert key not in kept
    assert not any(code in kept for code in codes)


def test_another_secret_key_is_said_and_is_no_error(client, settings):
    key, _ = activate(client)
    browser = with_password()
    Authenticator.objects.filter(type="totp").update(data={"secret": "sealed under another key"})

    page = browser.post(CODE, {"code": code_of(key, later=1)})

    assert "this installation has another secret key than before" in text(page)


@pytest.mark.parametrize("address", [ACTIVATE, DEACTIVATE, CODES, MAKE])
def test_factors_ask_again_who_it_is(address, client):
    if address != ACTIVATE:
        activate(client)
    grow_old(client)

    for answer in (client.get(address), client.post(address, {"code": "000000"})):
        assert answer["Location"].startswith(f"{AGAIN}?next=")


def test_what_was_posted_is_done_after_the_password(client):
    activate(client)
    grow_old(client)
    asked = client.post(DEACTIVATE)["Location"]

    assert "The password is wrong." in text(client.post(asked, {"password": "wrong", "next": DEACTIVATE}))
    client.post(asked, {"password": PASSWORD, "next": DEACTIVATE})

    assert not Authenticator.objects.exists()


def test_a_code_shows_who_it_is_as_well(client):
    key, _ = activate(client)
    grow_old(client)
    assert AGAIN_BY_CODE in text(client.get(f"{AGAIN}?next={DEACTIVATE}"))

    wrong = client.post(AGAIN_BY_CODE, {"code": "000000", "next": METHODS})
    right = client.post(AGAIN_BY_CODE, {"code": code_of(key, later=1), "next": METHODS})

    assert WRONG in text(wrong)
    assert right["Location"] == METHODS
    assert client.get(DEACTIVATE).status_code == 200


def test_who_has_no_way_to_show_who_it_is_signs_in_again(root, client):
    root.user.set_unusable_password()
    root.user.save()
    client.force_login(root.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    answer = client.get(f"{AGAIN}?next={METHODS}")

    assert answer["Location"].startswith("/account/logout/")


def test_sessions_say_when_from_where_and_by_what(root, client):
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:149.0) Gecko/20100101 Firefox/149.0"
    other = Client(headers={"user-agent": agent}, REMOTE_ADDR="203.0.113.9")
    other.post(LOGIN, FORM)

    page = text(client.get(SESSIONS))

    assert page.index("This browser") < page.index("Firefox on Windows")
    assert "203.0.113.9" in page
    assert "<dt>Signed in</dt>" in page


def test_another_session_is_ended(root, client):
    other = Client()
    other.post(LOGIN, FORM)
    key = re.search(r'name="session" value="(\w+)"', text(client.get(SESSIONS)))[1]

    page = client.post(END, {"session": key}, follow=True)

    assert "The session is ended." in text(page)
    assert other.get(METHODS).status_code == 302
    assert "Your session is over" in text(other.get(METHODS, follow=True)) or PortalSession.objects.count() == 1
    assert "That session is over already." in text(client.post(END, {"session": key}, follow=True))


def test_all_other_sessions_are_ended(root, client):
    others = [Client(), Client()]
    for other in others:
        other.post(LOGIN, FORM)

    page = client.post(END_OTHERS, follow=True)

    assert "2 other sessions are ended." in text(page)
    assert [other.get(METHODS).status_code for other in others] == [302, 302]
    assert client.get(METHODS).status_code == 200


def test_ending_sessions_asks_again_who_it_is_and_takes_no_get(client):
    assert client.get(END_OTHERS).status_code == 405
    grow_old(client)

    assert client.post(END_OTHERS)["Location"].startswith(AGAIN)


def test_another_password_ends_all_other_sessions(root, client):
    other = Client()
    other.post(LOGIN, FORM)
    new = "another long passphrase"

    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert client.get(METHODS).status_code == 200
    assert other.get(METHODS).status_code == 302
    assert PortalSession.objects.filter(user=root.user).count() == 1
    assert audited("change password").get().target == "root@contoso.example"


def test_a_password_that_was_changed_meanwhile_changes_nothing(root, client, monkeypatch):
    """As when its person follows a link, while somebody who knows the old one is about to change it."""
    chosen, other = "what its person chose", "a passphrase of somebody else"
    check = ChangePasswordForm.clean_oldpassword

    def slowly(self):
        old = check(self)
        User.objects.filter(pk=root.user_id).update(password=make_password(chosen))
        return old

    monkeypatch.setattr(ChangePasswordForm, "clean_oldpassword", slowly)
    page = client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": other, "password2": other})

    assert "That is not your current password." in text(page)
    assert User.objects.get(pk=root.user_id).check_password(chosen)
    assert client.get(METHODS).status_code == 302


def test_who_has_no_password_cannot_change_it(root, client):
    root.user.set_unusable_password()
    root.user.save()
    client.force_login(root.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    page = client.get("/account/password/change/", follow=True)

    assert "You have no password" in text(page)


@pytest.mark.parametrize("address", [METHODS, SESSIONS, ACTIVATE, MAKE, "/account/password/change/"])
def test_nobody_sees_these_pages_without_signing_in(address, client):
    assert Client().get(address)["Location"] == f"{LOGIN}?next={address}"
