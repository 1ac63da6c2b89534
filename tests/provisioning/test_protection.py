"""The hourly limit on disabling and removing accounts, and what becomes of the excess (1-product §1.3, decision 18)."""

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.models import AccountStop, GroupMembership, HeldChange, LoginAccount, Subscription
from provisioning.services import accounts, protection
from provisioning.services.protection import limits
from tests.factories import (
    NOON,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_group,
    make_subscription,
    recount,
)
from tests.provisioning.deeds import adopting, last_entry
from tests.provisioning.held_people import (
    DISABLE,
    LAPSED,
    MINUTE,
    OPEN,
    REJECTED,
    REMOVE,
    WITHDRAWN,
    become,
    disable,
    held,
    people,
    remove,
    revive,
    state,
)
from tests.races import together

pytestmark = pytest.mark.django_db


def decide(account, decision):
    changed = HeldChange.objects.filter(account=account, decision=OPEN).update(
        decision=decision, decided_at=NOON, decided_by="root@contoso.example"
    )
    assert changed == 1


def test_within_the_limit_accounts_are_disabled_as_asked():
    everybody = people(3)

    for account in everybody[:2]:
        disable(account)

    assert [state(account) for account in everybody] == [(False, False), (False, False), (True, True)]
    assert AccountStop.objects.count() == 2
    assert not HeldChange.objects.exists()
    assert last_entry().detail == ""


def test_beyond_the_limit_scim_sees_its_wish_and_the_account_stays_enabled():
    everybody = people(3)

    for account in everybody:
        disable(account)

    assert state(everybody[2]) == (True, False)
    assert everybody[2].disabled_at is None
    assert held(everybody[2]) == [(DISABLE, OPEN)]
    assert AccountStop.objects.count() == 2
    entry = last_entry()
    assert (entry.status, entry.is_success, entry.changes["active"]) == (200, True, [True, False])
    assert entry.detail.endswith("An admin allows or rejects it under Provisioning, Held changes.")


@pytest.mark.parametrize(("users", "limit"), [(0, 10), (49, 10), (50, 10), (54, 10), (55, 11), (60, 12), (1000, 200)])
def test_the_limit_is_the_larger_of_10_and_20_percent_of_the_users(users, limit):
    configuration = make_configuration()
    LoginAccount.objects.bulk_create(
        LoginAccount(
            subscription=configuration.subscription,
            configuration=configuration,
            scim_id=str(number),
            username=str(number),
            username_key=str(number),
            created_at=NOON,
            modified_at=NOON,
        )
        for number in range(users)
    )
    recount(configuration)

    assert limits(configuration.subscription) == {configuration.pk: limit}


def test_an_hour_later_there_is_room_again():
    first, second, third, fourth = people(4)
    disable(first, at=NOON)
    disable(second, at=NOON + 30 * MINUTE)
    disable(third, at=NOON + 59 * MINUTE)
    disable(fourth, at=NOON + 60 * MINUTE)

    assert [state(account)[0] for account in (first, second, third, fourth)] == [False, False, True, False]


def test_configurations_count_for_themselves():
    subscription = make_subscription()
    for _ in range(2):
        for account in people(2, subscription=subscription):
            disable(account)

    assert not HeldChange.objects.exists()


def test_removals_and_disablings_count_together():
    everybody = people(3)

    disable(everybody[0])
    remove(everybody[1])
    remove(everybody[2])

    assert held(everybody[1]) == []
    assert held(everybody[2]) == [(REMOVE, OPEN)]


def test_disabling_who_is_disabled_and_creating_who_is_disabled_take_no_place():
    everybody = people(2)
    configuration = everybody[0].configuration
    disable(everybody[0])
    disable(everybody[0])
    remove(everybody[0])
    make_account(configuration, is_enabled=False)

    assert AccountStop.objects.count() == 1


def test_a_held_removal_leaves_scim_and_keeps_the_account_in_its_groups():
    [account] = people(1, least=0)
    make_group(account.configuration, members=[account])
    scim_id = account.scim_id

    remove(account)

    account.refresh_from_db()
    assert (account.is_enabled, account.scim_id, account.removed_at, account.disabled_at) == (True, None, NOON, None)
    assert GroupMembership.objects.filter(account=account).exists()
    assert (last_entry().status, last_entry().resource_id) == (204, scim_id)
    assert last_entry().detail.startswith("The account stays enabled")


def test_an_adopted_account_that_comes_disabled_counts_too():
    subscription = make_subscription()
    Subscription.objects.filter(pk=subscription.pk).update(protection_least=0, protection_percent=0)
    make_admin(subscription, "ann@contoso.example", role=LoginAccount.Role.ACCESS_ADMIN)

    ann = make_account(adopting(subscription), "ann@contoso.example", is_enabled=False)

    assert state(ann) == (True, False)
    assert held(ann) == [(DISABLE, OPEN)]


def test_a_repeated_request_keeps_the_one_held_change():
    [account] = people(1, least=0)

    disable(account)
    disable(account, at=NOON + 90 * MINUTE)

    assert held(account) == [(DISABLE, OPEN)]
    assert state(account) == (True, False)
    assert "is held" in last_entry().detail


def test_a_change_of_something_else_leaves_what_is_held():
    [account] = people(1, least=0)
    disable(account)

    become(account, full_name="Ann Lee")
    accounts.change_account(
        scim_id=account.scim_id, change=lambda _: None, call=make_call(account.configuration, operation="update")
    )

    assert state(account) == (True, False)
    assert account.full_name == "Ann Lee"
    assert held(account) == [(DISABLE, OPEN)]


def test_a_room_in_the_limit_does_not_decide_what_is_held():
    [account] = people(1, least=0)
    disable(account)
    Subscription.objects.update(protection_least=10)

    disable(account)

    assert state(account) == (True, False)


def test_the_provider_takes_back_what_is_held_by_enabling_the_account():
    [account] = people(1, least=0)
    disable(account)

    become(account, active=True, at=NOON + MINUTE)

    assert state(account) == (True, True)
    assert account.intended_active is None
    assert held(account) == [(DISABLE, WITHDRAWN)]
    change = HeldChange.objects.get()
    assert (change.decided_at, change.decided_by) == (NOON + MINUTE, account.configuration.name)
    assert last_entry().detail.startswith("What was held is taken back")


def test_disabling_again_after_taking_back_is_held_anew():
    [account] = people(1, least=0)
    disable(account)
    become(account, active=True)
    disable(account)

    assert held(account) == [(DISABLE, WITHDRAWN), (DISABLE, OPEN)]


def test_a_removal_after_a_held_disabling_is_held_in_its_place():
    [account] = people(1, least=0)
    disable(account)

    remove(account, at=NOON + MINUTE)

    assert held(account) == [(REMOVE, OPEN)]
    assert HeldChange.objects.get().asked_at == NOON + MINUTE
    assert state(account) == (True, False)


def test_a_new_user_of_that_name_takes_back_a_held_removal_and_starts_without_groups():
    [account] = people(1, least=0)
    make_group(account.configuration, members=[account])
    remove(account)

    again = revive(account)

    assert again.pk == account.pk
    assert state(account) == (True, True)
    assert account.removed_at is None
    assert held(account) == [(REMOVE, WITHDRAWN)]
    assert not GroupMembership.objects.filter(account=account).exists()


def test_a_new_user_of_that_name_who_is_disabled_turns_a_held_removal_into_a_held_disabling():
    [account] = people(1, least=0)
    remove(account)

    revive(account, is_enabled=False)

    assert held(account) == [(DISABLE, OPEN)]
    assert state(account) == (True, False)


def test_a_rejection_stands_until_the_provider_enables_the_account():
    [account] = people(1, least=0)
    disable(account)
    decide(account, REJECTED)

    disable(account, at=NOON + 90 * MINUTE)

    assert state(account) == (True, False)
    assert held(account) == [(DISABLE, REJECTED)]
    assert last_entry().detail.startswith("The account stays enabled, because root@contoso.example rejected")

    become(account, active=True)
    assert held(account) == [(DISABLE, LAPSED)]
    Subscription.objects.update(protection_least=10)
    disable(account)
    assert state(account) == (False, False)


def test_a_removal_after_a_rejected_disabling_is_a_question_of_its_own():
    [account] = people(1, least=0)
    disable(account)
    decide(account, REJECTED)

    remove(account)

    assert held(account) == [(DISABLE, REJECTED), (REMOVE, OPEN)]


def test_the_last_admin_comes_before_the_limit():
    subscription = make_subscription()
    [ann] = people(1, least=0, subscription=subscription)
    ann.role = LoginAccount.Role.SUBSCRIPTION_ADMIN
    ann.save()

    disable(ann)

    assert state(ann) == (True, False)
    assert held(ann) == []
    assert "last enabled Subscription admin" in last_entry().detail


def test_an_old_rejection_does_not_keep_an_admin_who_was_last_since():
    subscription = make_subscription()
    other = make_admin(subscription)
    [ann] = people(1, least=0, subscription=subscription)
    ann.role = LoginAccount.Role.SUBSCRIPTION_ADMIN
    ann.save()
    disable(ann)
    decide(ann, REJECTED)
    become(ann, active=True)
    LoginAccount.objects.filter(pk=other.pk).update(is_enabled=False)
    disable(ann)
    LoginAccount.objects.filter(pk=other.pk).update(is_enabled=True)
    Subscription.objects.update(protection_least=10)

    disable(ann)

    assert state(ann) == (False, False)


@settings(max_examples=60, deadline=None)
@given(limit=st.integers(0, 4), ages=st.lists(st.integers(-5, 130), max_size=25))
def test_the_numbered_stops_count_what_counting_them_would(limit, ages):
    """Calls may come late, so that times are out of order; a stop then counts from the time of the one before."""
    account = people(1, least=limit)[0]
    kept = []
    for age in ages:
        at = NOON + age * MINUTE
        took = protection._takes_a_place(make_call(account.configuration, at=at))
        assert took == (sum(one > at - protection.WINDOW for one in kept) < limit)
        if took:
            kept.append(max([at, *kept[-1:]]))

    assert list(account.configuration.stops.order_by("number").values_list("at", flat=True)) == kept


def disable_together(everybody):
    assert not [one for one in together(len(everybody), lambda number: disable(everybody[number])) if not one.pk]
    return sum(not state(account)[0] for account in everybody)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_parallel_calls_do_not_slip_through():
    everybody = people(16, least=5)

    assert disable_together(everybody) == 5
    assert HeldChange.objects.filter(decision=OPEN).count() == 11


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_parallel_calls_slip_through(monkeypatch):
    everybody = people(16, least=5)
    monkeypatch.setattr(protection, "_LOCK", "SELECT %s::bigint, pg_sleep(0.2)")
    monkeypatch.setattr(protection, "_STOP", protection._STOP + ", pg_sleep(0.5)")

    assert disable_together(everybody) > 5


@pytest.mark.parametrize("active", [True, None])
def test_who_is_enabled_costs_no_more_than_before(active, django_assert_num_queries):
    [account] = people(1, least=0)

    with django_assert_num_queries(4 if connection.vendor == "postgresql" else 6):
        become(account, active=active, full_name="Ann Lee")
