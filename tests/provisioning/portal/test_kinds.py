"""The kinds of configurations in the portal: how each is made, and that none becomes another."""

import re

import pytest

from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, ProvisioningConfiguration
from provisioning.models.configurations import KindIsFixed
from provisioning.services import configurations, trust
from tests.factories import ACTOR, NOON, make_configuration
from tests.provisioning.issuing import TENANT

Kind = ProvisioningConfiguration.Kind
SECRET = re.compile(r"mfms_[\w-]{49}")
OTHER_TENANT = "11112222-0000-4ccc-9111-dddd2222eeee"


@pytest.fixture(autouse=True)
def _any_issuer(settings):
    settings.ISSUER_HOSTS = ["*"]


@pytest.fixture
def create(contoso):
    return contoso.url("provisioning/configurations/create/")


def fill(client, create, kind: str, **more):
    page = client.get(f"{create}?kind={kind}").content.decode()
    [form_id] = re.findall(r'name="form_id" value="([^"]+)"', page)
    assert f'name="kind" value="{kind}"' in page
    return {"kind": kind, "name": "New one", "default_license_type": "1", "form_id": form_id} | more


def make_classic(contoso, name="Classic"):
    return configurations.create_configuration(
        subscription=contoso.subscription,
        name=name,
        kind=Kind.CLASSIC,
        default_license_type=LicenseType.NAMED,
        trusted=trust.of_tenant(TENANT),
        actor=ACTOR,
        at=NOON,
    ).configuration


def test_the_list_offers_every_kind(contoso, admin):
    page = admin.get(contoso.url("provisioning/configurations/")).content.decode()

    assert all(f"?kind={kind.value}" in page and kind.label in page for kind in Kind)


def test_another_provider_gets_four_values(contoso, admin, create):
    page = admin.post(create, fill(admin, create, "other")).content.decode()

    made = ProvisioningConfiguration.objects.get(name="New one")
    assert made.kind == Kind.OTHER
    shown = set(re.findall(r'value="([^"]+)"', page))
    assert {made.tenant_url, made.token_endpoint, made.client_id, SECRET.search(page)[0]} <= shown
    assert "Entra" not in page.partition("<dialog")[2]


def test_a_classic_one_takes_an_issuer_and_gives_a_tenant_url_alone(contoso, admin, create):
    answer = admin.post(create, fill(admin, create, "classic", issuer=f" {TENANT.upper()} "), follow=True)

    made = ProvisioningConfiguration.objects.get(name="New one")
    page = answer.content.decode()
    assert (made.kind, made.directory) == (Kind.CLASSIC, TENANT)
    assert made.tenant_url in page
    assert made.client_id not in page
    assert made.token_endpoint not in page
    assert f"https://sts.windows.net/{TENANT}/" in page
    assert f"https://login.microsoftonline.com/{TENANT}/v2.0" in page
    assert not SECRET.search(page)


def test_nothing_on_the_page_of_another_provider_speaks_of_entra(contoso, admin):
    okta = make_configuration(contoso.subscription, "Okta", kind=Kind.OTHER)

    page = admin.get(contoso.url(f"provisioning/configurations/{okta.pk}/")).content.decode()

    assert "Entra" not in re.sub(r'<div class="confirm".*?</div>', "", page.partition("<main")[2], flags=re.DOTALL)


WRONG_ISSUERS = {"": "Enter the tenant ID", "contoso": "no tenant ID", "https://evil.example/": "no tenant ID"}


@pytest.mark.parametrize("issuer", WRONG_ISSUERS)
def test_an_issuer_that_is_none_is_refused_beside_its_field(contoso, admin, create, issuer):
    answer = admin.post(create, fill(admin, create, "classic", issuer=issuer))

    assert answer.status_code == 422
    assert WRONG_ISSUERS[issuer] in answer.content.decode()
    assert not ProvisioningConfiguration.objects.filter(name="New one").exists()


@pytest.mark.parametrize("directory", ["", TENANT])
def test_a_gallery_one_waits_until_the_classic_one_is_deleted_and_says_how(contoso, admin, create, directory):
    make_classic(contoso, "Old & classic")

    answer = admin.post(create, fill(admin, create, "gallery", directory=directory))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Delete “Old &amp; classic” here, and disable or delete its application in Microsoft Entra ID" in page
    assert "create the new configuration" in page
    assert not SECRET.search(page)


def test_a_gallery_one_of_another_directory_is_made(contoso, admin, create):
    make_classic(contoso)

    page = admin.post(create, fill(admin, create, "gallery", directory=OTHER_TENANT)).content.decode()

    assert SECRET.search(page)
    assert ProvisioningConfiguration.objects.get(name="New one").directory == OTHER_TENANT


def test_a_directory_that_is_none_is_said(contoso, admin, create):
    answer = admin.post(create, fill(admin, create, "gallery", directory="contoso"))

    assert answer.status_code == 422
    assert "no tenant ID" in answer.content.decode()


@pytest.mark.parametrize("kind", ["", "nonsense", "GALLERY"])
def test_a_kind_that_is_none_is_the_usual_one(contoso, admin, create, kind):
    assert 'name="kind" value="gallery"' in admin.get(f"{create}?kind={kind}").content.decode()


@pytest.mark.parametrize("kind", Kind)
def test_the_kind_never_changes(contoso, admin, kind):
    made = make_classic(contoso) if kind == Kind.CLASSIC else make_configuration(contoso.subscription, kind=kind)
    page = contoso.url(f"provisioning/configurations/{made.pk}/")
    others = [one for one in Kind if one != kind]

    for other in others:
        for part in ("settings/", "issuer/", "license/", ""):
            admin.post(page + part, {"kind": other.value, "license_type": "3", "user_patch_status": "204"})
        made.refresh_from_db()
        assert made.kind == kind
        made.kind = other
        with pytest.raises(KindIsFixed, match="create another configuration"):
            made.save()

    made.refresh_from_db()
    made.save()
    assert ProvisioningConfiguration.objects.get(pk=made.pk).kind == kind


def test_the_settings_set_how_long_tokens_live(contoso, admin):
    page = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/")
    form = {"user_patch_status": "200", "token_lifetime": "21600"}

    answer = admin.post(f"{page}settings/", form, follow=True)

    assert "Live for 6 hours" in answer.content.decode()
    contoso.configuration.refresh_from_db()
    assert contoso.configuration.token_lifetime == 21_600
    entry = AuditEntry.objects.filter(action="change settings of configuration").latest("id")
    assert entry.changes == {"token_lifetime": [3600, 21_600]}


@pytest.mark.parametrize("lifetime", ["0", "3599", "86400", "x"])
def test_another_lifetime_is_refused(contoso, admin, lifetime):
    page = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/settings/")

    assert admin.post(page, {"user_patch_status": "200", "token_lifetime": lifetime}).status_code == 422
