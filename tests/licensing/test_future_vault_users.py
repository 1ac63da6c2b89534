"""What a preview says of vaults: who becomes a vault user, and who leaves target groups."""

from datetime import timedelta

import pytest

from licensing.models import LicenseGrant, VaultUser
from licensing.services import previews
from provisioning.models import GroupLink, UserGroup
from provisioning.services import vault_access
from tests.factories import ACTOR, NOON, make_group, make_link, make_vault
from tests.licensing.people import CONCURRENT, NONE, READ_ONLY, purchase, reconcile
from tests.licensing.test_futures import people

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("change", "seen_enabled", "created"),
    [
        ({}, None, 1),
        ({}, False, 0),
        ({"is_enabled": False}, None, 0),
        ({"deleted_at": NOON - timedelta(hours=23)}, None, 1),
        ({"deleted_at": NOON - timedelta(hours=25)}, None, 0),
        ({"paused_at": NOON}, None, 0),
    ],
)
def test_a_vault_user_is_created_for_who_gets_a_license_and_is_not_in_the_vault(change, seen_enabled, created):
    group = people(1, read_only=1)
    link = make_link(group, make_vault(group.subscription))
    account = group.accounts.get()
    for row in (group, link, account):
        for name in change.keys() & vars(row).keys():
            setattr(row, name, change[name])
        row.save()
    LicenseGrant.objects.update(granted_type=NONE, wanted_type=NONE)
    VaultUser.objects.create(
        subscription=group.subscription,
        vault=link.target.vault,
        account=account,
        account_uid=account.uid,
        seen_enabled=seen_enabled,
    )

    preview = previews.pins(subscription=group.subscription, account_ids=[account.pk], license_type=CONCURRENT, at=NOON)

    assert preview["created_vault_users"] == created


@pytest.mark.parametrize(("hours", "created"), [(23, 1), (25, 0)])
def test_members_of_a_deleted_source_that_a_link_has_followed_become_vault_users_for_a_day(hours, created):
    group = people(1, read_only=0)
    link = make_link(make_group(group.configuration), make_vault(group.subscription))
    GroupLink.objects.filter(pk=link.pk).update(former_group=group)
    UserGroup.objects.filter(pk=group.pk).update(deleted_at=NOON - timedelta(hours=hours))

    numbers = {READ_ONLY: 1}
    preview = previews.purchased(subscription=group.subscription, purchases=numbers, at=NOON)
    purchase(group.subscription, read_only=1)
    reconcile(group.subscription)

    assert preview["created_vault_users"] == created == VaultUser.objects.filter(wanted_enabled=True).count()


@pytest.mark.parametrize(
    ("deeds", "created"),
    [([], 0), (["give_access"], 1), (["give_access", "block"], 0), (["block"], 0), (["give_access", "take_access"], 0)],
)
def test_who_was_given_access_becomes_a_vault_user_with_the_license(deeds, created):
    account = people(1, read_only=0).accounts.get()
    vault = make_vault(account.subscription)
    for name in deeds:
        getattr(vault_access, name)(accounts=[account], vault=vault, actor=ACTOR, at=NOON)
    reconcile(account.subscription)

    numbers = {READ_ONLY: 1}
    preview = previews.purchased(subscription=account.subscription, purchases=numbers, at=NOON)

    assert (preview["gain"], preview["created_vault_users"]) == (1, created)


@pytest.mark.parametrize(("paused_at", "removed"), [(None, 1), (NOON, 0)])
def test_who_loses_its_license_leaves_the_targets_of_links_that_are_not_paused(paused_at, removed):
    group = people(1, read_only=1)
    link = make_link(group, make_vault(group.subscription))
    reconcile(group.subscription)
    GroupLink.objects.filter(pk=link.pk).update(paused_at=paused_at)

    preview = previews.group_license(group=group, license_type=NONE, at=NOON)
    assert (preview["lose"], preview["removed_members"]) == (0, 0)
    ids = group.accounts.values_list("pk", flat=True)
    preview = previews.pins(subscription=group.subscription, account_ids=ids, license_type=NONE, at=NOON)

    assert (preview["lose"], preview["removed_members"]) == (1, removed)
