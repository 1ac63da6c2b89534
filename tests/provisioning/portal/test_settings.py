"""How a configuration answers: set at its creation or on its page, audited, and told."""

import re

import pytest

from provisioning.models import AuditEntry, LoginAccount, ProvisioningConfiguration
from provisioning.services.configurations import Settings, change_settings, settings_of
from tests.commandline import manage
from tests.factories import ACTOR, NOON, make_admin, make_configuration, make_subscription


@pytest.fixture
def url(contoso):
    return contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/settings/")


def kept(configuration):
    return settings_of(ProvisioningConfiguration.objects.get(pk=configuration.pk))


def test_what_is_chosen_is_saved_said_and_shown(contoso, admin, url):
    form = {"adopts_manual_accounts": "on", "user_patch_status": "204", "accepts_bare_tokens": "on"}

    page = admin.post(url, form, follow=True).content.decode()

    assert kept(contoso.configuration) == Settings(True, 204, True)
    for words in ("settings of Contoso Entra ID are saved", "Adopted by a user", "204 without content", "Accepted"):
        assert words in page
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target, entry.actor_name) == (
        "change settings of configuration",
        "Contoso Entra ID",
        "root@contoso.example",
    )
    assert entry.changes == {
        "adopts_manual_accounts": [False, True],
        "user_patch_status": [200, 204],
        "accepts_bare_tokens": [False, True],
    }


def test_the_form_shows_what_holds_now(contoso, admin, url):
    ProvisioningConfiguration.objects.update(adopts_manual_accounts=True, user_patch_status=204)

    page = admin.get(url).content.decode()

    assert set(re.findall(r'<input type="(?:checkbox|radio)" name="(\w+)"[^>]* checked', page)) == {
        "adopts_manual_accounts",
        "user_patch_status",
    }
    assert re.search(r'value="204"[^>]* checked', page)
    assert "takes that account over" in page


@pytest.mark.parametrize("status", ["", "201", "x"])
def test_a_status_that_is_none_is_refused_beside_its_field(status, contoso, admin, url):
    answer = admin.post(url, {"user_patch_status": status, "accepts_bare_tokens": "on"})

    assert answer.status_code == 422
    assert kept(contoso.configuration) == Settings()


@pytest.mark.django_db
def test_settings_that_hold_already_are_no_deed():
    configuration = make_configuration()
    before = AuditEntry.objects.count()

    change_settings(configuration=configuration, settings=Settings(), actor=ACTOR, at=NOON)

    assert AuditEntry.objects.count() == before


def test_a_stranger_and_a_billing_admin_change_nothing(contoso, sign_in, url):
    form = {"user_patch_status": "204"}
    billing = make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN)

    for account in (billing, make_admin(make_subscription("Fabrikam"))):
        assert sign_in(account).post(url, form).status_code == 404

    assert kept(contoso.configuration) == Settings()


@pytest.mark.django_db(transaction=True)
def test_an_operator_sets_them_at_creation(capsys):
    make_subscription("Contoso")
    words = ["--kind", "other", "--default-license", "named", "--json"]
    chosen = ["--adopt-manual-accounts", "--user-patch-status", "204", "--accept-bare-tokens"]

    usual = manage(capsys, "createconfiguration", "Contoso", "Entra", *words)
    other = manage(capsys, "createconfiguration", "Contoso", "Okta", *words, *chosen)

    assert (usual.code, other.code) == (0, 0)
    assert kept(ProvisioningConfiguration.objects.get(name="Entra")) == Settings()
    assert kept(ProvisioningConfiguration.objects.get(name="Okta")) == Settings(True, 204, True)
    created = AuditEntry.objects.get(action="create configuration", target="Okta")
    assert created.changes["user_patch_status"] == [200, 204]
