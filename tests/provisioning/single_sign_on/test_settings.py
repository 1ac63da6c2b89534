"""Settings > Single sign-on, and the page that finds an organization's sign-in."""

import time
from datetime import timedelta

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.test import Client

from provisioning.models import AuditEntry, LoginAccount, SingleSignOn
from provisioning.services.single_sign_on import client_of
from tests.contoso import make_contoso
from tests.factories import make_account, make_admin
from tests.provisioning.single_sign_on.walks import give
from tests.single_sign_on import CLIENT_ID, CLIENT_SECRET, make_single_sign_on

pytestmark = pytest.mark.django_db
CHOOSE = "/account/single-sign-on/"


@pytest.fixture
def fabrikam(provider):
    """A subscription without single sign-on."""
    return make_contoso("Fabrikam")


@pytest.fixture
def admin(fabrikam, sessions):
    return sessions(make_admin(fabrikam.subscription, "root@fabrikam.example"))


@pytest.fixture
def page(fabrikam):
    return fabrikam.url("settings/single-sign-on/")


def form(provider, **changes):
    usual = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "is_enabled": "on"}
    return {**usual, **changes}


def words(answer):
    return " ".join(answer.content.decode().split())


def test_what_the_provider_must_know_stands_there_to_be_copied(fabrikam, admin, page):
    number = fabrikam.subscription.number

    shown = words(admin.get(page))

    assert f'value="http://127.0.0.1:8000/sign-in/{number}/callback/"' in shown
    assert f'value="http://127.0.0.1:8000/sign-in/{number}/"' in shown
    assert "Set up single sign-on" in words(admin.get(fabrikam.url("settings/")))


def test_the_secret_is_sealed_and_stands_nowhere_in_clear(fabrikam, admin, page, provider):
    saved = admin.post(page, form(provider), follow=True)

    row = SingleSignOn.objects.get(subscription=fabrikam.subscription)
    assert client_of(row).client_secret == CLIENT_SECRET
    assert "Single sign-on is saved." in words(saved)
    act = AuditEntry.objects.latest("id")
    assert act.action == "set single sign-on"
    assert act.changes["client_secret"] == [None, "replaced"]
    for text in (saved.content.decode(), str(act.changes), row.client_secret):
        assert CLIENT_SECRET not in text


def test_a_secret_that_was_copied_to_another_subscription_cannot_be_read_there(contoso, fabrikam, provider):
    other = make_single_sign_on(fabrikam.subscription, provider.issuer)
    stolen = SingleSignOn.objects.get(subscription=contoso.subscription).client_secret
    SingleSignOn.objects.filter(pk=other.pk).update(client_secret=stolen)

    answer = Client().get(provider.authorize(Client().get(f"/sign-in/{fabrikam.subscription.number}/")["Location"]))

    assert answer.status_code == 422
    other.refresh_from_db()
    with pytest.raises(Exception, match="sealed under another"):
        client_of(other)


def test_an_empty_secret_keeps_the_old_one_but_never_for_another_issuer(fabrikam, admin, page, provider):
    admin.post(page, form(provider))

    kept = admin.post(page, form(provider, client_secret="", admits_manual_accounts="on"), follow=True)
    other = admin.post(page, form(provider, client_secret="", issuer="http://127.0.0.1:9/other"))

    assert "Single sign-on is saved." in words(kept)
    assert "another issuer never gets to see an old one" in words(other)
    row = SingleSignOn.objects.get(subscription=fabrikam.subscription)
    assert (row.issuer, row.admits_manual_accounts) == (provider.issuer, True)
    nothing = form(provider, client_secret="", admits_manual_accounts="on")
    assert "Nothing was changed." in words(admin.post(page, nothing, follow=True))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"issuer": "http://contoso.example"}, "an address with https://"),
        ({"issuer": "ftp://contoso.example"}, "an address with https://"),
        ({"issuer": "https://user:password@contoso.example"}, "an address with https://"),
        ({"issuer": ""}, "Enter the issuer."),
        ({"client_id": ""}, "Enter the client ID."),
        ({"client_id": "x" * 256}, "too long"),
        ({"client_secret": ""}, "Enter the client secret"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(admin, page, provider, changes, sentence):
    answer = admin.post(page, form(provider, **changes))

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not SingleSignOn.objects.exists()


def test_an_issuer_that_the_operator_has_not_named_is_refused(admin, page, provider, settings):
    settings.ISSUER_HOSTS = ["login.microsoftonline.com"]

    assert "Ask its operator to add the host to MFMANAGE_ISSUER_HOSTS." in words(admin.post(page, form(provider)))
    assert not SingleSignOn.objects.exists()


def test_what_is_posted_too_late_is_not_kept_until_the_person_has_confirmed(admin, page, provider):
    session: SessionBase = admin.session
    hour = timedelta(hours=1).total_seconds()
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - hour}]
    session.save()

    answer = admin.post(page, form(provider), follow=True)

    assert "Confirm that it is you" in words(answer)
    assert not SingleSignOn.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_data FROM provisioning_portalsession")
        kept = [SessionBase().decode(data) for (data,) in cursor.fetchall()]
    assert CLIENT_SECRET not in str(kept) + str(dict(admin.session))


def test_a_test_says_that_all_is_well_and_saves_nothing(admin, page, provider):
    shown = words(admin.post(page, form(provider, deed="test")))

    assert "Discovery: the issuer describes itself" in shown
    assert "Keys: 1 that can verify" in shown
    assert "the provider knows them" in shown
    assert CLIENT_SECRET not in shown
    assert not SingleSignOn.objects.exists()


def test_a_test_tries_the_secret_that_is_stored(admin, page, provider):
    admin.post(page, form(provider))

    assert "the provider knows them" in words(admin.post(page, form(provider, client_secret="", deed="test")))


@pytest.mark.parametrize(
    "wrong",
    [
        ({}, {"client_secret": "wrong"}, "Client ID and secret: Your organization’s sign-in answered “invalid_client”"),
        ({}, {"issuer": "http://127.0.0.1:9/nothing"}, "does not answer"),
        ({"issuer": "https://contoso.example"}, {}, "but of another one"),
        ({"token_endpoint": None}, {}, "names no token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, {}, "authorization_endpoint that is no https address"),
        ({"code_challenge_methods_supported": ["plain"]}, {}, "It does not offer PKCE by S256."),
        ({"response_types_supported": ["id_token"]}, {}, "It does not offer the authorization code flow."),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, {}, "It signs neither by RS256 nor by ES256."),
        ({"scopes_supported": ["openid"]}, {}, "It has no scope “profile”"),
    ],
)
def test_a_test_says_what_is_wrong(admin, page, provider, wrong):
    metadata, changes, sentence = wrong
    provider.extra |= metadata

    assert sentence in words(admin.post(page, form(provider, deed="test", **changes)))


def test_removing_says_what_it_does_and_does_it(fabrikam, admin, page, provider):
    admin.post(page, form(provider))

    assert "Nobody signs in by" in words(admin.get(f"{page}remove/"))
    answer = admin.post(f"{page}remove/", follow=True)

    assert "Single sign-on is removed." in words(answer)
    assert not SingleSignOn.objects.exists()
    assert AuditEntry.objects.latest("id").action == "remove single sign-on"
    assert admin.post(f"{page}remove/", follow=True).status_code == 200


def test_the_sign_in_page_leads_to_organizations(client):
    assert CHOOSE in words(client.get("/account/login/"))


def test_the_answer_to_a_name_depends_on_its_domain_alone(contoso):
    known, unknown = (words(Client().post(CHOOSE, {"name": f"{who}@Contoso.example"})) for who in ("ann", "nobody"))

    assert known == unknown
    assert f'href="/sign-in/{contoso.subscription.number}/"' in known
    assert "Continue to Contoso" in known
    assert "127.0.0.1" in known


@pytest.mark.parametrize("name", ["ann", "ann@fabrikam.example", "", "@", "ann@", "%@%", "nobody@example"])
def test_a_domain_of_nobody_is_told_what_else_to_do(contoso, name):
    answer = Client().post(CHOOSE, {"name": name})

    assert answer.status_code == 422
    assert "No organization of that domain signs in here by its own identity provider." in words(answer)


def test_a_domain_of_two_organizations_offers_both(contoso, fabrikam, provider):
    make_single_sign_on(fabrikam.subscription, provider.issuer)
    give(make_account(fabrikam.configuration, "cy@contoso.example"), LoginAccount.Role.BILLING_ADMIN)

    shown = words(Client().post(CHOOSE, {"name": "anybody@contoso.example"}))

    assert "Continue to Contoso" in shown
    assert "Continue to Fabrikam" in shown


def test_the_provider_learns_what_was_typed(contoso, provider):
    client = Client()
    client.post(CHOOSE, {"name": "ann@contoso.example"})

    assert "login_hint=ann%40contoso.example" in client.get(f"/sign-in/{contoso.subscription.number}/")["Location"]


def test_asking_for_domains_again_and_again_is_refused(contoso):
    answers = [Client().post(CHOOSE, {"name": f"ann@{number}.example"}).status_code for number in range(31)]

    assert answers[-1] == 429
