"""The daily numbers of the pools: written down by the workers, filled up by the query."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from licensing import embedded, tasks
from licensing.models import LicenseDay, VaultStatus
from licensing.services import history, overview
from licensing.services.history import Day
from mfmanage import settings
from provisioning.models import Subscription
from tests.factories import NOON, make_account, make_configuration, make_group, make_subscription, make_vault
from tests.licensing.people import CONCURRENT, DAY, NAMED, READ_ONLY, purchase, reconcile

TODAY = NOON.date()


@pytest.fixture
def subscription(db):
    """Two people have Read only licenses; one of them waits for Named."""
    subscription = make_subscription()
    configuration = make_configuration(subscription, default_license_type=READ_ONLY)
    people = [make_account(configuration), make_account(configuration)]
    purchase(subscription, read_only=5)
    reconcile(subscription)
    make_group(configuration, members=people[:1], license_type=NAMED)
    reconcile(subscription)
    return subscription


def rows(subscription):
    found = LicenseDay.objects.filter(subscription=subscription).order_by("day", "-license_type")
    return [(one.day, one.license_type, one.purchased, one.granted, one.waiting, one.in_use) for one in found]


def series(subscription, days, now=NOON):
    return history.series(subscription, overview.pools(subscription), now=now, days=days)


def sessions(subscription, number):
    status = {"due_at": NOON, "compare_due_at": NOON, "concurrent_sessions": number}
    vault = subscription.vaults.first() or make_vault(subscription)
    VaultStatus.objects.update_or_create(vault=vault, subscription=subscription, defaults=status)


def test_a_day_says_how_every_pool_stands(subscription, django_assert_num_queries):
    with django_assert_num_queries(5):
        history.record(subscription, NOON)

    assert rows(subscription) == [
        (TODAY, NAMED, 0, 0, 1, 0),
        (TODAY, CONCURRENT, 0, 0, 0, 0),
        (TODAY, READ_ONLY, 5, 2, 0, 2),
    ]


def test_the_last_look_of_a_day_stays_and_of_sessions_the_most(subscription):
    sessions(subscription, 7)
    history.record(subscription, NOON)
    sessions(subscription, 3)
    purchase(subscription, read_only=1, named=1, at=NOON + timedelta(hours=1))
    reconcile(subscription)
    history.record(subscription, NOON + timedelta(hours=2))

    assert rows(subscription) == [
        (TODAY, NAMED, 1, 1, 0, 1),
        (TODAY, CONCURRENT, 0, 0, 0, 7),
        (TODAY, READ_ONLY, 1, 1, 0, 1),
    ]


def test_a_changed_purchase_is_written_down_at_once_and_an_unchanged_one_is_not(subscription):
    LicenseDay.objects.all().delete()

    purchase(subscription, read_only=5)
    assert rows(subscription) == []

    purchase(subscription, read_only=6)
    assert (TODAY, READ_ONLY, 6, 2, 0, 2) in rows(subscription)


def test_a_day_is_one_of_the_subscriptions_calendar(subscription):
    Subscription.objects.filter(pk=subscription.pk).update(time_zone="Pacific/Auckland")
    subscription.refresh_from_db()
    LicenseDay.objects.all().delete()

    history.record(subscription, datetime(2026, 5, 12, 11, 59, tzinfo=UTC))
    history.record(subscription, datetime(2026, 5, 12, 12, 1, tzinfo=UTC))

    assert {row[0] for row in rows(subscription)} == {date(2026, 5, 12), date(2026, 5, 13)}


def test_days_on_which_nobody_looked_have_the_numbers_before(subscription, django_assert_num_queries):
    LicenseDay.objects.all().delete()
    for day, purchased in ((9, 3), (6, 4), (2, 5)):
        LicenseDay.objects.create(
            subscription=subscription,
            license_type=READ_ONLY,
            day=TODAY - day * DAY,
            purchased=purchased,
            granted=purchased - 3,
            waiting=0,
            in_use=0,
        )
    pools = overview.pools(subscription)

    with django_assert_num_queries(1):
        found = history.series(subscription, pools, now=NOON, days=8)

    assert [(TODAY - one.day).days for one in found[READ_ONLY]] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [one.purchased for one in found[READ_ONLY]] == [3, 4, 4, 4, 4, 5, 5, 5]
    assert [one.granted for one in found[READ_ONLY]] == [0, 1, 1, 1, 1, 2, 2, 2]
    assert [one.purchased for one in series(subscription, 30)[READ_ONLY]] == [3, 3, 3, 4, 4, 4, 4, 5, 5, 5]
    assert found[NAMED] == [Day(TODAY, 0, 0, 1, 0)]


def test_today_shows_the_pools_as_they_are_and_the_most_sessions(subscription):
    sessions(subscription, 7)
    history.record(subscription, NOON)
    sessions(subscription, 3)
    purchase(subscription, named=4, at=NOON - DAY)

    found = series(subscription, 90)

    assert found[NAMED] == [Day(TODAY - DAY, 4, 0, 1, 0), Day(TODAY, 4, 0, 1, 0)]
    assert [one.in_use for one in found[CONCURRENT]] == [3, 7]


def test_other_subscriptions_days_are_not_there(subscription):
    other = make_subscription()
    purchase(other, named=1)

    assert {one.purchased for one in series(subscription, 90)[NAMED]} == {0}


def test_a_forecast_reads_who_has_and_who_waits_and_of_concurrent_the_sessions():
    def grown(step):
        return [Day(TODAY - (9 - day) * DAY, 100, step * day, day, 2 * day) for day in range(10)]

    found = {NAMED: grown(4), CONCURRENT: grown(9), READ_ONLY: [Day(TODAY, 0, 0, 0, 0)]}

    assert history.forecasts(found) == {
        NAMED: "full in about 11 days",
        CONCURRENT: "full in about 41 days",
        READ_ONLY: "",
    }


def test_the_task_writes_the_day_of_every_subscription(subscription):
    other = make_subscription()
    LicenseDay.objects.all().delete()

    tasks.record_days(a_keyword_of_a_newer_version=1)

    found = set(LicenseDay.objects.values_list("subscription", "day"))
    assert found == {(one.pk, history.today(one, timezone.now())) for one in (subscription, other)}


def test_production_writes_every_quarter_of_an_hour():
    entry = settings.CELERY_BEAT_SCHEDULE["history"]

    assert entry["task"] == tasks.record_days.name
    assert entry["schedule"].minute == {0, 15, 30, 45}
    assert len(entry["schedule"].hour) == 24


def test_the_embedded_worker_writes_at_its_start_and_every_quarter_of_an_hour(monkeypatch):
    called = []
    monkeypatch.setattr(tasks.record_days, "apply_async", lambda: called.append(1))
    monkeypatch.setattr(embedded.prune, "apply_async", lambda: None)
    sweeper = embedded.Sweeper()

    for minutes in (0, 1, 14, 15, 29, 30):
        sweeper.call_periodic(NOON + timedelta(minutes=minutes))

    assert len(called) == 3
