"""A vault from its registration to its drift report: an admin in a browser, and people behind the portal's back."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.installation import Installation, embedded
from tests.e2e.walks import EMAIL, PASSWORD, create_configuration, reload_until, sign_in

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class World:
    """An installation and a vault server of its own; ``admin`` does what a person does in M-Files Admin."""

    installation: Installation
    agent_url: str
    admin: httpx.Client

    def guid(self) -> str:
        return str(self.admin.get("/v1/vaults").json()[0]["guid"])

    def users(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.admin.get(f"/v1/vaults/{self.guid()}/users").json()["items"]
        return found

    def user(self, key: str) -> dict[str, Any]:
        return next(user for user in self.users() if user["key"] == key)


def until(fact: Callable[[], bool]) -> None:
    """Wait until it is so, half a minute at most."""
    deadline = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    installation = embedded(tmp_path / "data")
    token = installation.environment["MFMANAGE_VAULT_AGENT_TOKEN"] = "of the vault agent".ljust(50, ".")
    with ExitStack() as stack:
        stack.enter_context(installation.running("serve", "--port", str(installation.port)))
        agent_url = stack.enter_context(installation.running("vaultserver", "--port", "0"))["url"]
        pools = ["--license", "named=20", "--license", "read-only=25"]
        installation.manage("createsubscription", "Contoso", *pools, "--admin", EMAIL, "--password", PASSWORD)
        headers = {"Authorization": f"Bearer {token}", "Vault-Agent-Version": "1", "Content-Type": "application/json"}
        yield World(installation, agent_url, stack.enter_context(httpx.Client(base_url=agent_url, headers=headers)))


def provision(world: World, page: Page, tmp_path: Any) -> None:
    shown = {label.lower().replace(" ", "_"): value for label, value in create_configuration(page).items()}
    assert world.installation.provision(shown, tmp_path, cycles=1)["cycles"][0]["failed"] == 0


def register_vault(world: World, page: Page) -> None:
    page.goto(world.installation.address)
    page.get_by_role("link", name="Vaults", exact=True).first.click()
    page.get_by_role("link", name="Create vault").first.click()
    page.get_by_label("Vault agent").fill("http://127.0.0.1:1")
    page.get_by_role("button", name="Ask the agent now").click()
    expect(page.get_by_text("cannot be reached").first).to_be_visible(timeout=15_000)
    page.get_by_label("Vault agent").fill(world.agent_url)
    page.get_by_role("button", name="Ask the agent now").click()
    expect(page.get_by_text("answers: version emulated")).to_be_visible()
    page.get_by_label("Name").fill("Archive")
    page.get_by_role("button", name="Create vault").click()
    expect(page.get_by_role("heading", name="Archive", level=1)).to_be_visible()


def link_legal(page: Page) -> None:
    page.get_by_role("link", name="Links", exact=True).first.click()
    page.get_by_role("link", name="Add link").first.click()
    page.get_by_label("Source user group").select_option(label="Legal")
    page.get_by_label("Create new user group").check()
    page.get_by_label("Target vault").select_option(label="Archive")
    page.get_by_label("Name of the new user group").fill("Lawyers")
    page.get_by_role("button", name="Continue…").click()
    expect(page.get_by_text("What will happen")).to_be_visible()
    page.get_by_role("button", name="Add link").click()
    reload_until(page, re.compile("In sync"))


def open_vault(world: World, page: Page) -> None:
    page.goto(world.installation.address)
    page.get_by_role("link", name="Vaults", exact=True).first.click()
    page.get_by_role("main").get_by_role("link", name="Archive").first.click()


def test_a_vault_is_registered_linked_disturbed_and_repaired(world, browser, tmp_path):
    page = browser.new_page()
    sign_in(page, world.installation.address)
    provision(world, page, tmp_path)
    register_vault(world, page)
    link_legal(page)
    users = world.users()
    assert users
    assert all(user["enabled"] for user in users)
    deleted, disabled = users[:2]

    world.admin.delete(f"/admin/vaults/{world.guid()}/users/{deleted['key']}").raise_for_status()
    open_vault(world, page)
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_role("button", name="Compare now")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="All reports").click()
    page.get_by_role("main").get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(page.get_by_text(deleted["username"]).first).to_be_visible()

    open_vault(world, page)
    page.get_by_role("link", name=str(len(users)), exact=True).click()
    row = page.get_by_role("row").filter(has_text=disabled["username"])
    row.get_by_text("Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable user").click()
    expect(page.get_by_text("Disabled by an admin").first).to_be_visible()
    until(lambda: not world.user(disabled["key"])["enabled"])
    assert world.user(deleted["key"])["enabled"]

    world.admin.patch(f"/admin/vaults/{world.guid()}", json={"user_synchronization": True}).raise_for_status()
    open_vault(world, page)
    page.get_by_role("button", name="Compare now").click()
    reload_until(page, re.compile("User synchronization is on in this vault"))
    page.goto(world.installation.address)
    expect(page.get_by_role("main").get_by_text("User synchronization is on").first).to_be_visible()
