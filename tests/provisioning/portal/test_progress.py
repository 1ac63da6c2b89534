"""The live panel: token, connection test, first user, first group, each as soon as it has happened, and why not."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning.models import CallCount, LoginAccount, ProvisioningConfiguration, ProvisioningLogEntry
from provisioning.queries import progress as module
from provisioning.queries.configurations import find
from provisioning.queries.progress import progress
from provisioning.services.calls import record_failure, record_success
from provisioning.services.configurations import pause_configuration
from provisioning.services.refusals import record_refusal
from provisioning.services.tokens import record_contact
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_group,
    make_subscription,
)

Refusal = ProvisioningConfiguration.Refusal
TITLES = ["Token issued", "Connection test", "First user", "First group"]


@pytest.fixture
def new(contoso):
    return make_configuration(contoso.subscription, "New tenant", at=NOON)


def steps_of(configuration):
    return progress(find(configuration.subscription, configuration.pk, now=NOON)).steps


def done(configuration):
    return [step.title for step in steps_of(configuration) if step.is_done]


def problem(configuration):
    (found,) = [step for step in steps_of(configuration) if step.problem]
    return found.title, found.problem


def pass_connection_test(configuration, minutes=2):
    """A search that finds nothing, which is what a connection test is."""
    call = make_call(configuration, operation="query", at=NOON + timedelta(minutes=minutes))
    record_success(call, status=200, resource_id="", resource_name="", changes={}, detail="Nothing matches userName")


def test_nothing_has_happened_yet(new):
    assert [step.title for step in steps_of(new)] == TITLES
    assert done(new) == []
    assert not any(step.problem for step in steps_of(new))
    assert all(step.what for step in steps_of(new)), "each says what is waited for"


def test_each_step_is_done_as_it_happens_with_when_and_what(new):
    record_contact(configuration=new, at=NOON + timedelta(minutes=1))
    assert done(new) == TITLES[:1]
    pass_connection_test(new)
    assert done(new) == TITLES[:2]
    make_account(new, "ada@new.example", at=NOON + timedelta(minutes=3))
    assert done(new) == TITLES[:3]
    make_account(new, "bob@new.example", at=NOON + timedelta(minutes=4))
    make_group(new, "Sales", at=NOON + timedelta(minutes=5))

    steps = steps_of(new)

    assert [step.at for step in steps] == [NOON + timedelta(minutes=minute) for minute in (1, 2, 3, 5)]
    assert [step.what for step in steps[2:]] == ["ada@new.example", "Sales"]
    assert progress(find(new.subscription, new.pk, now=NOON)).is_complete


def test_a_provider_that_does_not_test_first_has_passed_the_test_by_its_first_user(new):
    make_account(new)

    assert done(new) == ["Connection test", "First user"]


def test_a_provider_that_only_reads_has_passed_the_test_once_a_call_was_counted(new):
    CallCount.objects.create(configuration=new, minute=NOON, calls=2, failures=2)
    assert done(new) == []
    CallCount.objects.update(failures=1)

    assert done(new) == ["Connection test"]


def test_what_the_log_has_forgotten_is_still_done(new):
    record_contact(configuration=new, at=NOON)
    make_group(new, members=[make_account(new)])
    ProvisioningLogEntry.objects.all().delete()

    assert done(new) == TITLES
    assert [step.at for step in steps_of(new)[1:]] == [None] * 3


def test_another_configurations_users_do_not_count(contoso, new):
    assert done(contoso.configuration) == TITLES[1:]
    assert done(new) == []


def test_the_state_changes_with_every_step_and_with_nothing_else(new):
    def state():
        return progress(find(new.subscription, new.pk, now=NOON)).state

    first = state()
    assert state() == first
    record_contact(configuration=new, at=NOON)
    second = state()
    record_contact(configuration=new, at=NOON + timedelta(hours=1))

    assert first != second == state()


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refusal.WRONG_SECRET, "a wrong client secret. Paste the client secret"),
        (Refusal.EXPIRED_SECRET, "has expired"),
        (Refusal.REVOKED_SECRET, "was revoked"),
    ],
)
def test_a_refused_secret_is_explained_at_the_first_step(refusal, words, new):
    record_refusal(configuration_id=new.pk, refusal=refusal, at=NOON)

    title, said = problem(new)

    assert title == "Token issued"
    assert words in said


def test_another_tenant_url_is_explained_at_the_connection_test(new):
    record_contact(configuration=new, at=NOON)
    record_refusal(configuration_id=new.pk, refusal=Refusal.OTHER_TENANT_URL, at=NOON + timedelta(seconds=1))

    title, said = problem(new)

    assert title == "Connection test"
    assert "Copy the Tenant URL from this page" in said


def test_a_refusal_is_forgotten_as_soon_as_the_provider_is_let_in(new):
    record_contact(configuration=new, at=NOON)
    record_refusal(configuration_id=new.pk, refusal=Refusal.WRONG_SECRET, at=NOON + timedelta(seconds=1))
    new.refresh_from_db()

    record_contact(configuration=new, at=NOON + timedelta(seconds=2))

    assert not any(step.problem for step in steps_of(new))


def test_a_pause_is_explained_at_the_step_that_it_stops(new):
    record_contact(configuration=new, at=NOON)
    pause_configuration(configuration=new, actor=ACTOR, at=NOON)

    assert problem(new) == ("Connection test", "The configuration is paused, so every call is refused. Resume it.")


def test_a_refused_user_is_explained_with_the_name_the_reason_and_what_to_do(new):
    record_contact(configuration=new, at=NOON)
    pass_connection_test(new)
    record_failure(
        make_call(new, at=NOON + timedelta(minutes=3)),
        status=409,
        detail="userName is taken.",
        resource_name="ann@contoso.example",
    )

    title, said = problem(new)

    assert title == "First user"
    assert "ann@contoso.example: userName is taken." in said
    assert "Rename one of the two" in said


def test_a_failure_that_was_followed_by_success_is_no_problem(new):
    record_failure(make_call(new), status=400, detail="Bad.")
    pass_connection_test(new)

    assert not any(step.problem for step in steps_of(new))


def test_a_long_log_is_read_only_in_its_beginning(new, monkeypatch):
    monkeypatch.setattr(module, "_EARLY_CALLS", 3)
    for _ in range(4):
        make_account(new)
    record_failure(make_call(new), status=400, detail="Bad.")

    assert done(new) == ["Connection test", "First user"]
    assert not any(step.problem for step in steps_of(new))


def test_the_page_renews_the_panel_while_a_step_is_open(new, contoso, admin):
    page = contoso.url(f"provisioning/configurations/{new.pk}/")

    found = re.search(r'hx-get="([^"]+)" hx-trigger="every 1500ms"', admin.get(page).content.decode())
    part = found[1]
    assert part.startswith(f"{page}progress/?state=")
    unchanged = admin.get(part)
    record_contact(configuration=new, at=timezone.now())
    changed = admin.get(part)

    assert (unchanged.status_code, unchanged.content) == (204, b"")
    assert "<html" not in changed.content.decode()
    assert "The client ID and the client secret are right." in changed.content.decode()


def test_without_scripts_the_page_says_how_to_look_again(new, contoso, admin):
    page = admin.get(contoso.url(f"provisioning/configurations/{new.pk}/")).content.decode()

    assert re.search(r"data-without-script>Reload this page", page)


def test_a_complete_panel_is_not_renewed_and_goes_after_a_day(contoso, admin):
    page = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/")
    now = timezone.now()
    ProvisioningConfiguration.objects.update(first_contact_at=now)
    fresh = admin.get(page).content.decode()
    ProvisioningConfiguration.objects.update(first_contact_at=now - timedelta(hours=25))
    old = admin.get(page).content.decode()

    assert "Everything has arrived." in fresh
    assert "hx-trigger" not in fresh
    assert "First steps" not in old


@pytest.mark.parametrize("path", ["progress/", "settings/"])
def test_only_who_may_provision_sees_it(path, contoso, sign_in, new):
    billing = sign_in(make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN))
    stranger = make_admin(make_subscription("Fabrikam"))

    url = contoso.url(f"provisioning/configurations/{new.pk}/{path}")

    assert billing.get(url).status_code == 404
    assert sign_in(stranger).get(url).status_code == 404
