"""What pages cost in statements: the same for few rows and many."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from provisioning.models import VaultUserGroup
from provisioning.services.calls import record_failure
from tests.factories import make_account, make_call, make_configuration, make_group, make_link, make_vault

FRAME = 4
"""Session, person, role, and the subscriptions of the menus."""
LISTS = {
    "": 15,
    "users/": 8,
    "users/?sort=email": 9,
    "users/?license=3&waiting=any&state=enabled&q=a": 10,
    "vaults/": 3,
    "audit/": 4,
    "settings/": 1,
    "settings/notifications/": 4,
    "provisioning/configurations/": 3,
    "provisioning/groups/": 1,
    "provisioning/links/": 2,
    "provisioning/links/create/": 4,
    "provisioning/log/": 2,
    "provisioning/held/": 5,
}
"""How many statements each list may add to the frame's, those of licensing's columns and parts included."""


def grow(contoso):
    """Make everything at least ten times as long."""
    members = [make_account(contoso.configuration) for _ in range(25)]
    for number in range(15):
        group = make_group(contoso.configuration, members=members)
        vault = make_vault(contoso.subscription)
        make_link(group, vault)
        VaultUserGroup.objects.create(vault=vault, name="Free", name_key="free", remote_id=number)
        record_failure(make_call(make_configuration(contoso.subscription)), status=409, detail="taken")


def cost(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_for_many_rows(path, contoso, admin):
    url = contoso.url(path)
    few = cost(admin, url)

    grow(contoso)

    assert cost(admin, url) == few
    assert few <= FRAME + LISTS[path]


def test_a_users_and_a_groups_page_cost_the_same_in_a_large_directory(contoso, admin):
    urls = [contoso.url(f"users/{contoso.ann.pk}/"), contoso.url(f"provisioning/groups/{contoso.legal.pk}/")]
    few = [cost(admin, url) for url in urls]

    grow(contoso)

    assert [cost(admin, url) for url in urls] == few
    assert max(few) <= FRAME + 18


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("users/", "account_list"),
        ("users/?state=disabled", "account_list_disabled"),
        ("users/?state=removed", "account_list_disabled"),
        ("provisioning/groups/", "group_list"),
        ("provisioning/log/", "log_page"),
        ("audit/", "audit_time"),
    ],
)
@pytest.mark.sqlite
def test_a_page_is_read_in_the_order_of_an_index(path, index, contoso, admin):
    """SQLite plans by its rules alone, so a plan without sorting shows that the index fits the page."""
    with CaptureQueriesContext(connection) as captured:
        admin.get(contoso.url(path))
    pages = [query["sql"] for query in captured if query["sql"].endswith("LIMIT 51")]
    assert len(pages) == 1

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {pages[0]}")
        plan = "\n".join(row[3] for row in cursor.fetchall())

    assert re.search(rf"USING INDEX {index}\w* ", plan)
    assert "ORDER BY" not in plan
