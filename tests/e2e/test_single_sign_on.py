"""Single sign-on in a real browser, at a real OpenID Connect provider that runs beside it, and at a hostile one."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from provisioning.models import ClientSecret, LoginAccount, PortalSession, SignOnIdentity, SingleSignOn
from provisioning.services import issuers, people
from provisioning.services.openid_provider import providers
from tests.e2e.test_portal import troubles
from tests.factories import ACTOR, NOON
from tests.single_sign_on import make_single_sign_on, serving

pytestmark = pytest.mark.e2e
ANN, BO = "ann@contoso.example", "bo@contoso.example"
PEOPLE = [
    {"sub": "subject-of-ann", "preferred_username": ANN},
    {"sub": "subject-of-bo", "preferred_username": BO},
    {"sub": "subject-of-eve", "preferred_username": "eve@contoso.example", "email": ANN},
]


@pytest.fixture(scope="module")
def idp() -> Iterator[str]:
    """Run ``oidc-provider-mock`` as a process of its own; its issuer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        *known,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        wait_for(issuer)
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(issuer: str) -> None:
    for _ in range(200):
        try:
            httpx.get(f"{issuer}/.well-known/openid-configuration", timeout=1).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("The identity provider does not start.")


@pytest.fixture(autouse=True)
def _trusting(settings) -> None:
    settings.ISSUER_HOSTS = ["*"]
    issuers.keys.cache_clear()


@pytest.fixture
def contoso(portal):
    """Where Ann and Bo, who were provisioned, have roles; Bo is disabled."""
    for account, role in ((portal.contoso.ann, "ACCESS_ADMIN"), (portal.contoso.bo, "SUBSCRIPTION_ADMIN")):
        people.set_role(account=account, role=LoginAccount.Role[role], actor=ACTOR, at=NOON)
    return portal.contoso


@contextmanager
def browsing(portal, **options) -> Iterator[Page]:
    """Open a browser that does not wait for the style sheet of the provider's pages, which lies elsewhere."""
    with portal.visit(**options) as page:
        page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body="", content_type="text/css"))
        yield page


def begin(portal, page: Page) -> None:
    page.goto(f"{portal.address}/sign-in/{portal.contoso.subscription.number}/")


def sign_on(portal, page: Page, subject: str) -> None:
    begin(portal, page)
    page.get_by_role("button", name=subject).first.click()


@pytest.mark.parametrize("has_script", [True, False])
def test_an_admin_sets_it_up_and_a_person_finds_the_way_in(portal, contoso, idp, has_script):
    with browsing(portal, java_script_enabled=has_script) as page:
        portal.sign_in(page)
        page.goto(portal.url("settings/"))
        page.get_by_role("link", name="Set up single sign-on").click()
        page.get_by_label("Issuer").fill(idp)
        page.get_by_label("Application (client) ID").fill("portal")
        page.get_by_label("Client secret").fill("whatever the provider made")
        page.get_by_role("button", name="Test it").click()
        expect(page.get_by_text("the provider knows them")).to_be_visible()
        page.get_by_label("Client secret").fill("whatever the provider made")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Single sign-on is saved.")).to_be_visible()

    with browsing(portal, java_script_enabled=has_script) as page:
        page.goto(portal.url("users/"))
        page.get_by_role("link", name="Sign in with your organization").click()
        page.get_by_label("Username or email").fill(ANN)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("link", name="Continue to Contoso").click()
        page.get_by_role("button", name="subject-of-ann").first.click()
        page.wait_for_url(portal.url("users/"))
        expect(page.get_by_role("heading", name="Internal users")).to_be_visible()
    assert SignOnIdentity.objects.get().account == contoso.ann


@pytest.mark.parametrize("subject", ["subject-of-bo", "subject-of-eve"])
def test_a_disabled_account_and_a_stranger_are_told_why_they_are_not_let_in(portal, contoso, idp, subject):
    make_single_sign_on(contoso.subscription, idp)
    with browsing(portal) as page:
        sign_on(portal, page, subject)

        expect(page.get_by_role("alert")).to_contain_text("enabled user of that name has a role in the portal")
        page.goto(portal.url())
        page.wait_for_url("**/account/login/**")
    assert not PortalSession.objects.filter(user__isnull=False).exists()


def test_who_denies_at_the_provider_can_begin_again(portal, contoso, idp):
    make_single_sign_on(contoso.subscription, idp)
    with browsing(portal) as page:
        begin(portal, page)
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
        begin(portal, page)  # this provider forgets the state when somebody denies
        page.get_by_role("button", name="subject-of-ann").first.click()
        page.wait_for_url(portal.url())


def test_going_back_does_no_harm_and_an_old_or_changed_answer_lets_nobody_in(portal, contoso, idp):
    make_single_sign_on(contoso.subscription, idp)
    with browsing(portal) as page:
        answers: list[str] = []
        page.on("request", lambda request: answers.append(request.url) if "/callback/?" in request.url else None)
        sign_on(portal, page, "subject-of-ann")
        page.wait_for_url(portal.url())
        page.goto(answers[0])
        page.wait_for_url(portal.url())
        page.go_back()
        page.goto(portal.url("users/"))
        expect(page.get_by_role("heading", name="Internal users")).to_be_visible()

        page.context.clear_cookies()
        page.goto(answers[0])
        expect(page.get_by_role("alert")).to_contain_text("This sign-in was used already")
        begin(portal, page)
        page.goto(page.url.replace("&state=", "&state=x"))
        page.get_by_role("button", name="subject-of-ann").first.click()
        expect(page.get_by_role("alert")).to_contain_text("This sign-in was used already")


def test_switching_it_off_ends_the_sessions_at_once(portal, contoso, idp):
    make_single_sign_on(contoso.subscription, idp)
    with browsing(portal) as page, browsing(portal) as admin:
        sign_on(portal, page, "subject-of-ann")
        page.wait_for_url(portal.url())
        portal.sign_in(admin)
        admin.goto(portal.url("settings/single-sign-on/"))
        expect(admin.get_by_role("cell", name="subject-of-ann")).to_be_visible()
        admin.get_by_label("People may sign in with it").uncheck()
        admin.get_by_role("button", name="Save", exact=True).click()
        expect(admin.get_by_text("Single sign-on is saved.")).to_be_visible()

        page.goto(portal.url("users/"))
        page.wait_for_url("**/account/login/**")
        expect(page.get_by_text("Your session is over")).to_be_visible()


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        ({"aud": "another application"}, "The audience is another one."),
        ({"nonce": "of another sign-in"}, "The token belongs to another sign-in."),
        ({"iss": "https://evil.example"}, "The issuer is another one."),
    ],
)
def test_a_hostile_provider_lets_nobody_in(portal, contoso, tamper, sentence):
    with serving() as hostile, browsing(portal) as page:
        make_single_sign_on(contoso.subscription, hostile.issuer)
        hostile.tamper = tamper
        begin(portal, page)

        expect(page.get_by_role("alert")).to_contain_text(sentence)
        page.goto(portal.url())
        page.wait_for_url("**/account/login/**")


def test_before_a_secret_is_revoked_the_provider_asks_again_and_the_form_goes_on(portal, contoso):
    with serving() as provider, browsing(portal) as page:
        make_single_sign_on(contoso.subscription, provider.issuer)
        secret = ClientSecret.objects.get(configuration=contoso.configuration)
        begin(portal, page)
        page.wait_for_url(portal.url())
        page.goto(portal.url(f"provisioning/secrets/{secret.pk}/revoke/"))
        page.get_by_role("link", name="Continue to 127.0.0.1").click()
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("are revoked.")).to_be_visible()
    assert provider.asked[-1]["prompt"] == "login"


@pytest.mark.parametrize("width", [1280, 375])
def test_the_pages_are_accessible_and_fit(portal, contoso, idp, width, tmp_path):
    providers.forget(idp)
    make_single_sign_on(contoso.subscription, idp)
    number = contoso.subscription.number
    found: dict[str, list[str]] = {}

    def look(page: Page, name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)
        found[name] = troubles(Axe(), page)

    with browsing(portal, viewport={"width": width, "height": 800}) as page:
        page.goto(f"{portal.address}/account/login/")
        look(page, "login")
        page.goto(f"{portal.address}/account/single-sign-on/")
        look(page, "choose")
        page.get_by_label("Username or email").fill(ANN)
        page.get_by_role("button", name="Continue").click()
        look(page, "found")
        sign_on(portal, page, "subject-of-eve")
        look(page, "refused")
        sign_on(portal, page, "subject-of-ann")
        page.wait_for_url(portal.url())
        page.goto(f"{portal.address}/account/methods/")
        look(page, "methods")
        page.goto(f"{portal.address}/account/single-sign-on/again/?next=/s/{number}/")
        look(page, "again")
    with browsing(portal, viewport={"width": width, "height": 800}) as page:
        portal.sign_in(page)
        page.goto(portal.url("settings/"))
        look(page, "settings")
        page.goto(portal.url("settings/single-sign-on/"))
        page.get_by_role("button", name="Test it").click()
        page.get_by_text("the provider knows them").wait_for()
        page.wait_for_load_state()
        look(page, "single-sign-on")
        page.goto(portal.url("settings/single-sign-on/remove/"))
        look(page, "remove")

    assert {name: what for name, what in found.items() if what} == {}
    assert SingleSignOn.objects.count() == 1
