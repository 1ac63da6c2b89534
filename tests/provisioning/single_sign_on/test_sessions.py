"""What a session opens that came by single sign-on, and when it ends."""

import time
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from provisioning.models import AuditEntry, ClientSecret, LoginAccount, PortalSession, SingleSignOn
from provisioning.services import accounts
from provisioning.services import single_sign_on as services
from tests.contoso import make_contoso
from tests.factories import ACTOR, NOON, PASSWORD, make_admin, make_call, make_person, make_profile, make_subscription
from tests.provisioning.single_sign_on.walks import ANN, give, said, sign_on
from tests.single_sign_on import make_single_sign_on

Role = LoginAccount.Role
pytestmark = pytest.mark.django_db


def let_in_by_password(user):
    """Give the person, who is Ann, a password: by it she enters both subscriptions."""
    user.set_password(PASSWORD)
    user.save()


def test_single_sign_on_of_one_subscription_opens_no_other_of_the_same_person(contoso, provider):
    fabrikam = make_subscription("Fabrikam")
    let_in_by_password(make_admin(fabrikam, ANN).user)
    client = Client()

    sign_on(client, contoso, provider)

    home = client.get(contoso.url())
    assert home.status_code == 200
    assert "Fabrikam" not in home.content.decode()
    assert client.get(f"/s/{fabrikam.number}/").status_code == 404
    assert client.get(f"/s/{fabrikam.number}/users/").status_code == 404
    assert client.get("/")["Location"] == contoso.url()
    by_password = Client()
    by_password.post("/account/login/", {"login": ANN, "password": PASSWORD})
    assert by_password.get(contoso.url()).status_code == by_password.get(f"/s/{fabrikam.number}/").status_code == 200


def test_single_sign_on_of_one_account_opens_no_other_of_its_address(contoso, provider):
    """Whoever chooses an account's address, by SCIM or here, must not come by it to the roles of another."""
    root = make_person(contoso.subscription, "root", email=ANN, role=Role.SUBSCRIPTION_ADMIN)
    let_in_by_password(root.user)
    give(contoso.ann, Role.NO_ROLE)
    give(contoso.ann, Role.ACCESS_ADMIN)
    contoso.ann.refresh_from_db()
    assert contoso.ann.user == root.user
    by_password, client = Client(headers={"User-Agent": "Opera"}), Client()
    by_password.post("/account/login/", {"login": ANN, "password": PASSWORD})

    sign_on(client, contoso, provider)

    assert client.get(contoso.url()).status_code == 200
    assert client.get(contoso.url("settings/")).status_code == 404
    assert by_password.get(contoso.url("settings/")).status_code == 200
    assert AuditEntry.objects.filter(action="sign in").order_by("-number").first().actor_role == "Access admin"

    give(contoso.ann, Role.NO_ROLE)
    assert client.get(contoso.url()).status_code == 302


def test_who_came_by_single_sign_on_gets_at_no_password_factor_or_session_of_the_person(contoso, provider):
    fabrikam = make_subscription("Fabrikam")
    let_in_by_password(make_admin(fabrikam, ANN).user)
    by_password, client = Client(headers={"User-Agent": "Opera"}), Client()
    by_password.post("/account/login/", {"login": ANN, "password": PASSWORD})
    provider.claims["auth_time"] = int(time.time())
    sign_on(client, contoso, provider)

    for page in ("methods/", "password/change/", "factor/activate/", "factor/codes/make/", "factor/deactivate/"):
        answer = client.get(f"/account/{page}")
        assert "You came in by your organization’s single sign-on." in answer.content.decode()
        assert client.post(f"/account/{page}").status_code == 200
    assert client.get("/account/sessions/").content.decode().count("This browser") == 1
    assert "Opera" not in client.get("/account/sessions/").content.decode()
    foreign = PortalSession.objects.get(browser="Opera")
    client.post("/account/sessions/end/", {"session": foreign.pk})
    client.post("/account/sessions/end-others/")

    assert PortalSession.objects.filter(pk=foreign.pk).exists()
    assert by_password.get(f"/s/{fabrikam.number}/").status_code == 200


def test_signing_in_leaves_nothing_of_who_was_there_before(contoso, provider, sessions):
    client = sessions(make_admin(contoso.subscription))
    before = client.session.session_key

    sign_on(client, contoso, provider)

    assert client.session.session_key != before
    assert client.get(contoso.url("settings/")).status_code == 404


ENDS = {
    "role": lambda contoso: give(contoso.ann, Role.NO_ROLE),
    "the provider disables the user": lambda contoso: disable(contoso.ann),
    "the provider removes the user": lambda contoso: accounts.remove_account(
        scim_id=contoso.ann.scim_id, call=make_call(contoso.configuration, operation="delete")
    ),
    "single sign-on is switched off": lambda contoso: switch_off(contoso.subscription),
    "single sign-on is removed": lambda contoso: services.remove_single_sign_on(
        subscription=contoso.subscription, actor=ACTOR, at=NOON
    ),
    "another issuer": lambda contoso: make_single_sign_on(contoso.subscription, "http://127.0.0.1:9/other"),
}


def disable(account):
    profile = make_profile(account.username, is_enabled=False)
    call = make_call(account.configuration, operation="patch")
    accounts.change_account(scim_id=account.scim_id, change=lambda _account: profile, call=call)


def switch_off(subscription):
    row = SingleSignOn.objects.get(subscription=subscription)
    wanted = services.Wanted(row.issuer, row.client_id, "", is_enabled=False)
    services.set_single_sign_on(subscription=subscription, wanted=wanted, actor=ACTOR, at=NOON)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_sessions_end_with_what_they_came_by(contoso, provider, end):
    client = Client()
    sign_on(client, contoso, provider)
    assert client.get(contoso.url()).status_code == 200

    end(contoso)

    assert client.get(contoso.url()).status_code in {302, 404}
    assert not PortalSession.objects.filter(user__isnull=False).exists()


def test_making_secrets_asks_the_provider_again_and_goes_on(contoso, provider):
    provider.claims["auth_time"] = int(time.time()) - 3600
    client = Client()
    sign_on(client, contoso, provider)
    secret = ClientSecret.objects.get(configuration=contoso.configuration)
    page = contoso.url(f"provisioning/secrets/{secret.pk}/revoke/")

    answer = client.post(page, follow=True)
    assert answer.redirect_chain == [(f"/account/single-sign-on/again/?next={quote(page, safe='')}", 302)]
    del provider.claims["auth_time"]
    assert confirm(client, contoso, provider, page).status_code == 303

    asked = provider.asked[-1]
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert not ClientSecret.objects.get(pk=secret.pk).is_live(timezone.now())
    assert client.get(contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/secret/")).status_code == 200


def test_who_proved_it_just_now_at_the_provider_is_not_asked_again(contoso, provider):
    client, page = Client(), contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/secret/")

    sign_on(client, contoso, provider)
    assert client.get(page).status_code == 302  # the provider did not say when
    provider.claims["auth_time"] = int(time.time())
    sign_on(client, contoso, provider)

    assert client.get(page).status_code == 200


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        ({"auth_time": None}, "does not say when you signed in (auth_time)"),
        ({"auth_time": 1_700_000_000}, "were not asked again"),
        ({"sub": "somebody else"}, "Somebody else has signed in"),
    ],
)
def test_only_the_same_person_who_was_asked_anew_has_confirmed(contoso, provider, tamper, sentence):
    client, page = Client(), contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/secret/")
    sign_on(client, contoso, provider)
    provider.tamper = tamper

    assert sentence in said(confirm(client, contoso, provider, page))
    assert client.get(page).status_code == 302
    assert client.get(contoso.url()).status_code == 200


@pytest.mark.parametrize("when", [float("inf"), float("nan"), -1e300, 1e300, True, "now"])
def test_a_time_of_no_sense_is_no_time(contoso, provider, when):
    provider.claims["auth_time"] = when
    client, page = Client(), contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/secret/")
    assert sign_on(client, contoso, provider).status_code == 302

    assert client.get(page).status_code == 302
    assert "does not say when you signed in" in said(confirm(client, contoso, provider, page))


def test_another_subscriptions_provider_confirms_nothing(contoso, provider, sessions):
    fabrikam = make_contoso("Fabrikam")
    make_single_sign_on(fabrikam.subscription, provider.issuer)
    client = Client()
    sign_on(client, contoso, provider)

    assert client.get(f"/sign-in/{fabrikam.subscription.number}/again/")["Location"] == "/"
    by_password = sessions(make_admin(contoso.subscription))
    assert by_password.get(f"/sign-in/{contoso.subscription.number}/again/")["Location"] == "/"


def confirm(client, contoso, provider, page):
    """Follow the link of the page that asks, and return the answer to who comes back from the provider."""
    link = f"/sign-in/{contoso.subscription.number}/again/?next={quote(page)}"
    asking = client.get(f"/account/single-sign-on/again/?next={quote(page)}").content.decode()
    assert f"/sign-in/{contoso.subscription.number}/again/?next={quote(page, safe='')}" in asking
    return client.get(provider.authorize(client.get(link)["Location"]))
