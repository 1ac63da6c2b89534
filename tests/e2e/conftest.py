"""A real browser in front of a real server: Chromium, driven by Playwright, and Django's live server."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from provisioning.models import LoginAccount
from tests.contoso import Contoso, make_contoso
from tests.factories import PASSWORD, make_admin

# Playwright's synchronous interface runs an event loop in the tests' thread, where Django would refuse its database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@dataclass(frozen=True)
class Portal:
    """The portal of a directory, and ways to open browsers before it."""

    address: str
    contoso: Contoso
    admin: LoginAccount
    visit: Callable[..., Any]

    def url(self, path: str = "") -> str:
        return f"{self.address}{self.contoso.url(path)}"

    def sign_in(self, page: Page, account: LoginAccount | None = None) -> None:
        page.goto(f"{self.address}/account/login/")
        page.get_by_label("Username or email").fill((account or self.admin).email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/s/*/")


@pytest.fixture
def portal(transactional_db, live_server, browser, settings) -> Iterator[Portal]:
    """Serve a directory; afterwards no page may have complained in its console, of the policy's breach least of all."""
    settings.BASE_URL = live_server.url
    contoso = make_contoso()
    complaints: list[str] = []

    @contextmanager
    def visit(**options: Any) -> Iterator[Page]:
        with ExitStack() as stack:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            stack.callback(context.close)
            yield watched(context, complaints)

    yield Portal(live_server.url, contoso, make_admin(contoso.subscription, "root@contoso.example"), visit)
    assert complaints == []


def watched(context: BrowserContext, complaints: list[str]) -> Page:
    """Return a page of which every error is written down: exceptions, the console's, failed loads.

    A form that is refused answers 422, which is no error of the page.
    """
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("console", lambda line: complaints.extend([f"{page.url}: {line.text}"] * _is_error(line)))
    return page


def _is_error(line: ConsoleMessage) -> bool:
    return line.type == "error" and "status of 422" not in line.text


@pytest.fixture
def page(portal) -> Iterator[Page]:
    """A page in which an admin has signed in."""
    with portal.visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        portal.sign_in(page)
        yield page
