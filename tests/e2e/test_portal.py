"""The portal in a real browser: the credentials above all, then the manners of every page."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from provisioning.models import ProvisioningConfiguration
from tests.factories import make_account

pytestmark = pytest.mark.e2e
LABELS = ("Tenant URL", "Token endpoint", "Client ID", "Client secret")
SECRET = re.compile(r"mfms_[\w-]{49}")


def create(portal, page: Page, name: str = "Live directory") -> str:
    """Create a configuration as a person does, and return the secret that is shown."""
    page.goto(portal.url("provisioning/configurations/"))
    page.get_by_text("Create configuration").first.click()
    page.get_by_role("link", name="Microsoft Entra app gallery").click()
    page.get_by_label("Configuration name").fill(name)
    page.get_by_label("Default license type").select_option("Concurrent")
    page.get_by_role("button", name="Save").click()
    return page.get_by_label("Client secret").input_value()


def test_the_dialog_shows_what_entra_needs_and_every_button_copies(portal, page):
    secret = create(portal, page)

    made = ProvisioningConfiguration.objects.get(name="Live directory")
    expect(page.get_by_role("dialog", name="Credentials for Microsoft Entra ID")).to_be_visible()
    shown = (made.tenant_url, made.token_endpoint, made.client_id, secret)
    for label, value in zip(LABELS, shown, strict=True):
        page.get_by_role("button", name=f"Copy {label}").click()
        expect(page.get_by_text(f"{label} copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == value
    assert SECRET.fullmatch(secret)


def test_copying_works_where_the_clipboard_api_does_not(portal):
    """Pages on plain HTTP have no clipboard API: what is selected is copied in the old way."""
    with portal.visit(permissions=["clipboard-read"]) as page:
        page.add_init_script(
            "window.kept = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {value: undefined})"
        )
        portal.sign_in(page)
        secret = create(portal, page)

        page.get_by_role("button", name="Copy Client secret").click()

        expect(page.get_by_text("Client secret copied")).to_be_visible()
        assert page.evaluate("window.kept.readText()") == secret


def test_reloading_and_going_back_and_forth_never_show_the_secret_again(portal, page):
    secret = create(portal, page)

    page.reload()
    expect(page.get_by_text(f"ends with {secret[-4:]}")).to_be_visible()
    assert secret not in page.content()
    page.go_back()
    assert secret not in page.content()
    page.go_forward()
    expect(page.get_by_text(f"ends with {secret[-4:]}")).to_be_visible()
    assert secret not in page.content()
    assert ProvisioningConfiguration.objects.filter(name="Live directory").count() == 1


def test_going_back_to_the_page_that_showed_the_secret_does_not_show_it(portal, page):
    secret = create(portal, page)

    page.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_text(f"ends with {secret[-4:]}")).to_be_visible()
    page.go_back()
    page.wait_for_load_state()

    assert secret not in page.content()
    assert page.locator(f"input[value='{secret}']").count() == 0


def test_escape_does_not_close_the_dialog_before_the_secret_is_stored(portal, page):
    create(portal, page)

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_double_click_makes_one_configuration_and_shows_its_secret(portal, page):
    page.goto(portal.url("provisioning/configurations/create/"))
    page.get_by_label("Configuration name").fill("Live directory")

    page.get_by_role("button", name="Save").dblclick()

    expect(page.get_by_role("dialog")).to_be_visible()
    assert SECRET.fullmatch(page.get_by_label("Client secret").input_value())
    assert ProvisioningConfiguration.objects.filter(name="Live directory").count() == 1


def test_without_scripts_the_secret_is_shown_and_reloading_says_that_it_was(portal):
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        secret = create(portal, page)
        shown = page.content()

        page.reload()

        expect(page.get_by_text("The client secret was already shown")).to_be_visible()
        assert secret in shown
        assert secret not in page.content()
        assert ProvisioningConfiguration.objects.filter(name="Live directory").count() == 1


def test_without_scripts_lists_are_searched_and_links_are_made(portal):
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        page.goto(portal.url("users/"))
        page.get_by_label("Search by username").fill("öberg")
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page.get_by_role("link", name="Bo Öberg")).to_be_visible()
        expect(page.get_by_role("link", name="Ann Ångström")).to_have_count(0)

        page.goto(portal.url("provisioning/links/create/"))
        page.get_by_label("Source user group").select_option("Legal")
        page.get_by_label("Create new user group").check()
        page.get_by_label("Target vault").select_option("Contracts")
        page.get_by_label("Name of the new user group").fill("Team")
        page.get_by_label("Keep other members").check()
        page.get_by_role("button", name="Continue…").click()
        page.get_by_role("button", name="Add link").click()

        expect(page.get_by_text("Legal → Team is linked.")).to_be_visible()


def test_a_wrong_password_is_said_and_the_name_stays(portal):
    with portal.visit() as page:
        page.goto(portal.address + "/account/login/")
        page.get_by_label("Username or email").fill("root@contoso.example")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")

        expect(page.get_by_role("alert")).to_contain_text("The username or the password is wrong.")
        expect(page.get_by_label("Username or email")).to_have_value("root@contoso.example")


def test_typing_a_search_renews_the_list_and_the_address_in_place(portal, page):
    page.goto(portal.url("users/"))
    page.evaluate("window.stayed = true")

    page.get_by_label("Search by username").fill("öberg")

    expect(page.get_by_text("1 internal user found")).to_be_visible()
    expect(page).to_have_url(portal.url("users/?q=%C3%B6berg"))
    page.get_by_label("State").select_option("Enabled")
    expect(page.get_by_text("Nobody fits")).to_be_visible()
    assert page.evaluate("window.stayed")
    page.go_back()
    expect(page.get_by_role("link", name="Bo Öberg")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_pages_of_users_lead_on(portal, page):
    for number in range(60):
        make_account(portal.contoso.configuration, full_name=f"Many {number:02}")
    page.goto(portal.url("users/?q=many"))

    page.get_by_role("link", name="Next page").click()

    expect(page.get_by_role("link", name="Many 50")).to_be_visible()
    expect(page.get_by_label("Search by username")).to_have_value("many")


def test_the_search_in_the_bar_finds_users_from_everywhere(portal, page):
    page.goto(portal.url("vaults/"))

    page.get_by_label("Search users").fill("ångström")
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Ann Ångström")).to_be_visible()


def test_everything_can_be_done_by_keyboard(portal, page):
    page.goto(portal.url())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()

    page.get_by_role("button", name=re.compile("Account of")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Dark")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark")).to_be_hidden()

    page.goto(portal.url("provisioning/configurations/create/"))
    expect(page.get_by_label("Configuration name")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_pausing_says_what_it_will_do_before_it_does_it(portal, page):
    page.goto(portal.url(f"provisioning/configurations/{portal.contoso.configuration.pk}/"))

    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog", name="Pause Contoso Entra ID?")
    expect(dialog).to_contain_text("nothing is deleted")
    dialog.get_by_role("button", name="Pause").click()

    expect(page.get_by_text("Contoso Entra ID is paused.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Contoso Entra ID works again.")).to_be_visible()


def test_the_theme_is_chosen_in_the_account_menu(portal, page):
    page.get_by_role("button", name=re.compile("Account of")).click()
    page.get_by_role("button", name="Dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 18)"


def test_a_narrow_window_has_the_navigation_in_a_menu(portal):
    with portal.visit(viewport={"width": 375, "height": 800}) as page:
        portal.sign_in(page)
        expect(page.get_by_role("navigation", name="Main")).to_be_hidden()

        page.get_by_role("button", name="Menu").click()
        page.get_by_role("link", name="Internal users").click()

        expect(page.get_by_role("heading", name="Internal users")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_an_accessibility_violation_or_is_too_wide(theme, width, portal):
    axe, found = Axe(), {}
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": theme, "reduced_motion": "reduce"}
    with portal.visit(**options) as page:
        page.goto(portal.address + "/account/login/")
        found["sign-in"] = troubles(axe, page)
        portal.sign_in(page)
        for path in [*portal.contoso.pages(), *deeds(portal), "/account/password/change/"]:
            page.goto(portal.address + path)
            found[path] = troubles(axe, page)
        create(portal, page)
        found["credentials"] = troubles(axe, page)

    assert {path: trouble for path, trouble in found.items() if trouble} == {}


def deeds(portal) -> list[str]:
    """Return the pages that order and pin licenses, which not everybody who sees pools may open."""
    ann = portal.contoso.ann.pk
    paths = ("order/", "order/preview/?named=5&concurrent=1&read-only=0", f"pins/?row={ann}&license_type=3")
    return [portal.contoso.url(f"licenses/{path}") for path in paths]


def troubles(axe: Axe, page: Page) -> list[str]:
    """Return axe's violations with the elements, and whether the page must be scrolled sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    violations = axe.run(page).response["violations"]
    return [
        *(f"{one['id']}: {node['target']} {node['failureSummary']}" for one in violations for node in one["nodes"]),
        *([f"{wide} pixels too wide"] if wide > 0 else []),
    ]
