"""An accident at the identity provider, from Entra's cycle to an admin's decision (1-product §1.3, decision 18)."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from licensing.reconcilers import licenses
from mfmanage.entra.client import Connection
from mfmanage.entra.generating import generate
from mfmanage.entra.reading import parse
from mfmanage.entra.run import run
from mfmanage.entra.state import State
from provisioning.license_types import LicenseType
from provisioning.models import HeldChange, LoginAccount, Subscription
from tests.factories import make_credentials
from tests.licensing.people import has, purchase
from tests.provisioning.held_people import disable

pytestmark = pytest.mark.e2e
USERS, ASKED, LIMIT = 60, 24, 12


def directory():
    """Return 60 users, of whom 40 % are disabled in the second cycle."""
    document = generate(USERS, 1)
    people = sorted(document["users"], key=lambda one: one["userPrincipalName"])
    disabled = [{"id": one["id"], "accountEnabled": False} for one in people[:ASKED]]
    return {**document, "changes": [{"users": disabled}]}


def reconcile(subscription):
    licenses.reconcile(subscription.pk, now=timezone.now())


def licensed(configuration):
    accounts = LoginAccount.objects.filter(configuration=configuration)
    return sum(has(account) == LicenseType.NAMED for account in accounts)


def test_an_accident_is_held_and_allowed_on_the_page(portal, page):
    subscription = portal.contoso.subscription
    Subscription.objects.filter(pk=subscription.pk).update(release_policy=Subscription.ReleasePolicy.AT_ONCE)
    purchase(subscription, named=USERS + 10)
    credentials = make_credentials(subscription, "Accident", default_license_type=LicenseType.NAMED, at=timezone.now())
    configuration = credentials.configuration
    connection = Connection(
        tenant_url=f"{portal.address}/scim/v2/{configuration.public_id}",
        token_endpoint=f"{portal.address}/oauth/token",
        client_id=configuration.client_id,
        client_secret=credentials.client_secret,
    )
    state = State()
    assert run(connection, parse(directory()), state=state, cycles=1).failed == 0
    reconcile(subscription)
    assert licensed(configuration) == USERS

    assert run(connection, parse(directory()), state=state, cycles=1).failed == 0
    reconcile(subscription)

    people = LoginAccount.objects.filter(configuration=configuration)
    assert people.filter(is_enabled=False).count() == LIMIT
    assert people.filter(is_enabled=True, intended_active=False).count() == ASKED - LIMIT
    assert licensed(configuration) == USERS - LIMIT

    page.goto(portal.url())
    page.get_by_text("12 changes of Accident are held").get_by_role("link").click()
    page.get_by_role("button", name=re.compile("Allow all")).click()
    expect(page.get_by_role("heading", name="Allow 12 held changes?")).to_be_visible()
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("12 changes are allowed.")).to_be_visible()
    reconcile(subscription)

    assert people.filter(is_enabled=False).count() == ASKED
    assert licensed(configuration) == USERS - ASKED
    assert set(HeldChange.objects.values_list("decision", "decided_by")) == {("allowed", portal.admin.email)}
    assert run(connection, parse(directory()), state=state, cycles=1).cycles[0].writes == 0


def test_a_selected_change_is_rejected(portal, page):
    Subscription.objects.filter(pk=portal.contoso.subscription.pk).update(protection_least=0, protection_percent=0)
    disable(portal.contoso.ann)
    page.goto(portal.url("provisioning/held/"))
    page.get_by_label("Select Ann").check()
    page.get_by_role("button", name="Reject selected").click()
    page.get_by_role("button", name="Reject", exact=True).click()

    expect(page.get_by_text("1 change is rejected.")).to_be_visible()
    expect(page.get_by_role("region", name="Decided last")).to_contain_text("Rejected")
