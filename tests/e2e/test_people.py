"""Users made by hand and by a file, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from provisioning.exports import csv_lines
from provisioning.queries import accounts, user_files
from provisioning.services import people
from provisioning.user_rows import TITLES
from tests.e2e.test_portal import troubles
from tests.factories import ACTOR, NOON, make_person

pytestmark = pytest.mark.e2e


@pytest.fixture
def bob(portal):
    return make_person(portal.contoso.subscription, "bob@contoso.example", full_name="Bob Manual")


def sheet_of(portal):
    rows = user_files.rows(accounts.internal_users(portal.contoso.subscription, accounts.Wanted()))
    return {row.username: row for row in rows}


def choose(page, *rows):
    data = "".join(csv_lines(TITLES, rows)).encode()
    page.get_by_label("CSV file").set_input_files({"name": "users.csv", "mimeType": "text/csv", "buffer": data})
    page.get_by_role("button", name="Check the file").click()


def test_without_scripts_a_user_is_created_disabled_and_deleted(portal):
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        page.goto(portal.url("users/"))
        page.get_by_role("link", name="Create user").click()
        page.get_by_label("Username").fill("cy@contoso.example")
        page.get_by_label("Full name").fill("Cy Manual")
        page.get_by_role("button", name="Create user").click()
        expect(page.get_by_text("cy@contoso.example is added.")).to_be_visible()

        page.get_by_role("button", name="Disable").click()
        page.get_by_role("link", name="Delete").click()
        page.get_by_label("Username").fill("cy@contoso.example")
        page.get_by_role("button", name="Delete for good").click()

        expect(page.get_by_text("cy@contoso.example is deleted.")).to_be_visible()


def test_a_file_is_exported_edited_and_imported(portal, bob):
    with portal.visit(java_script_enabled=False) as page:
        portal.sign_in(page)
        page.goto(portal.url("users/?q=bob"))
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV", exact=True).click()
        assert "Bob Manual" in download.value.path().read_text(encoding="utf-8")

        page.get_by_role("link", name="Import CSV").click()
        choose(page, sheet_of(portal)[bob.username]._replace(full_name="Bob Other", state="Added"))
        expect(page.get_by_text("There is a user of that name.")).to_be_visible()
        choose(page, sheet_of(portal)[bob.username]._replace(full_name="Bob Other"))
        page.get_by_role("button", name="Import 1 row").click()

        expect(page.get_by_text("1 row worked through")).to_be_visible()
    bob.refresh_from_db()
    assert bob.full_name == "Bob Other"


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_have_no_accessibility_violation_and_are_not_too_wide(theme, width, portal, bob):
    off = make_person(portal.contoso.subscription, "off@contoso.example", full_name="Off")
    people.disable_person(account=off, actor=ACTOR, at=NOON)
    axe, found, sheet = Axe(), {}, sheet_of(portal)
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": theme, "reduced_motion": "reduce"}
    with portal.visit(**options) as page:
        portal.sign_in(page)
        for path in ("", "create/", "import/", f"{bob.pk}/", f"{bob.pk}/edit/", f"{off.pk}/delete/"):
            page.goto(portal.url(f"users/{path}"))
            found[path] = troubles(axe, page)
        page.goto(portal.url("users/import/"))
        choose(page, sheet[bob.username]._replace(role="King"), sheet["ann@contoso.example"]._replace(state="Disabled"))
        found["faults"] = troubles(axe, page)
        choose(
            page,
            sheet[bob.username]._replace(full_name="Bob Other", state="Disabled"),
            sheet[off.username]._replace(state="Deleted"),
        )
        found["preview"] = troubles(axe, page)
        people.enable_person(account=off, actor=ACTOR, at=NOON)
        page.get_by_role("button", name="Import 2 rows").click()
        found["outcome"] = troubles(axe, page)

    assert {path: trouble for path, trouble in found.items() if trouble} == {}
