"""An account that is deleted for good gives its license back; its vault users stay, detached and disabled."""

import pytest

from licensing.models import LicenseGrant, VaultUser, VaultUserMembership
from licensing.services import choices, due
from provisioning.models import DueAccount, LoginAccount, Subscription
from provisioning.services import people
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_configuration,
    make_group,
    make_link,
    make_person,
    make_vault,
)
from tests.licensing.people import MINUTE, NAMED, READ_ONLY, has, license_of, pool, purchase, reconcile, remove
from tests.races import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeping():
    """A subscription whose disabled accounts keep their licenses, with one Named license."""
    configuration = make_configuration(default_license_type=NAMED)
    Subscription.objects.filter(pk=configuration.subscription_id).update(release_policy="keep")
    purchase(configuration.subscription, named=1)
    return configuration


def removed(configuration, name):
    account = make_account(configuration, name)
    reconcile(configuration.subscription)
    remove(account)
    reconcile(configuration.subscription)
    return account


def delete(account, at=NOON):
    people.delete_person(account=account, actor=ACTOR, at=at)


def test_the_seat_goes_back_and_to_who_waits_without_any_message(keeping):
    gone = removed(keeping, "gone@contoso.example")
    next_one = make_account(keeping, "next@contoso.example")
    reconcile(keeping.subscription)
    assert license_of(next_one) == (0, "waits for Named")

    delete(gone)

    assert pool(keeping.subscription, NAMED).granted == 0
    assert due.due_subscriptions(NOON) == [keeping.subscription_id]
    reconcile(keeping.subscription, now=NOON + MINUTE)
    assert has(next_one) == NAMED
    assert not LoginAccount.objects.filter(pk=gone.pk).exists()
    assert not LicenseGrant.objects.filter(username_key="gone@contoso.example").exists()


def test_the_ceiling_of_an_over_used_pool_sinks_with_the_seat(keeping):
    gone = removed(keeping, "gone@contoso.example")
    purchase(keeping.subscription, named=0)

    delete(gone)

    found = pool(keeping.subscription, NAMED)
    assert (found.granted, found.ceiling) == (0, 0)


def test_its_vault_users_stay_detached_and_are_to_be_disabled(keeping):
    gone = make_account(keeping, "gone@contoso.example")
    make_link(make_group(keeping, "Legal", members=[gone]), make_vault(keeping.subscription, "Contracts"))
    reconcile(keeping.subscription)
    assert VaultUser.objects.get().wanted_enabled
    remove(gone)

    delete(gone, at=NOON + MINUTE)

    user = VaultUser.objects.get()
    assert (user.account, user.account_uid, user.wanted_enabled, user.due_at) == (None, gone.uid, False, NOON + MINUTE)
    assert [one.wanted for one in VaultUserMembership.objects.all()] == [False]


def test_a_manual_account_with_a_chosen_type_goes_as_well():
    configuration = make_configuration()
    subscription = configuration.subscription
    purchase(subscription, read_only=1)
    ann = make_person(subscription)
    choices.choose_manual(subscription=subscription, account_ids=[ann.pk], license_type=READ_ONLY, actor=ACTOR, at=NOON)
    reconcile(subscription)
    assert has(ann) == READ_ONLY

    people.disable_person(account=ann, actor=ACTOR, at=NOON)
    delete(ann)
    reconcile(subscription)

    assert pool(subscription, READ_ONLY).granted == 0
    assert not DueAccount.objects.exists()


def test_an_account_that_no_worker_has_looked_at_is_deleted_too():
    ann = make_person(make_configuration().subscription)
    people.disable_person(account=ann, actor=ACTOR, at=NOON)

    delete(ann)

    assert not LoginAccount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deleting_while_workers_grant_neither_deadlocks_nor_loses_a_seat(keeping):
    gone = [make_account(keeping, f"gone{number}@contoso.example") for number in range(4)]
    purchase(keeping.subscription, named=4)
    reconcile(keeping.subscription)
    for account in gone:
        remove(account)
    waiting = [make_account(keeping, f"next{number}@contoso.example") for number in range(6)]

    together(8, lambda number: delete(gone[number]) if number < 4 else reconcile(keeping.subscription))
    reconcile(keeping.subscription)

    assert pool(keeping.subscription, NAMED).granted == 4
    assert sum(has(account) == NAMED for account in waiting) == 4
