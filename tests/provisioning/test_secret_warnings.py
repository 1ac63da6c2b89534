"""Secrets and bearer tokens that expire soon: told at 60, 30, 7 and 1 days by mail, once each."""

import re
from datetime import timedelta

import pytest
from django.core import mail

from provisioning.models import (
    BearerToken,
    ClientSecret,
    LoginAccount,
    Notification,
    ProvisioningConfiguration,
    Subscription,
)
from provisioning.services import bearer_tokens, configurations, deletion, rotation, tokens
from provisioning.services.mails import send_due
from provisioning.services.secret_warnings import look
from tests.factories import ACTOR, NOON, make_admin, make_configuration, make_subscription

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def configuration():
    subscription = make_subscription("Contoso")
    make_admin(subscription, "root@contoso.example")
    return make_configuration(subscription, "Entra", at=NOON)


@pytest.fixture
def okta():
    """A configuration that has a bearer token and no secret; both live for a year."""
    subscription = make_subscription("Contoso")
    make_admin(subscription, "root@contoso.example")
    okta = make_configuration(subscription, "Okta", kind=ProvisioningConfiguration.Kind.OTHER, at=NOON)
    okta.secrets.all().delete()
    okta.bearer = create_token(okta)
    return okta


@pytest.fixture(params=["configuration", "okta"])
def either(request):
    return request.getfixturevalue(request.param)


def create_token(okta, **more):
    return bearer_tokens.create_token(configuration=okta, actor=ACTOR, **({"at": NOON} | more))


def use(okta, token, at):
    tokens.authenticate(token=token, public_id=okta.public_id, at=at)


def pass_days(days, *, of=365):
    """Look, and send mails, as the worker does, when that many days are left of what was made at noon."""
    now = NOON + timedelta(days=of - days)
    look(now)
    send_due(now)
    return len(mail.outbox)


def test_each_threshold_is_mailed_once(either):
    told = [pass_days(days) for days in (61, 60, 59.9, 45, 30, 29, 8, 7, 6.5, 2, 1, 0.5, 0, -1)]

    assert told == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert Notification.objects.filter(ended_at=None).count() == 0, "an expired one is a problem, not a warning"


def test_the_mail_names_the_secret_the_configuration_and_the_day(configuration):
    pass_days(30)

    text = re.sub(r"\s+", " ", mail.outbox[0].body)
    ending = ClientSecret.objects.get().last_four
    assert f"The client secret …{ending} of “Entra” expires on 12 May 2027." in text
    assert "Replace it on the page of the configuration" in text
    assert "/provisioning/configurations/" in text


def test_the_day_is_that_of_the_subscriptions_time_zone(configuration):
    Subscription.objects.update(time_zone="Pacific/Auckland")

    pass_days(30)

    assert "expires on 13 May 2027." in mail.outbox[0].body


def test_a_worker_that_was_away_tells_the_nearest_threshold_only(configuration):
    assert pass_days(5) == 1
    assert ClientSecret.objects.get().warned_days == 7


def test_looking_twice_at_once_tells_it_once(either):
    for _ in range(3):
        look(NOON + 360 * DAY)

    assert Notification.objects.count() == 1


def test_who_may_see_provisioning_is_told_and_a_billing_admin_is_not(either):
    for role in (LoginAccount.Role.ACCESS_ADMIN, LoginAccount.Role.BILLING_ADMIN):
        make_admin(either.subscription, f"{role.name.lower()}@contoso.example", role=role)

    pass_days(7)

    assert sorted(one.to[0] for one in mail.outbox) == ["access_admin@contoso.example", "root@contoso.example"]


def test_a_secret_that_is_being_replaced_is_not_warned_of(configuration):
    rotation.start_rotation(configuration=configuration, actor=ACTOR, at=NOON + 300 * DAY)

    assert pass_days(30) == 0


def test_a_cancelled_rotation_does_not_tell_a_threshold_again(configuration):
    assert pass_days(30) == 1
    rotation.start_rotation(configuration=configuration, actor=ACTOR, at=NOON + 336 * DAY)
    assert pass_days(28.99) == 1
    rotation.cancel_rotation(configuration=configuration, actor=ACTOR, at=NOON + 336 * DAY)

    assert [pass_days(days) for days in (25, 8, 7)] == [1, 1, 2]


@pytest.mark.parametrize("end", [configurations.disconnect_configuration, deletion.delete_configuration])
def test_what_was_revoked_is_not_warned_of_any_more(either, end):
    look(NOON + 360 * DAY)
    end(configuration=either, actor=ACTOR, at=NOON + 360 * DAY)

    assert pass_days(4) == 0
    assert not Notification.objects.filter(ended_at=None).exists()


def test_the_mail_names_a_bearer_token_as_such(okta):
    pass_days(30)

    text = re.sub(r"\s+", " ", mail.outbox[0].body)
    assert f"The bearer token …{okta.bearer[-4:]} of “Okta” expires on 12 May 2027." in text
    assert "Replace it on the page of the configuration, and give the new one to the identity provider." in text


def test_a_secret_and_a_token_with_the_same_number_are_two(okta):
    okta_secret = ClientSecret.objects.create(
        pk=BearerToken.objects.get().pk, configuration=okta, created_at=NOON, expires_at=NOON + 365 * DAY
    )

    assert pass_days(60) == 1
    assert Notification.objects.count() == 2
    ClientSecret.objects.filter(pk=okta_secret.pk).update(revoked_at=NOON)
    look(NOON + 306 * DAY)
    assert Notification.objects.get(ended_at=None).subject.startswith("bearer/")


def test_a_token_is_warned_of_until_another_one_that_lives_longer_is_used_in_its_place(okta):
    use(okta, okta.bearer, NOON + 300 * DAY)
    second = create_token(okta, at=NOON + 306 * DAY)
    assert pass_days(59) == 1, "a token that nobody uses replaces none"
    use(okta, second, NOON + 310 * DAY)

    assert [pass_days(days) for days in (30, 7, 1)] == [1, 1, 1]
    assert not Notification.objects.filter(ended_at=None).exists()


def test_a_token_is_not_replaced_by_one_that_ends_sooner_or_was_used_before(okta):
    use(okta, create_token(okta, lifetime=364 * DAY), NOON + 320 * DAY)
    assert pass_days(30) == 1
    BearerToken.objects.update(warned_days=60)
    use(okta, okta.bearer, NOON + 337 * DAY)
    BearerToken.objects.exclude(last_four=okta.bearer[-4:]).update(expires_at=NOON + 400 * DAY)

    look(NOON + 337.5 * DAY)

    assert BearerToken.objects.get(last_four=okta.bearer[-4:]).warned_days == 30
