"""What a provider answers, or somebody in its name, and what of it lets nobody in."""

import base64
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from provisioning.models import LoginAccount, PortalSession, SingleSignOn
from provisioning.services import issuers
from tests.contoso import make_contoso
from tests.provisioning.issuing import public, rsa_key
from tests.provisioning.single_sign_on.walks import begin, said, sign_on
from tests.single_sign_on import make_single_sign_on

Role = LoginAccount.Role
pytestmark = pytest.mark.django_db


TAMPERED = [
    ({"nonce": "of another sign-in"}, "belongs to another sign-in"),
    ({"nonce": None}, "belongs to another sign-in"),
    ({"aud": "another application"}, "audience is another one"),
    ({"aud": ["portal", "another application"]}, "issued to another application"),
    ({"azp": "another application"}, "issued to another application"),
    ({"iss": "https://login.microsoftonline.com/another/v2.0"}, "issuer is another one"),
    ({"exp": 1}, "has expired"),
    ({"exp": None}, "has no exp"),
    ({"iat": None}, "has no iat"),
    ({"iat": 9_999_999_999}, "not valid yet"),
    ({"sub": ""}, "subject is another one"),
    ({"sub": "x" * 256}, "longer than 255 characters"),
]


@pytest.mark.parametrize(("tamper", "sentence"), TAMPERED)
def test_a_token_that_is_not_of_this_sign_in_lets_nobody_in(contoso, provider, tamper, sentence):
    provider.tamper = tamper

    assert sentence in said(sign_on(Client(), contoso, provider))
    assert not PortalSession.objects.filter(user__isnull=False).exists()


def test_who_is_not_let_in_is_noted_without_a_name(contoso, provider):
    number = contoso.subscription.number
    for tamper in ({"nonce": "of another sign-in"}, {"preferred_username": "nobody@contoso.example"}):
        provider.tamper = tamper
        with capture_logs() as lines:
            sign_on(Client(), contoso, provider)
        [line] = [line for line in lines if line["event"] == "sign-in refused"]
        assert (line["address"], line["log_level"], line["single_sign_on"]) == ("127.0.0.1", "warning", number)
        assert line["reason"] in {"Untrusted", "Nobody"}
        assert "nobody@" not in str(line)


def test_a_token_with_more_in_its_audience_is_taken_when_it_was_issued_to_us(contoso, provider):
    provider.tamper = {"aud": ["portal", "another application"], "azp": "portal"}

    assert sign_on(Client(), contoso, provider).status_code == 302


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"key": rsa_key(1)}, "signature is wrong"),
        ({"key": "a secret long enough to be one of 256 bits", "algorithm": "HS256"}, "must be by RS256 or ES256"),
        ({"kid": None, "keys": [public(rsa_key(), "one"), public(rsa_key(1), "two")]}, "has no such key"),
        ({"kid": "another"}, "has no such key"),
    ],
)
def test_a_token_by_another_key_lets_nobody_in(contoso, provider, fault, sentence):
    for name, value in fault.items():
        setattr(provider, name, value)

    assert sentence in said(sign_on(Client(), contoso, provider))


def test_a_token_without_a_key_id_is_by_the_only_key_of_the_provider(contoso, provider):
    provider.kid = None

    assert sign_on(Client(), contoso, provider).status_code == 302


def test_a_key_that_is_new_at_the_provider_is_read_when_a_token_names_it(contoso, provider):
    sign_on(Client(), contoso, provider)
    provider.key, provider.kid = rsa_key(1), "two"
    provider.keys = [public(rsa_key(1), "two")]
    issuers.keys()._known[provider.issuer].tried_at -= 60

    assert sign_on(Client(), contoso, provider).status_code == 302


def test_an_answer_counts_once_and_going_back_does_no_harm(contoso, provider):
    client = Client()
    address = provider.authorize(begin(client, contoso))
    assert client.get(address).status_code == 302

    assert client.get(address)["Location"] == "/"
    client.post("/account/logout/")
    assert "was used already" in said(client.get(address))
    assert provider.exchanges == 1


def test_an_answer_of_another_browser_or_with_another_state_lets_nobody_in(contoso, provider):
    client = Client()
    address = provider.authorize(begin(client, contoso))

    assert "began in another browser" in said(Client().get(address))
    assert "was used already" in said(client.get(address.replace("state=", "state=x")))
    assert "was used already" in said(client.get(address.partition("?")[0]))
    assert provider.exchanges == 0
    assert client.get(address).status_code == 302  # the right one still works


def test_an_answer_at_another_subscriptions_address_lets_nobody_in(contoso, provider):
    fabrikam = make_contoso("Fabrikam")
    make_single_sign_on(fabrikam.subscription, provider.issuer)
    client = Client()
    address = provider.authorize(begin(client, contoso))

    foreign = address.replace(contoso.subscription.number, fabrikam.subscription.number)
    assert "was used already" in said(client.get(foreign))
    assert provider.exchanges == 0


def test_a_sign_in_of_more_than_ten_minutes_is_begun_again(contoso, provider, monkeypatch):
    client = Client()
    address = provider.authorize(begin(client, contoso))
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert "longer than ten minutes" in said(client.get(address))


def test_several_tabs_can_sign_in_at_a_time(contoso, provider):
    client = Client()
    addresses = [provider.authorize(begin(client, contoso)) for _ in range(20)]

    assert len(client.cookies[settings.SIGN_ON_COOKIE_NAME].OutputString()) < 4_096
    assert "was used already" in said(client.get(addresses[0]))
    assert client.get(addresses[-5]).status_code == 302
    assert client.get(addresses[-1]).status_code == 302


def test_who_only_begins_makes_no_session_and_the_browser_cannot_read_what_it_keeps(contoso, provider):
    client = Client()
    asked = parse_qs(urlsplit(begin(client, contoso)).query)

    assert not PortalSession.objects.exists()
    cookie = client.cookies[settings.SIGN_ON_COOKIE_NAME]
    assert cookie["httponly"] is True
    assert cookie["max-age"] == 600
    assert asked["nonce"][0] not in str(base64.urlsafe_b64decode(cookie.value))


@pytest.mark.parametrize("planted", ["", "x", "é" * 10, "gAAAAA" + "A" * 100])
def test_what_a_browser_has_not_got_from_here_is_nothing(contoso, provider, planted):
    client = Client()
    client.cookies[settings.SIGN_ON_COOKIE_NAME] = planted

    assert sign_on(client, contoso, provider).status_code == 302


def test_after_coming_in_the_browser_remembers_nothing(contoso, provider):
    client = Client()
    sign_on(client, contoso, provider)

    assert client.cookies[settings.SIGN_ON_COOKIE_NAME].value == ""


def test_a_very_long_address_is_not_gone_on_with(contoso, provider):
    own = contoso.url("users/") + "?q=" + "x" * 4_000

    assert sign_on(Client(), contoso, provider, f"?next={quote(own)}")["Location"] == contoso.url()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"code": "", "error": "access_denied"}, "You did not sign in at your organization"),
        ({"code": "", "error": "server_error", "error_description": "<b>AADSTS90002</b>"}, "&lt;b&gt;AADSTS90002"),
        ({"code": ""}, "answered nothing"),
        ({"code": "of somebody else"}, "“invalid_grant” (As the tests want it.)"),
        ({"iss": "https://evil.example"}, "Another identity provider answered"),
    ],
)
def test_what_the_provider_refuses_is_said_in_a_sentence(contoso, provider, sent, sentence):
    provider.sent = sent

    assert sentence in said(sign_on(Client(), contoso, provider))


def test_a_provider_that_names_itself_must_always_do_so(contoso, provider):
    provider.extra["authorization_response_iss_parameter_supported"] = True

    assert "Another identity provider answered" in said(sign_on(Client(), contoso, provider))
    provider.sent = {"iss": provider.issuer}
    assert sign_on(Client(), contoso, provider).status_code == 302


def test_the_secret_goes_in_a_header_where_the_provider_wants_it_there(contoso, provider):
    del provider.extra["token_endpoint_auth_methods_supported"]

    assert sign_on(Client(), contoso, provider).status_code == 302


def test_a_provider_that_does_not_answer_is_said_in_a_sentence(contoso):
    make_single_sign_on(contoso.subscription, "http://127.0.0.1:9/nothing")
    answer = Client().get(f"/sign-in/{contoso.subscription.number}/")

    assert "Your organization’s sign-in does not work now." in said(answer)


def test_an_address_without_single_sign_on_says_so_whether_the_number_exists_or_not(contoso):
    SingleSignOn.objects.all().delete()
    known = Client().get(f"/sign-in/{contoso.subscription.number}/")
    unknown = Client().get("/sign-in/M-1/")

    assert known.status_code == unknown.status_code == 404
    assert known.content == unknown.content
