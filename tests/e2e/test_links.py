"""The page of a link in a real browser: paused, changed and removed, with scripts and without."""

import pytest
from playwright.sync_api import expect

from provisioning.models import GroupLink

pytestmark = pytest.mark.e2e


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(request, portal):
    """The link's own page, reached from its vault."""
    with portal.visit(java_script_enabled=request.param) as page:
        portal.sign_in(page)
        page.goto(portal.url(f"vaults/{portal.contoso.contracts.pk}/"))
        page.get_by_role("main").get_by_role("link", name="Legal").click()
        yield page


def test_a_link_is_paused_gets_another_mode_and_is_resumed(portal, page):
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("The link is paused.")).to_be_visible()

    page.get_by_role("link", name="Change mode").click()
    page.get_by_label("Keep other members").check()
    page.get_by_role("button", name="Show what will happen").click()
    expect(page.get_by_text("This is shown as if it were resumed")).to_be_visible()
    page.get_by_role("button", name="Change mode").click()
    expect(page.get_by_text("The mode is changed.")).to_be_visible()

    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The link is resumed.")).to_be_visible()
    link = GroupLink.objects.get(pk=portal.contoso.link.pk)
    assert (link.mode, link.paused_at) == (GroupLink.Mode.MERGE, None)


def test_a_link_is_removed_and_its_members_stay(page):
    page.get_by_role("link", name="Remove…").click()
    page.get_by_label("Stay in the vault as they are").check()
    page.get_by_role("button", name="Show what will happen").click()
    expect(page.get_by_text("Nobody comes, leaves or waits.")).to_be_visible()
    page.get_by_role("button", name="Remove link").click()

    expect(page.get_by_text("The members of Lawyers stay as they are.")).to_be_visible()
    expect(page.get_by_text("No links yet")).to_be_visible()
    assert not GroupLink.objects.exists()


def test_going_back_from_the_preview_keeps_what_was_chosen(portal):
    with portal.visit() as page:
        portal.sign_in(page)
        page.goto(portal.url("provisioning/links/create/"))
        page.get_by_label("Source user group").select_option("Legal")
        page.get_by_label("Create new user group").check()
        page.get_by_label("Target vault").select_option("Contracts")
        page.get_by_label("Name of the new user group").fill("Team")
        page.get_by_role("button", name="Continue…").click()
        expect(page.get_by_role("heading", name="Link Legal to Contracts?")).to_be_visible()

        page.get_by_role("link", name="Add link", exact=True).click()

        expect(page.get_by_label("Name of the new user group")).to_have_value("Team")
        expect(page.get_by_label("Create new user group")).to_be_checked()
