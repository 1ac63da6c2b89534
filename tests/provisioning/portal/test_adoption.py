"""Who lets a configuration adopt manual accounts: by adoption an admin's account can be taken over (decision 15)."""

import re
from html import unescape

import pytest

from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, LoginAccount, ProvisioningConfiguration
from provisioning.services import configurations
from provisioning.services.configurations import AdoptionOutOfReach, Settings, settings_of
from tests.factories import ACTOR, NOON, make_admin, make_configuration, make_subscription
from tests.provisioning.deeds import LATER

Kind, Role = ProvisioningConfiguration.Kind, LoginAccount.Role
BOX = re.compile(r'<input type="checkbox" name="adopts_manual_accounts"[^>]*>')
WHO = "Only a Subscription admin can switch this on"
REFUSED = "Only a Subscription admin can let a configuration adopt manual accounts"
FORM = {"user_patch_status": "200", "token_lifetime": "3600"}
ON = FORM | {"adopts_manual_accounts": "on"}


@pytest.fixture
def url(contoso):
    return contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/settings/")


@pytest.fixture
def create(contoso):
    return contoso.url("provisioning/configurations/create/")


@pytest.fixture
def access(contoso, sign_in):
    return sign_in(make_admin(contoso.subscription, role=Role.ACCESS_ADMIN))


def person(role):
    return Actor(kind="person", name="somebody", role=role.label)


def kept(configuration):
    return settings_of(ProvisioningConfiguration.objects.get(pk=configuration.pk))


def adopt(configuration):
    configurations.change_settings(configuration=configuration, settings=Settings(True), actor=ACTOR, at=NOON)


def text(answer):
    return unescape(answer.content.decode())


def box(answer):
    """Return whether the choice is checked, and whether it is disabled."""
    [found] = BOX.findall(answer.content.decode())
    return " checked" in found, " disabled" in found


def test_an_access_admin_sees_that_adoption_is_off_and_who_can_switch_it_on(access, url):
    page = access.get(url)

    assert box(page) == (False, True)
    assert WHO in text(page)


def test_a_forged_form_of_an_access_admin_is_refused_and_saves_nothing(contoso, access, url):
    before = AuditEntry.objects.count()

    answer = access.post(url, ON | {"user_patch_status": "204"})

    assert answer.status_code == 422
    assert REFUSED in text(answer)
    assert box(answer) == (False, True)
    assert kept(contoso.configuration) == Settings()
    assert AuditEntry.objects.count() == before


def test_an_access_admin_saves_other_settings_while_it_is_off(contoso, access, url):
    assert access.post(url, FORM | {"user_patch_status": "204"}).status_code == 303

    assert kept(contoso.configuration) == Settings(user_patch_status=204)


def test_an_access_admin_saves_other_settings_while_it_is_on(contoso, access, url):
    adopt(contoso.configuration)

    page = access.get(url)
    answer = access.post(url, ON | {"user_patch_status": "204"})

    assert box(page) == (True, False)
    assert WHO in text(page)
    assert answer.status_code == 303
    assert kept(contoso.configuration) == Settings(True, 204)


def test_an_access_admin_switches_it_off_and_not_on_again(contoso, access, url):
    adopt(contoso.configuration)

    assert access.post(url, FORM).status_code == 303
    assert kept(contoso.configuration) == Settings()
    assert access.post(url, ON).status_code == 422
    assert kept(contoso.configuration) == Settings()


def test_it_stays_off_when_somebody_switched_it_off_after_the_page_was_read(contoso, access, url, monkeypatch):
    adopt(contoso.configuration)
    change = configurations.change_settings

    def come_second(**asked):
        change(configuration=contoso.configuration, settings=Settings(), actor=ACTOR, at=LATER)
        change(**asked)

    monkeypatch.setattr(configurations, "change_settings", come_second)

    answer = access.post(url, ON)

    assert answer.status_code == 422
    assert box(answer) == (False, True)
    assert kept(contoso.configuration) == Settings()


def test_a_subscription_admin_switches_it_on(contoso, admin, url):
    page = admin.get(url)
    answer = admin.post(url, ON)

    assert box(page) == (False, False)
    assert WHO not in text(page)
    assert answer.status_code == 303
    assert kept(contoso.configuration) == Settings(True)


@pytest.mark.parametrize("kind", [Kind.GALLERY, Kind.OTHER])
def test_a_configuration_that_is_made_in_the_portal_adopts_nobody_whatever_the_form_says(access, create, kind):
    page = access.get(f"{create}?kind={kind.value}").content.decode()
    [form_id] = re.findall(r'name="form_id" value="([^"]+)"', page)
    form = {"kind": kind.value, "name": "New one", "default_license_type": "1", "form_id": form_id}

    access.post(create, form | ON)

    assert not BOX.search(page)
    assert kept(ProvisioningConfiguration.objects.get(name="New one")) == Settings()


def make(subscription, actor):
    return configurations.create_configuration(
        subscription=subscription,
        name="New one",
        kind=Kind.GALLERY,
        default_license_type=LicenseType.NONE,
        settings=Settings(True),
        actor=actor,
        at=NOON,
    ).configuration


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.NO_ROLE, Role.BILLING_ADMIN, Role.ACCESS_ADMIN])
def test_the_services_refuse_who_may_not_touch_admins(role):
    configuration = make_configuration()
    before = AuditEntry.objects.count()

    with pytest.raises(AdoptionOutOfReach, match=REFUSED):
        configurations.change_settings(
            configuration=configuration, settings=Settings(True, 204), actor=person(role), at=LATER
        )
    with pytest.raises(AdoptionOutOfReach, match=REFUSED):
        make(configuration.subscription, person(role))

    assert kept(configuration) == Settings()
    assert not ProvisioningConfiguration.objects.filter(name="New one").exists()
    assert AuditEntry.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize("actor", [person(Role.SUBSCRIPTION_ADMIN), ACTOR], ids=["admin", "operator"])
def test_the_services_let_who_may(actor):
    assert kept(make(make_subscription(), actor)) == Settings(True)
