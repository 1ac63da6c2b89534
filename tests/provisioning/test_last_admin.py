"""The last enabled Subscription admin is neither disabled nor removed (1-product §1.3, decision 15)."""

import threading

import pytest

from provisioning.models import LoginAccount
from provisioning.services import accounts, protection
from tests.factories import (
    make_account,
    make_admin,
    make_configuration,
    make_profile,
    make_subscription,
)
from tests.provisioning.deeds import LATER, adopting, last_entry, remove, update_call
from tests.races import together

pytestmark = pytest.mark.django_db


def admin_through_scim(subscription, username="ann@contoso.example"):
    account = make_account(make_configuration(subscription), username)
    account.role = LoginAccount.Role.SUBSCRIPTION_ADMIN
    account.save()
    return account


def become(account, *, is_enabled=None):
    profile = None if is_enabled is None else make_profile(account.username, is_enabled=is_enabled)
    return accounts.change_account(scim_id=account.scim_id, change=lambda _: profile, call=update_call(account))


def states(account):
    account.refresh_from_db()
    return account.is_enabled, accounts.shown_active(account)


def test_the_last_subscription_admin_stays_enabled_and_the_provider_sees_what_it_asked_for():
    ann = admin_through_scim(make_subscription())

    become(ann, is_enabled=False)

    assert states(ann) == (True, False)
    assert ann.disabled_at is None
    assert last_entry().changes["active"] == [True, False]
    assert last_entry().detail.startswith("The account stays enabled, because it is the last enabled Subscription")


@pytest.mark.parametrize("why", ["nobody", "disabled", "other subscription", "lesser role"])
def test_who_does_not_count_as_another_admin(why):
    subscription = make_subscription()
    ann = admin_through_scim(subscription)
    if why == "disabled":
        bob = make_admin(subscription)
        LoginAccount.objects.filter(pk=bob.pk).update(is_enabled=False)
    elif why == "other subscription":
        make_admin(make_subscription())
    elif why == "lesser role":
        make_admin(subscription, role=LoginAccount.Role.ACCESS_ADMIN)

    become(ann, is_enabled=False)

    assert states(ann) == (True, False)


def test_an_admin_beside_another_one_is_disabled():
    subscription = make_subscription()
    ann = admin_through_scim(subscription)
    make_admin(subscription)

    become(ann, is_enabled=False)

    assert states(ann) == (False, False)
    assert last_entry().detail == ""


def test_what_was_held_back_is_forgotten_when_the_provider_enables_the_account():
    ann = admin_through_scim(make_subscription())
    become(ann, is_enabled=False)

    become(ann, is_enabled=True)

    assert states(ann) == (True, True)
    assert ann.intended_active is None


@pytest.mark.parametrize("is_enabled", [None, False])
def test_what_was_held_back_happens_with_the_next_call_once_there_is_another_admin(is_enabled):
    subscription = make_subscription()
    ann = admin_through_scim(subscription)
    become(ann, is_enabled=False)
    make_admin(subscription)
    assert states(ann) == (True, False)

    become(ann, is_enabled=is_enabled)

    assert states(ann) == (False, False)
    assert (ann.intended_active, ann.disabled_at, ann.version) == (None, LATER, 3)
    assert last_entry().detail.startswith("Disabled now, as was asked for earlier")


def test_the_last_subscription_admin_leaves_scim_and_keeps_the_portal():
    ann = admin_through_scim(make_subscription())

    remove(ann)

    assert states(ann) == (True, False)
    assert (ann.scim_id, ann.removed_at, ann.disabled_at) == (None, LATER, None)
    assert last_entry().detail.startswith("The account stays enabled")


def test_an_adopted_last_admin_is_not_disabled_either():
    subscription = make_subscription()
    make_admin(subscription, "ann@contoso.example")

    adopted = make_account(adopting(subscription), "ann@contoso.example", is_enabled=False)

    assert states(adopted) == (True, False)
    assert last_entry().detail.endswith("then disable it again.")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_are_disabled_at_once_one_stays():
    subscription = make_subscription()
    admins = [admin_through_scim(subscription, f"admin{number}@x") for number in range(2)]

    for _ in range(5):
        together(2, lambda number: become(admins[number], is_enabled=False))

        assert sorted(states(admin) for admin in admins) == [(False, False), (True, False)]
        for admin in admins:
            become(admin, is_enabled=True)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_waiting_for_each_other_both_admins_are_disabled(monkeypatch):
    subscription = make_subscription()
    admins = [admin_through_scim(subscription, f"admin{number}@x") for number in range(2)]
    both_have_looked = threading.Barrier(2)

    def look(account):
        others = LoginAccount.objects.filter(role=account.role, is_enabled=True).exclude(pk=account.pk)
        is_last = not others.exists()
        both_have_looked.wait(timeout=30)
        return is_last

    monkeypatch.setattr(protection, "is_last_admin", look)
    together(2, lambda number: become(admins[number], is_enabled=False))

    assert [states(admin) for admin in admins] == [(False, False)] * 2
