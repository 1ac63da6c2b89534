"""A preview is what happens: on generated worlds the database's future equals what the engine then makes of it."""

import contextlib
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.models import LicenseGrant, LicensePool, VaultUser, VaultUserMembership
from licensing.plans import licenses as plan
from licensing.services import choices, futures, leaving, previews
from licensing.services.pools import BadPurchase
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount
from provisioning.services import deletion, group_settings, vault_access
from provisioning.services.accounts import touch_accounts
from provisioning.services.configurations import ConfigurationDeleted, set_default_license
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_configuration,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)
from tests.licensing.people import MINUTE, NAMED, NONE, READ_ONLY, purchase, reconcile
from tests.licensing.test_license_worlds import EVENTS, GROUPS, PEOPLE, SEATS, TYPES, World

pytestmark = pytest.mark.django_db
MANUAL = 2
CHANGES = {
    "group": st.tuples(st.integers(0, GROUPS - 1), st.none() | TYPES),
    "default": st.tuples(st.booleans(), TYPES),
    "purchase": st.dictionaries(st.sampled_from(["named", "concurrent", "read_only"]), SEATS, min_size=1),
    "pins": st.tuples(st.sets(st.integers(0, PEOPLE - 1), min_size=1), st.none() | TYPES),
    "deletion": st.booleans(),
    "rows": st.fixed_dictionaries(
        {
            "pins": st.dictionaries(st.integers(0, PEOPLE - 1), st.none() | TYPES, max_size=3),
            "manuals": st.dictionaries(st.integers(PEOPLE, PEOPLE + MANUAL - 1), TYPES, max_size=MANUAL),
            "states": st.dictionaries(st.integers(0, PEOPLE + MANUAL - 1), st.booleans(), max_size=4),
            "gone": st.sets(st.integers(0, PEOPLE + MANUAL - 1), max_size=2),
            "added": st.lists(TYPES, max_size=3),
        }
    ),
}


class Foreseen:
    """A world with vaults whose changes are previewed, made, and compared with what was foreseen."""

    def __init__(self, events, release_policy, fill_policy, vaults_know_users):
        self.world = world = World(release_policy, fill_policy)
        vaults = [make_vault(world.subscription) for _ in range(2)]
        links = [make_link(group, vaults[number % 2]) for number, group in enumerate(world.groups)]
        self.everybody = [*world.people, *(self.make_manual(f"manual{number}", NAMED) for number in range(MANUAL))]
        pause(links[2])
        self.decide(vault_access.give_access, vaults[0], 0, 3, PEOPLE)
        self.decide(vault_access.give_access, vaults[1], 1)
        self.decide(vault_access.block, vaults[0], 2)
        for event in [("purchase", 1, 1), *events]:
            world.happen(*event)
            reconcile(world.subscription, now=world.now)
        self.decide(vault_access.block, vaults[1], 3, 4)
        pause(links[1])
        if vaults_know_users:
            VaultUser.objects.update(seen_enabled=False)

    def decide(self, deed, vault, *numbers):
        """Decide about accounts in a vault, and look at them."""
        deed(accounts=[self.everybody[one] for one in numbers], vault=vault, actor=ACTOR, at=self.world.now)
        reconcile(self.world.subscription, now=self.world.now)

    def change(self, kind, given):
        """Preview and make one change, 36 hours later; return the preview and what happened in the same form."""
        self.world.now += timedelta(hours=36)
        reconcile(self.world.subscription, now=self.world.now)
        before = self.state()
        foreseen = getattr(self, kind)(previewing=True, given=given)
        assert self.state() == before
        getattr(self, kind)(previewing=False, given=given)
        reconcile(self.world.subscription, now=self.world.now)
        return foreseen, difference(before, self.state())

    def state(self):
        subscription = self.world.subscription
        rows = LicenseGrant.objects.filter(subscription=subscription).order_by("username_key")
        users = VaultUser.objects.filter(subscription=subscription, wanted_enabled=True)
        members = VaultUserMembership.objects.filter(subscription=subscription, wanted=True)
        return {
            "licenses": {
                name: types for name, *types in rows.values_list("username_key", "granted_type", "wanted_type")
            },
            "paused": set(members.exclude(target__link__paused_at=None).values_list("vault_user_id", "target_id")),
            "new": set(users.filter(seen_enabled__isnull=True).values_list("account_id", "vault_id")),
            "members": set(members.values_list("vault_user_id", "target_id")),
        }

    def group(self, *, previewing, given):
        group, license_type = self.world.groups[given[0]], given[1]
        if previewing:
            return previews.group_license(group=group, license_type=license_type, at=self.world.now)
        return group_settings.set_group_license(group=group, license_type=license_type, actor=ACTOR, at=self.world.now)

    def default(self, *, previewing, given):
        configuration = self.world.other if given[0] else self.world.people[1].configuration
        if previewing:
            return previews.default_license(configuration=configuration, license_type=given[1], at=self.world.now)
        return set_default_license(configuration=configuration, license_type=given[1], actor=ACTOR, at=self.world.now)

    def purchase(self, *, previewing, given):
        if not previewing:
            return purchase(self.world.subscription, at=self.world.now, **given)
        numbers = {LicenseType[name.upper()]: number for name, number in given.items()}
        return previews.purchased(subscription=self.world.subscription, purchases=numbers, at=self.world.now)

    def pins(self, *, previewing, given):
        accounts = [self.world.people[number] for number in given[0]]
        ids = [account.pk for account in accounts]
        if previewing:
            return previews.pins(
                subscription=self.world.subscription, account_ids=ids, license_type=given[1], at=self.world.now
            )
        for account in accounts:
            self.world.touch(account)
        return LicenseGrant.objects.filter(account__in=ids).update(pinned_type=given[1])

    def deletion(self, *, previewing, given):
        configuration = self.world.other if given else self.world.people[1].configuration
        if previewing:
            return previews.configuration_deletion(configuration=configuration, at=self.world.now)
        with contextlib.suppress(ConfigurationDeleted):
            deletion.delete_configuration(configuration=configuration, actor=ACTOR, at=self.world.now)
        return None

    def rows(self, *, previewing, given):
        if previewing:
            by_id = {kind: self.by_id(given[kind]) for kind in ("pins", "manuals", "states")}
            change = futures.Change(
                **by_id,
                gone=set(self.by_id(dict.fromkeys(given["gone"]))),
                added=[futures.Newcomer(name, one) for name, one in self.new_names(given)],
            )
            return previews.user_import(subscription=self.world.subscription, change=change, at=self.world.now)
        for pk, license_type in self.by_id(given["pins"]).items():
            LicenseGrant.objects.filter(account=pk).update(pinned_type=license_type)
        for pk, license_type in self.by_id(given["manuals"]).items():
            LicenseGrant.objects.filter(account=pk).update(manual_type=license_type)
        for pk, is_enabled in self.by_id(given["states"]).items():
            disabled_at = None if is_enabled else self.world.now
            LoginAccount.objects.filter(pk=pk).exclude(is_enabled=is_enabled).update(
                is_enabled=is_enabled, disabled_at=disabled_at
            )
        touch_accounts([one.pk for one in self.everybody])
        for pk in self.by_id(dict.fromkeys(given["gone"])):
            leaving.let_go(subscription_id=self.world.subscription.pk, account_id=pk, at=self.world.now)
            LoginAccount.objects.filter(pk=pk).delete()
        for name, license_type in self.new_names(given):
            self.make_manual(name, license_type)
        return None

    def by_id(self, numbers):
        """The same with the ids of accounts that are still there."""
        there = set(LoginAccount.objects.values_list("pk", flat=True))
        found = {self.everybody[number].pk: value for number, value in numbers.items()}
        return {pk: value for pk, value in found.items() if pk in there}

    def new_names(self, given):
        return [(f"a{number}{self.world.now:%d%H}", one) for number, one in enumerate(given["added"])]

    def make_manual(self, name, license_type):
        subscription, at = self.world.subscription, self.world.now
        account = LoginAccount.objects.create(
            subscription=subscription, username=name, username_key=name, created_at=at, modified_at=at
        )
        ids = [account.pk]
        choices.choose_manual(subscription=subscription, account_ids=ids, license_type=license_type, actor=ACTOR, at=at)
        return account


def pause(link):
    link.paused_at = NOON
    link.save()


def difference(before, after):
    """What happened between two states, as a preview says it."""
    lines = {"gain": [], "lose": [], "wait": []}
    names = sorted(before["licenses"].keys() | after["licenses"])
    for name in names:
        (had, wanted), (has, wants) = (state["licenses"].get(name, (NONE, NONE)) for state in (before, after))
        if has != had:
            lines["gain" if has > had else "lose"].append((name, had, has))
        elif 0 < wants != has and (had == wanted or wants != wanted):
            lines["wait"].append((name, wants))
    effects = {name: f"{label(had)} → {label(has)}" for name, had, has in lines["gain"] + lines["lose"]}
    effects |= {name: f"waits for {label(wants)}" for name, wants in lines["wait"]}
    return {
        **{kind: len(found) for kind, found in lines.items()},
        "removed_members": len(before["members"] - before["paused"] - after["members"]),
        "created_vault_users": len(after["new"] - before["new"]),
        "accounts": [{"username": name, "effect": effects[name]} for name in names if name in effects],
    }


def label(number):
    return LicenseType(number).label


STARTS = st.tuples(
    EVENTS,
    st.sampled_from(["at_once", "keep", "after_days"]),
    st.sampled_from(["always", "on_purchase"]),
    st.booleans(),
)


@pytest.mark.parametrize("kind", CHANGES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(start=STARTS, data=st.data())
def test_a_preview_is_what_happens(db, kind, start, data):
    with transaction.atomic():
        world = Foreseen(*start)
        for given_change in data.draw(st.lists(CHANGES[kind], min_size=1, max_size=4)):
            foreseen, happened = world.change(kind, given_change)
            assert foreseen == happened
        transaction.set_rollback(True)


def people(number, **purchases):
    """A group of that many members with Read only licenses."""
    subscription = make_subscription()
    purchase(subscription, **purchases)
    configuration = make_configuration(subscription, default_license_type=READ_ONLY)
    members = [make_account(configuration, f"user{one:02}") for one in range(number)]
    group = make_group(configuration, members=members)
    reconcile(subscription)
    return group


def test_a_preview_takes_as_many_statements_for_many_accounts_as_for_one():
    def statements(members):
        group = people(members, named=members // 2, read_only=members)
        with CaptureQueriesContext(connection) as captured:
            preview = previews.group_license(group=group, license_type=NAMED, at=NOON)
        assert preview["gain"] + preview["wait"] == members
        return len(captured)

    assert statements(40) == statements(2) <= 16


def test_pages_together_are_all_accounts_by_username():
    group = people(7, named=3, read_only=7)

    def accounts(**page):
        return previews.group_license(group=group, license_type=NAMED, at=NOON, **page)["accounts"]

    assert [one["username"] for one in accounts()] == [f"user{one:02}" for one in range(7)]
    assert accounts(limit=3) + accounts(offset=3, limit=3) + accounts(offset=6, limit=3) == accounts()
    assert accounts(offset=5) == accounts()[5:]
    assert accounts(offset=7) == []


def test_whoever_waits_longer_gets_the_seat_before_the_members_of_the_group():
    group = people(2, named=0, read_only=9)
    first = make_account(group.configuration, "zoe", at=NOON)
    make_group(group.configuration, members=[first], license_type=NAMED)
    reconcile(group.subscription)
    purchase(group.subscription, named=2)

    preview = previews.group_license(group=group, license_type=NAMED, at=NOON + MINUTE)

    assert preview["accounts"] == [
        {"username": "user00", "effect": "Read only → Named"},
        {"username": "user01", "effect": "waits for Named"},
        {"username": "zoe", "effect": "No license → Named"},
    ]


@pytest.mark.parametrize(("fill_policy", "gain"), [("always", 1), ("on_purchase", 0)])
def test_with_the_vendors_fill_policy_who_was_passed_over_stays_so(fill_policy, gain):
    group = people(2, read_only=1)
    group.subscription.fill_policy = fill_policy
    group.subscription.save()
    waiting = LicenseGrant.objects.get(granted_type=NONE)
    LicensePool.objects.filter(license_type=READ_ONLY).update(purchased=2, ceiling=2)

    preview = previews.pins(
        subscription=group.subscription, account_ids=[waiting.account_id], license_type=READ_ONLY, at=NOON
    )

    assert (preview["gain"], preview["wait"]) == (gain, 0)


def test_pins_of_other_subscriptions_accounts_are_left():
    own, other = people(1, read_only=1), people(1, read_only=1)
    ids = [account.pk for group in (own, other) for account in group.accounts.all()]

    preview = previews.pins(subscription=own.subscription, account_ids=ids, license_type=NONE, at=NOON)

    assert (preview["lose"], len(preview["accounts"])) == (1, 1)


@pytest.mark.parametrize(("license_type", "number"), [(NAMED, -1), (NAMED, 10_000_001), (NONE, 1)])
def test_a_number_that_cannot_be_purchased_has_no_preview(license_type, number):
    with pytest.raises(BadPurchase):
        previews.purchased(subscription=make_subscription(), purchases={license_type: number}, at=NOON)


def is_there():
    with connection.cursor() as cursor:
        return "licensing_future" in connection.introspection.table_names(cursor)


@pytest.mark.django_db(transaction=True)
def test_a_preview_outside_a_transaction_leaves_no_table_even_when_it_fails(monkeypatch):
    group = people(1, named=1, read_only=1)

    def fail(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(plan, "fill", fail)
        with pytest.raises(ZeroDivisionError):
            previews.group_license(group=group, license_type=NAMED, at=NOON)

    assert previews.group_license(group=group, license_type=NAMED, at=NOON)["gain"] == 1
    assert previews.group_license(group=group, license_type=NONE, at=NOON)["gain"] == 0
    assert not is_there()


def test_a_paused_link_goes_on_with_the_vault_user_that_it_had_begun_to_make():
    group = people(1, read_only=1)
    subscription, [account] = group.subscription, LoginAccount.objects.filter(memberships__group=group)
    link = make_link(group, make_vault(subscription))
    touch_accounts([account.pk])
    reconcile(subscription)
    pause(link)
    pin = {"subscription": subscription, "account_ids": [account.pk], "at": NOON}
    choices.pin(license_type=NONE, actor=ACTOR, **pin)
    reconcile(subscription)

    assert previews.pins(license_type=None, **pin)["created_vault_users"] == 1
    choices.pin(license_type=None, actor=ACTOR, **pin)
    reconcile(subscription)
    assert VaultUser.objects.get(account=account).wanted_enabled
