"""What the token endpoint gives to nobody: other grants, other scopes, the library's other pages, and hints."""

import base64
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone
from oauth2_provider.models import AccessToken
from oauth2_provider.settings import DEFAULTS
from oauth2_provider.urls import urlpatterns as toolkit_urls

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import configurations, tokens
from provisioning.services.configurations import BadTokenLifetime, Settings
from provisioning.services.secrets import make_secret
from tests.factories import ACTOR, make_configuration, make_credentials

pytestmark = pytest.mark.django_db
GRANT = "client_credentials"


@pytest.fixture
def credentials():
    return make_credentials(at=timezone.now())


def body(credentials, **changes):
    pair = {"client_id": credentials.configuration.client_id, "client_secret": credentials.client_secret}
    return {"grant_type": GRANT} | pair | changes


OTHER_GRANTS = [
    "password",
    "authorization_code",
    "refresh_token",
    "implicit",
    "hybrid",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:openid:params:grant-type:ciba",
    "CLIENT_CREDENTIALS",
    "client-credentials",
]


@pytest.mark.parametrize("grant", OTHER_GRANTS)
def test_no_other_grant_is_reachable(client, credentials, grant):
    more = dict.fromkeys(("username", "password", "code", "refresh_token", "device_code", "assertion"), "x")

    answer = client.post("/oauth/token", body(credentials, grant_type=grant, **more))

    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})
    assert not AccessToken.objects.exists()


def test_the_only_grant_gives_no_refresh_token(client, credentials):
    assert set(client.post("/oauth/token", body(credentials)).json()) == {
        "access_token",
        "expires_in",
        "scope",
        "token_type",
    }


def test_none_of_the_librarys_pages_is_served_but_the_token_endpoint(client):
    served = [str(one.pattern) for one in get_resolver("provisioning.oauth.urls").url_patterns]

    assert served == ["token"]
    assert len(toolkit_urls) > 10
    others = {str(one.pattern).partition("<")[0].strip("^$") for one in toolkit_urls} - {"token/"}
    for path in others | {".well-known/openid-configuration", ".well-known/oauth-authorization-server"}:
        assert client.get(f"/oauth/{path}").status_code == 404
        assert client.post(f"/oauth/{path}").status_code == 404
    assert client.get("/.well-known/openid-configuration").status_code == 404


def test_every_switch_of_rfc_9700_that_the_library_has_is_on():
    switches = {name for name in DEFAULTS if name.startswith("COMPLIANT_BCP_RFC9700_")}

    assert len(switches) >= 10
    assert {name for name in switches if django_settings.OAUTH2_PROVIDER.get(name) is not True} == set()


SCOPES = {
    "none": (None, 200),
    "the one": ("scim", 200),
    "twice the one": ("scim scim", 200),
    "another": ("admin", 400),
    "one too many": ("scim admin", 400),
    "in capitals": ("SCIM", 400),
    "everything": ("*", 400),
}


@pytest.mark.parametrize(("scope", "status"), SCOPES.values(), ids=SCOPES.keys())
def test_there_is_one_scope(client, credentials, scope, status):
    fields = body(credentials) if scope is None else body(credentials, scope=scope)

    answer = client.post("/oauth/token", fields)

    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"] == "invalid_scope"
        assert not AccessToken.objects.exists()


def in_the_body(client, client_id, secret):
    return client.post("/oauth/token", {"grant_type": GRANT, "client_id": client_id, "client_secret": secret})


def in_the_header(client, client_id, secret):
    header = "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return client.post("/oauth/token", {"grant_type": GRANT}, headers={"authorization": header})


def watched(ask):
    """Return an answer without what is new each time, and the statements that it took, without their values."""
    with CaptureQueriesContext(connection) as taken:
        answer = ask()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "x-request-id"}
    kinds = [(query["sql"].split()[0], query["sql"].partition(" FROM ")[0][:60]) for query in taken.captured_queries]
    return answer.status_code, answer.content, headers, kinds


@pytest.mark.parametrize("ask", [in_the_body, in_the_header])
def test_an_unknown_client_and_a_wrong_secret_are_the_same_from_outside(client, credentials, ask):
    own = credentials.configuration.client_id
    stranger = "x" * len(own)

    wrong = [watched(partial(ask, client, own, make_secret())) for _ in range(2)]
    unknown = [watched(partial(ask, client, stranger, secret)) for secret in (make_secret(), credentials.client_secret)]

    assert wrong[0] == wrong[1] == unknown[0] == unknown[1]
    status, content, _, statements = wrong[0]
    assert (status, content) == (401, b'{"error": "invalid_client"}')
    assert [kind for kind, _ in statements] == ["SELECT", "SELECT", "UPDATE"]


def test_nothing_is_the_secret_of_nobody(client, credentials):
    """What an unknown client's secret is compared with was once the digest of words that stand in the source."""
    ClientSecret.objects.update(revoked_at=timezone.now())

    for client_id in (credentials.configuration.client_id, "nobody"):
        answer = in_the_body(client, client_id, "no such client")
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_an_expired_and_a_revoked_secret_look_wrong_from_outside(client, credentials):
    own = credentials.configuration.client_id
    wrong = watched(partial(in_the_body, client, own, make_secret()))

    for field in ("expires_at", "revoked_at"):
        ClientSecret.objects.update(**{field: timezone.now() - timedelta(seconds=1)})
        assert watched(partial(in_the_body, client, own, credentials.client_secret))[:3] == wrong[:3]


def test_what_is_written_of_a_refusal_comes_after_the_answer(rf, credentials):
    from provisioning.oauth.views import ClientCredentialsTokenView

    own = credentials.configuration
    fields = body(credentials, client_secret=make_secret())

    with CaptureQueriesContext(connection) as before:
        answer = ClientCredentialsTokenView.as_view()(rf.post("/oauth/token", fields))
    assert [query["sql"].split()[0] for query in before.captured_queries] == ["SELECT"]
    own.refresh_from_db()
    assert own.refusal == ""

    for write in answer._resource_closers:  # what close() does first
        write()

    own.refresh_from_db()
    assert own.refusal == ProvisioningConfiguration.Refusal.WRONG_SECRET


@pytest.mark.parametrize("hours", [1, 2, 6])
def test_a_token_lives_as_long_as_its_configuration_says(client, credentials, hours):
    configuration, lifetime = credentials.configuration, hours * 3600
    change(configuration, lifetime)

    answer = client.post("/oauth/token", body(credentials)).json()

    assert answer["expires_in"] == lifetime
    now = timezone.now()
    knows = partial(tokens.authenticate, token=answer["access_token"], public_id=configuration.public_id)
    assert knows(at=now + timedelta(seconds=lifetime - 5)) == configuration
    with pytest.raises(tokens.TokenUnknown):
        knows(at=now + timedelta(seconds=lifetime + 1))


def test_one_configurations_lifetime_is_not_anothers(client, credentials):
    change(make_configuration(), 6 * 3600)

    assert client.post("/oauth/token", body(credentials)).json()["expires_in"] == 3600


@pytest.mark.parametrize("lifetime", [0, 3599, 21_601, 10**6])
def test_another_lifetime_is_refused_in_a_sentence(credentials, lifetime):
    with pytest.raises(BadTokenLifetime, match="60 minutes to 6 hours"):
        change(credentials.configuration, lifetime)


def change(configuration, lifetime: int) -> None:
    configurations.change_settings(
        configuration=configuration, settings=Settings(token_lifetime=lifetime), actor=ACTOR, at=timezone.now()
    )
