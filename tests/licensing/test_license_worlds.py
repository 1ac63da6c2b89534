"""Random worlds: whatever happens in whatever order, the promises of 1-product §1.4 hold on the database."""

import pytest
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.models import LicenseGrant, LicensePool
from provisioning.license_types import SEATED_TYPES, LicenseType
from provisioning.models import GroupMembership, LoginAccount, UserGroup
from provisioning.services import group_settings
from provisioning.services.accounts import touch_accounts
from tests.factories import ACTOR, NOON, make_account, make_configuration, make_group, make_subscription
from tests.licensing.people import MINUTE, NAMED, NONE, READ_ONLY, purchase, reconcile

pytestmark = pytest.mark.django_db
TYPES = st.sampled_from(list(LicenseType))
SEATS = st.integers(0, 4)
PEOPLE, GROUPS = 6, 3
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("purchase"), SEATS, SEATS),
        st.tuples(st.just("member"), st.integers(0, GROUPS - 1), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("group type"), st.integers(0, GROUPS - 1), TYPES),
        st.tuples(st.just("enable"), st.integers(0, PEOPLE - 1), st.booleans()),
        st.tuples(st.just("delete group"), st.integers(0, GROUPS - 1), st.just(0)),
        st.tuples(st.just("pin"), st.integers(0, PEOPLE - 1), TYPES),
        st.tuples(st.just("new account"), TYPES, st.just(0)),
    ),
    max_size=6,
)
worlds = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class World:
    """A subscription with two configurations, people and groups, to which events happen a minute apart."""

    def __init__(self, release_policy, fill_policy="always"):
        self.subscription = make_subscription()
        self.subscription.release_policy, self.subscription.fill_policy = release_policy, fill_policy
        self.subscription.save()
        self.now = NOON
        purchase(self.subscription, named=2, read_only=2)
        first = make_configuration(self.subscription, default_license_type=READ_ONLY)
        self.other = make_configuration(self.subscription, default_license_type=NAMED)
        self.people = [make_account(first if number % 3 else self.other, f"user{number}") for number in range(PEOPLE)]
        self.groups = [make_group(first, f"group{number}") for number in range(GROUPS)]

    def happen(self, kind, first, second):
        self.now += MINUTE
        match kind:
            case "purchase":
                purchase(self.subscription, named=first, read_only=second, at=self.now)
            case "member":
                self.toggle_member(self.groups[first], self.people[second])
            case "group type":
                group_settings.set_group_license(
                    group=self.groups[first], license_type=second, actor=ACTOR, at=self.now
                )
            case "enable":
                off = {"is_enabled": second, "disabled_at": None if second else self.now}
                self.touch(self.people[first], **off)
            case "delete group":
                UserGroup.objects.filter(pk=self.groups[first].pk).update(
                    deleted_at=self.now, generation=F("generation") + 1
                )
            case "pin":
                LicenseGrant.objects.filter(account=self.people[first]).update(pinned_type=second)
                self.touch(self.people[first])
            case "new account":
                make_account(self.other, f"new{self.now:%H%M}", at=self.now)

    def toggle_member(self, group, account):
        if not GroupMembership.objects.filter(group=group, account=account).delete()[0]:
            GroupMembership.objects.create(subscription=self.subscription, group=group, account=account)
        self.touch(account)

    def touch(self, account, **fields):
        LoginAccount.objects.filter(pk=account.pk).update(modified_at=self.now, **fields)
        touch_accounts([account.pk])

    def outcome(self):
        rows = LicenseGrant.objects.filter(subscription=self.subscription).order_by("username_key")
        return list(rows.values_list("username_key", "wanted_type", "granted_type", "asked_at", "source_kind"))


def check_promises(world, before):
    """``before`` is what ``outcome`` was before the run."""
    grants = list(LicenseGrant.objects.filter(subscription=world.subscription))
    had = {row[0]: row[2] for row in before}
    for pool in LicensePool.objects.filter(subscription=world.subscription):
        holders = [grant for grant in grants if grant.granted_type == pool.license_type]
        assert pool.granted == len(holders)
        queue = [grant for grant in grants if grant.is_waiting and grant.wanted_type == pool.license_type]
        if pool.license_type not in SEATED_TYPES:
            assert not queue
            continue
        newly = [grant for grant in holders if had.get(grant.username_key) != pool.license_type]
        assert pool.granted <= pool.purchased or not newly
        assert not queue or pool.granted >= pool.purchased
        in_order = sorted(newly, key=place) + sorted(queue, key=place)
        assert in_order == sorted(newly + queue, key=place)
    for grant in grants:
        assert grant.granted_type in (grant.wanted_type, had.get(grant.username_key, NONE), NONE)


def place(grant):
    return grant.asked_at, grant.username_key


@worlds
@given(events=EVENTS, policy=st.sampled_from(["at_once", "keep", "after_days"]), batch=st.integers(1, 3))
def test_the_promises_hold_after_every_event(db, events, policy, batch):
    with transaction.atomic():
        world = World(policy)
        for event in [("purchase", 1, 1), *events]:
            world.happen(*event)
            before = world.outcome()
            reconcile(world.subscription, now=world.now, batch=batch)
            check_promises(world, before)
        transaction.set_rollback(True)


@worlds
@given(events=EVENTS, batches=st.lists(st.integers(1, 9), min_size=2, max_size=2))
def test_the_result_does_not_depend_on_batches_or_doubled_runs(db, events, batches):
    results = []
    for batch, runs in zip(batches, (1, 3), strict=True):
        with transaction.atomic():
            world = World("at_once")
            reconcile(world.subscription, now=NOON, batch=batch)
            for event in events:
                world.happen(*event)
            for _ in range(runs):
                reconcile(world.subscription, now=world.now, batch=batch)
            results.append(world.outcome())
            transaction.set_rollback(True)

    assert results[0] == results[1]
