"""A pool is never oversold, however many workers give its last seats at once; and what happens without the guards."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from licensing.models import LicenseGrant, LicensePool
from licensing.reconcilers import licenses
from licensing.services import bulk, pools, presence
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount
from tests.factories import NOON, make_account, make_configuration, make_subscription
from tests.licensing.people import NAMED, NONE, disable, has, pool, purchase, reconcile
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
    take_the_lock_away(monkeypatch, WORKERS)


@pytest.fixture
def no_lock_for_two(monkeypatch):
    take_the_lock_away(monkeypatch, 2)


def take_the_lock_away(monkeypatch, workers):
    everybody_has_read = threading.Barrier(workers)

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


def reduce_and_grant(configuration):
    """Reduce to one license while a worker, who has read the pools too, gives the three that there were."""
    for _ in range(SEATS):
        make_account(configuration)

    def deed(number):
        if number:
            purchase(configuration.subscription, named=1)
        else:
            licenses._pass(configuration.subscription_id, NOON, 100)

    return [outcome for outcome in together(2, deed) if isinstance(outcome, Exception)]


def test_without_the_lock_the_database_refuses_either_the_reduction_or_the_grants(configuration, no_lock_for_two):
    (refused,) = reduce_and_grant(configuration)

    assert isinstance(refused, IntegrityError)


def test_control_without_lock_and_constraint_a_reduced_pool_grants_more_than_it_may(
    configuration, no_constraint, no_lock_for_two
):
    assert not reduce_and_grant(configuration)

    final = pool(configuration.subscription, NAMED)
    assert (final.purchased, final.ceiling) == (1, 1)
    assert final.granted == holders() == SEATS > final.ceiling


@pytest.fixture
def disabled_meanwhile(configuration, monkeypatch):
    """An account that is disabled after a worker has worked out what it wants, and before that is recorded."""
    configuration.subscription.release_policy = "at_once"
    configuration.subscription.save()
    account = make_account(configuration)
    recompute = presence.recompute

    def disable_first(*given):
        monkeypatch.setattr(presence, "recompute", recompute)
        (outcome,) = together(1, lambda _: disable(account))
        assert not isinstance(outcome, Exception)
        return recompute(*given)

    monkeypatch.setattr(presence, "recompute", disable_first)
    return account


def test_who_is_disabled_while_a_seat_is_granted_stays_due_and_gives_it_back(disabled_meanwhile):
    licenses._pass(disabled_meanwhile.subscription_id, NOON, 100)
    assert has(disabled_meanwhile) == NAMED

    reconcile(disabled_meanwhile.subscription)

    assert has(disabled_meanwhile) == NONE


def test_control_without_generations_who_was_disabled_keeps_the_seat(disabled_meanwhile, monkeypatch):
    remove = bulk.remove
    monkeypatch.setattr(bulk, "remove", lambda *given, key, **_: remove(*given, key=key, same=[]))
    licenses._pass(disabled_meanwhile.subscription_id, NOON, 100)

    reconcile(disabled_meanwhile.subscription)

    assert has(disabled_meanwhile) == NAMED


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
