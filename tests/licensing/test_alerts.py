"""Notifications about pools: when they begin and end, and that looking costs the same for many as for few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing import embedded, tasks
from licensing.models import LicensePool, VaultStatus
from licensing.plans.alerts import Pool, running, sentence
from licensing.services import alerts, due
from mfmanage.celery import app
from provisioning.license_types import LicenseType
from provisioning.models import Notification, NotificationMail
from provisioning.notification_kinds import KINDS, POOL_FULL, POOL_NEARLY_FULL, POOL_OVER_USED, WAITING
from tests.factories import NOON, make_account, make_admin, make_configuration, make_subscription, make_vault
from tests.licensing.people import DAY, MINUTE, READ_ONLY, disable, purchase, reconcile

FULL, NEARLY, OVER = POOL_FULL, POOL_NEARLY_FULL, POOL_OVER_USED


@pytest.mark.parametrize(
    ("used", "purchased", "before", "after"),
    [
        (0, 0, set(), set()),
        (89, 100, set(), set()),
        (90, 100, set(), {NEARLY}),
        (89, 100, {NEARLY}, {NEARLY}),
        (88, 100, {NEARLY}, {NEARLY}),
        (87, 100, {NEARLY}, set()),
        (100, 100, set(), {FULL}),
        (100, 100, {NEARLY}, {FULL, NEARLY}),
        (99, 100, {FULL}, {FULL, NEARLY}),
        (99, 100, set(), {NEARLY}),
        (97, 100, {FULL, NEARLY}, {NEARLY}),
        (1, 1, set(), {FULL}),
        (9, 10, {FULL}, {NEARLY}),
        (101, 100, set(), {OVER}),
        (101, 100, {FULL}, {FULL, OVER}),
        (3, 0, set(), {OVER}),
        (100, 100, {OVER}, {FULL}),
        (0, 0, {FULL, NEARLY, OVER}, set()),
        (899, 1000, set(), set()),
        (879, 1000, {NEARLY}, set()),
    ],
)
def test_what_runs_follows_from_how_full_a_pool_is_and_what_has_run(used, purchased, before, after):
    assert running(Pool(used=used, purchased=purchased, waiting=0), before) == after


def test_concurrent_sessions_beyond_the_purchased_number_are_a_full_pool():
    pool = Pool(used=12, purchased=10, waiting=0, is_limited=False)

    assert running(pool, set()) == {FULL}
    assert sentence(FULL, pool, "Concurrent") == "12 of 10 Concurrent licenses are in use."


@pytest.mark.parametrize(
    ("kind", "pool", "words"),
    [
        (FULL, Pool(used=1200, purchased=1200, waiting=0), "All Named licenses are in use: 1,200 of 1,200."),
        (FULL, Pool(used=99, purchased=100, waiting=0), "99 of 100 Named licenses are in use."),
        (NEARLY, Pool(used=90, purchased=100, waiting=0), "90 of 100 Named licenses are in use."),
        (WAITING, Pool(used=0, purchased=0, waiting=1), "1 user waits for a Named license."),
        (WAITING, Pool(used=0, purchased=0, waiting=1200), "1,200 users wait for a Named license."),
        (OVER, Pool(used=13, purchased=10, waiting=0), "13 Named licenses are granted, but only 10 were purchased."),
    ],
)
def test_each_is_told_in_a_sentence(kind, pool, words):
    assert sentence(kind, pool, "Named") == words


@pytest.fixture
def subscription(db):
    subscription = make_subscription("Contoso")
    purchase(subscription, read_only=2)
    return subscription


@pytest.fixture
def configuration(subscription):
    return make_configuration(subscription, default_license_type=READ_ONLY)


def look(at=NOON):
    alerts.look(at)
    found = Notification.objects.filter(ended_at=None).values_list("kind", "subject")
    return sorted(f"{kind} {subject}" for kind, subject in found)


def test_a_pool_that_fills_overflows_and_empties_is_told_of_step_by_step(subscription, configuration):
    assert look() == []
    accounts = [make_account(configuration) for _ in range(3)]
    reconcile(subscription)
    assert look(NOON + MINUTE) == ["pool_full read-only", "waiting read-only"]
    assert Notification.objects.get(kind="waiting").sentence == "1 user waits for a Read only license."

    purchase(subscription, read_only=1)
    assert look(NOON + 2 * MINUTE) == ["pool_full read-only", "pool_over_used read-only", "waiting read-only"]

    purchase(subscription, read_only=10)
    reconcile(subscription)
    assert look(NOON + 3 * MINUTE) == []
    assert set(Notification.objects.values_list("since", "ended_at")) == {
        (NOON + MINUTE, NOON + 3 * MINUTE),
        (NOON + 2 * MINUTE, NOON + 3 * MINUTE),
    }
    disable(accounts[0])
    reconcile(subscription, now=NOON + DAY)
    assert look(NOON + DAY) == []


def test_sessions_fill_the_concurrent_pool(subscription):
    purchase(subscription, concurrent=10)
    for number in (4, 5):
        make_vault(subscription)
        due.know_vaults()
        VaultStatus.objects.filter(concurrent_sessions=0).update(concurrent_sessions=number)

    assert look() == ["pool_nearly_full concurrent"]
    assert Notification.objects.get().sentence == "9 of 10 Concurrent licenses are in use."


def test_looking_again_changes_nothing_and_costs_four_statements_for_any_number(subscription, configuration):
    for number in range(5):
        other = make_subscription()
        purchase(other, read_only=number)
        make_account(make_configuration(other, default_license_type=READ_ONLY))
        reconcile(other)
    LicensePool.objects.filter(license_type=LicenseType.NAMED).update(purchased=10, ceiling=10, granted=9)
    look()
    before = list(Notification.objects.order_by("pk").values())
    assert len(before) > 6

    with CaptureQueriesContext(connection) as captured:
        alerts.look(NOON + MINUTE)

    assert len(captured) == 4
    assert list(Notification.objects.order_by("pk").values()) == before


def test_the_task_looks_and_has_the_mails_sent(subscription, configuration, monkeypatch, mailoutbox):
    monkeypatch.setitem(app.conf, "task_always_eager", True)
    make_admin(subscription, "root@contoso.example")
    make_account(configuration)
    make_account(configuration)
    reconcile(subscription)

    tasks.look_at_pools(a_keyword_of_a_newer_version=1)

    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["root@contoso.example"], "Contoso: All Read only licenses are in use: 2 of 2.")
    ]
    assert not NotificationMail.objects.exists()


def test_both_installations_look_once_a_minute(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["alerts"]

    assert (entry["task"], entry["schedule"]) == (tasks.look_at_pools.name, 60)
    assert dict(embedded.PERIODIC)[tasks.look_at_pools] == MINUTE


def test_every_kind_leads_to_a_page_and_says_what_to_do():
    assert {kind.page for kind in KINDS.values()} == {"licenses", "vaults", "configurations", "audit"}
    assert all(kind.advice.endswith(".") and kind.label and kind.help for kind in KINDS.values())
