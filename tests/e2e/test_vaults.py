"""The pages of a vault in a real browser: a question in a dialog, and a comparison that shows how far it is."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from licensing.models import DriftReport, VaultUser
from provisioning.models import TrustedPerson, VaultAccess
from tests.e2e.test_portal import troubles
from tests.factories import NOON

pytestmark = pytest.mark.e2e


@pytest.fixture
def users(portal):
    """The address of the users of Contracts, of whom Ann is one."""
    contoso = portal.contoso
    VaultUser.objects.create(
        subscription=contoso.subscription,
        vault=contoso.contracts,
        account=contoso.ann,
        account_uid=contoso.ann.uid,
        wanted_enabled=True,
        seen_enabled=True,
    )
    return portal.url(f"vaults/{contoso.contracts.pk}/users/")


@pytest.fixture
def vault(portal):
    return portal.url(f"vaults/{portal.contoso.contracts.pk}/")


def is_blocked():
    return VaultAccess.objects.filter(access=VaultAccess.Access.BLOCKED).exists()


def test_the_question_opens_in_a_dialog_and_closes_without_a_deed(page, users):
    page.goto(users)
    dialog = page.get_by_role("dialog", name="Disable Ann Ångström in Contracts?")
    for close in (
        lambda: dialog.get_by_role("link", name="Cancel").click(),
        lambda: page.keyboard.press("Escape"),
        lambda: page.mouse.click(5, 5),
    ):
        page.get_by_role("link", name="Disable… ann@contoso.example").click()
        expect(dialog).to_be_visible()
        close()
        expect(dialog).to_be_hidden()
    assert page.url == users
    assert not is_blocked()


def test_a_user_is_disabled_from_the_dialog_and_enabled_again(page, users):
    page.goto(users)
    page.get_by_role("link", name="Disable… ann@contoso.example").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable user").click()

    expect(page.get_by_text("is kept disabled in this vault.")).to_be_visible()
    assert is_blocked()
    page.get_by_role("button", name="Enable ann@contoso.example").click()
    expect(page.get_by_text("is enabled again if links or an admin want it.")).to_be_visible()
    assert not is_blocked()


def test_a_double_click_in_the_dialog_sends_its_form_once(page, users):
    page.goto(users)
    sent = []
    page.on("request", lambda request: sent.extend([request.url] * (request.method == "POST")))
    page.get_by_role("link", name="Disable… ann@contoso.example").click()

    page.get_by_role("dialog").get_by_role("button", name="Disable user").dblclick()

    expect(page.get_by_text("is kept disabled in this vault.")).to_be_visible()
    assert len(sent) == 1


def test_without_scripts_the_question_has_a_page_of_its_own(portal, users):
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        page.goto(users)
        page.get_by_role("link", name="Disable… ann@contoso.example").click()
        page.get_by_role("button", name="Disable user").click()

        expect(page.get_by_text("is kept disabled in this vault.")).to_be_visible()
    assert is_blocked()


@pytest.fixture
def report(portal):
    """The address of a report with findings of two kinds."""
    vault = portal.contoso.contracts
    made = DriftReport.objects.create(
        subscription=portal.contoso.subscription, vault=vault, started_at=NOON, finished_at=NOON, missing=1, different=1
    )
    for kind, detail in (("missing", "No such user in the vault."), ("different", "Another full name.")):
        made.findings.create(kind=kind, subject="ann@contoso.example", detail=detail, is_repaired=True)
    return f"drift/{made.pk}/"


def trusted(portal):
    """Return the address of a trusted person, as seen from the vault's page."""
    contoso = portal.contoso
    made = TrustedPerson.objects.create(
        subscription=contoso.subscription,
        vault=contoso.contracts,
        name="Eve",
        email="eve@partner.example",
        created_at=NOON,
    )
    return f"../../trusted/{made.pk}/"


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_have_no_accessibility_violation_and_are_not_too_wide(theme, width, portal, users, report):
    axe, found, vault = Axe(), {}, users.removesuffix("users/")
    row, person = f"users/{VaultUser.objects.get().pk}/disable/", trusted(portal)
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": theme, "reduced_motion": "reduce"}
    with portal.visit(**options) as page:
        portal.sign_in(page)
        people = ("users/", "users/?state=detached", row, person, f"{person}remove/", "../../trusted/")
        for path in ("", *people, "drift/", report, "remove/", "../create/"):
            page.goto(f"{vault}{path}")
            found[path] = troubles(axe, page)
        page.get_by_label("Address of the vault agent").fill("ftp://vaults.example")
        page.get_by_role("button", name="Ask the agent now").click()
        expect(page.get_by_text("is not an http or https address")).to_be_visible()
        found["refused"] = troubles(axe, page)
        page.goto(users)
        page.get_by_role("link", name="Disable… ann@contoso.example").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found["dialog"] = troubles(axe, page)

    assert {path: trouble for path, trouble in found.items() if trouble} == {}


def test_a_comparison_shows_how_far_it_is_and_what_it_found(page, vault):
    page.goto(vault)
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_text("Waiting for a worker to begin.")).to_be_visible()

    DriftReport.objects.update(total=4_000, users_count=1_000)
    expect(page.get_by_text("1,000 of about 4,000 users and members looked at.")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "25")

    DriftReport.objects.update(users_count=4_000, finished_at=NOON, missing=12, repaired=12)
    expect(page.get_by_role("button", name="Compare now")).to_be_visible()
    expect(page.get_by_text("Last compared")).to_be_visible()
    assert page.url == f"{vault}#comparison"
