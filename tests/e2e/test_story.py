"""The main job, as in the README: an admin in a browser, Entra over HTTP, workers behind, a vault server beside."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, embedded
from tests.e2e.walks import EMAIL, PASSWORD, create_configuration, reload_until, sign_in

pytestmark = pytest.mark.e2e


@pytest.fixture
def installation(tmp_path) -> Iterator[Installation]:
    installation = embedded(tmp_path / "data")
    with ExitStack() as stack:
        stack.enter_context(installation.running("serve", "--port", str(installation.port)))
        vault_server = stack.enter_context(installation.running("vaultserver", "--port", "0"))
        pools = ["--license", "named=20", "--license", "read-only=25"]
        password = ["--password", PASSWORD]
        installation.manage("createsubscription", "Contoso", *pools, "--admin", EMAIL, *password)
        installation.manage("createvault", "Contoso", "Projects", "--agent-url", vault_server["url"])
        yield installation


def provision(installation: Installation, shown: dict[str, str], folder: Path) -> Any:
    """Be Entra for one cycle, with what the dialog showed."""
    credentials = {label.lower().replace(" ", "_"): value for label, value in shown.items()}
    return installation.provision(credentials, folder, cycles=1)


def test_from_the_first_sign_in_to_a_user_with_license_and_vault(installation, browser, tmp_path):
    page = browser.new_page()
    sign_in(page, installation.address)

    credentials = create_configuration(page)
    summary = provision(installation, credentials, tmp_path)
    assert summary["cycles"][0]["failed"] == 0
    assert summary["cycles"][0]["created"] == 66

    page.goto(installation.address)
    page.get_by_role("link", name="User groups").first.click()
    page.get_by_role("link", name="Legal", exact=True).click()
    page.get_by_role("combobox", name="License type").select_option(label="Named")
    page.get_by_role("button", name="Change…").click()
    page.get_by_role("button", name="Change license type").click()

    page.get_by_role("link", name="Links").first.click()
    page.get_by_role("link", name="Add link").first.click()
    page.get_by_label("Source user group").select_option(label="Legal")
    page.get_by_label("Create new user group").check()
    page.get_by_label("Target vault").select_option(label="Projects")
    page.get_by_label("Name of the new user group").fill("Lawyers")
    page.get_by_role("button", name="Continue…").click()
    page.get_by_role("button", name="Add link").click()
    reload_until(page, re.compile("In sync"))

    page.get_by_role("link", name="User groups").first.click()
    page.get_by_role("link", name="Legal", exact=True).click()
    page.locator("main td a[href*='/users/'], main th a[href*='/users/']").first.click()
    reload_until(page, re.compile("Named, from group Legal"))
    reload_until(page, re.compile("Projects"))
    assert "Additional information 1" in page.get_by_role("main").inner_text()

    summary = provision(installation, credentials, tmp_path)
    assert summary["cycles"][0]["disabled"] == 2
    assert provision(installation, credentials, tmp_path)["cycles"][0]["writes"] == 0
