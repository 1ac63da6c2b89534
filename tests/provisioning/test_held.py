"""Allowing and rejecting what the protection against accidents holds (1-product §1.3, decision 18)."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning import tasks
from provisioning.actor import Actor
from provisioning.models import (
    AccountStop,
    AuditEntry,
    DueAccount,
    GroupMembership,
    HeldChange,
    LoginAccount,
)
from provisioning.services import groups
from provisioning.services import held as services
from provisioning.services.memberships import MemberChange
from provisioning.signals import directory_changed
from tests.factories import ACTOR, NOON, make_admin, make_call, make_group, make_subscription
from tests.provisioning.held_people import (
    ALLOWED,
    DISABLE,
    LAPSED,
    MINUTE,
    OPEN,
    REJECTED,
    REMOVE,
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
LATER = NOON + 30 * MINUTE


def ids(*accounts):
    return list(HeldChange.objects.filter(account__in=accounts, decision=OPEN).values_list("pk", flat=True))


def allow(*accounts, actor=ACTOR, at=LATER, chosen=None):
    return services.allow(subscription=accounts[0].subscription, ids=chosen or ids(*accounts), actor=actor, at=at)


def reject(*accounts, actor=ACTOR, at=LATER, chosen=None):
    return services.reject(subscription=accounts[0].subscription, ids=chosen or ids(*accounts), actor=actor, at=at)


def held_people(number, *, change=disable):
    everybody = people(number, least=0)
    for account in everybody:
        change(account)
    DueAccount.objects.all().delete()
    return everybody


def acts():
    rows = AuditEntry.objects.filter(action__endswith="held changes").order_by("pk")
    return [(row.action, row.target, row.changes) for row in rows]


def test_who_is_allowed_is_disabled_now_and_due():
    ann, ben, cleo = held_people(3)

    outcome = allow(ann, ben)

    assert (outcome.decided, outcome.kept_words()) == (2, [])
    assert [state(account) for account in (ann, ben, cleo)] == [(False, False), (False, False), (True, False)]
    assert (ann.disabled_at, ann.intended_active, ann.version) == (LATER, None, 3)
    assert held(ann) == [(DISABLE, ALLOWED)]
    assert set(DueAccount.objects.values_list("account", flat=True)) == {ann.pk, ben.pk}
    change = HeldChange.objects.get(account=ann)
    assert (change.decided_at, change.decided_by) == (LATER, ACTOR.name)


def test_who_is_rejected_stays_enabled_and_the_provider_sees_what_it_asked_for():
    ann, ben = held_people(2)

    assert reject(ann).decided == 1

    assert [state(account) for account in (ann, ben)] == [(True, False)] * 2
    assert [held(account) for account in (ann, ben)] == [[(DISABLE, REJECTED)], [(DISABLE, OPEN)]]


def test_both_are_audited_with_the_names():
    ann, ben, cleo = held_people(3)

    allow(ann, ben)
    reject(cleo)

    assert acts() == [
        (
            "allow held changes",
            "2 accounts",
            {ann.username: ["Disable", "Allowed"], ben.username: ["Disable", "Allowed"]},
        ),
        ("reject held changes", cleo.username, {"held": ["Disable", "Rejected"]}),
    ]


def test_an_allowed_removal_leaves_the_groups_and_a_rejected_one_stays():
    ann, ben = people(2, least=0)
    make_group(ann.configuration, members=[ann, ben])
    remove(ann)
    remove(ben)

    allow(ann)
    reject(ben)

    assert [state(account) for account in (ann, ben)] == [(False, False), (True, False)]
    assert list(GroupMembership.objects.values_list("account", flat=True)) == [ben.pk]
    assert [held(account) for account in (ann, ben)] == [[(REMOVE, ALLOWED)], [(REMOVE, REJECTED)]]


@pytest.mark.parametrize("kind", ["replace", "clear"])
def test_new_members_of_a_group_leave_those_whose_removal_is_held(kind):
    ann, ben = people(2, least=0)
    group = make_group(ann.configuration, members=[ann, ben])
    remove(ann)

    call = make_call(ann.configuration, operation="replace", resource_type="Group")
    change = groups.GroupChange(members=[MemberChange(kind)])
    groups.change_group(scim_id=group.scim_id, change=lambda _group: change, call=call)

    assert list(group.memberships.values_list("account", flat=True)) == [ann.pk]


def test_a_new_user_of_the_name_of_a_rejected_removal_is_the_same_person_without_groups():
    [ann] = people(1, least=0)
    make_group(ann.configuration, members=[ann])
    remove(ann)
    reject(ann)

    again = revive(ann)

    assert again.pk == ann.pk
    assert state(ann) == (True, True)
    assert held(ann) == [(REMOVE, LAPSED)]
    assert not GroupMembership.objects.exists()


def test_allowing_takes_no_place_in_the_hour():
    ann, ben = held_people(2)

    allow(ann, ben)

    assert not AccountStop.objects.exists()


def test_who_was_allowed_is_enabled_again_as_anybody():
    [ann] = held_people(1)
    allow(ann)

    become(ann, active=True)

    assert state(ann) == (True, True)
    assert held(ann) == [(DISABLE, ALLOWED)]


@pytest.mark.parametrize("deed", [allow, reject])
def test_a_second_decision_is_told_and_changes_nothing(deed):
    [ann] = held_people(1)
    chosen = ids(ann)
    reject(ann)
    before = (state(ann), held(ann), acts())

    with pytest.raises(services.NothingHeld, match="somebody else has decided"):
        deed(ann, chosen=chosen)

    assert (state(ann), held(ann), acts()) == before


def test_what_is_still_open_is_decided_although_the_rest_was_taken_back():
    ann, ben = held_people(2)
    chosen = ids(ann, ben)
    become(ann, active=True)

    assert allow(ann, ben, chosen=chosen).decided == 1

    assert [state(account)[0] for account in (ann, ben)] == [True, False]


def test_changes_of_another_subscription_are_out_of_reach():
    [ann] = held_people(1)

    with pytest.raises(services.NothingHeld):
        services.allow(subscription=make_subscription(), ids=ids(ann), actor=ACTOR, at=LATER)

    assert state(ann) == (True, False)


def as_admin(*accounts, role=LoginAccount.Role.SUBSCRIPTION_ADMIN):
    LoginAccount.objects.filter(pk__in=[account.pk for account in accounts]).update(role=role)


def test_of_the_last_admins_one_stays_held_and_that_is_said():
    subscription = make_subscription()
    admin = make_admin(subscription)
    ann, ben = people(2, least=0, subscription=subscription)
    as_admin(ann, ben)
    disable(ann)
    disable(ben)
    LoginAccount.objects.filter(pk=admin.pk).update(is_enabled=False)

    outcome = allow(ann, ben)

    assert outcome.decided == 1
    assert sorted(state(account)[0] for account in (ann, ben)) == [False, True]
    stays = next(account for account in (ann, ben) if account.is_enabled)
    assert held(stays) == [(DISABLE, OPEN)]
    [sentence] = outcome.kept_words()
    assert sentence.startswith(f"Held still: {stays.username}, because the subscription would have no enabled")


@pytest.mark.parametrize("deed", [allow, reject])
def test_an_access_admin_decides_about_no_higher_role(deed):
    ann, ben = held_people(2)
    as_admin(ben, role=LoginAccount.Role.BILLING_ADMIN)
    access = Actor(kind="person", name="acc@contoso.example", role=LoginAccount.Role.ACCESS_ADMIN.label)

    outcome = deed(ann, ben, actor=access)

    assert outcome.decided == 1
    assert held(ben) == [(DISABLE, OPEN)]
    assert outcome.kept_words()[0].endswith("Only a Subscription admin decides about Billing and Subscription admins.")


def test_as_many_statements_for_many_as_for_few(django_assert_max_num_queries, monkeypatch):
    everybody = held_people(30)

    with django_assert_max_num_queries(14):
        allow(*everybody[:2])
    with django_assert_max_num_queries(14):
        allow(*everybody[2:])

    assert not LoginAccount.objects.filter(is_enabled=True).exists()


def test_many_are_decided_a_few_in_a_transaction(monkeypatch):
    monkeypatch.setattr(services, "_AT_ONCE", 2)
    everybody = held_people(5)

    assert reject(*everybody).decided == 5

    assert [target for _, target, _ in acts()] == ["2 accounts", "2 accounts", everybody[4].username]


@pytest.mark.django_db(transaction=True)
def test_a_decision_is_announced_to_the_workers():
    [ann] = held_people(1)
    told = []

    def receive(**news):
        told.append(news["subscription_id"])

    directory_changed.connect(receive)
    try:
        allow(ann)
    finally:
        directory_changed.disconnect(receive)

    assert told == [ann.subscription_id]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_of_two_admins_who_decide_at_once_one_wins_and_the_other_is_told(attempt):
    everybody = held_people(10)
    chosen, deeds = ids(*everybody), [allow, reject]

    answers = together(2, lambda number: deeds[number](everybody[0], chosen=chosen))

    assert [type(one) for one in answers if isinstance(one, Exception)] == [services.NothingHeld]
    assert [one.decided for one in answers if not isinstance(one, Exception)] == [10]
    decisions = set(HeldChange.objects.filter(pk__in=chosen).values_list("decision", flat=True))
    assert decisions == ({ALLOWED} if isinstance(answers[1], Exception) else {REJECTED})


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_locked_accounts_both_admins_win(monkeypatch):
    [ann] = held_people(1)
    chosen, both_have_looked = ids(ann), threading.Barrier(2)

    def look(subscription, part):
        found = list(HeldChange.objects.select_related("account").filter(pk__in=part, decision=OPEN))
        both_have_looked.wait(timeout=30)
        return found

    monkeypatch.setattr(services, "_open", look)
    deeds = [allow, reject]

    answers = together(2, lambda number: deeds[number](ann, chosen=chosen))

    assert [one.decided for one in answers] == [1, 1]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_a_provider_that_takes_back_while_an_admin_allows_leaves_one_outcome(attempt):
    [ann] = held_people(1)
    chosen = ids(ann)

    together(2, lambda number: allow(ann, chosen=chosen) if number else become(ann, active=True))

    # Either the admin came too late, or the account was disabled and then enabled by the provider.
    assert state(ann) == (True, True)
    assert not ids(ann)


def test_old_stops_are_pruned_with_the_log():
    now = timezone.now()
    [ann] = people(1, least=10)
    for age in (25, 23):
        AccountStop.objects.create(configuration=ann.configuration, at=now - timedelta(hours=age), number=25 - age)

    tasks.prune()

    assert AccountStop.objects.count() == 1
