"""How a configuration fares, in words, on its page and on Home."""

from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning import fragments
from provisioning.fragments import Notice
from provisioning.models import CallCount, ClientSecret, LoginAccount, ProvisioningConfiguration, Subscription
from provisioning.permissions import Permission
from provisioning.queries.configurations import configurations, find, synchronizing_vaults
from provisioning.queries.health import health, newest_failures
from provisioning.services.calls import record_failure
from provisioning.services.configurations import pause_configuration
from provisioning.services.refusals import record_refusal
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
    ClientSecret.objects.update(expires_at=NOW + timedelta(days=6))
    [warning] = fare(contoso).warnings
    assert warning.startswith("The client secret expires on 19 May 2026, in 6\xa0days. Replace it before")
    ClientSecret.objects.update(expires_at=NOW + timedelta(days=61))
    assert fare(contoso).warnings == []

    ClientSecret.objects.update(expires_at=NOW)
    [problem] = fare(contoso).problems
    assert problem.startswith("The client secret has expired: the identity provider gets no token any more.")


def test_the_day_of_an_expiry_is_that_of_the_subscriptions_time_zone(contoso):
    ClientSecret.objects.update(expires_at=NOW + timedelta(days=6))

    with timezone.override("Pacific/Auckland"):
        assert "expires on 20 May 2026, in 6\xa0days" in fare(contoso).warnings[0]


@pytest.mark.parametrize(("minutes", "warned"), [(59, True), (61, False)])
def test_failed_calls_are_spoken_of_for_an_hour(minutes, warned, contoso):
    at = NOW - timedelta(minutes=minutes)
    record_failure(make_call(contoso.configuration, at=at), status=409, detail="userName is already in use")

    assert any(text.startswith("1 call of the identity provider failed") for text in fare(contoso).warnings) == warned


def count(contoso, calls, failures, minutes=5):
    CallCount.objects.create(
        configuration=contoso.configuration, minute=NOW - timedelta(minutes=minutes), calls=calls, failures=failures
    )


def quarantine(contoso):
    return [text for text in fare(contoso).problems if "may quarantine" in text]


@pytest.mark.parametrize(
    ("calls", "failures", "feared"), [(100, 41, True), (100, 40, False), (20, 20, True), (19, 19, False)]
)
def test_a_high_share_of_failed_calls_is_a_problem(calls, failures, feared, contoso):
    count(contoso, calls, failures)

    assert bool(quarantine(contoso)) == feared


def test_the_share_is_told_in_numbers(contoso):
    count(contoso, 60, 30, minutes=1)
    count(contoso, 40, 20, minutes=59)
    count(contoso, 1_000, 0, minutes=61)

    assert quarantine(contoso)[0].startswith("50 of 100 calls (50 %) failed in the last hour.")


def test_a_low_share_is_a_warning(contoso):
    count(contoso, 1_000, 3)
    record_failure(make_call(contoso.configuration, at=NOW - timedelta(minutes=5)), status=409, detail="taken")

    assert fare(contoso).problems == []
    assert "3 of 1,000 calls (1 %) failed in the last hour. See the log for the reasons." in fare(contoso).warnings


def test_another_provider_is_not_said_to_quarantine(contoso):
    ProvisioningConfiguration.objects.update(kind=ProvisioningConfiguration.Kind.OTHER)
    count(contoso, 100, 100)

    assert quarantine(contoso) == []
    assert any("may stop calling" in text for text in fare(contoso).problems)


@pytest.mark.parametrize(
    ("first", "last", "feared"),
    [
        (timedelta(hours=9), timedelta(minutes=81), True),
        (timedelta(hours=9), timedelta(minutes=80), False),
        (timedelta(minutes=160), timedelta(minutes=81), False),
    ],
)
def test_silence_after_regular_calls_is_a_problem(first, last, feared, contoso):
    ProvisioningConfiguration.objects.update(first_contact_at=NOW - first, last_contact_at=NOW - last)

    assert any("has not called for 1\xa0hour" in text for text in fare(contoso).problems) == feared


@pytest.mark.parametrize("change", [{"paused_at": NOON}, {"kind": ProvisioningConfiguration.Kind.OTHER}])
def test_silence_is_expected_of_a_paused_configuration_and_of_other_providers(change, contoso):
    times = {"first_contact_at": NOW - timedelta(days=9), "last_contact_at": NOW - timedelta(days=1)}
    ProvisioningConfiguration.objects.update(**times, **change)

    assert not any("has not called" in text for text in fare(contoso).problems)


def test_a_wrong_secret_is_a_problem_until_the_provider_is_let_in(contoso):
    record_contact(configuration=contoso.configuration, at=NOON)
    refusal = ProvisioningConfiguration.Refusal.WRONG_SECRET
    record_refusal(configuration_id=contoso.configuration.pk, refusal=refusal, at=NOON + timedelta(hours=1))
    assert fare(contoso).state.text == "Problem"
    assert "wrong client secret" in fare(contoso).problems[0]

    record_contact(configuration=contoso.configuration, at=NOON + timedelta(hours=2))
    assert not any("client secret" in text for text in fare(contoso).problems)


def test_the_newest_failures_say_what_to_do_once_for_each_kind(contoso):
    for number, status in enumerate([400, 409, 409, 500, 409, 409]):
        at = NOON + timedelta(minutes=number)
        record_failure(make_call(contoso.configuration, at=at), status=status, detail=f"Reason {number}")

    failures = newest_failures(contoso.configuration)

    assert [failure.entry.detail for failure in failures] == [f"Reason {number}" for number in (5, 4, 3)]
    assert [bool(failure.advice) for failure in failures] == [True, False, True]


def test_the_page_and_home_tell_of_quarantine_and_failures(contoso, admin):
    now = timezone.now()
    CallCount.objects.create(configuration=contoso.configuration, minute=now, calls=1_234, failures=1_000)
    record_failure(
        make_call(contoso.configuration, at=now), status=409, detail="userName is taken.", resource_name="cy@contoso"
    )

    page = admin.get(contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/")).content.decode()

    assert "1,234, of which 1,000 failed" in page
    assert "1,000 of 1,234 calls (81 %) failed in the last hour. Microsoft Entra may quarantine" in page
    assert "Create user cy@contoso</a>" in page
    assert "userName is taken." in page
    assert "Rename one of the two" in page
    assert "Contoso Entra ID: 1,000 of 1,234 calls" in admin.get(contoso.url()).content.decode()


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
    assert "1 user group<" in page
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
