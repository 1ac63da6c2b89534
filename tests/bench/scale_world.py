"""A subscription with very many accounts, groups and memberships, in plain SQL, and what happens in it."""

import random
from collections.abc import Callable

from django.db import connection, transaction
from django.utils import timezone

from licensing.services import pools
from provisioning.license_types import LICENSED_TYPES, LicenseType
from provisioning.models import LoginAccount, Subscription, UserGroup
from provisioning.services import group_settings
from provisioning.services.accounts import touch_accounts
from tests import factories
from tests.bench import world

DISABLED = 10_000


def make_world(accounts: int, groups: int, memberships: int) -> Subscription:
    """Make accounts that nobody has looked at yet, a big group and ``groups - 1`` of equal size; return that.

    The big group has 250,000 members, or half of the accounts; of the others, one in 16 gives Named, one Concurrent.
    """
    subscription = factories.make_subscription("Contoso", at=timezone.now())
    Subscription.objects.filter(pk=subscription.pk).update(release_policy=Subscription.ReleasePolicy.AT_ONCE)
    configuration = factories.make_configuration(subscription, at=timezone.now())
    pools.set_purchased(
        subscription=subscription,
        purchases=dict.fromkeys(LICENSED_TYPES, 2 * accounts),
        actor=factories.ACTOR,
        at=timezone.now(),
    )
    big, in_big = factories.make_group(configuration, "Big"), min(world.BIG_GROUP, accounts // 2)
    world.fill(configuration, accounts, {big: in_big})
    size = (memberships - in_big) // (groups - 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
        cursor.execute(_GROUPS, [subscription.pk, configuration.pk, groups - 1])
        cursor.execute(_MEMBERS, [subscription.pk, size, accounts, configuration.pk, size])
        cursor.execute(_DUE, [subscription.pk])
    factories.recount(configuration)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return subscription


def deeds(subscription: Subscription) -> dict[str, Callable[[], object]]:
    """Return what a worker shall then work through, by name, in the order in which it happens."""
    big = UserGroup.objects.get(subscription=subscription, display_name="Big")
    return {
        "First full grant": lambda: None,
        "Type of a big group": lambda: group_settings.set_group_license(
            group=big, license_type=LicenseType.NAMED, actor=factories.ACTOR, at=timezone.now()
        ),
        "Accounts disabled": lambda: _disable(subscription),
        "One new user": lambda: factories.make_account(big.configuration, at=timezone.now()),
    }


def _disable(subscription: Subscription) -> None:
    ids = list(LoginAccount.objects.filter(subscription=subscription, is_enabled=True).values_list("pk", flat=True))
    chosen = random.Random(0).sample(ids, min(DISABLED, len(ids) // 2))
    LoginAccount.objects.filter(pk__in=chosen).update(is_enabled=False, disabled_at=timezone.now())
    touch_accounts(chosen)


_GROUPS = """
INSERT INTO provisioning_usergroup (
    subscription_id, configuration_id, scim_id, display_name, display_name_key, license_type, document, search, version,
    created_at, modified_at, generation, observed_generation)
SELECT %s, %s, gen_random_uuid(), 'Group ' || n, 'group ' || n, CASE n %% 16 WHEN 1 THEN 3 WHEN 2 THEN 2 END,
    d.document, d.document, 1, now(), now(), 1, 1
FROM generate_series(1, %s) AS n, LATERAL (SELECT jsonb_build_object('displayName', 'Group ' || n) AS document) AS d"""
# 7919 is a prime: members of a group are all over the table, and no two of them are the same.
_MEMBERS = """
INSERT INTO provisioning_groupmembership (subscription_id, group_id, account_id)
SELECT %s, g.id, a.first + (g.number * %s + n) * 7919 %% %s
FROM (SELECT min(id) AS first FROM provisioning_loginaccount WHERE configuration_id = %s) AS a,
    (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number
        FROM provisioning_usergroup WHERE display_name <> 'Big') AS g,
    generate_series(0, %s - 1) AS n"""
_DUE = """
INSERT INTO provisioning_dueaccount (subscription_id, account_id, generation)
SELECT subscription_id, id, 1 FROM provisioning_loginaccount WHERE subscription_id = %s"""
