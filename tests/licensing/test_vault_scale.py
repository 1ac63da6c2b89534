"""What is asked again and again about vaults reads few rows of very many, in the same statements for all sizes."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing import portal
from licensing.models import LicenseGrant, VaultStatus, VaultUser, VaultUserMembership
from licensing.services import deletions, due, link_previews, link_states, overview, vault_users
from provisioning.models import GroupLink, Vault, VaultUserGroup
from provisioning.queries.pages import COUNT_LIMIT
from provisioning.services import links
from tests.database_role import analyze
from tests.factories import ACTOR, NOON, make_account, make_configuration, make_group, make_link, make_subscription
from tests.factories import make_vault as make_any_vault
from tests.licensing.people import NONE, READ_ONLY, reconcile
from tests.scim.test_index_use import looked_at, nodes

MEMBERS = 30_000
FEW = 3_000


@pytest.fixture
def crowd(db):
    """Fifty vaults with a link each; one of them has very many users, all of them in the link's target."""
    subscription = make_subscription()
    configuration = make_configuration(subscription)
    group = make_group(configuration, "Everybody")
    made = [make_link(group, make_any_vault(subscription), "Readers") for _ in range(50)]
    due.know_vaults()
    VaultStatus.objects.update(due_at="2100-01-01T00:00Z", compare_due_at="2100-01-01T00:00Z")
    first = made[0]
    with connection.cursor() as cursor:
        cursor.execute(_USERS, [subscription.pk, first.target.vault_id, MEMBERS])
        cursor.execute(_MEMBERS, [first.target_id])
    analyze()
    return first


_USERS = """
INSERT INTO licensing_vaultuser (
    subscription_id, vault_id, account_uid, remote_id, wanted_enabled, wanted_manual, is_blocked, wanted_profile,
    seen_enabled, seen_profile, disabled_by, overrides_person, generation, observed_generation, state, reason, attempts)
SELECT %s, %s, gen_random_uuid(), n, true, false, false, '', true, '', '', false, 1, 1, 'ready', '', 0
FROM generate_series(1, %s) AS n"""
_MEMBERS = """
INSERT INTO licensing_vaultusermembership (subscription_id, vault_user_id, target_id, wanted, seen, added_by_us)
SELECT subscription_id, id, %s, true, true, true FROM licensing_vaultuser"""


def rows_read(deed):
    """How many rows its statements read, those it threw away included, by plans that are made for any moment."""
    with CaptureQueriesContext(connection) as captured:
        deed()
    selects = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert selects
    return sum(_rows_read(sql) for sql in selects)


def _rows_read(sql):
    moments = sorted(set(re.findall(r"'[^']+'::timestamptz", sql)))
    for number, moment in enumerate(moments, 1):
        sql = sql.replace(moment, f"${number}")
    kinds = f"({', '.join(['timestamptz'] * len(moments))})" if moments else ""
    values = f"({', '.join(moments)})" if moments else ""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE page {kinds} AS {sql.replace('%', '%%')}")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page {values}")
        plan = list(nodes(cursor.fetchone()[0][0]["Plan"]))
        cursor.execute("DEALLOCATE page")
    return looked_at(plan)


@pytest.mark.postgresql
def test_what_is_due_is_found_without_reading_the_vault_users(crowd):
    assert rows_read(lambda: list(due.due_vaults(NOON))) < FEW
    assert rows_read(lambda: list(due.unprepared_links())) < FEW
    assert rows_read(lambda: list(due.emptied_links())) < FEW


@pytest.mark.postgresql
def test_the_state_of_a_page_of_links_is_found_without_reading_their_members(crowd):
    ids = list(GroupLink.objects.values_list("pk", flat=True))

    assert rows_read(lambda: link_states.views(ids)) < FEW
    assert rows_read(lambda: list(link_states.open_members(crowd).order_by("id")[:51])) < FEW


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_enabled_users_are_counted_to_a_limit_and_not_looked_for_among_those_of_other_vaults(crowd):
    analyze("licensing_vaultuser", vacuum=True)
    ids = list(Vault.objects.values_list("pk", flat=True))
    empty = Vault.objects.exclude(pk=crowd.target.vault_id).first()

    assert rows_read(lambda: portal.enabled_cells(ids)) < COUNT_LIMIT + FEW
    assert rows_read(lambda: vault_users.enabled(empty)) < FEW


@pytest.mark.postgresql
def test_a_preview_looks_up_each_page_of_members_by_index(crowd):
    uids = [str(uid) for uid in VaultUser.objects.order_by("account_uid").values_list("account_uid", flat=True)[:1_000]]
    staying = link_previews._wanted_in(VaultUserGroup.objects.get(pk=crowd.target_id))

    assert staying(uids) == set(uids)
    assert rows_read(lambda: staying(uids)) <= 3 * len(uids)  # the users by uid, by id, and their memberships


@pytest.mark.postgresql
def test_postgresql_does_not_compile_statements(db):
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


@pytest.fixture
def people(db):
    """A link with thirty members in the records, none of whom the vault has yet."""
    subscription = make_subscription()
    configuration = make_configuration(subscription)
    members = [make_account(configuration) for _ in range(30)]
    link = make_link(make_group(configuration, members=members), make_any_vault(subscription), "Readers")
    LicenseGrant.objects.all().delete()
    users = VaultUser.objects.bulk_create(
        VaultUser(
            subscription=subscription,
            vault=link.target.vault,
            account=account,
            account_uid=account.uid,
            wanted_enabled=True,
        )
        for account in members
    )
    VaultUserMembership.objects.bulk_create(
        VaultUserMembership(subscription=subscription, vault_user=user, target=link.target, wanted=True)
        for user in users
    )
    return link


@pytest.mark.parametrize("size", [3, 30])
def test_members_stay_in_the_same_statements_for_all_sizes(people, size):
    VaultUser.objects.exclude(pk__in=VaultUser.objects.order_by("pk")[:size]).delete()
    VaultUser.objects.update(seen_enabled=True)

    with CaptureQueriesContext(connection) as captured:
        links.remove_link(link=people, members=links.Members.STAY, actor=ACTOR, at=NOON)

    assert not VaultUserMembership.objects.exists()
    assert VaultUser.objects.filter(wanted_enabled=True).count() == size
    assert len(captured) < 30


def test_who_was_only_on_the_way_does_not_come_once_the_link_is_gone_chunk_by_chunk(people, monkeypatch):
    monkeypatch.setattr(deletions, "_CHUNK", 7)
    other = make_link(people.group, people.target.vault, "Others")
    elsewhere, given, *_ = VaultUser.objects.order_by("pk")
    VaultUserMembership.objects.create(
        subscription=people.subscription, vault_user=elsewhere, target=other.target, wanted=True
    )
    VaultUser.objects.filter(pk=given.pk).update(wanted_manual=True)

    links.remove_link(link=people, members=links.Members.STAY, actor=ACTOR, at=NOON)

    assert set(VaultUser.objects.filter(wanted_enabled=True)) == {elsewhere, given}
    assert VaultUserMembership.objects.get().target == other.target


@pytest.mark.parametrize("few", [1, 2, 3, 1_000])
def test_those_who_wait_are_counted_however_many_they_are(db, monkeypatch, few):
    monkeypatch.setattr(overview, "_FEW", few)
    subscription = make_subscription()
    configuration = make_configuration(subscription, default_license_type=READ_ONLY)
    for _ in range(2):
        make_account(configuration)
    reconcile(subscription)

    assert {pool.license_type: pool.waiting for pool in overview.pools(subscription)}[READ_ONLY] == 2
    assert LicenseGrant.objects.filter(granted_type=NONE).count() == 2
