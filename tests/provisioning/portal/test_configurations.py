"""Creating a configuration shows its secret once; refusals say why."""

import re
import time
import uuid

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY

from provisioning.models import AuditEntry, ProvisioningConfiguration, Subscription, Vault
from provisioning.services import configurations as services
from provisioning.services.peppers import digest
from provisioning.views import configuration_creation as views
from tests.factories import PASSWORD, make_admin, make_subscription, make_vault

SECRET = re.compile(r"mfms_[\w-]{49}")


@pytest.fixture
def create(contoso):
    return contoso.url("provisioning/configurations/create/")


def form_id_of(client, create):
    return re.search(r'name="form_id" value="([^"]+)"', client.get(create).content.decode())[1]


def fill(client, create, name="Live directory", license_type="1"):
    return {"name": name, "default_license_type": license_type, "form_id": form_id_of(client, create)}


def grow_old(client):
    """Let the last sign-in be ten minutes ago."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - 600}]
    session.save()


def test_creating_shows_four_values_and_stores_only_a_digest(contoso, admin, create):
    answer = admin.post(create, fill(admin, create))

    page = answer.content.decode()
    made = ProvisioningConfiguration.objects.get(name="Live directory")
    secret = SECRET.search(page)[0]
    assert made.secrets.get().digest == digest(secret)
    assert {made.tenant_url, made.token_endpoint, made.client_id, secret} <= set(re.findall(r'value="([^"]+)"', page))
    assert "no-store" in answer["Cache-Control"]
    assert made.default_license_type == 1


def test_the_audit_log_names_the_person_and_not_the_secret(contoso, admin, create):
    page = admin.post(create, fill(admin, create), headers={"X-Request-ID": "request-0001"}).content.decode()

    entry = AuditEntry.objects.filter(action="create configuration").latest("id")
    assert (entry.actor_kind, entry.actor_name, entry.actor_role) == (
        "person",
        "root@contoso.example",
        "Subscription admin",
    )
    assert (entry.address, entry.request_id) == ("127.0.0.1", "request-0001")
    assert SECRET.search(page)[0] not in str(entry.changes)


def test_sending_the_form_again_makes_nothing_and_says_that_it_was_already_shown(contoso, admin, create):
    form = fill(admin, create)
    admin.post(create, form)

    again = admin.post(create, form, follow=True)

    made = ProvisioningConfiguration.objects.get(name="Live directory")
    assert again.redirect_chain == [(contoso.url(f"provisioning/configurations/{made.pk}/"), 303)]
    assert "already shown" in again.content.decode()
    assert not SECRET.search(again.content.decode())
    assert made.secrets.count() == 1


def test_a_second_click_that_overtakes_the_session_is_known_by_the_database(contoso, admin, create, monkeypatch):
    form = fill(admin, create)
    made = []

    def lose_the_race(_request, _form, _form_id):
        monkeypatch.undo()
        made.append(admin.post(create, form))
        raise services.ConfigurationNameTaken("Live directory")

    monkeypatch.setattr(views, "_create_by", lose_the_race)

    answer = admin.post(create, form, follow=True)

    assert SECRET.search(made[0].content.decode())
    assert "already shown" in answer.content.decode()
    assert ProvisioningConfiguration.objects.filter(name="Live directory").count() == 1


def test_the_configurations_own_page_never_holds_the_secret(contoso, admin, create):
    secret = SECRET.search(admin.post(create, fill(admin, create)).content.decode())[0]
    made = ProvisioningConfiguration.objects.get(name="Live directory")

    page = admin.get(contoso.url(f"provisioning/configurations/{made.pk}/")).content.decode()

    assert secret not in page
    assert f"<code>{secret[-4:]}</code>" in page
    assert made.tenant_url in page


@pytest.mark.parametrize("name", ["contoso entra id", " CONTOSO ENTRA ID "])
def test_a_taken_name_is_refused_in_a_sentence_and_stays_in_the_form(name, contoso, admin, create):
    answer = admin.post(create, fill(admin, create, name))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "exists already. Choose another name." in page
    assert f'value="{name.strip()}"' in page or f'value="{name}"' in page
    assert 'aria-invalid="true"' in page


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Enter a name by which you will know this configuration."),
        ("name", "x" * 201, "at most 200 characters"),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("default_license_type", "7", "Select a valid choice"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(field, value, sentence, admin, create):
    answer = admin.post(create, fill(admin, create) | {field: value})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_a_form_without_its_id_is_refused(admin, create):
    answer = admin.post(create, {"name": "Live directory", "default_license_type": "1"})

    assert answer.status_code == 422
    assert not ProvisioningConfiguration.objects.filter(name="Live directory").exists()


def test_vaults_that_synchronize_users_are_named_instead_of_the_form(contoso, admin, create):
    make_vault(contoso.subscription, "Quality", user_synchronization=True)
    Vault.objects.filter(pk=contoso.contracts.pk).update(user_synchronization=True)

    page = admin.get(create).content.decode()

    assert "User synchronization is on in Contracts, Quality." in page
    assert 'name="name"' not in page


def test_a_vault_that_began_to_synchronize_meanwhile_refuses_the_form(contoso, admin, create):
    form = fill(admin, create)
    make_vault(contoso.subscription, "Quality", user_synchronization=True)

    page = admin.post(create, form).content.decode()

    assert "User synchronization is on in Quality." in page
    assert not ProvisioningConfiguration.objects.filter(name="Live directory").exists()


@pytest.mark.django_db
def test_classic_cloud_is_refused(sign_in):
    subscription = make_subscription(edition=Subscription.Edition.CLASSIC_CLOUD)
    client = sign_in(make_admin(subscription))

    page = client.get(f"/s/{subscription.number}/provisioning/configurations/create/").content.decode()

    assert "not available in the Classic cloud edition" in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_old_sign_in_has_to_be_confirmed_first(method, contoso, admin, create):
    form = fill(admin, create)
    grow_old(admin)

    answer = getattr(admin, method)(create, form)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/reauthenticate/?next=")
    assert not ProvisioningConfiguration.objects.filter(name="Live directory").exists()


def test_after_confirming_the_form_that_was_sent_is_carried_out(contoso, admin, create):
    form = fill(admin, create)
    grow_old(admin)
    confirm = admin.post(create, form)["Location"]

    wrong = admin.post(confirm, {"password": "wrong", "next": create})
    right = admin.post(confirm, {"password": PASSWORD, "next": create})

    assert "The password is wrong. Try again." in wrong.content.decode()
    assert SECRET.search(right.content.decode())
    assert ProvisioningConfiguration.objects.filter(name="Live directory").count() == 1


def test_a_recent_sign_in_needs_no_confirmation(admin, create):
    assert admin.get(create).status_code == 200


def test_pausing_and_resuming_is_said_and_audited(contoso, admin):
    page = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/")

    paused = admin.post(page + "pause/", follow=True).content.decode()
    resumed = admin.post(page + "resume/", follow=True).content.decode()

    assert "Contoso Entra ID is paused." in paused
    assert "Resume" in paused
    assert "Contoso Entra ID works again." in resumed
    acts = AuditEntry.objects.filter(actor_kind="person").exclude(action="sign in").values_list("action", flat=True)
    assert set(acts) == {"pause configuration", "resume configuration"}


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_looking_at_a_deeds_address_does_nothing(action, contoso, admin):
    url = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/{action}/")

    assert admin.get(url).status_code == 405


def test_an_unknown_form_id_is_a_new_form(admin, create):
    answer = admin.post(create, fill(admin, create) | {"form_id": str(uuid.uuid4())})

    assert SECRET.search(answer.content.decode())
