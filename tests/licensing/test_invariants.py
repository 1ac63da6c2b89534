"""Whatever admins and identity providers do, in whatever order, the promises of 1-product §1.4 hold.

The same history happens to two replicas: two subscriptions whose workers come at other times, look at other numbers
of accounts at once, come twice, or are never called. After every look the promises hold in each; and the replicas end
equal where the rules promise it.
"""

import itertools
from dataclasses import replace

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from licensing.services import reasons
from provisioning.license_types import SEATED_TYPES, LicenseType
from tests.factories import NOON
from tests.licensing.people import DAY, MINUTE, NONE, READ_ONLY
from tests.licensing.replicas import Group, Model, Person, Replica

TYPES = st.sampled_from(list(LicenseType))
NUMBERS = st.integers(0, 999)
BATCHES = st.tuples(st.integers(1, 4), st.integers(1, 9))
MOST_PEOPLE, MOST_GROUPS = 9, 3


def pick(things, number):
    return sorted(things)[number % len(things)]


class Histories(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = NOON
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.model = Model([READ_ONLY, LicenseType.NAMED])
        self.replicas = [Replica(self.model.defaults, self.now) for _ in range(2)]
        self.last = [{}, {}]
        self.are_apart = False
        self.wanted, self.fell_at = {}, {}
        self.steps = 0
        self.numbers = itertools.count()
        self.happen("purchase", 1, 1)
        for number in range(6):
            self.create_account(configuration=number % 2, is_enabled=True, first="za"[number // 3])

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def happen(self, deed, *given, **named):
        """Let the same happen to both replicas, a minute after whatever was before."""
        self.now += MINUTE
        for replica in self.replicas:
            getattr(replica, deed)(self.now, *given, **named)

    def people(self, **facts):
        """The keys of those of whom all this is so."""
        return [key for key, one in self.model.people.items() if vars(one).items() >= facts.items()]

    def provisioned(self):
        """The keys of those whom a configuration has."""
        return [key for key, one in self.model.people.items() if one.configuration is not None and not one.is_removed]

    def groups(self):
        return [key for key, one in self.model.groups.items() if not one.is_deleted]

    @precondition(lambda self: len(self.model.people) < MOST_PEOPLE)
    @rule(configuration=st.integers(0, 1), is_enabled=st.booleans(), first=st.sampled_from("az"))
    def create_account(self, configuration, is_enabled, first):
        key = next(self.numbers)
        name = f"{first}{key}"
        self.happen("create", key, name, configuration, is_enabled)
        self.model.people[key] = Person(name, configuration, is_enabled, names={name})

    @precondition(lambda self: self.people(is_removed=True))
    @rule(number=NUMBERS)
    def revive_account(self, number):
        key = pick(self.people(is_removed=True), number)
        person = self.model.people[key]
        self.happen("create", key, person.username, person.configuration, True)
        self.model.people[key] = replace(person, is_removed=False, is_enabled=True)

    @precondition(lambda self: len(self.model.people) < MOST_PEOPLE)
    @rule(license_type=TYPES)
    def create_manual_account(self, license_type):
        key = next(self.numbers)
        name = f"m{key}"
        self.happen("create_manual", key, name, license_type)
        self.model.people[key] = Person(name, None, manual=license_type, names={name})

    @precondition(lambda self: self.people(configuration=None, is_enabled=False))
    @rule(number=NUMBERS)
    def delete_manual_account(self, number):
        key = pick(self.people(configuration=None, is_enabled=False), number)
        self.happen("delete_manual", key)
        del self.model.people[key]

    @precondition(lambda self: self.provisioned())
    @rule(number=NUMBERS)
    def rename_account(self, number):
        key = pick(self.provisioned(), number)
        person, name = self.model.people[key], f"k{next(self.numbers)}"
        self.happen("rename", key, name)
        person.username = name
        person.names.add(name)

    @precondition(lambda self: self.people(is_removed=False))
    @rule(number=NUMBERS, is_enabled=st.booleans())
    def enable_or_disable_account(self, number, is_enabled):
        key = pick(self.people(is_removed=False), number)
        self.happen("set_active", key, is_enabled)
        self.model.people[key].is_enabled = is_enabled

    @precondition(lambda self: self.provisioned())
    @rule(number=NUMBERS)
    def remove_account(self, number):
        key = pick(self.provisioned(), number)
        self.happen("remove", key)
        person = self.model.people[key]
        person.is_enabled, person.is_removed = False, True
        for group in self.model.groups.values():
            group.members.discard(key)

    @precondition(lambda self: len(self.groups()) < MOST_GROUPS)
    @rule(configuration=st.integers(0, 1), members=st.sets(NUMBERS, max_size=3), license_type=st.none() | TYPES)
    def create_group(self, configuration, members, license_type):
        key = next(self.numbers)
        name = f"Group {key}"
        chosen = self._members(configuration, members)
        self.happen("create_group", key, name, configuration, members=chosen, license_type=license_type)
        self.model.groups[key] = Group(name, configuration, license_type, members=chosen, ever={*chosen}, names={name})

    @precondition(lambda self: self.groups())
    @rule(number=NUMBERS, adding=st.sets(NUMBERS, max_size=3), removing=st.sets(NUMBERS, max_size=2))
    def change_members(self, number, adding, removing):
        key = pick(self.groups(), number)
        group = self.model.groups[key]
        add, remove = (self._members(group.configuration, one) for one in (adding, removing))
        self.happen("change_members", key, add, remove)
        group.members = (group.members | add) - remove
        group.ever |= add

    @precondition(lambda self: self.groups())
    @rule(number=NUMBERS)
    def rename_group(self, number):
        key = pick(self.groups(), number)
        name = f"Group {next(self.numbers)}"
        self.happen("rename_group", key, name)
        self.model.groups[key].names.add(name)

    @precondition(lambda self: self.groups())
    @rule(number=NUMBERS, license_type=st.none() | TYPES)
    def set_group_license(self, number, license_type):
        key = pick(self.groups(), number)
        self.happen("set_group_license", key, license_type)
        self.model.groups[key].license_type = license_type

    @precondition(lambda self: self.groups())
    @rule(number=NUMBERS)
    def delete_group(self, number):
        key = pick(self.groups(), number)
        self.happen("remove_group", key)
        self.model.groups[key].is_deleted = True

    @rule(configuration=st.integers(0, 1), license_type=TYPES)
    def set_default(self, configuration, license_type):
        self.happen("set_default", configuration, license_type)
        self.model.defaults[configuration] = license_type

    @precondition(lambda self: self.people(is_removed=False))
    @rule(numbers=st.sets(NUMBERS, min_size=1, max_size=3), license_type=st.none() | TYPES)
    def pin(self, numbers, license_type):
        keys = {pick(self.people(is_removed=False), number) for number in numbers}
        self.happen("pin", keys, license_type)
        for key in keys:
            self.model.people[key].pinned = license_type

    @precondition(lambda self: self.people(configuration=None))
    @rule(number=NUMBERS, license_type=TYPES)
    def choose_manual(self, number, license_type):
        key = pick(self.people(configuration=None), number)
        self.happen("choose", key, license_type)
        self.model.people[key].manual = license_type

    @rule(named=st.integers(0, 3), read_only=st.integers(0, 3))
    def purchase(self, named, read_only):
        self.happen("purchase", named, read_only)

    @rule(policy=st.sampled_from(["keep", "at_once", "after_days"]), days=st.integers(0, 9))
    def set_release_policy(self, policy, days):
        self.happen("set_policies", release_policy=policy, release_after_days=days)

    @rule(policy=st.sampled_from(["always", "on_purchase"]))
    def set_fill_policy(self, policy):
        self.happen("set_policies", fill_policy=policy)
        self.model.fill_policy = policy

    @rule(days=st.integers(1, 9))
    def time_passes(self, days):
        self.now += days * DAY

    @rule(which=st.integers(0, 1), batch=st.integers(1, 9))
    def one_message_is_lost(self, which, batch):
        """Only the workers of one replica are told that something has happened."""
        self.look(which, batch, runs=1)
        self.are_apart = True

    @rule(batches=BATCHES, runs=st.tuples(st.integers(1, 2), st.integers(1, 3)))
    def both_look(self, batches, runs):
        """All workers are told, some more often than others; each takes its accounts in batches of its own size."""
        for which in (0, 1):
            self.look(which, batches[which], runs=runs[which])
        left, right = (replica.everything() for replica in self.replicas)
        if not self.are_apart:
            assert left == right
        self.are_apart = left != right
        self.compare_what_is_promised()

    @invariant()
    def know_when_wishes_fell(self):
        """Runs after every deed, and before the workers come: invariants run in the order of their names."""
        now = {key: self.model.wanted(key) for key in self.model.people}
        self.fell_at |= {key: self.now for key, wanted in now.items() if wanted < self.wanted.get(key, NONE)}
        self.wanted = now

    @invariant()
    def workers_come_after_every_other_deed(self):
        self.steps += 1
        if self.steps % 2:
            self.both_look(batches=(1 + self.steps % 3, 9), runs=(1, 1 + self.steps % 4))

    def look(self, which, batch, *, runs):
        replica = self.replicas[which]
        replica.reconcile(self.now, batch, runs)
        check(self.model, replica, self.last[which], self.fell_at)
        self.check_reasons(replica)
        self.last[which] = replica.grants()

    def check_reasons(self, replica):
        """The reasons of all, told at once, are those that the queue and the grants have."""
        accounts = {key: replica.account(key) for key in self.model.people}
        told = reasons.many(accounts.values(), self.now)
        grants = replica.grants()
        for key, account in accounts.items():
            reason = told[account.pk]
            assert (reason.wanted, reason.granted) == (self.model.wanted(key), grants[key].granted_type)
            assert reason.is_waiting == grants[key].is_waiting

    def compare_what_is_promised(self):
        """A message that came late costs a place in the queue, but never changes what is wanted, or why."""
        left, right = (replica.grants() for replica in self.replicas)
        for key in self.model.people:
            assert (left[key].wanted_type, left[key].source_kind) == (right[key].wanted_type, right[key].source_kind)
        if not any(grant.is_waiting for grant in [*left.values(), *right.values()]):
            able = self.people(is_enabled=True)
            assert [left[key].granted_type for key in able] == [right[key].granted_type for key in able]

    def _members(self, configuration, numbers):
        able = [key for key in self.provisioned() if self.model.people[key].configuration == configuration]
        return {pick(able, number) for number in numbers} if able else set()


def check(model, replica, before, fell_at):
    """Hold what is recorded against the promises.

    ``before`` is what was after the last look, and ``fell_at`` when each last began to want less.
    """
    after = replica.grants()
    had = {key: before[key].granted_type if key in before else NONE for key in after}
    for key in model.people:
        assert after[key].wanted_type == model.wanted(key)
        assert after[key].granted_type in {after[key].wanted_type, had[key], NONE}
    for pool in replica.pools():
        check_pool(model, pool, after.values(), [one for key, one in after.items() if had[key] != one.granted_type])
    for key, grant in after.items():
        if grant.granted_type < had[key]:
            assert model.wanted(key) < had[key]
            assert replica.was_told(fell_at[key], model.words_about(key))


def check_pool(model, pool, grants, moved):
    """Seats are counted, never oversold, never idle while somebody waits, and given in order."""
    assert pool.granted == sum(grant.granted_type == pool.license_type for grant in grants)
    queue = [grant for grant in grants if grant.is_waiting and grant.wanted_type == pool.license_type]
    newly = [grant for grant in moved if grant.granted_type == pool.license_type]
    if pool.license_type not in SEATED_TYPES:
        assert not queue
        return
    assert pool.granted <= pool.purchased or not newly
    assert pool.granted <= pool.ceiling
    if model.fill_policy == "always":
        assert not queue or pool.granted >= pool.purchased
        assert max(map(place, newly), default=()) <= min(map(place, queue), default=place(None))


def place(grant):
    return (grant.asked_at, grant.username_key) if grant else (NOON + 10_000 * DAY, "")


@pytest.mark.django_db
def test_the_promises_hold_through_all_histories():
    examples = 5 if connection.vendor == "sqlite" else 2
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # making a failure shorter takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
