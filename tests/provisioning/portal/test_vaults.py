"""The list of vaults, the page of one, and the vaults on Home."""

import pytest

from licensing.models import Ending, VaultStatus
from provisioning.models import LoginAccount, Vault, VaultUserGroup
from tests.factories import NOON, make_admin, make_group, make_link, make_subscription, make_vault


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def url(contoso):
    return contoso.url(f"vaults/{contoso.contracts.pk}/")


@pytest.fixture
def as_role(contoso, sign_in):
    return lambda role: sign_in(make_admin(contoso.subscription, role=LoginAccount.Role[role]))


def test_the_lists_lead_to_the_page_of_a_vault(contoso, admin, url):
    for path in ("", "vaults/"):
        assert f'href="{url}">Contracts</a>' in text(admin.get(contoso.url(path)))


def test_home_says_which_vault_is_offline_and_cannot_be_kept_in_step(contoso, admin):
    Vault.objects.filter(pk=contoso.contracts.pk).update(is_online=False)
    VaultStatus.objects.create(
        subscription=contoso.subscription,
        vault=contoso.contracts,
        due_at=NOON,
        compare_due_at=NOON,
        state=Ending.RETRYING,
        reason="The vault server is switched off.",
    )

    page = text(admin.get(contoso.url()))

    assert '<span class="badge problem">Offline</span>' in page
    assert '<span class="badge waiting">Retrying</span>' in page
    assert f'Vault Contracts: The vault server is switched off. <a href="{contoso.url("vaults/")}' in page


def test_a_vaults_page_shows_its_figures_in_readable_numbers(contoso, admin, url):
    Vault.objects.filter(pk=contoso.contracts.pk).update(
        objects_count=1234567, versions_count=7654321, storage_bytes=3 * 1024**3, database_bytes=512 * 1024**2
    )

    page = text(admin.get(url)).replace("\xa0", " ")

    for figure in ("1,234,567", "7,654,321", "3.0 GB", "512.0 MB", f"{{{contoso.contracts.guid}}}".upper()):
        assert figure in page


def test_a_vault_that_never_reported_shows_no_zeros(admin, url):
    assert "<dt>Objects</dt><dd>–</dd>" in text(admin.get(url))


def test_a_vaults_page_shows_the_links_into_it_with_their_state(contoso, admin, url):
    make_link(make_group(contoso.configuration, "Sales"), make_vault(contoso.subscription, "Other"), "Sellers")

    page = text(admin.get(url))

    assert 'data-label="Vault user group">Lawyers</td>' in page
    assert '<span class="badge waiting">Pending</span>' in page
    assert "Sellers" not in page


def test_synchronization_turned_on_is_said_with_what_to_do(contoso, admin, url):
    assert "nothing is written to it" not in text(admin.get(url))

    Vault.objects.filter(pk=contoso.contracts.pk).update(user_synchronization=True)

    page = text(admin.get(url))
    assert "nothing is written to it" in page
    assert "In M-Files Admin open the vault" in page


def test_the_name_on_the_server_is_shown_only_where_it_differs(contoso, admin, url):
    Vault.objects.filter(pk=contoso.contracts.pk).update(server_name="Contracts")
    assert "Its vault server calls it" not in text(admin.get(url))

    Vault.objects.filter(pk=contoso.contracts.pk).update(server_name="Sample vault")
    assert "Its vault server calls it Sample vault." in text(admin.get(url))


def test_a_billing_admin_sees_the_vault_without_links_and_changes_nothing(contoso, as_role, url):
    billing = as_role("BILLING_ADMIN")

    page = text(billing.get(url))

    assert "Lawyers" not in page
    assert "/remove/" not in page
    assert "Create vault" not in text(billing.get(contoso.url("vaults/")))


@pytest.mark.parametrize("role", ["ACCESS_ADMIN", "SUBSCRIPTION_ADMIN"])
def test_who_may_change_rights_in_vaults_is_led_to_the_deeds(contoso, as_role, role, url):
    client = as_role(role)

    assert contoso.url("vaults/create/") in text(client.get(contoso.url("vaults/")))
    assert f"{url}remove/" in text(client.get(url))


def test_vaults_of_other_subscriptions_are_not_there(contoso, admin):
    stranger = make_vault(make_subscription(), "Secret")

    assert admin.get(contoso.url(f"vaults/{stranger.pk}/")).status_code == 404
    assert admin.get(f"/s/{stranger.subscription.number}/vaults/{stranger.pk}/").status_code == 404


def test_many_links_are_cut_with_their_number(contoso, admin, url, django_assert_max_num_queries):
    for number in range(52):
        target = VaultUserGroup.objects.create(vault=contoso.contracts, name=f"Target {number}", name_key=f"t{number}")
        contoso.legal.links.create(subscription=contoso.subscription, target=target, created_at=NOON)

    with django_assert_max_num_queries(20):
        page = text(admin.get(url))

    assert "50 of 53 links." in page


def test_an_empty_list_says_who_brings_vaults(db, sign_in):
    subscription = make_subscription()
    url = f"/s/{subscription.number}/vaults/"

    assert f'href="{url}create/">Create vault</a>' in text(sign_in(make_admin(subscription)).get(url))
    billing = sign_in(make_admin(subscription, role=LoginAccount.Role.BILLING_ADMIN))
    assert "once an Access admin has registered them" in text(billing.get(url))
