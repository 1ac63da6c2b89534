"""A pool is never oversold, however many workers give its last seats at once; and what happens without the guards."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from licensing.models import LicenseGrant, LicensePool
from licensing.reconcilers import licenses
from licensing.services import pools
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount
from tests.factories import NOON, make_account, make_configuration, make_subscription
from tests.licensing.people import NAMED, disable, pool, purchase, reconcile
from tests.races import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
WORKERS, SEATS = 64, 3


@pytest.fixture
def configuration():
    subscription = make_subscription()
    purchase(subscription, named=SEATS)
    return make_configuration(subscription, default_license_type=NAMED)


@pytest.fixture
def no_lock(monkeypatch):
    """All workers read the pools before any of them writes."""
    everybody_has_read = threading.Barrier(WORKERS)

    def read_only(subscription_id):
        found = {LicenseType(one.license_type): one for one in LicensePool.objects.filter(subscription=subscription_id)}
        everybody_has_read.wait(timeout=30)
        return found

    monkeypatch.setattr(pools, "lock", read_only)


@pytest.fixture
def no_constraint(transactional_db):
    (constraint,) = (one for one in LicensePool._meta.constraints if one.name == "pool_not_oversold")
    with connection.schema_editor() as editor:
        editor.remove_constraint(LicensePool, constraint)
    yield
    LicensePool.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(LicensePool, constraint)


def want_a_seat(configuration):
    """Let every worker make an account that no other worker can see yet, and give it a license.

    Each through a configuration of its own, because those of one configuration wait for each other to be counted.
    """
    subscription = configuration.subscription
    configurations = [make_configuration(subscription, default_license_type=NAMED) for _ in range(WORKERS)]

    def deed(number):
        with transaction.atomic():
            make_account(configurations[number], f"user{number:02}")
            licenses._pass(configuration.subscription_id, NOON, 100)

    return together(WORKERS, deed)


def holders():
    return LicenseGrant.objects.filter(granted_type=NAMED).count()


def test_the_last_seats_go_to_as_many_accounts_as_there_are_seats(configuration):
    outcomes = want_a_seat(configuration)

    assert outcomes == [None] * WORKERS
    assert holders() == pool(configuration.subscription, NAMED).granted == SEATS
    assert LicenseGrant.objects.count() == WORKERS


def test_without_the_lock_the_database_still_refuses_to_oversell(configuration, no_lock):
    outcomes = want_a_seat(configuration)

    refused = [outcome for outcome in outcomes if isinstance(outcome, IntegrityError)]
    assert len(refused) == WORKERS - SEATS
    assert holders() == SEATS


def test_control_without_lock_and_constraint_the_pool_is_oversold(configuration, no_constraint, no_lock):
    want_a_seat(configuration)

    assert holders() == WORKERS > SEATS


def test_a_reduction_against_granting_loses_no_count(configuration):
    subscription = configuration.subscription
    for _ in range(8):
        make_account(configuration)

    def deed(number):
        if number % 2:
            purchase(subscription, named=number)
        else:
            reconcile(subscription)

    assert not [outcome for outcome in together(8, deed) if isinstance(outcome, Exception)]

    reconcile(subscription)
    final = pool(subscription, NAMED)
    assert final.granted == holders() <= final.ceiling
    assert final.ceiling == max(final.purchased, final.granted)


def test_disabling_against_granting_ends_in_line(configuration):
    subscription = configuration.subscription
    accounts = [make_account(configuration) for _ in range(8)]
    subscription.release_policy = "at_once"
    subscription.save()

    def deed(number):
        if number % 2:
            disable(accounts[number])
        else:
            reconcile(subscription)

    assert not [outcome for outcome in together(8, deed) if isinstance(outcome, Exception)]

    reconcile(subscription)
    granted = LoginAccount.objects.filter(license_grant__granted_type=NAMED)
    assert granted.filter(is_enabled=True).count() == granted.count() == SEATS == pool(subscription, NAMED).granted
