"""``POST /oauth/token``: client credentials by body, by header, by both (scim-cases A-2 … A-10, E-CON-10)."""

import base64
import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import configurations, tokens
from provisioning.services.peppers import digest
from provisioning.services.secrets import make_secret
from tests.factories import ACTOR, make_credentials

pytestmark = pytest.mark.django_db
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def credentials():
    return make_credentials(at=timezone.now())


def body(credentials, **changes):
    pair = {"client_id": credentials.configuration.client_id, "client_secret": credentials.client_secret}
    return GRANT | pair | changes


def basic(client_id, secret):
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def own_header(credentials):
    return basic(credentials.configuration.client_id, credentials.client_secret)


def test_credentials_in_the_body(client, credentials):
    answer = client.post("/oauth/token", body(credentials))

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json"
    document = answer.json()
    assert (document["token_type"], document["expires_in"], document["scope"]) == ("Bearer", 3600, "scim")


def test_credentials_in_the_header(client, credentials):
    assert client.post("/oauth/token", GRANT, headers={"authorization": own_header(credentials)}).status_code == 200


def test_the_same_credentials_in_both(client, credentials):
    answer = client.post("/oauth/token", body(credentials), headers={"authorization": own_header(credentials)})

    assert answer.status_code == 200


def test_a_scope_may_be_asked_for(client, credentials):
    assert client.post("/oauth/token", body(credentials, scope="scim")).status_code == 200
    answer = client.post("/oauth/token", body(credentials, scope="everything"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


REFUSALS = {
    "wrong secret": {"client_secret": make_secret()},
    "unknown client": {"client_id": "nobody"},
    "empty secret": {"client_secret": ""},
    "no secret": {"client_secret": None},
}


@pytest.mark.parametrize("changes", REFUSALS.values(), ids=REFUSALS.keys())
def test_wrong_credentials_are_refused_alike_and_reveal_nothing(client, credentials, changes):
    fields = {key: value for key, value in body(credentials, **changes).items() if value is not None}

    answer = client.post("/oauth/token", fields)

    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client"}
    assert answer["WWW-Authenticate"] == 'Basic realm="mfmanage"'
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic /w==", "Bearer abc", basic("a", "b")])
def test_a_header_that_is_none_is_refused(client, credentials, header):
    assert client.post("/oauth/token", GRANT, headers={"authorization": header}).status_code == 401


def test_a_header_that_disagrees_with_the_body_is_refused(client, credentials):
    header = basic(credentials.configuration.client_id, make_secret())

    assert client.post("/oauth/token", body(credentials), headers={"authorization": header}).status_code == 401


def test_the_stored_digest_is_not_accepted_as_the_secret(client, credentials):
    stored = ClientSecret.objects.get().digest

    assert client.post("/oauth/token", body(credentials, client_secret=stored)).status_code == 401


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"%",
        b"grant_type=client_credentials&client_id=%00&client_secret=%00",
        b"\xff\xfe=\xff",
        b"{}",
        b"grant_type=client_credentials&grant_type=client_credentials&client_id=a&client_secret=b",
        "client_id=ü&client_secret=\ud800&grant_type=client_credentials".encode("utf-8", "surrogatepass"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(client, raw):
    answer = client.post("/oauth/token", raw, content_type="application/x-www-form-urlencoded")

    assert answer.status_code in {400, 401}
    assert set(answer.json()) <= {"error", "error_description"}


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_revoked_or_expired_secret_is_refused(client, credentials, field):
    ClientSecret.objects.update(**{field: timezone.now() - timedelta(seconds=1)})

    assert client.post("/oauth/token", body(credentials)).status_code == 401


def test_a_second_live_secret_is_accepted_too(client, credentials):
    second = make_secret()
    first = ClientSecret.objects.get()
    ClientSecret.objects.create(
        configuration=first.configuration,
        digest=digest(second),
        last_four=second[-4:],
        created_at=timezone.now(),
        expires_at=first.expires_at,
    )

    assert client.post("/oauth/token", body(credentials, client_secret=second)).status_code == 200
    assert client.post("/oauth/token", body(credentials)).status_code == 200


def test_the_token_is_stored_as_a_digest_only(client, credentials):
    token = client.post("/oauth/token", body(credentials)).json()["access_token"]

    row = AccessToken.objects.get()
    assert row.token == ""
    assert row.token_checksum == hashlib.sha256(token.encode()).hexdigest()
    assert credentials.client_secret not in str(ClientSecret.objects.values().get())


def test_the_token_opens_its_own_configuration_only(client, credentials):
    other = make_credentials().configuration
    token = client.post("/oauth/token", body(credentials)).json()["access_token"]
    now = timezone.now()

    own = tokens.authenticate(token=token, public_id=credentials.configuration.public_id, at=now)

    assert own == credentials.configuration
    for public_id in (other.public_id, "no-such-configuration"):
        with pytest.raises(tokens.TokenUnknown):
            tokens.authenticate(token=token, public_id=public_id, at=now)


def test_an_expired_token_opens_nothing(client, credentials):
    token = client.post("/oauth/token", body(credentials)).json()["access_token"]

    with pytest.raises(tokens.TokenUnknown):
        tokens.authenticate(
            token=token,
            public_id=credentials.configuration.public_id,
            at=timezone.now() + timedelta(seconds=3601),
        )


def test_a_paused_configuration_opens_nothing_until_it_is_resumed(client, credentials):
    configuration, now = credentials.configuration, timezone.now()
    token = client.post("/oauth/token", body(credentials)).json()["access_token"]
    configurations.pause_configuration(configuration=configuration, actor=ACTOR, at=now)

    with pytest.raises(tokens.ConfigurationPaused):
        tokens.authenticate(token=token, public_id=configuration.public_id, at=now)

    configurations.resume_configuration(configuration=configuration, actor=ACTOR, at=now)
    assert tokens.authenticate(token=token, public_id=configuration.public_id, at=now) == configuration


def test_using_a_secret_is_noted_and_counts_as_contact(client, credentials):
    client.post("/oauth/token", body(credentials))

    assert ClientSecret.objects.get().last_used_at is not None
    configuration = ProvisioningConfiguration.objects.get()
    assert configuration.first_contact_at == configuration.last_contact_at != None  # noqa: E711


def test_authenticating_costs_one_statement(client, credentials, django_assert_num_queries):
    token = client.post("/oauth/token", body(credentials)).json()["access_token"]

    with django_assert_num_queries(1):
        tokens.authenticate(token=token, public_id=credentials.configuration.public_id, at=timezone.now())


def test_issuing_a_token_costs_a_constant_number_of_statements(client, credentials, django_assert_num_queries):
    client.post("/oauth/token", body(credentials))

    with django_assert_num_queries(5):
        client.post("/oauth/token", body(credentials))


def test_a_secret_is_recognisable_and_hard_to_guess():
    secrets = {make_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(secret.startswith("mfms_") and len(secret) == 5 + 43 + 6 for secret in secrets)
