"""The audit log in a real browser: narrowed while one types, opened, taken out, and marked when it was changed."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry
from provisioning.services.group_settings import set_group_license
from tests.factories import ACTOR, NOON
from tests.provisioning.test_audit_tampering import tamper

pytestmark = pytest.mark.e2e


@pytest.fixture
def licensed(portal):
    set_group_license(group=portal.contoso.legal, license_type=LicenseType.CONCURRENT, actor=ACTOR, at=NOON)
    return AuditEntry.objects.latest("pk")


def troubles(page: Page) -> list[str]:
    wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*(one["id"] for one in Axe().run(page).response["violations"]), *["scrolls sideways"] * wider]


def test_an_act_is_found_opened_and_taken_out(portal, page, licensed):
    page.get_by_role("link", name="Audit log").first.click()
    expect(page.get_by_text("Verified:")).to_be_visible()
    assert troubles(page) == []

    page.get_by_label("What", exact=True).select_option(label="Set license type of user group")
    page.get_by_label("Acted on, or request ID").press_sequentially("legal")
    page.wait_for_url("**q=legal**")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    page.locator("#list tbody a").first.click()

    expect(page.get_by_role("heading", name="Set license type of user group")).to_be_visible()
    expect(page.locator(".badge", has_text="Verified")).to_be_visible()
    assert troubles(page) == []
    taken = json.loads(download.value.path().read_text())
    assert [one["changes"]["license_type"][1] for one in taken] == ["concurrent", "named"]
    page.go_back()
    expect(page.get_by_label("Acted on, or request ID")).to_have_value("legal")


def test_an_entry_that_was_changed_is_marked(portal, page, licensed):
    tamper(portal.contoso.subscription, f"UPDATE {{t}} SET target = 'Finance' WHERE id = {licensed.pk}")

    page.goto(portal.url("audit/"))

    expect(page.get_by_text(f"Not verified: entry {licensed.number} is not what was written there")).to_be_visible()
    expect(page.get_by_role("row", name="Finance").locator(".badge.problem")).to_have_text("Not verified")
    assert troubles(page) == []


@pytest.mark.parametrize("width", [1280, 375])
def test_the_pages_fit_and_work_without_scripts(portal, licensed, width):
    with portal.visit(java_script_enabled=False, viewport={"width": width, "height": 800}) as page:
        portal.sign_in(page)
        page.goto(portal.url("audit/"))
        page.get_by_label("Who").fill("manage.py tests")
        page.get_by_role("button", name="Filter").click()

        expect(page).to_have_url(f"{portal.url('audit/')}?q=&who=manage.py+tests&action=&first_day=&last_day=")
        page.goto(portal.url(f"audit/{licensed.pk}/"))
        expect(page.get_by_text(licensed.digest)).to_be_visible()
