"""Sessions as a thief would like them: guessable, fixed before signing in, or alive afterwards (OWASP ASVS 5.0 §7)."""

import base64
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from provisioning import sealing
from provisioning.models import PortalSession, User
from provisioning.services import password_mails
from tests.contoso import Contoso, make_contoso
from tests.factories import PASSWORD, make_admin
from tests.security.addresses import PEOPLE
from tests.single_sign_on import make_single_sign_on

FORM = {"login": "root@contoso.example", "password": PASSWORD}
LOGIN, LOGOUT = "/account/login/", "/account/logout/"
NEW = "another long passphrase"


@pytest.fixture
def contoso(db) -> Contoso:
    contoso = make_contoso()
    make_admin(contoso.subscription, "root@contoso.example")
    return contoso


def key_of(browser: Client) -> str:
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def with_key(key: str) -> Client:
    """Return a browser that has nothing but the key of a session."""
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = key
    return browser


def is_let_in(browser: Client, contoso: Contoso) -> bool:
    return browser.get(contoso.url()).status_code == 200


def test_a_key_that_was_there_before_signing_in_opens_nothing_afterwards(contoso):
    browser = Client()
    browser.get("/account/password/forgotten/")
    session = browser.session
    session["begun"] = "before"
    session.save()
    before = key_of(browser)

    browser.post(LOGIN, FORM)

    assert key_of(browser) != before
    assert is_let_in(browser, contoso)
    assert not is_let_in(with_key(before), contoso)


@pytest.mark.parametrize("planted", ["a" * 32, "planted", "", "../../etc/passwd", "x" * 5_000])
def test_a_key_that_somebody_planted_is_not_taken(planted, contoso):
    browser = with_key(planted)

    browser.post(LOGIN, FORM)

    assert key_of(browser) != planted
    assert is_let_in(browser, contoso)
    assert not is_let_in(with_key(planted), contoso)


def test_every_sign_in_has_a_long_key_of_its_own(contoso):
    keys = set()
    for _ in range(5):
        browser = Client()
        browser.post(LOGIN, FORM)
        keys.add(key_of(browser))

    assert len(keys) == 5
    assert all(len(key) >= 32 and key.isalnum() for key in keys)


def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out(contoso):
    browser = Client()
    browser.post(LOGIN, FORM)
    thief = with_key(key_of(browser))
    assert is_let_in(thief, contoso)

    browser.post(LOGOUT)

    assert not is_let_in(thief, contoso)


@override_settings(ISSUER_HOSTS=["*"])
def test_a_stranger_makes_no_session_at_any_address(contoso):
    make_single_sign_on(contoso.subscription, "http://127.0.0.1:9/nothing")
    number = contoso.subscription.number
    for route in PEOPLE:
        values = {name: number if name == "number" else 1 for name in route.parameters}
        Client().get(route.address(**values))

    Client().post("/account/single-sign-on/", {"name": "root@contoso.example"})
    assert not PortalSession.objects.exists()


def test_every_page_of_the_portal_offers_to_sign_out(contoso):
    browser = Client()
    browser.post(LOGIN, FORM)

    for url in (*contoso.pages(), "/account/sessions/", "/account/methods/"):
        assert f'action="{LOGOUT}"' in browser.get(url).content.decode(), url


def test_a_link_to_another_password_passes_by_no_second_factor(contoso, mailoutbox):
    user = User.objects.get(email="root@contoso.example")
    TOTP.activate(user, generate_totp_secret())
    browser = Client()
    browser.post("/account/password/forgotten/", {"email": user.email})
    password_mails.send_due(timezone.now())
    [link] = re.findall(r"/account/password/link/[^/\s]+/", mailoutbox[-1].body)

    [(form, _)] = browser.get(link, follow=True).redirect_chain
    browser.post(form, {"password1": NEW, "password2": NEW})
    assert not is_let_in(browser, contoso)
    answer = browser.post(LOGIN, {**FORM, "password": NEW})

    assert answer["Location"] == "/account/login/code/"
    assert not is_let_in(browser, contoso)


def test_seeds_and_recovery_codes_are_long_and_never_the_same(contoso):
    user = User.objects.get(email="root@contoso.example")
    seeds = {generate_totp_secret() for _ in range(20)}
    codes = []
    for _ in range(3):
        Authenticator.objects.all().delete()
        codes += RecoveryCodes.activate(user).generate_codes()

    assert len(seeds) == 20
    assert all(len(base64.b32decode(seed)) == 20 for seed in seeds)
    assert len(set(codes)) == len(codes) == 30
    assert all(len(code) == 8 and code.isdecimal() for code in codes)


def test_what_is_sealed_is_read_for_its_purpose_alone_and_unchanged_alone():
    sealed = sealing.seal("a seed", purpose="one")
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]

    assert sealing.unseal(sealed, purpose="one") == "a seed"
    assert sealed != sealing.seal("a seed", purpose="one")
    for text, purpose in ((sealed, "other"), (changed, "one"), (sealed[:-4], "one"), ("", "one")):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(text, purpose=purpose)


def test_what_is_sealed_is_not_read_under_another_secret_key(settings):
    sealed = sealing.seal("a seed", purpose="one")
    settings.SECRET_KEY = "another secret key of many characters"

    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealed, purpose="one")
