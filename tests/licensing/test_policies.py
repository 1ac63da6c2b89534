"""A changed policy makes due what it concerns, and costs the same for many accounts as for few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import LicenseGrant
from licensing.services.due import due_subscriptions
from provisioning.models import AuditEntry, Subscription
from provisioning.services.policies import set_policies
from tests.factories import ACTOR, NOON, make_account, make_configuration, make_subscription
from tests.licensing.people import DAY, NONE, READ_ONLY, disable, has, license_of, pool, purchase, reconcile
from tests.races import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    subscription = make_subscription()
    purchase(subscription, read_only=9)
    return subscription


@pytest.fixture
def configuration(subscription):
    return make_configuration(subscription, default_license_type=READ_ONLY)


def disabled(configuration, number=1):
    """Accounts that were disabled at noon and still have their licenses."""
    accounts = [make_account(configuration) for _ in range(number)]
    reconcile(configuration.subscription)
    for account in accounts:
        disable(account)
    reconcile(configuration.subscription)
    return accounts


def change(subscription, at=NOON + DAY, **policies):
    set_policies(subscription=subscription, actor=ACTOR, at=at, **policies)


def test_release_at_once_takes_the_licenses_of_those_who_are_disabled_already(subscription, configuration):
    (gone,), kept = disabled(configuration), make_account(configuration)
    reconcile(subscription)
    assert has(gone) == READ_ONLY

    change(subscription, release_policy="at_once")

    assert due_subscriptions(NOON + DAY) == [subscription.pk]
    reconcile(subscription, now=NOON + DAY)
    assert (has(gone), has(kept)) == (NONE, READ_ONLY)
    assert pool(subscription, READ_ONLY).granted == 1
    assert due_subscriptions(NOON + DAY) == []


def test_keep_stops_a_release_that_was_on_its_way(subscription, configuration):
    (gone,) = disabled(configuration)

    change(subscription, release_policy="keep")
    reconcile(subscription, now=NOON + DAY)
    reconcile(subscription, now=NOON + 30 * DAY)

    assert has(gone) == READ_ONLY
    assert LicenseGrant.objects.get(account=gone).release_due_at is None


def test_days_count_from_the_day_of_the_disabling(subscription, configuration):
    Subscription.objects.update(release_policy="keep")
    (gone,) = disabled(configuration)

    change(subscription, release_policy="after_days", release_after_days=3)
    reconcile(subscription, now=NOON + DAY)
    assert LicenseGrant.objects.get(account=gone).release_due_at == NOON + 3 * DAY

    change(subscription, release_after_days=1)
    reconcile(subscription, now=NOON + DAY)
    assert has(gone) == NONE


def test_a_policy_that_has_nothing_to_do_with_licenses_makes_nothing_due(subscription, configuration):
    disabled(configuration)

    change(subscription, contact_name="Ann", protection_percent=5)

    assert due_subscriptions(NOON + DAY) == []


def test_seats_that_stayed_free_go_to_the_queue_when_the_vendors_policy_ends(subscription, configuration):
    change(subscription, at=NOON, release_policy="at_once", fill_policy="on_purchase")
    purchase(subscription, read_only=1)
    holder = make_account(configuration)
    reconcile(subscription)
    waiting = make_account(configuration)
    reconcile(subscription)
    disable(holder)
    reconcile(subscription)
    assert license_of(waiting) == (NONE, "waits for Read only")

    change(subscription, fill_policy="always")

    assert due_subscriptions(NOON + DAY) == [subscription.pk]
    reconcile(subscription, now=NOON + DAY)
    assert has(waiting) == READ_ONLY


def test_the_vendors_policy_gives_nobody_a_seat_by_being_chosen(subscription):
    change(subscription, fill_policy="on_purchase")

    assert pool(subscription, READ_ONLY).generation == 2


def test_the_number_of_statements_does_not_depend_on_the_number_of_accounts(subscription, configuration):
    counts = []
    for policy, number in (("keep", 1), ("at_once", 7)):
        disabled(configuration, number)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            change(subscription, release_policy=policy)
        counts.append(len(captured))

    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_policies_that_change_while_licenses_are_looked_at_neither_deadlock_nor_lose_a_change(
    subscription, configuration
):
    disabled(configuration, 9)
    before = AuditEntry.objects.filter(action="change settings").count()

    def act(number):
        if number % 2:
            return reconcile(subscription, now=NOON + DAY) and None
        return change(subscription, release_policy="keep", release_after_days=100 + number)

    assert together(6, act) == [None] * 6
    change(subscription, release_policy="at_once")
    reconcile(subscription, now=NOON + DAY)

    assert pool(subscription, READ_ONLY).granted == 0
    entries = AuditEntry.objects.filter(action="change settings").order_by("pk")[before:]
    days = [one.changes["release_after_days"] for one in entries if "release_after_days" in one.changes]
    assert [old for old, _ in days] == [7, *(new for _, new in days[:-1])]
