"""What an admin decides about vaults, in a real browser: user groups and their members, applications, and access."""

import pytest
from playwright.sync_api import expect

from licensing.models import VaultUser
from provisioning.models import LoginAccount, VaultAccess, VaultUserGroup

pytestmark = pytest.mark.e2e


@pytest.fixture
def vault(portal):
    """The address of Contracts, of which Ann is an enabled user."""
    contoso = portal.contoso
    VaultUser.objects.create(
        subscription=contoso.subscription,
        vault=contoso.contracts,
        account=contoso.ann,
        account_uid=contoso.ann.uid,
        wanted_enabled=True,
        seen_enabled=True,
    )
    return portal.url(f"vaults/{contoso.contracts.pk}/")


def test_a_user_group_is_created_and_a_member_is_on_the_way_until_it_is_forgotten(page, vault):
    page.goto(vault)
    page.get_by_role("link", name="Names and members").click()
    page.get_by_label("Name of the new user group").fill("Team")
    page.get_by_role("button", name="Create in the vault").click()
    expect(page.get_by_text("Team is being made in the vault.")).to_be_visible()
    expect(page.get_by_text("Is being made", exact=True)).to_be_visible()

    page.get_by_label("Search the enabled users of the vault").fill("ann")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.get_by_label("Ann Ångström").check()
    page.get_by_role("button", name="Add chosen users").click()
    expect(page.get_by_text("1 member is being added.")).to_be_visible()
    expect(page.get_by_text("Is being added", exact=True)).to_be_visible()

    page.get_by_role("button", name="Forget Ann Ångström").click()
    expect(page.get_by_text("That is forgotten.")).to_be_visible()
    assert not VaultUserGroup.objects.get(name="Team").changes.exists()


def test_an_application_account_is_created_disabled_and_deleted(portal, page):
    page.goto(portal.url("applications/"))
    page.get_by_role("link", name="Create application account").click()
    page.get_by_label("Name").fill("Scanner")
    page.get_by_label("Client ID").fill("scanner-1")
    page.get_by_label("Contracts").check()
    page.get_by_role("button", name="Create application account").click()
    expect(page.get_by_role("heading", name="Scanner", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Delete…")).to_have_count(0)

    page.get_by_role("button", name="Disable").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("textbox", name="Client ID").fill("scanner")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("That is not the client ID of this account.")).to_be_visible()
    page.get_by_role("textbox", name="Client ID").fill("scanner-1")
    page.get_by_role("button", name="Delete for good").click()

    expect(page.get_by_role("heading", name="Application accounts")).to_be_visible()
    assert not LoginAccount.objects.filter(username="scanner-1").exists()


def test_access_to_a_vault_is_given_and_taken_on_the_page_of_a_user(portal, page):
    page.goto(portal.url(f"users/{portal.contoso.ann.pk}/"))
    page.get_by_label("Give access to a vault").select_option("Contracts")
    page.get_by_role("button", name="Give access").click()
    expect(page.get_by_text("Access to Contracts is given.")).to_be_visible()
    assert VaultAccess.objects.get().access == VaultAccess.Access.GIVEN

    page.get_by_role("link", name="Change access to Contracts").click()
    page.get_by_role("button", name="Take access away").click()
    expect(page.get_by_text("is taken away.")).to_be_visible()
    assert not VaultAccess.objects.filter(access=VaultAccess.Access.GIVEN).exists()
