"""From the invitation to the last session: a person's whole way of signing in, in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail as outbox
from django.utils import timezone
from playwright.sync_api import expect

from provisioning.models import LoginAccount, PortalSession
from provisioning.services import password_mails
from tests.e2e.test_portal import troubles
from tests.factories import make_person
from tests.one_time_codes import code_of

pytestmark = pytest.mark.e2e
CHOSEN = "a passphrase that nobody knows"
NAME = "bob@contoso.example"


@pytest.fixture
def bob(portal):
    return make_person(portal.contoso.subscription, NAME, full_name="Bob", role=LoginAccount.Role.ACCESS_ADMIN)


def mailed_link():
    password_mails.send_due(timezone.now())
    return re.search(r"http\S+/account/password/link/\S+/", outbox.outbox[-1].body)[0]


def choose_password(page):
    page.get_by_label("New password", exact=True).fill(CHOSEN)
    page.get_by_label("New password, again").fill(CHOSEN)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text(f"Your password is set. Sign in as {NAME}.")).to_be_visible()


def enter(page, code=""):
    page.get_by_label("Username or email").fill(NAME)
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Sign in").click()
    if code:
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in").click()


def sign_in(portal, page, code=""):
    page.goto(f"{portal.address}/account/login/")
    enter(page, code)
    page.wait_for_url("**/s/*/")


def set_up_app(portal, page):
    """Set up an authenticator app; return its key and the recovery codes."""
    page.goto(f"{portal.address}/account/methods/")
    page.get_by_role("link", name="Set up").click()
    expect(page.get_by_alt_text("QR code; the key below says the same")).to_be_visible()
    key = page.get_by_label("Or type this key into it").input_value()
    page.get_by_label("Code").fill(code_of(key))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("These are shown this once.")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    return key, codes


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_invitation_to_the_last_session(has_scripts, portal, bob):
    with portal.visit(java_script_enabled=has_scripts) as page, portal.visit() as elsewhere:
        page.goto(mailed_link())
        choose_password(page)
        enter(page)
        page.wait_for_url("**/s/*/")
        key, codes = set_up_app(portal, page)
        expect(page.get_by_text("10 of 10 are left")).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        enter(page, code_of(key, later=1))
        page.wait_for_url("**/s/*/")
        sign_in(portal, elsewhere, codes[0])

        page.goto(f"{portal.address}/account/sessions/")
        expect(page.get_by_text("This browser")).to_be_visible()
        page.get_by_role("button", name=re.compile("^End session")).click()
        expect(page.get_by_text("The session is ended.")).to_be_visible()
        elsewhere.reload()
        expect(elsewhere.get_by_text("Your session is over")).to_be_visible()
    assert PortalSession.objects.filter(user=bob.user).count() == 1


def test_the_menu_leads_to_ones_own_pages_by_keyboard(portal, bob):
    with portal.visit() as page:
        page.goto(mailed_link())
        choose_password(page)
        enter(page)
        page.wait_for_url("**/s/*/")
        page.get_by_role("button", name="Account of").press("Enter")
        page.get_by_role("link", name="Sign-in methods").press("Enter")
        expect(page.get_by_role("heading", name="Sign-in methods", level=1)).to_be_visible()
        page.get_by_role("link", name="Show sessions").press("Enter")
        expect(page.get_by_role("heading", name="Sessions", level=1)).to_be_visible()
        page.get_by_role("link", name="Home").press("Enter")
        page.wait_for_url("**/s/*/")


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_have_no_accessibility_violation_and_are_not_too_wide(theme, width, portal, bob):
    axe, found = Axe(), {}
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": theme, "reduced_motion": "reduce"}
    with portal.visit(**options) as page, portal.visit() as other:
        page.goto(mailed_link())
        found["link"] = troubles(axe, page)
        choose_password(page)
        for path in ("password/forgotten/", "password/asked/"):
            page.goto(f"{portal.address}/account/{path}")
            found[path] = troubles(axe, page)
        sign_in(portal, page)
        sign_in(portal, other)
        page.goto(f"{portal.address}/account/factor/activate/")
        found["activate"] = troubles(axe, page)
        key = page.get_by_label("Or type this key into it").input_value()
        page.get_by_label("Code").fill(code_of(key))
        page.get_by_role("button", name="Turn on").click()
        found["codes"] = troubles(axe, page)
        for path in ("methods/", "sessions/", "factor/codes/", "factor/codes/make/", "factor/deactivate/"):
            page.goto(f"{portal.address}/account/{path}")
            found[path] = troubles(axe, page)
        page.get_by_role("button", name="Sign out").click()
        enter(page)
        found["code"] = troubles(axe, page)

    assert {path: trouble for path, trouble in found.items() if trouble} == {}
