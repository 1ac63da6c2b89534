"""What a client sees of an accident that is held (docs/scim.md, decision 18): success, and what it asked for."""

import pytest
from django.utils import timezone

from licensing.reconcilers import licenses
from provisioning.license_types import LicenseType
from provisioning.models import HeldChange, LoginAccount
from provisioning.services import held
from scim.schema import USER
from tests.factories import ACTOR, make_configuration
from tests.licensing.people import has, purchase
from tests.scim.service import Service

pytestmark = pytest.mark.django_db
DISABLE = {"op": "Replace", "path": "active", "value": "False"}
USERS, ASKED, LIMIT = 60, 24, 12


@pytest.fixture
def configuration():
    return make_configuration(default_license_type=LicenseType.NAMED)


@pytest.fixture
def service(configuration):
    return Service(configuration)


def licensed():
    return {account.username for account in LoginAccount.objects.all() if has(account) == LicenseType.NAMED}


def test_of_40_percent_who_are_disabled_half_is_held_with_license_until_somebody_allows_it(configuration, service):
    subscription = configuration.subscription
    purchase(subscription, named=USERS)
    subscription.release_policy = subscription.ReleasePolicy.AT_ONCE
    subscription.save()
    names = [f"u{number:02}@x" for number in range(USERS)]
    users = [service.make_user(name) for name in names]
    licenses.reconcile(subscription.pk, now=timezone.now())

    answers = [service.patch(f"/Users/{user}", DISABLE) for user in users[:ASKED]]
    licenses.reconcile(subscription.pk, now=timezone.now())

    assert {(answer.status, answer.body["active"]) for answer in answers} == {(200, False)}
    assert service.ask("GET", "/Users?filter=active%20eq%20false&count=0").body["totalResults"] == ASKED
    assert licensed() == set(names[LIMIT:])

    waiting = list(HeldChange.objects.values_list("pk", flat=True))
    held.allow(subscription=subscription, ids=waiting, actor=ACTOR, at=timezone.now())
    licenses.reconcile(subscription.pk, now=timezone.now())

    assert len(waiting) == ASKED - LIMIT
    assert licensed() == set(names[ASKED:])
    assert service.ask("GET", f"/Users/{users[ASKED - 1]}").body["active"] is False


def test_a_held_removal_is_gone_for_the_client_and_comes_back_as_a_new_user(configuration, service):
    users = [service.make_user(f"u{number}@x") for number in range(11)]
    group = service.make_group("G", members=[{"value": user} for user in users])

    statuses = {service.ask("DELETE", f"/Users/{user}").status for user in users}

    assert statuses == {204}
    assert HeldChange.objects.count() == 1
    assert service.ask("GET", f"/Users/{users[-1]}").status == 404
    assert "members" not in service.ask("GET", f"/Groups/{group}").body
    again = service.make_user("u10@x")
    assert again not in users
    assert service.ask("GET", f"/Users/{again}").body["active"] is True
    assert "groups" not in service.ask("GET", f"/Users/{again}").body
    assert HeldChange.objects.get().decision == HeldChange.Decision.WITHDRAWN


@pytest.mark.parametrize("decision", [held.allow, held.reject])
def test_neither_decision_changes_what_the_client_sees(decision, configuration, service):
    users = [service.make_user(f"u{number}@x") for number in range(11)]
    for user in users:
        service.patch(f"/Users/{user}", DISABLE)
    [change] = HeldChange.objects.all()

    decision(subscription=configuration.subscription, ids=[change.pk], actor=ACTOR, at=timezone.now())
    repeated = service.patch(f"/Users/{users[-1]}", DISABLE)

    assert repeated.body["active"] is False
    assert repeated.body["schemas"] == [USER.schema.urn]
    enabled = service.patch(f"/Users/{users[-1]}", {**DISABLE, "value": "True"})
    assert enabled.body["active"] is True
    assert LoginAccount.objects.get(pk=change.account_id).is_enabled
