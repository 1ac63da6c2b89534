"""Failures of others that must never be ours (docs/security.md), each by what a client or a browser can do."""

import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, get_application_model

from provisioning.models import ClientSecret, LoginAccount, ProvisioningConfiguration, UserGroup
from provisioning.services import configurations, deletion
from provisioning.services.peppers import digest
from scim.schema import GROUP, USER
from tests.contoso import make_contoso
from tests.factories import (
    ACTOR,
    PASSWORD,
    make_admin,
    make_configuration,
    make_credentials,
    make_person,
    make_subscription,
)
from tests.scim.service import Service

pytestmark = pytest.mark.django_db
ROLE = LoginAccount.Role
SCHEMAS = [USER.schema.urn]
DISABLING = {"op": "replace", "path": "active", "value": False}
RENAMING = {"op": "replace", "path": "displayName", "value": "Eve"}


def found_by(service: Service, name: str) -> list[str]:
    body = service.ask("GET", f'/Users?filter=userName eq "{name}"').body
    return [one["id"] for one in body.get("Resources", [])]


def get_token(client: Client, credentials: configurations.Credentials, secret: str = ""):
    form = {"grant_type": "client_credentials", "client_id": credentials.configuration.client_id}
    return client.post("/oauth/token", {**form, "client_secret": secret or credentials.client_secret})


def ask_with(client: Client, token: str, configuration: ProvisioningConfiguration):
    return client.get(f"/scim/v2/{configuration.public_id}/Users", headers={"authorization": f"Bearer {token}"})


def signed_in(account: LoginAccount) -> Client:
    browser = Client()
    assert browser.post("/account/login/", {"login": account.email, "password": PASSWORD}).status_code == 302
    return browser


# Grafana, CVE-2025-41115: a numeric ``externalId`` became the internal id, that of an admin perhaps.


@pytest.fixture
def service() -> Service:
    return Service(make_configuration())


def test_an_external_id_of_whatever_kind_becomes_nobodys_id(service):
    ada = service.make_user("ada@contoso.example")
    row = LoginAccount.objects.get(scim_id=ada)

    for stolen in (str(row.pk), str(row.uid), ada):
        eve = service.make_user(f"eve-{stolen}@contoso.example", externalId=stolen, id=stolen)
        assert eve not in {ada, stolen}
        assert LoginAccount.objects.get(scim_id=eve).pk != row.pk
    row.refresh_from_db()
    assert row.username == "ada@contoso.example"


def test_a_user_is_not_reached_by_its_external_id_or_key(service):
    ada = service.make_user("ada@contoso.example", externalId="1")
    pk = LoginAccount.objects.get(scim_id=ada).pk

    for other in ("1", str(pk)):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            assert service.ask(method, f"/Users/{other}", {}).status in {400, 404}
    assert service.ask("GET", f"/Users/{ada}").body["active"] is True


def test_an_external_id_stands_for_no_group_and_no_member(service):
    ada = service.make_user("ada@contoso.example", externalId="7")
    group = service.make_group("Legal", externalId=ada, members=[{"value": "7"}])

    assert group != ada
    assert service.ask("GET", f"/Groups/{group}").body.get("members", []) == []
    assert service.ask("GET", f"/Groups/{ada}").status == 404


def test_an_external_id_that_is_changed_later_changes_no_id(service):
    ada, eve = service.make_user("ada@contoso.example"), service.make_user("eve@contoso.example")

    service.patch(f"/Users/{eve}", {"op": "replace", "value": {"externalId": ada, "id": ada}})

    assert found_by(service, "ada@contoso.example") == [ada]
    assert found_by(service, "eve@contoso.example") == [eve]


# CVE-2026-92539: the SCIM account of one organization changed and deleted users of another.


@pytest.mark.parametrize("is_same_subscription", [True, False], ids=["same subscription", "another subscription"])
def test_a_provider_reads_and_changes_nothing_of_another(is_same_subscription):
    own = make_configuration()
    other = make_configuration(own.subscription if is_same_subscription else None)
    service, victim = Service(own), Service(other)
    ada = victim.make_user("ada@contoso.example", displayName="Ada")
    legal = victim.make_group("Legal", members=[{"value": ada}])
    before = victim.ask("GET", f"/Users/{ada}").body, victim.ask("GET", f"/Groups/{legal}").body

    for path in (f"/Users/{ada}", f"/Groups/{legal}"):
        assert service.ask("GET", path).status == 404
        assert service.patch(path, RENAMING).status == 404
        schemas = [(USER if "Users" in path else GROUP).schema.urn]
        put = {"schemas": schemas, "userName": "eve@x", "displayName": "Eve"}
        assert service.ask("PUT", path, put).status == 404
        assert service.ask("DELETE", path).status == 404
    assert found_by(service, "ada@contoso.example") == []
    group = service.make_group("Ours", members=[{"value": ada}])
    assert service.ask("GET", f"/Groups/{group}").body.get("members", []) == []
    assert (victim.ask("GET", f"/Users/{ada}").body, victim.ask("GET", f"/Groups/{legal}").body) == before


def test_a_token_opens_no_other_tenant_url(client):
    own, other = make_configuration(), make_configuration()
    token = Service(own).token

    assert ask_with(client, token, own).status_code == 200
    assert ask_with(client, token, other).status_code == 401


def test_an_account_of_the_same_name_in_another_subscription_is_not_touched():
    other = make_admin(make_subscription("Fabrikam"), "root@contoso.example")
    service = Service(make_configuration(make_subscription("Contoso")))

    service.patch(f"/Users/{service.make_user('root@contoso.example')}", DISABLING)

    other.refresh_from_db()
    assert other.is_enabled
    assert other.role == ROLE.SUBSCRIPTION_ADMIN


# CVE-2026-67330: a token counted for whatever bore the name that it was made for.


def test_a_token_opens_no_configuration_of_the_same_name(client):
    own, other = (make_credentials(make_subscription(), "Entra ID") for _ in range(2))
    token = get_token(client, own).json()["access_token"]

    assert ask_with(client, token, own.configuration).status_code == 200
    assert ask_with(client, token, other.configuration).status_code == 401
    assert get_token(client, other, own.client_secret).status_code == 401


def test_a_token_opens_no_configuration_that_gets_the_name_of_a_deleted_one(client):
    old = make_credentials(name="Entra ID")
    token = get_token(client, old).json()["access_token"]
    deleted_at = timezone.now() - timedelta(days=2)
    deletion.delete_configuration(configuration=old.configuration, actor=ACTOR, at=deleted_at)
    deletion.purge(at=timezone.now())

    new = make_configuration(old.configuration.subscription, "Entra ID")

    assert ask_with(client, token, new).status_code == 401
    assert ask_with(client, token, old.configuration).status_code == 401
    assert get_token(client, old).status_code == 401


def test_a_username_that_a_provider_gives_away_takes_no_session_along():
    contoso = make_contoso()
    browser = signed_in(make_admin(contoso.subscription, "boss@contoso.example"))
    service = Service(contoso.configuration)

    refused = service.ask("POST", "/Users", {"schemas": SCHEMAS, "userName": "boss@contoso.example"})
    service.patch(f"/Users/{contoso.bo.scim_id}", {"op": "replace", "path": "userName", "value": "root@x.example"})

    assert refused.status == 409
    assert browser.get(contoso.url()).context["request"].role == ROLE.SUBSCRIPTION_ADMIN


# A nullable owner that is compared with nothing makes every check pass.


def test_a_token_of_no_client_opens_no_configuration(client):
    configuration = make_configuration()
    AccessToken.objects.create(
        application=None, token="ownerless", expires=timezone.now() + timedelta(hours=1), scope="scim"
    )

    assert ask_with(client, "ownerless", configuration).status_code == 401


def test_a_client_without_a_configuration_gets_no_token(client):
    application = get_application_model().objects.create(
        client_id="stray",
        client_secret="stray-secret",
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    form = {"grant_type": "client_credentials", "client_id": application.client_id}

    assert client.post("/oauth/token", {**form, "client_secret": "stray-secret"}).status_code == 401


def test_an_account_of_no_configuration_belongs_to_no_provider():
    configuration = make_configuration()
    manual = make_person(configuration.subscription, "ada@contoso.example")
    service = Service(configuration)

    assert found_by(service, manual.username) == []
    assert service.ask("GET", "/Users").body["totalResults"] == 0
    for name in (manual.uid, manual.pk, manual.scim_id, "None", "null", ""):
        assert service.patch(f"/Users/{name}", DISABLING).status in {400, 404, 405}
    manual.refresh_from_db()
    assert manual.is_enabled


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (ProvisioningConfiguration, "subscription"),
        (ProvisioningConfiguration, "application"),
        (ClientSecret, "configuration"),
        (LoginAccount, "subscription"),
        (UserGroup, "subscription"),
        (UserGroup, "configuration"),
    ],
)
def test_the_owners_that_checks_compare_are_never_null(model, field):
    assert not model._meta.get_field(field).null


def test_the_database_refuses_a_configuration_without_a_client():
    configuration = make_configuration()

    with pytest.raises(IntegrityError), transaction.atomic():
        ProvisioningConfiguration.objects.filter(pk=configuration.pk).update(application=None)


# CVE-2026-43640: who found a browser open could rotate a key, and read the new one.

PAGES = ("secret/", "secret/complete/", "secret/cancel/")


def test_an_old_sign_in_makes_and_ends_no_secret():
    contoso = make_contoso()
    browser = signed_in(make_admin(contoso.subscription, "root@contoso.example"))
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 301}]
    session.save()
    [secret] = ClientSecret.objects.filter(configuration=contoso.configuration)
    own = f"provisioning/configurations/{contoso.configuration.pk}/"
    before = list(ClientSecret.objects.values())

    for path in (
        *(own + page for page in PAGES),
        f"provisioning/secrets/{secret.pk}/revoke/",
        "provisioning/configurations/create/",
    ):
        for ask in (browser.get, browser.post):
            assert ask(contoso.url(path))["Location"].startswith("/account/reauthenticate/"), path
    assert list(ClientSecret.objects.values()) == before


def test_a_token_of_scim_makes_no_secret():
    contoso = make_contoso()
    service = Service(contoso.configuration)
    page = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/secret/")

    answer = Client().post(page, headers={"authorization": f"Bearer {service.token}"})

    assert answer["Location"].startswith("/account/login/")


# GitLab #363058: a provider that sent somebody's name was attached to that person's account.


def test_a_manual_admin_is_not_attached_to_a_provider():
    subscription = make_subscription()
    admin = make_admin(subscription, "root@contoso.example")
    service = Service(make_configuration(subscription))

    refused = service.ask("POST", "/Users", {"schemas": SCHEMAS, "userName": "ROOT@contoso.example", "active": False})

    assert refused.status == 409
    assert refused.body["scimType"] == "uniqueness"
    admin.refresh_from_db()
    assert (admin.configuration_id, admin.is_enabled, admin.role) == (None, True, ROLE.SUBSCRIPTION_ADMIN)
    assert signed_in(admin)


def test_an_e_mail_address_attaches_nothing():
    subscription = make_subscription()
    admin = make_admin(subscription, "root@contoso.example")
    service = Service(make_configuration(subscription))
    emails = [{"type": "work", "primary": True, "value": "root@contoso.example"}]

    eve = LoginAccount.objects.get(scim_id=service.make_user("eve", emails=emails))
    service.patch(f"/Users/{eve.scim_id}", DISABLING)

    assert eve.pk != admin.pk
    assert eve.user is None
    assert eve.role == ROLE.NO_ROLE
    admin.refresh_from_db()
    assert admin.is_enabled
    assert signed_in(admin).get(f"/s/{subscription.number}/").status_code == 200


def test_no_provider_gives_a_role_or_a_password():
    service = Service(make_configuration())
    asked = {"password": PASSWORD, "role": "Subscription admin", "roles": [{"value": "Subscription admin"}]}

    eve = LoginAccount.objects.get(scim_id=service.make_user("eve@x", **asked))

    assert (eve.role, eve.user) == (ROLE.NO_ROLE, None)


# django-oauth-toolkit #1077: the hash in the database was accepted as the secret.


def test_nothing_that_is_stored_is_accepted_as_a_secret(client):
    credentials = make_credentials()
    [secret] = ClientSecret.objects.filter(configuration=credentials.configuration)
    application = credentials.configuration.application

    assert get_token(client, credentials).status_code == 200
    for stored in (secret.digest, secret.last_four, application.client_secret, digest(secret.digest)):
        assert get_token(client, credentials, stored or "x").status_code == 401


def test_nothing_that_is_stored_is_accepted_as_a_token(client):
    credentials = make_credentials()
    token = get_token(client, credentials).json()["access_token"]
    [stored] = AccessToken.objects.filter(application=credentials.configuration.application)

    assert ask_with(client, token, credentials.configuration).status_code == 200
    for text in (stored.token_checksum, stored.token, str(stored.pk)):
        assert text != token
        assert ask_with(client, text or "x", credentials.configuration).status_code == 401


# ZITADEL, CVE-2023-22492: sessions and tokens worked on after their account was deactivated.


def test_a_session_ends_when_the_provider_disables_the_account():
    contoso = make_contoso()
    make_admin(contoso.subscription, "root@contoso.example")
    service = Service(contoso.configuration)
    ada = LoginAccount.objects.get(
        scim_id=service.make_user("ada@contoso.example", emails=[{"value": "ada@contoso.example"}])
    )
    user = make_admin(make_subscription(), "ada@contoso.example").user
    LoginAccount.objects.filter(pk=ada.pk).update(user=user, role=ROLE.ACCESS_ADMIN)
    browser = Client()
    browser.force_login(user)
    assert browser.get(contoso.url()).status_code == 200

    service.patch(f"/Users/{ada.scim_id}", DISABLING)

    assert browser.get(contoso.url()).status_code in {302, 404}
    assert browser.post(contoso.url("provisioning/configurations/create/")).status_code in {302, 404}


@pytest.mark.parametrize(
    "end",
    [
        configurations.pause_configuration,
        configurations.disconnect_configuration,
        deletion.delete_configuration,
    ],
    ids=["pause", "disconnect", "delete"],
)
def test_a_token_and_a_secret_end_with_their_configuration(end, client):
    credentials = make_credentials()
    token = get_token(client, credentials).json()["access_token"]
    assert ask_with(client, token, credentials.configuration).status_code == 200

    end(configuration=credentials.configuration, actor=ACTOR, at=timezone.now())

    assert ask_with(client, token, credentials.configuration).status_code in {401, 403}
    assert get_token(client, credentials).status_code in {400, 401}
