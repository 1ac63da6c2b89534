"""The table of roles in the menu, on the pages, in the services and in the documentation (1-product §1.6)."""

import re

import pytest
from django.core.files.base import ContentFile
from django.urls import resolve

from provisioning.exports import csv_lines
from provisioning.models import LoginAccount
from provisioning.permissions import ROLES, Permission, Role
from provisioning.queries import accounts
from provisioning.queries import user_files as files
from provisioning.user_rows import TITLES
from tests.factories import make_admin, make_person
from tests.trust.documentation import PAGE, roles_table, written
from tests.trust.rules import RULES
from tests.trust.world import make_tenant

TABLE = """
| Permission | No role | Billing admin | Access admin | Subscription admin |
|---|---|---|---|---|
| Open the portal; see subscription, vaults, users | – | yes | yes | yes |
| Licenses page: see pools; order (change purchased numbers) | – | yes | see only | yes |
| Create, edit, disable, delete users; CSV import/export | – | – | \
yes, but cannot touch or appoint Billing or Subscription admins | yes |
| Vault admin rights (Full control), trusted persons | – | – | yes | yes |
| Provisioning (configurations, groups, links, log, held changes) | – | – | yes | yes |
| Subscription settings and policies; give the Subscription admin role | – | – | – | yes |
| Audit log | – | own acts | all | all |
"""
NEW = {"full_name": "New", "email": "new@contoso.example", "license_type": "0"}
HIGH = (Role.BILLING_ADMIN, Role.SUBSCRIPTION_ADMIN)
MENU = re.compile(r"<nav.*?</nav>", re.DOTALL)


@pytest.fixture
def tenant(db):
    return make_tenant("Contoso")


def test_the_table_in_the_code_is_the_one_that_was_designed():
    assert roles_table() == TABLE.strip()


def test_the_documentation_has_the_tables_of_the_code():
    text = PAGE.read_text(encoding="utf-8")

    assert written(text) == text, "Run python -m tests.trust --write"


@pytest.mark.parametrize("role", [role for role in Role if ROLES[role]])
def test_the_menu_leads_to_the_pages_that_the_role_may_open_and_to_no_other(tenant, role):
    client, home = tenant.browsers[role], tenant.contoso.url()
    links = set(re.findall(rf'href="({home}[^"]*)"', "".join(MENU.findall(client.get(home).content.decode()))))

    assert {client.get(link).status_code for link in links} == {200}
    assert all(RULES[resolve(link).url_name].permission in ROLES[role] for link in links)
    everything = set(
        re.findall(
            rf'href="({home}[^"]*)"',
            "".join(MENU.findall(tenant.browsers[Role.SUBSCRIPTION_ADMIN].get(home).content.decode())),
        )
    )
    assert {client.get(link).status_code for link in everything - links} <= {404}


@pytest.mark.parametrize("high", HIGH)
@pytest.mark.parametrize("page", ["edit", "disable", "enable", "delete"])
def test_an_access_admin_cannot_touch_a_billing_or_subscription_admin(tenant, high: Role, page: str):
    account = make_admin(tenant.subscription, "high@contoso.example", role=high)
    rows = LoginAccount.objects.filter(pk=account.pk)
    rows.update(is_enabled=page in {"edit", "disable"})
    before = rows.values().get()
    form = {"username": "mine", "full_name": "Mine", "email": "mine@x.example", "role": "0"}

    url = tenant.contoso.url(f"users/{account.pk}/{page}/")
    answer = tenant.browsers[Role.ACCESS_ADMIN].post(url, form | {"confirmation": account.username}, follow=True)

    assert rows.values().get() == before
    assert "Only a Subscription admin can" in answer.content.decode()


@pytest.mark.parametrize("high", HIGH)
def test_an_access_admin_cannot_appoint_one(tenant, high: Role):
    person = make_person(tenant.subscription, "new@contoso.example")
    client, form = tenant.browsers[Role.ACCESS_ADMIN], NEW | {"role": int(high)}

    client.post(tenant.contoso.url(f"users/{person.pk}/edit/"), form | {"username": person.username})
    client.post(tenant.contoso.url("users/create/"), form | {"username": "another"})

    person.refresh_from_db()
    assert person.role == Role.NO_ROLE
    assert not LoginAccount.objects.filter(username="another").exists()


def test_a_subscription_admin_appoints_one_by_the_same_forms(tenant):
    client = tenant.browsers[Role.SUBSCRIPTION_ADMIN]

    client.post(tenant.contoso.url("users/create/"), NEW | {"username": "another", "role": int(Role.BILLING_ADMIN)})

    assert LoginAccount.objects.get(username="another").role == Role.BILLING_ADMIN


def test_an_access_admin_appoints_an_access_admin_by_the_same_forms(tenant):
    client = tenant.browsers[Role.ACCESS_ADMIN]

    client.post(tenant.contoso.url("users/create/"), NEW | {"username": "another", "role": int(Role.ACCESS_ADMIN)})

    assert LoginAccount.objects.get(username="another").role == Role.ACCESS_ADMIN


@pytest.mark.parametrize(("role", "status"), [(Role.ACCESS_ADMIN, 422), (Role.SUBSCRIPTION_ADMIN, 303)])
def test_a_file_of_an_access_admin_appoints_nobody_to_a_high_role(tenant, role, status):
    sheet = list(files.rows(accounts.internal_users(tenant.subscription, accounts.Wanted())))
    changed = [row._replace(role="Billing admin") if row.username.startswith("ann") else row for row in sheet]
    file = ContentFile("".join(csv_lines(TITLES, changed)).encode(), "users.csv")

    answer = tenant.browsers[role].post(tenant.contoso.url("users/import/"), {"file": file})

    assert answer.status_code == status


def test_only_subscription_admins_may_change_settings_and_appoint_admins():
    for permission in (Permission.CHANGE_SETTINGS, Permission.CHANGE_ADMINS):
        assert [role for role in Role if permission in ROLES[role]] == [Role.SUBSCRIPTION_ADMIN]


def test_a_billing_admin_sees_own_acts_and_an_access_admin_all(tenant):
    pages = {
        role: tenant.browsers[role].get(tenant.contoso.url("audit/")).content.decode() for role in Role if ROLES[role]
    }

    assert "Create vault" not in pages[Role.BILLING_ADMIN]
    assert "vault" in pages[Role.ACCESS_ADMIN].lower()
