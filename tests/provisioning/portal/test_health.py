"""How a configuration fares, in words, on its page and on Home."""

from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning import fragments
from provisioning.fragments import Notice
from provisioning.models import ClientSecret, LoginAccount, ProvisioningConfiguration, Subscription
from provisioning.permissions import Permission
from provisioning.queries.configurations import configurations, find, health, synchronizing_vaults
from provisioning.services.calls import record_failure
from provisioning.services.configurations import pause_configuration
from provisioning.services.tokens import record_contact
from tests.factories import ACTOR, NOON, make_admin, make_call, make_vault

NOW = NOON + timedelta(days=1)


def fare(contoso, now=NOW):
    row = find(contoso.subscription, contoso.configuration.pk, now=now)
    return health(row, synchronizing_vaults(contoso.subscription), now=now)


def test_nobody_has_called_yet(contoso):
    assert fare(contoso).state.text == "Waiting for first contact"


def test_a_call_connects_it(contoso):
    record_contact(configuration=contoso.configuration, at=NOON)

    assert fare(contoso).state.text == "Connected"


def test_a_paused_one_says_so_before_anything_else(contoso):
    make_vault(contoso.subscription, "Quality", user_synchronization=True)
    pause_configuration(configuration=contoso.configuration, actor=ACTOR, at=NOON)

    assert fare(contoso).state.text == "Paused"
    assert "refused until somebody resumes it" in fare(contoso).warnings[0]


def test_user_synchronization_in_a_vault_is_a_problem(contoso):
    record_contact(configuration=contoso.configuration, at=NOON)
    make_vault(contoso.subscription, "Quality", user_synchronization=True)

    assert fare(contoso).state.text == "Problem"
    assert "User synchronization is on in Quality." in fare(contoso).problems[0]


def test_an_expired_secret_is_a_problem_and_one_that_expires_soon_a_warning(contoso):
    ClientSecret.objects.update(expires_at=NOW + timedelta(days=29))
    assert fare(contoso).warnings == ["The client secret expires on 11 June 2026."]

    ClientSecret.objects.update(expires_at=NOW)
    assert fare(contoso).problems == ["The client secret has expired: the identity provider gets no token any more."]


@pytest.mark.parametrize(("minutes", "warned"), [(59, True), (61, False)])
def test_failed_calls_are_spoken_of_for_an_hour(minutes, warned, contoso):
    at = NOW - timedelta(minutes=minutes)
    record_failure(make_call(contoso.configuration, at=at), status=409, detail="userName is already in use")

    assert any(text.startswith("1 call of the identity provider failed") for text in fare(contoso).warnings) == warned


def test_the_counts_leave_out_who_was_removed(contoso):
    LoginAccount.objects.filter(pk=contoso.bo.pk).update(scim_id=None)

    (row,) = configurations(contoso.subscription, now=NOW)

    assert (row.users_count, row.groups_count) == (1, 1)


def test_home_says_it_in_words_with_links(contoso, admin):
    record_contact(configuration=contoso.configuration, at=timezone.now() - timedelta(minutes=3))
    ClientSecret.objects.update(expires_at=timezone.now() + timedelta(days=300))

    page = admin.get(contoso.url()).content.decode()

    assert "Last call from Contoso Entra ID 3\xa0minutes ago" in page
    assert "2 provisioned users" in page
    assert "Nothing needs attention" in page


def test_home_lists_what_needs_attention_with_links(contoso, admin):
    make_vault(contoso.subscription, "Quality", user_synchronization=True)

    page = admin.get(contoso.url()).content.decode()

    assert "1 thing needs attention" in page
    assert "Contoso Entra ID: User synchronization is on in Quality." in page


def test_home_asks_other_apps_and_shows_only_what_the_role_may_see(contoso, admin, sign_in, monkeypatch):
    notices = [Notice("Seats are short.", "/a/"), Notice("A link is stuck.", "/b/", "problem", Permission.PROVISIONING)]
    monkeypatch.setattr(fragments, "_notices", [lambda _subscription: notices])
    billing = sign_in(make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN))

    assert "A link is stuck." in admin.get(contoso.url()).content.decode()
    page = billing.get(contoso.url()).content.decode()
    assert "Seats are short." in page
    assert "A link is stuck." not in page
    assert "Last call" not in page


def test_home_of_a_new_subscription_says_where_to_begin(contoso, admin):
    ProvisioningConfiguration.objects.all().delete()

    page = admin.get(contoso.url()).content.decode()

    assert "No provisioning configuration yet" in page
    assert "Create configuration" in page


def test_home_shows_the_subscription(contoso, admin):
    Subscription.objects.filter(pk=contoso.subscription.pk).update(
        contact_name="Aino Virtanen", contact_email="aino@contoso.example"
    )

    page = admin.get(contoso.url()).content.decode()

    for words in (
        "Contoso",
        contoso.subscription.number,
        "Cloud",
        "Aino Virtanen",
        "aino@contoso.example",
        "Contracts",
    ):
        assert words in page
