"""Long-lived bearer tokens of *Other SCIM provider* (1-product §1.2.3): made, used, revoked, expired."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from provisioning.models import AuditEntry, BearerToken, ProvisioningConfiguration
from provisioning.services import bearer_tokens, configurations, deletion, tokens
from provisioning.services.secrets import LifetimeTooLong, is_well_formed
from tests.factories import ACTOR, make_configuration
from tests.races import together

pytestmark = pytest.mark.django_db
Kind = ProvisioningConfiguration.Kind


@pytest.fixture
def other():
    return make_configuration(kind=Kind.OTHER, at=timezone.now())


def create(configuration, **more) -> str:
    return bearer_tokens.create_token(configuration=configuration, actor=ACTOR, **({"at": timezone.now()} | more))


def call(configuration, token: str):
    url = f"/scim/v2/{configuration.public_id}/Users?count=1"
    return Client().get(url, headers={"authorization": f"Bearer {token}"})


def revoke(configuration, token: str) -> None:
    row = BearerToken.objects.get(last_four=token[-4:])
    bearer_tokens.revoke_token(configuration=configuration, token_id=row.pk, actor=ACTOR, at=timezone.now())


def test_it_opens_the_tenant_url(other):
    assert call(other, create(other)).status_code == 200


def test_it_is_recognisable_and_nothing_of_it_is_stored_but_a_keyed_digest_and_four_characters(other):
    token = create(other)

    assert token.startswith("mfmt_")
    assert is_well_formed(token)
    stored = str(BearerToken.objects.values().get()) + str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert token not in stored
    assert token[5:48] not in stored
    assert token[-4:] in stored
    assert tokens.checksum(token) not in stored


def test_it_opens_no_other_configuration_and_that_is_told(other):
    stranger, token = make_configuration(kind=Kind.OTHER), create(other)

    assert call(stranger, token).status_code == 401
    other.refresh_from_db()
    assert other.refusal == ProvisioningConfiguration.Refusal.OTHER_TENANT_URL


def test_the_stored_digest_is_not_accepted_as_the_token(other):
    create(other)
    stored = BearerToken.objects.get().digest

    assert [call(other, text).status_code for text in (stored, f"mfmt_{stored}")] == [401, 401]


def test_a_revoked_one_opens_nothing_and_that_is_told(other):
    token, second = create(other), create(other)
    revoke(other, token)

    assert [call(other, one).status_code for one in (token, second, token)] == [401, 200, 401]
    other.refresh_from_db()
    assert other.refusal == ProvisioningConfiguration.Refusal.REVOKED_TOKEN


def test_an_expired_one_opens_nothing_and_that_is_told(other):
    token = create(other, lifetime=timedelta(days=90), at=timezone.now() - timedelta(days=90))

    assert call(other, token).status_code == 401
    other.refresh_from_db()
    assert other.refusal == ProvisioningConfiguration.Refusal.EXPIRED_TOKEN


def test_an_unknown_one_is_nobodys(other):
    assert call(other, bearer_tokens.make_secret("mfmt_")).status_code == 401
    other.refresh_from_db()
    assert other.refusal == ""


ENDS = [configurations.disconnect_configuration, deletion.delete_configuration]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_what_ends_access_ends_it_too(other, end):
    token = create(other)

    end(configuration=other, actor=ACTOR, at=timezone.now())

    assert call(other, token).status_code == 401
    if end is deletion.delete_configuration:
        deletion.restore_configuration(configuration=other, actor=ACTOR, at=timezone.now())
        assert call(other, token).status_code == 401


def test_a_paused_configuration_says_so_and_keeps_it(other):
    token = create(other)
    configurations.pause_configuration(configuration=other, actor=ACTOR, at=timezone.now())
    assert call(other, token).status_code == 403

    configurations.resume_configuration(configuration=other, actor=ACTOR, at=timezone.now())
    assert call(other, token).status_code == 200


def test_authenticating_costs_one_statement(other, django_assert_num_queries):
    token, now = create(other), timezone.now()
    tokens.authenticate(token=token, public_id=other.public_id, at=now)

    with django_assert_num_queries(1):
        tokens.authenticate(token=token, public_id=other.public_id, at=now + timedelta(seconds=14))


def test_last_use_is_remembered_to_the_nearest_15_seconds(other):
    token, now = create(other), timezone.now()

    for seconds in (0, 14, 15):
        tokens.authenticate(token=token, public_id=other.public_id, at=now + timedelta(seconds=seconds))

    assert BearerToken.objects.get().last_used_at == now + timedelta(seconds=15)


def test_a_new_pepper_ends_none_and_its_digest_becomes_one_under_it(other, settings):
    token, old = create(other), settings.PEPPER
    before = BearerToken.objects.get().digest
    settings.PEPPER, settings.PREVIOUS_PEPPERS = "n" * 32, [old]

    assert call(other, token).status_code == 200

    assert BearerToken.objects.get().digest != before
    settings.PREVIOUS_PEPPERS = []
    assert call(other, token).status_code == 200


@pytest.mark.parametrize("kind", [Kind.GALLERY])
def test_other_kinds_have_none(kind):
    with pytest.raises(bearer_tokens.KindHasNone, match="Other SCIM provider"):
        create(make_configuration(kind=kind))


def test_there_are_two_at_most(other):
    first = create(other)
    create(other)

    with pytest.raises(bearer_tokens.TooManyTokens, match="Revoke"):
        create(other)
    revoke(other, first)
    assert create(other)


def test_a_form_makes_one_only(other):
    form_id = uuid.uuid4()
    create(other, form_id=form_id)

    with pytest.raises(bearer_tokens.AlreadyShown, match="already shown"):
        create(other, form_id=form_id)
    assert BearerToken.objects.count() == 1


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=-1), timedelta(days=731)])
def test_none_lives_longer_than_two_years(other, lifetime):
    with pytest.raises(LifetimeTooLong):
        create(other, lifetime=lifetime)


def test_one_that_has_ended_is_not_revoked_again(other):
    token = create(other)
    revoke(other, token)
    before = AuditEntry.objects.count()

    with pytest.raises(bearer_tokens.TokenEnded):
        revoke(other, token)
    assert AuditEntry.objects.count() == before


def test_another_configurations_token_is_not_revoked(other):
    stranger = make_configuration(kind=Kind.OTHER)
    token = create(other)

    with pytest.raises(bearer_tokens.TokenEnded):
        revoke(stranger, token)
    assert call(other, token).status_code == 200


def test_each_deed_is_in_the_audit_log(other):
    token = create(other)
    revoke(other, token)

    made, ended = AuditEntry.objects.filter(action__contains="bearer").order_by("id")
    assert (made.action, made.changes["bearer_token"]) == ("create bearer token", [None, f"…{token[-4:]}"])
    assert (ended.action, ended.changes) == ("revoke bearer token", {"bearer_token": [f"…{token[-4:]}", None]})


def test_disconnecting_says_in_the_audit_log_what_ended_with_it(other):
    endings = [create(other)[-4:] for _ in range(bearer_tokens.MOST)]
    secret, issuer = other.secrets.get().last_four, "https://issuer.example"
    ProvisioningConfiguration.objects.filter(pk=other.pk).update(issuer=issuer, subject="sync", audience="api://x")

    configurations.disconnect_configuration(configuration=other, actor=ACTOR, at=timezone.now())

    assert AuditEntry.objects.get(action="disconnect configuration").changes == {
        "client_secret": [f"…{secret}", None],
        "bearer_token": [", ".join(f"…{one}" for one in endings), None],
        "issuer": [issuer, None],
    }


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_many_forms_at_once_two_make_a_token():
    other = make_configuration(kind=Kind.OTHER)

    made = together(8, lambda _number: create(other))

    assert sum(isinstance(one, str) for one in made) == bearer_tokens.MOST
    assert all(isinstance(one, (str, bearer_tokens.TooManyTokens)) for one in made)
    assert connection.vendor == "postgresql"
