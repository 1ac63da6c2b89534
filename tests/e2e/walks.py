"""What a person does again and again in the portal, for the tests that walk through an installation of their own."""

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    import re

EMAIL = "ann@contoso.example"
PASSWORD = "correct horse battery"


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page.get_by_role("heading", name="Contoso", level=1)).to_be_visible()


def create_configuration(page: Page) -> dict[str, str]:
    """Make a configuration and return what the credentials dialog shows."""
    page.get_by_role("link", name="Configurations").first.click()
    page.get_by_text("Create configuration").first.click()
    page.get_by_text("Microsoft Entra app gallery").first.click()
    page.get_by_label("Configuration name").fill("Contoso Entra ID")
    page.get_by_label("Default license type").select_option(label="Read only")
    page.get_by_role("button", name="Save").click()
    labels = ("Tenant URL", "Token endpoint", "Client ID", "Client secret")
    dialog = page.get_by_role("dialog")
    return {label: dialog.get_by_label(label, exact=True).input_value() for label in labels}


def reload_until(page: Page, text: "re.Pattern[str]") -> None:
    """Look again, as a person does, until the page says it."""
    for _ in range(60):
        if text.search(page.get_by_role("main").inner_text()):
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{text.pattern!r} never came: {page.get_by_role('main').inner_text()}")
