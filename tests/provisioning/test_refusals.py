"""Who is turned away at the door leaves a note on the configuration, so that an admin can be told what is wrong."""

from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import rotation, tokens
from provisioning.services.refusals import record_refusal, record_refused_secret
from provisioning.services.secrets import make_secret
from tests.factories import ACTOR, NOON, make_configuration, make_credentials

pytestmark = pytest.mark.django_db
Refusal = ProvisioningConfiguration.Refusal


@pytest.fixture
def credentials():
    return make_credentials(at=timezone.now())


def ask(client, credentials, **changes):
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.configuration.client_id,
        "client_secret": credentials.client_secret,
    }
    return client.post("/oauth/token", form | changes)


def noted(configuration):
    configuration.refresh_from_db()
    return configuration.refusal


def test_a_good_secret_leaves_no_note(client, credentials):
    ask(client, credentials)

    assert noted(credentials.configuration) == ""
    assert credentials.configuration.refused_at is None


def test_a_wrong_secret(client, credentials):
    before = timezone.now()

    assert ask(client, credentials, client_secret=make_secret()).status_code == 401

    assert noted(credentials.configuration) == Refusal.WRONG_SECRET
    assert credentials.configuration.refused_at >= before
    assert credentials.configuration.first_contact_at is None


@pytest.mark.parametrize(
    ("field", "refusal"), [("expires_at", Refusal.EXPIRED_SECRET), ("revoked_at", Refusal.REVOKED_SECRET)]
)
def test_a_secret_that_was_once_right(field, refusal, client, credentials):
    ClientSecret.objects.update(**{field: timezone.now() - timedelta(seconds=1)})

    assert ask(client, credentials).status_code == 401

    assert noted(credentials.configuration) == refusal


def test_a_secret_that_is_right_was_not_refused_for_itself(credentials):
    """A pause may come between the secret and its token, which is then refused; the secret has not expired for that."""
    own = credentials.configuration
    rotation.start_rotation(configuration=own, actor=ACTOR, at=timezone.now())

    record_refused_secret(client_id=own.client_id, secret=credentials.client_secret, at=timezone.now())

    assert noted(own) == ""


def test_an_unknown_client_leaves_no_note_anywhere(client, credentials):
    assert ask(client, credentials, client_id="nobody").status_code == 401

    assert noted(credentials.configuration) == ""


def test_a_token_at_another_tenant_url_is_told_to_whose_token_it_is(client, credentials):
    other = make_configuration()
    token = ask(client, credentials).json()["access_token"]

    with pytest.raises(tokens.TokenUnknown):
        tokens.authenticate(token=token, public_id=other.public_id, at=timezone.now())

    assert noted(credentials.configuration) == Refusal.OTHER_TENANT_URL
    assert noted(other) == ""


@pytest.mark.parametrize("lifetime", [3601, 7200])
def test_an_expired_token_at_another_tenant_url_is_nobodys(lifetime, client, credentials):
    token = ask(client, credentials).json()["access_token"]

    with pytest.raises(tokens.TokenUnknown):
        tokens.authenticate(token=token, public_id="x", at=timezone.now() + timedelta(seconds=lifetime))

    assert noted(credentials.configuration) == ""


def test_repeating_it_writes_at_most_every_fifteen_seconds():
    configuration = make_configuration()
    seen = []
    for second in (0, 14, 15, 16):
        at = NOON + timedelta(seconds=second)
        record_refusal(configuration_id=configuration.pk, refusal=Refusal.WRONG_SECRET, at=at)
        configuration.refresh_from_db()
        seen.append((configuration.refused_at - NOON).seconds)

    assert seen == [0, 0, 0, 16]


def test_another_reason_is_written_at_once():
    configuration = make_configuration()
    for refusal in (Refusal.WRONG_SECRET, Refusal.EXPIRED_SECRET):
        record_refusal(configuration_id=configuration.pk, refusal=refusal, at=NOON)

    assert noted(configuration) == Refusal.EXPIRED_SECRET
