"""The log and the setting up of a configuration in a real browser: live, narrowed, taken out."""

import csv
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from provisioning.services.calls import record_failure
from provisioning.services.refusals import record_refusal
from tests.factories import make_account, make_call, make_credentials, make_group

pytestmark = pytest.mark.e2e
SOON = 2_000
"""Milliseconds within which a step turns green (issue 3)."""


@pytest.fixture
def new(portal):
    """A configuration that nobody has called yet, with its secret."""
    return make_credentials(portal.contoso.subscription, "New tenant", at=timezone.now())


def open_page(portal, page: Page, configuration: ProvisioningConfiguration, part: str = "") -> None:
    page.goto(portal.url(f"provisioning/configurations/{configuration.pk}/{part}"))


def ask_for_token(portal, credentials, secret: str = "") -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": credentials.configuration.client_id}
    return httpx.post(
        f"{portal.address}/oauth/token", data={**form, "client_secret": secret or credentials.client_secret}, timeout=30
    )


def ask(portal, credentials, token: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{portal.address}/scim/v2/{credentials.configuration.public_id}{path}"
    httpx.get(url, headers=headers, timeout=30)


def test_each_step_turns_green_within_two_seconds_of_happening(portal, page, new):
    open_page(portal, page, new.configuration)
    panel = page.get_by_role("region", name="First steps")
    green = panel.locator("li.done")
    expect(panel.get_by_role("listitem")).to_have_count(4)
    expect(green).to_have_count(0)

    token = ask_for_token(portal, new).json()["access_token"]
    expect(green).to_have_count(1, timeout=SOON)
    ask(portal, new, token, f'/Users?filter=userName eq "{uuid4()}"')
    expect(green).to_have_count(2, timeout=SOON)
    make_account(new.configuration, "ada@new.example", at=timezone.now())
    expect(green).to_have_count(3, timeout=SOON)
    make_group(new.configuration, "Sales", at=timezone.now())
    expect(green).to_have_count(4, timeout=SOON)

    expect(panel).to_contain_text("ada@new.example")
    expect(panel).to_contain_text("Sales")
    expect(panel).to_contain_text("Everything has arrived.")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(SOON)
    assert asked == [], "a complete panel asks no more"


def test_what_goes_wrong_is_explained_while_one_looks(portal, page, new):
    open_page(portal, page, new.configuration)
    panel = page.get_by_role("region", name="First steps")

    ask_for_token(portal, new, secret="mfms_wrong")
    expect(panel.get_by_text("a wrong client secret")).to_be_visible(timeout=SOON)
    token = ask_for_token(portal, new).json()["access_token"]
    expect(panel.get_by_text("a wrong client secret")).to_have_count(0, timeout=SOON)
    other = make_credentials(portal.contoso.subscription, at=timezone.now())
    ask(portal, other, token, "/Users")

    expect(panel.get_by_text("to another Tenant URL")).to_be_visible(timeout=SOON)


def test_without_scripts_the_first_steps_are_shown_and_reloading_renews_them(portal, new):
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        open_page(portal, page, new.configuration)
        expect(page.get_by_text("Reload this page to see what has happened since.")).to_be_visible()

        ask_for_token(portal, new)
        page.reload()

        expect(page.locator(".progress li.done")).to_have_count(1)


def fail(portal, name: str, **more) -> None:
    call = make_call(portal.contoso.configuration, operation="update", at=timezone.now(), **more)
    record_failure(call, status=409, detail="userName is already in use.", resource_name=name)


def test_the_log_is_narrowed_in_place_and_the_address_says_how(portal, page):
    fail(portal, "cy@contoso.example")
    page.goto(portal.url("provisioning/log/"))
    page.evaluate("window.stayed = true")
    calls = page.locator("#list tbody tr")
    expect(calls).to_have_count(4)

    page.get_by_label("Result").select_option("Failed")
    expect(calls).to_have_count(1)
    expect(page).to_have_url(portal.url("provisioning/log/?result=failed"))
    page.get_by_label("User, group or request ID").fill("nobody")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    assert page.evaluate("window.stayed")
    page.go_back()
    page.locator("#list tbody a").first.click()

    expect(page.get_by_role("heading", name="Update user")).to_be_visible()
    expect(page.get_by_text("Rename one of the two")).to_be_visible()


def test_every_call_about_somebody_is_one_click_away(portal, page):
    page.goto(portal.url("provisioning/log/?q=ann@contoso.example"))

    page.get_by_role("link", name="Show every call about this user").click()

    expect(page.get_by_text("Only calls about ann@contoso.example.")).to_be_visible()
    page.get_by_label("Operation").select_option("Create")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page).to_have_url(
        f"{portal.url('provisioning/log/')}?operation=create&resource={portal.contoso.ann.scim_id}"
    )


def test_the_file_has_what_the_filter_shows(portal, page, tmp_path):
    fail(portal, "cy@contoso.example")
    page.goto(portal.url("provisioning/log/"))
    page.get_by_label("Result").select_option("Failed")
    expect(page.locator("#list tbody tr")).to_have_count(1)

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()

    download.value.save_as(tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["Name"] for row in csv.DictReader(stream)] == ["cy@contoso.example"]


def test_without_scripts_the_log_is_narrowed_by_a_button(portal):
    fail(portal, "cy@contoso.example")
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        page.goto(portal.url("provisioning/log/"))
        page.get_by_label("About").select_option("User groups")
        page.get_by_role("button", name="Filter").click()

        expect(page.locator("#list tbody tr")).to_have_count(1)
        expect(page.get_by_role("link", name="JSON")).to_be_visible()


def test_settings_are_changed_by_keyboard(portal, page):
    open_page(portal, page, portal.contoso.configuration, "settings/")
    page.get_by_label("Adopt manual accounts").focus()
    page.keyboard.press("Space")
    page.get_by_label("204 without content").check()
    page.get_by_role("button", name="Save").press("Enter")

    expect(page.get_by_text("The settings of Contoso Entra ID are saved.")).to_be_visible()
    expect(page.get_by_text("Adopted by a user of the same username")).to_be_visible()
    assert ProvisioningConfiguration.objects.get(name="Contoso Entra ID").user_patch_status == 204


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_went_wrong_is_accessible_too(theme, portal, new):
    fail(portal, "cy.of-a-very-long-name@northern.contoso.example")
    refusal = ProvisioningConfiguration.Refusal.WRONG_SECRET
    record_refusal(configuration_id=new.configuration.pk, refusal=refusal, at=timezone.now())
    call = ProvisioningLogEntry.objects.latest("id")
    axe, found = Axe(), {}
    with portal.visit(viewport={"width": 375, "height": 800}, color_scheme=theme) as page:
        portal.sign_in(page)
        for path in (
            f"configurations/{new.configuration.pk}/",
            f"configurations/{portal.contoso.configuration.pk}/",
            f"log/{call.pk}/",
            "log/?q=ann@contoso.example",
            f"log/?resource={portal.contoso.ann.scim_id}",
        ):
            page.goto(portal.url(f"provisioning/{path}"))
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found[path] = [one["id"] for one in axe.run(page).response["violations"]] + ["too wide"] * wide

    assert not any(found.values()), found
