"""The database's wishes are the plan's: the same accounts, policies and moments, worked out twice."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.models import LicenseGrant
from licensing.plans import licenses as plan
from licensing.plans.licenses import Policy, ReleasePolicy
from licensing.services import wishes
from provisioning.license_types import LicenseType
from provisioning.models import GroupMembership, LoginAccount, ProvisioningConfiguration, UserGroup
from tests.factories import NOON, make_account, make_configuration, make_group, make_subscription
from tests.licensing.facts import facts_of

pytestmark = pytest.mark.django_db
TYPES = st.sampled_from(list(LicenseType))
MOMENTS = st.builds(
    lambda days, microseconds: NOON + timedelta(days=days, microseconds=microseconds),
    st.integers(-9, 1),
    st.sampled_from([0, 1, 500_000, 999_999]),
)
GRANTS = st.none() | st.fixed_dictionaries(
    {
        "wanted_type": TYPES,
        "granted_type": TYPES,
        "asked_at": st.none() | MOMENTS,
        "granted_at": st.none() | MOMENTS,
        "passed_over_at": st.none() | MOMENTS,
        "pinned_type": st.none() | TYPES,
        "manual_type": st.none() | TYPES,
    }
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "is_enabled": st.booleans(),
            "disabled_at": st.none() | MOMENTS,
            "created_at": MOMENTS,
            "is_manual": st.booleans(),
            "groups": st.sets(st.integers(0, 3)),
            "grant": GRANTS,
        }
    ),
    min_size=1,
    max_size=4,
)
GROUPS = st.lists(
    st.tuples(st.none() | TYPES, st.booleans(), st.sampled_from(["a", "B", "é", "z", "Z"])), min_size=4, max_size=4
)
POLICIES = st.builds(ReleasePolicy, st.sampled_from(list(Policy)), st.integers(0, 9))


def build(people, groups, default, deleted_at):
    subscription = make_subscription()
    configuration = make_configuration(subscription, default_license_type=default)
    made = [make_group(configuration, f"{name}{number}") for number, (_, _, name) in enumerate(groups)]
    for group, (license_type, is_deleted, _) in zip(made, groups, strict=True):
        deleted_at = NOON if is_deleted else None
        UserGroup.objects.filter(pk=group.pk).update(license_type=license_type, deleted_at=deleted_at)
    ProvisioningConfiguration.objects.filter(pk=configuration.pk).update(deleted_at=deleted_at)
    for person in people:
        account = make_account(configuration, at=person["created_at"])
        LoginAccount.objects.filter(pk=account.pk).update(
            is_enabled=person["is_enabled"],
            disabled_at=person["disabled_at"],
            configuration=None if person["is_manual"] else configuration,
        )
        for number in person["groups"]:
            GroupMembership.objects.create(subscription=subscription, group=made[number], account=account)
        if person["grant"] is not None:
            key = account.username_key
            LicenseGrant.objects.create(subscription=subscription, account=account, username_key=key, **person["grant"])
    return subscription


def as_row(account_id, wish):
    return {
        "account_id": account_id,
        "wanted": wish.wanted,
        "source_kind": wish.source.kind,
        "source_group_id": wish.source.group_id,
        "asked_at": wish.asked_at,
        "passed_over_at": wish.passed_over_at,
        "granted_type": wish.granted,
        "granted_at": wish.granted_at,
        "release_due_at": wish.release_due_at,
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE, groups=GROUPS, source=st.tuples(TYPES, st.none() | MOMENTS), policy=POLICIES)
def test_the_database_wishes_as_the_plan_does(db, people, groups, source, policy):
    with transaction.atomic():
        subscription = build(people, groups, *source)
        accounts = LoginAccount.objects.filter(subscription=subscription).order_by("pk")
        planned = {one.pk: plan.wish(facts_of(one), policy, NOON) for one in accounts}

        released = wishes.record(subscription.pk, list(planned), policy, NOON)

        names = [name if name != "wanted" else "wanted_type" for name in as_row(0, next(iter(planned.values())))]
        rows = LicenseGrant.objects.filter(account_id__in=planned).order_by("account_id").values_list(*names)
        assert list(rows) == [tuple(as_row(pk, wish).values()) for pk, wish in planned.items()]
        assert released == Counter(wish.released for wish in planned.values() if wish.released)
        transaction.set_rollback(True)
