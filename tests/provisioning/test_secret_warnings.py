"""Secrets that expire soon: told at 60, 30, 7 and 1 days by mail, once each, however often one looks."""

import re
from datetime import timedelta

import pytest
from django.core import mail

from provisioning.models import ClientSecret, LoginAccount, Notification, Subscription
from provisioning.services import configurations, deletion, rotation
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


def pass_days(days, *, of=365):
    """Look, and send mails, as the worker does, when that many days are left of a secret made at noon."""
    now = NOON + timedelta(days=of - days)
    look(now)
    send_due(now)
    return len(mail.outbox)


def test_each_threshold_is_mailed_once(configuration):
    told = [pass_days(days) for days in (61, 60, 59.9, 45, 30, 29, 8, 7, 6.5, 2, 1, 0.5, 0, -1)]

    assert told == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert Notification.objects.filter(ended_at=None).count() == 0, "an expired one is a problem, not a warning"


def test_the_mail_names_the_secret_the_configuration_and_the_day(configuration):
    pass_days(30)

    text = re.sub(r"\s+", " ", mail.outbox[0].body)
    ending = ClientSecret.objects.get().last_four
    assert f"The client secret …{ending} of “Entra” expires on 12 May 2027." in text
    assert "Rotate it on the page of the configuration" in text
    assert "/provisioning/configurations/" in text


def test_the_day_is_that_of_the_subscriptions_time_zone(configuration):
    Subscription.objects.update(time_zone="Pacific/Auckland")

    pass_days(30)

    assert "expires on 13 May 2027." in mail.outbox[0].body


def test_a_worker_that_was_away_tells_the_nearest_threshold_only(configuration):
    assert pass_days(5) == 1
    assert ClientSecret.objects.get().warned_days == 7


def test_looking_twice_at_once_tells_it_once(configuration):
    for _ in range(3):
        look(NOON + 360 * DAY)

    assert Notification.objects.count() == 1


def test_who_may_see_provisioning_is_told_and_a_billing_admin_is_not(configuration):
    for role in (LoginAccount.Role.ACCESS_ADMIN, LoginAccount.Role.BILLING_ADMIN):
        make_admin(configuration.subscription, f"{role.name.lower()}@contoso.example", role=role)

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
def test_a_secret_that_was_revoked_is_not_warned_of_any_more(configuration, end):
    look(NOON + 360 * DAY)
    end(configuration=configuration, actor=ACTOR, at=NOON + 360 * DAY)

    assert pass_days(4) == 0
    assert not Notification.objects.filter(ended_at=None).exists()
