"""Classic configurations: Microsoft Entra calls the Tenant URL with tokens that it signs itself (1-product §1.2.3)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from provisioning.license_types import LicenseType
from provisioning.models import ProvisioningConfiguration
from provisioning.services import assertions, configurations, issuers, rotation, trust, trusted_issuers
from provisioning.services.assertions import NON_GALLERY_AUDIENCE
from provisioning.services.configurations import ClassicInTheWay
from tests.factories import ACTOR, NOON, make_configuration, make_subscription
from tests.provisioning.issuing import TENANT, Issuer, claims, rsa_key, serving, signed

pytestmark = pytest.mark.django_db
STS, V2 = f"https://sts.windows.net/{TENANT}/", f"https://login.microsoftonline.com/{TENANT}/v2.0"
OTHER_TENANT = "11112222-0000-4ccc-9111-dddd2222eeee"
Kind = ProvisioningConfiguration.Kind


@pytest.fixture
def issuer(settings) -> Iterator[Issuer]:
    issuers.keys.cache_clear()
    with serving() as found:
        settings.ENTRA_AUTHORITY, settings.ISSUER_HOSTS = found.base, ["*"]
        yield found


def make_classic(name: str = "Classic", subscription=None, tenant: str = TENANT, **more):
    return configurations.create_configuration(
        subscription=subscription or make_subscription(),
        name=name,
        kind=Kind.CLASSIC,
        default_license_type=LicenseType.NAMED,
        trusted=trust.of_tenant(tenant, **more),
        actor=ACTOR,
        at=NOON,
    ).configuration


@pytest.fixture
def classic(issuer):
    return make_classic()


def call(configuration, token: str):
    return Client().get(
        f"/scim/v2/{configuration.public_id}/Users?count=1", headers={"authorization": f"Bearer {token}"}
    )


def entras(name: str = STS, **changes) -> dict[str, Any]:
    return claims(name, audience=NON_GALLERY_AUDIENCE) | changes


def test_it_has_a_tenant_url_and_no_secret(classic):
    assert classic.tenant_url.endswith(f"/scim/v2/{classic.public_id}")
    assert not classic.secrets.exists()
    with pytest.raises(rotation.KindHasNone, match="no client secret"):
        rotation.start_rotation(configuration=classic, actor=ACTOR, at=NOON)


def test_while_entra_publishes_no_keys_a_call_is_to_be_repeated(classic, issuer):
    issuer.faults["/keys"] = lambda: (500, {}, b"")

    answer = call(classic, signed(entras()))

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "keys of the token's issuer cannot be read" in answer.json()["detail"]
    classic.refresh_from_db()
    assert classic.refusal == ProvisioningConfiguration.Refusal.ISSUER_SILENT


@pytest.mark.parametrize("name", [STS, V2])
def test_entras_own_token_opens_it_by_either_version(classic, issuer, name):
    answer = call(classic, signed(entras(name)))

    assert answer.status_code == 200
    classic.refresh_from_db()
    assert classic.first_contact_at is not None


def test_a_users_life_through_a_classic_configuration(classic, issuer):
    headers = {"authorization": f"Bearer {signed(entras())}"}
    url = f"/scim/v2/{classic.public_id}/Users"
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@x"}

    made = Client().post(url, body, "application/scim+json", headers=headers)
    gone = Client().delete(f"{url}/{made.json()['id']}", headers=headers)

    assert (made.status_code, gone.status_code) == (201, 204)


WRONG = {
    "another tenant": {"iss": f"https://sts.windows.net/{OTHER_TENANT}/"},
    "another tenant by version 2": {"iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"},
    "nearly the issuer": {"iss": STS.rstrip("/")},
    "another audience": {"aud": "00000003-0000-0000-c000-000000000000"},
    "expired": {"exp": 1},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_another_token_of_entras_is_refused_and_an_admin_is_told(classic, issuer, changes):
    answer = call(classic, signed(entras(**changes)))

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="mfmanage", error="invalid_token"'
    classic.refresh_from_db()
    assert classic.refusal == ProvisioningConfiguration.Refusal.UNTRUSTED_TOKEN


def test_a_forged_token_is_refused(classic, issuer):
    assert call(classic, signed(entras(), key=rsa_key(1))).status_code == 401


def test_audience_and_subject_can_be_named(issuer):
    classic = make_classic(audience="api://own", subject="sync")

    assert call(classic, signed(entras(aud="api://own", sub="sync"))).status_code == 200
    assert call(classic, signed(entras(aud="api://own", sub="other"))).status_code == 401
    assert call(classic, signed(entras(sub="sync"))).status_code == 401


def test_entras_token_opens_no_other_kind_nor_another_tenants(classic, issuer):
    token = signed(entras())

    assert call(make_configuration(), token).status_code == 401
    assert call(make_configuration(kind=Kind.OTHER), token).status_code == 401
    assert call(make_classic(tenant=OTHER_TENANT), token).status_code == 401


def test_a_call_costs_one_statement_to_know_and_its_keys_are_read_once(classic, issuer, django_assert_num_queries):
    from provisioning.services.tokens import authenticate

    token, now = signed(entras()), timezone.now()
    authenticate(token=token, public_id=classic.public_id, at=now)

    with django_assert_num_queries(1):
        authenticate(token=token, public_id=classic.public_id, at=now)
    assert issuer.asked.count("/keys") == 1


def test_a_signature_is_verified_once_but_the_expiry_each_time(classic, issuer, monkeypatch):
    verified = []
    decode = assertions.jwt.PyJWS.decode
    monkeypatch.setattr(assertions.jwt.PyJWS, "decode", lambda *a, **k: verified.append(1) or decode(*a, **k))
    token, now = signed(entras()), timezone.now()

    for _ in range(5):
        assertions.check(token, assertions.trust_of(classic), at=now)

    assert len(verified) == 1
    with pytest.raises(assertions.Untrusted, match="expired"):
        assertions.check(token, assertions.trust_of(classic), at=now + timedelta(hours=2))


def test_a_verified_token_ends_with_its_key(classic, issuer, monkeypatch):
    token = signed(entras())
    call(classic, token)
    monkeypatch.setattr(issuers, "_PAUSE", 0)
    monkeypatch.setattr(issuers, "_FRESH", 0)
    issuer.keys.clear()

    assert call(classic, token).status_code == 401


def test_only_so_many_verified_tokens_are_remembered(classic, issuer, monkeypatch):
    monkeypatch.setattr(assertions, "_MOST_VERIFIED", 3)
    memory = assertions._Verified()
    monkeypatch.setattr(assertions, "_verified", memory)

    for number in range(5):
        call(classic, signed(entras(jti=number)))

    assert len(memory._keys) == 3


DEEDS = {
    "pause": (configurations.pause_configuration, 403),
    "disconnect": (configurations.disconnect_configuration, 401),
    "end trust": (trusted_issuers.distrust_issuer, 401),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_no_token_is_accepted_once_access_has_ended(classic, issuer, deed):
    end, status = DEEDS[deed]
    token = signed(entras())
    assert call(classic, token).status_code == 200

    end(configuration=classic, actor=ACTOR, at=timezone.now())

    assert call(classic, token).status_code == status


def test_another_tenant_can_be_trusted_instead(classic, issuer):
    trusted_issuers.trust_issuer(
        configuration=classic, issuer=OTHER_TENANT, subject="", audience="", actor=ACTOR, at=NOON
    )

    assert call(classic, signed(entras())).status_code == 401
    assert call(classic, signed(entras(f"https://sts.windows.net/{OTHER_TENANT}/"))).status_code == 200


@pytest.mark.parametrize("text", [TENANT, TENANT.upper(), f" {TENANT} ", STS, V2, f"{{{TENANT}}}"])
def test_the_issuer_is_a_tenant_id_however_it_is_written(text):
    assert trust.directory_id(text) == TENANT


@pytest.mark.parametrize("text", ["", "contoso", "https://evil.example/", "contoso.onmicrosoft.com", "../x"])
def test_what_is_no_tenant_id_is_said(text):
    with pytest.raises(trust.BadDirectory, match="Copy it from the overview"):
        trust.directory_id(text)


def test_a_classic_configuration_needs_a_tenant():
    with pytest.raises(trust.BadDirectory, match="missing"):
        make_configuration(kind=Kind.CLASSIC)


def make_gallery(subscription, tenant: str = ""):
    return configurations.create_configuration(
        subscription=subscription,
        name="Gallery",
        kind=Kind.GALLERY,
        default_license_type=LicenseType.NAMED,
        trusted=trust.Trusted(directory=tenant),
        actor=ACTOR,
        at=NOON,
    )


@pytest.mark.parametrize("tenant", ["", TENANT])
def test_a_gallery_configuration_waits_until_the_classic_one_is_deleted(issuer, tenant):
    subscription = make_subscription()
    make_classic("Old <one>", subscription)

    with pytest.raises(ClassicInTheWay) as refused:
        make_gallery(subscription, tenant)

    said = str(refused.value)
    assert "Delete “Old <one>” here, and disable or delete its application in Microsoft Entra ID" in said
    assert "then create the new configuration" in said
    assert not subscription.configurations.filter(kind=Kind.GALLERY).exists()


def test_a_gallery_configuration_of_another_directory_or_subscription_does_not_wait(issuer):
    subscription = make_subscription()
    make_classic(subscription=subscription)

    assert make_gallery(subscription, OTHER_TENANT).client_secret
    assert make_gallery(make_subscription()).client_secret


def test_a_deleted_classic_configuration_is_in_nobodys_way(issuer):
    from provisioning.services.deletion import delete_configuration

    subscription = make_subscription()
    delete_configuration(configuration=make_classic(subscription=subscription), actor=ACTOR, at=NOON)

    assert make_gallery(subscription, TENANT).client_secret


def test_a_classic_and_other_configurations_stand_beside_each_other(issuer):
    subscription = make_subscription()
    make_classic(subscription=subscription)

    assert make_configuration(subscription, kind=Kind.OTHER)
