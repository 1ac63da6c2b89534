"""Licenses follow the directory (1-product §1.4), on the database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import LicenseGrant
from licensing.reconcilers import licenses
from provisioning.models import Subscription
from provisioning.services import group_settings
from provisioning.services.accounts import touch_accounts
from provisioning.services.configurations import set_default_license
from tests.factories import (
    ACTOR,
    NOON,
    due_ids,
    make_account,
    make_admin,
    make_configuration,
    make_group,
    make_subscription,
)
from tests.licensing.people import (
    CONCURRENT,
    DAY,
    MINUTE,
    NAMED,
    NONE,
    READ_ONLY,
    change_members,
    disable,
    enable,
    has,
    license_of,
    pool,
    purchase,
    reconcile,
    remove,
    remove_group,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    return make_subscription()


@pytest.fixture
def configuration(subscription):
    return make_configuration(subscription, default_license_type=READ_ONLY)


def test_a_new_account_gets_the_default_of_its_configuration(subscription, configuration):
    purchase(subscription, read_only=1)
    account = make_account(configuration)

    tally = reconcile(subscription)

    assert license_of(account) == (READ_ONLY, "")
    assert (tally.accounts, tally.granted) == (1, 1)
    assert due_ids() == set()


def test_the_highest_of_default_and_groups_is_wanted(subscription, configuration):
    purchase(subscription, named=1, read_only=5)
    account = make_account(configuration)
    make_group(configuration, "Sales", members=[account], license_type=CONCURRENT)
    legal = make_group(configuration, "Legal", members=[account], license_type=NAMED)

    reconcile(subscription)

    grant = LicenseGrant.objects.get(account=account)
    assert (grant.granted_type, grant.source_kind, grant.source_group) == (NAMED, "group", legal)


def test_an_account_that_waits_for_named_keeps_its_read_only_license(subscription, configuration):
    purchase(subscription, named=0, read_only=1)
    account = make_account(configuration)
    reconcile(subscription)
    make_group(configuration, members=[account], license_type=NAMED)

    reconcile(subscription)

    assert license_of(account) == (READ_ONLY, "waits for Named")


def test_provisioning_without_any_pool_makes_accounts_wait(subscription, configuration):
    account = make_account(configuration)

    reconcile(subscription)

    assert license_of(account) == (NONE, "waits for Read only")


def test_concurrent_licenses_are_granted_without_limit(subscription):
    configuration = make_configuration(subscription, default_license_type=CONCURRENT)
    accounts = [make_account(configuration) for _ in range(3)]

    reconcile(subscription)

    assert {has(account) for account in accounts} == {CONCURRENT}
    assert pool(subscription, CONCURRENT).granted == 3


def test_seats_go_first_to_who_asked_first_then_by_username(subscription, configuration):
    late = make_account(configuration, "aaron@contoso.example", at=NOON + MINUTE)
    second = make_account(configuration, "zoe@contoso.example")
    first = make_account(configuration, "adam@contoso.example")
    reconcile(subscription, now=NOON + 2 * MINUTE)

    purchase(subscription, read_only=1)
    reconcile(subscription)
    assert [has(account) for account in (first, second, late)] == [READ_ONLY, NONE, NONE]

    purchase(subscription, read_only=2)
    reconcile(subscription)
    assert [has(account) for account in (first, second, late)] == [READ_ONLY, READ_ONLY, NONE]


def test_a_seat_that_becomes_free_goes_to_who_waits_in_the_same_run(subscription, configuration):
    purchase(subscription, read_only=1)
    leaver = make_account(configuration)
    reconcile(subscription)
    waiting = make_account(configuration)
    reconcile(subscription)
    Subscription.objects.filter(pk=subscription.pk).update(release_policy="at_once")

    disable(leaver)
    reconcile(subscription)

    assert (has(leaver), has(waiting)) == (NONE, READ_ONLY)
    assert pool(subscription, READ_ONLY).granted == 1


def test_moving_up_frees_the_lower_seat_for_the_next(subscription, configuration):
    purchase(subscription, named=1, read_only=1)
    riser = make_account(configuration)
    reconcile(subscription)
    waiting = make_account(configuration)
    reconcile(subscription)

    make_group(configuration, members=[riser], license_type=NAMED)
    reconcile(subscription)

    assert (has(riser), has(waiting)) == (NAMED, READ_ONLY)


def test_two_who_want_each_others_seats_change_places(subscription, configuration):
    purchase(subscription, named=1, read_only=1)
    up, down = make_account(configuration), make_account(configuration)
    group = make_group(configuration, members=[down], license_type=NAMED)
    reconcile(subscription)
    assert (has(up), has(down)) == (READ_ONLY, NAMED)

    change_members(group, add=[up], remove=[down])
    reconcile(subscription)

    assert (has(up), has(down)) == (NAMED, READ_ONLY)


def test_lowering_the_type_of_a_group_moves_its_members_down(subscription, configuration):
    purchase(subscription, named=1, read_only=1)
    account = make_account(configuration)
    group = make_group(configuration, members=[account], license_type=NAMED)
    reconcile(subscription)

    group_settings.set_group_license(group=group, license_type=None, actor=ACTOR, at=NOON)
    reconcile(subscription)

    assert has(account) == READ_ONLY
    assert pool(subscription, NAMED).granted == 0


@pytest.mark.parametrize("leave", ["group deleted", "member removed"])
def test_leaving_a_group_recomputes_its_members(subscription, configuration, leave):
    purchase(subscription, named=1, read_only=1)
    account = make_account(configuration)
    group = make_group(configuration, members=[account], license_type=NAMED)
    reconcile(subscription)

    if leave == "group deleted":
        remove_group(group)
    else:
        change_members(group, remove=[account])
    reconcile(subscription)

    assert license_of(account) == (READ_ONLY, "")


def test_a_changed_default_reaches_the_accounts_of_its_configuration(subscription, configuration):
    purchase(subscription, named=1, read_only=1)
    account = make_account(configuration)
    reconcile(subscription)

    configuration.default_license_type = NAMED
    configuration.generation += 1
    configuration.save()
    reconcile(subscription)

    assert has(account) == NAMED


def test_a_reduction_takes_no_license_and_grants_nothing_until_balanced(subscription, configuration):
    purchase(subscription, read_only=3)
    granted = [make_account(configuration) for _ in range(3)]
    reconcile(subscription)
    waiting = make_account(configuration)

    purchase(subscription, read_only=1)
    reconcile(subscription)
    assert [has(account) for account in granted] == [READ_ONLY] * 3
    assert license_of(waiting) == (NONE, "waits for Read only")

    remove(granted[0], at=NOON - 8 * DAY)
    remove(granted[1], at=NOON - 8 * DAY)
    reconcile(subscription)
    assert has(waiting) == NONE
    assert (pool(subscription, READ_ONLY).granted, pool(subscription, READ_ONLY).ceiling) == (1, 1)


@pytest.mark.parametrize(
    ("policy", "at_once", "a_week_later"),
    [("keep", READ_ONLY, READ_ONLY), ("at_once", NONE, NONE), ("after_days", READ_ONLY, NONE)],
)
def test_the_release_policy_decides_about_a_disabled_account(
    subscription, configuration, policy, at_once, a_week_later
):
    Subscription.objects.filter(pk=subscription.pk).update(release_policy=policy)
    purchase(subscription, read_only=1)
    account = make_account(configuration)
    reconcile(subscription)

    disable(account)
    reconcile(subscription)
    assert has(account) == at_once

    reconcile(subscription, now=NOON + 7 * DAY)
    assert has(account) == a_week_later


def test_an_account_that_is_enabled_again_asks_again(subscription, configuration):
    purchase(subscription, read_only=1)
    account = make_account(configuration)
    disable(account)
    reconcile(subscription)
    assert license_of(account) == (NONE, "")

    enable(account)
    reconcile(subscription)

    assert license_of(account) == (READ_ONLY, "")


def test_enabling_before_the_release_keeps_the_license(subscription, configuration):
    purchase(subscription, read_only=1)
    account = make_account(configuration)
    reconcile(subscription)
    disable(account)
    reconcile(subscription)

    enable(account)
    reconcile(subscription, now=NOON + 30 * DAY)

    assert license_of(account) == (READ_ONLY, "")


def test_with_the_vendors_fill_policy_only_a_purchase_serves_the_queue(subscription, configuration):
    Subscription.objects.filter(pk=subscription.pk).update(fill_policy="on_purchase", release_policy="at_once")
    purchase(subscription, read_only=1)
    leaver = make_account(configuration)
    reconcile(subscription)
    waiting = make_account(configuration)
    reconcile(subscription)

    disable(leaver)
    reconcile(subscription)
    assert license_of(waiting) == (NONE, "waits for Read only")
    newcomer = make_account(configuration)
    reconcile(subscription)
    assert has(newcomer) == READ_ONLY

    purchase(subscription, read_only=2)
    reconcile(subscription)
    assert has(waiting) == READ_ONLY


def test_a_manual_account_wants_what_a_person_chose(subscription):
    purchase(subscription, named=1)
    admin = make_admin(subscription)
    reconcile(subscription)
    assert license_of(admin) == (NONE, "")

    LicenseGrant.objects.filter(account=admin).update(manual_type=NAMED)
    touch_accounts([admin.pk])
    reconcile(subscription)

    assert has(admin) == NAMED


def test_a_pin_decides_alone(subscription, configuration):
    purchase(subscription, named=1, read_only=1)
    account = make_account(configuration)
    make_group(configuration, members=[account], license_type=NAMED)
    reconcile(subscription)

    LicenseGrant.objects.filter(account=account).update(pinned_type=READ_ONLY)
    touch_accounts([account.pk])
    reconcile(subscription)

    assert has(account) == READ_ONLY


def test_a_change_during_a_pass_leaves_the_account_due(subscription, configuration, monkeypatch):
    account = make_account(configuration)
    recompute = "licensing.services.presence.recompute"
    make_account(configuration)
    monkeypatch.setattr(recompute, lambda *_: touch_accounts([account.pk]) or 0, raising=True)

    licenses._pass(subscription.pk, NOON, 10)

    assert due_ids() == {account.pk}


def test_a_run_takes_as_many_statements_for_many_accounts_as_for_one(vault_link):
    def statements(members):
        subscription = make_subscription()
        configuration = make_configuration(subscription, default_license_type=READ_ONLY)
        accounts = [make_account(configuration) for _ in range(members)]
        purchase(subscription, named=members, read_only=members)
        vault_link(make_group(configuration, members=accounts, license_type=NAMED))
        with CaptureQueriesContext(connection) as captured:
            tally = reconcile(subscription)
        assert (tally.granted, tally.vault_users) == (members, members)
        return len(captured)

    assert statements(40) == statements(1) <= 55


def test_seats_wait_until_every_wish_is_recorded():
    """Zoe is looked at first, in a batch of her own; Ann asks at the same moment, and her name comes first."""
    configuration = make_configuration(default_license_type=NONE)
    zoe, ann = make_account(configuration, "zoe@x.example"), make_account(configuration, "ann@x.example")
    reconcile(configuration.subscription)
    purchase(configuration.subscription, named=1)
    set_default_license(configuration=configuration, license_type=NAMED, actor=ACTOR, at=NOON)

    reconcile(configuration.subscription, now=NOON + MINUTE, batch=1)

    assert license_of(ann) == (NAMED, "")
    assert license_of(zoe) == (NONE, "waits for Named")
