"""Notifications: one runs at a time, each is told once to the people who want it, and none is lost on the way."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as installation
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from provisioning.actor import Actor
from provisioning.models import AuditEntry, LoginAccount, Notification, NotificationChoice, NotificationMail
from provisioning.notification_kinds import KINDS, POOL_FULL, WAITING
from provisioning.services.mails import LEASE, send_due
from provisioning.services.notifications import choices, choose, end, notice
from provisioning.tasks import prune
from tests.factories import NOON, make_account, make_admin, make_configuration, make_subscription
from tests.mailserver import MailServer
from tests.races import together

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FULL = "All Named licenses are in use: 5 of 5."
Role = LoginAccount.Role
pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    return make_subscription("Contoso")


@pytest.fixture
def admin(subscription):
    return make_admin(subscription, "root@contoso.example")


def begin(subscription, kind=POOL_FULL, subject="named", sentence=FULL, at=NOON):
    notice(subscription=subscription, kind=kind, subject=subject, sentence=sentence, at=at)


def stop(subscription, kind=POOL_FULL, subject="named", at=NOON + MINUTE):
    end(subscription=subscription, kind=kind, subject=subject, at=at)


def want(account, *kinds):
    actor = Actor(kind="person", name=account.username)
    return choose(
        user=account.user, subscription=account.subscription, wanted={kind.name for kind in kinds}, actor=actor, at=NOON
    )


def to(mailoutbox):
    return sorted(mail.to[0] for mail in mailoutbox)


def test_one_runs_at_a_time_and_says_what_holds_now(subscription):
    begin(subscription)
    begin(subscription, sentence="All Named licenses are in use: 6 of 6.", at=NOON + MINUTE)
    begin(subscription, subject="read_only")

    first = Notification.objects.get(subject="named")
    assert (first.sentence, first.since) == ("All Named licenses are in use: 6 of 6.", NOON)
    assert Notification.objects.count() == 2


def test_what_ended_may_begin_again(subscription):
    begin(subscription)
    stop(subscription)
    stop(subscription, at=NOON + HOUR)
    begin(subscription, at=NOON + HOUR)

    assert list(Notification.objects.order_by("pk").values_list("since", "ended_at")) == [
        (NOON, NOON + MINUTE),
        (NOON + HOUR, None),
    ]


def test_what_has_been_over_for_long_is_forgotten(subscription, settings):
    settings.LOG_RETENTION = timedelta(days=90)
    now = timezone.now()
    for subject, days in (("old", 91), ("recent", 89)):
        begin(subscription, subject=subject, at=now - 400 * 24 * HOUR)
        stop(subscription, subject=subject, at=now - days * 24 * HOUR)
    begin(subscription, subject="running", at=now - 400 * 24 * HOUR)

    prune()

    assert set(Notification.objects.values_list("subject", flat=True)) == {"recent", "running"}


@pytest.mark.django_db(transaction=True)
def test_many_who_notice_at_once_begin_one(subscription):
    results = together(8, lambda _number: begin(subscription))

    assert results == [None] * 8
    assert Notification.objects.count() == 1


def test_a_mail_says_what_since_when_what_to_do_and_how_to_turn_it_off(subscription, admin, mailoutbox, settings):
    settings.BASE_URL = "https://manage.example.com"
    subscription.time_zone = "Europe/Helsinki"
    subscription.name = "Contoso & <Sons>"
    subscription.save()
    begin(subscription)

    assert send_due(NOON + MINUTE) == 1

    (mail,) = mailoutbox
    assert mail.subject == f"Contoso & <Sons>: {FULL}"
    assert mail.to == ["root@contoso.example"]
    assert mail.content_subtype == "plain"
    assert mail.from_email == settings.DEFAULT_FROM_EMAIL
    for words in (
        f"{FULL}\nSince: 12 May 2026, 15:00 (Europe/Helsinki)\nWhat to do: {POOL_FULL.advice}\n",
        f"\nhttps://manage.example.com/s/{subscription.number}/licenses/\n",
        f"turn it off: https://manage.example.com/s/{subscription.number}/settings/notifications/\n",
        "You get this as Subscription admin of Contoso & <Sons>.",
    ):
        assert words in mail.body


def test_all_that_is_new_comes_in_one_mail_to_each_and_once(subscription, admin, mailoutbox):
    make_admin(subscription, "billing@contoso.example", role=Role.BILLING_ADMIN)
    begin(subscription)
    begin(subscription, WAITING, sentence="3 users wait for a Named license.")

    send_due(NOON)
    send_due(NOON + MINUTE)
    send_due(NOON + 30 * 24 * HOUR)

    assert to(mailoutbox) == ["billing@contoso.example", "root@contoso.example"]
    for mail in mailoutbox:
        assert mail.subject == "Contoso: 2 things need attention or are over"
        assert FULL in mail.body
        assert "3 users wait for a Named license." in mail.body
    assert not NotificationMail.objects.exists()


def test_what_is_over_before_it_was_told_is_not_told(subscription, admin, mailoutbox):
    begin(subscription)
    stop(subscription)

    assert send_due(NOON + HOUR) == 0
    assert mailoutbox == []


def test_what_begins_again_is_told_again_but_once_an_hour_at_most(subscription, admin, mailoutbox):
    for minute in range(30):
        begin(subscription, at=NOON + minute * MINUTE)
        send_due(NOON + minute * MINUTE)
        stop(subscription, at=NOON + minute * MINUTE)
    begin(subscription, at=NOON + 31 * MINUTE)
    send_due(NOON + 31 * MINUTE)
    assert len(mailoutbox) == 1

    send_due(NOON + 61 * MINUTE)
    assert len(mailoutbox) == 2


def test_it_goes_to_enabled_people_with_a_role_and_an_address(subscription, mailoutbox):
    for role in Role:
        make_admin(subscription, f"role{role}@contoso.example", role=role)
    for nobody, change in (("off", {"is_enabled": False}), ("mute", {"email": ""})):
        LoginAccount.objects.filter(pk=make_admin(subscription, f"{nobody}@contoso.example").pk).update(**change)
    make_admin(make_subscription("Fabrikam"), "root@fabrikam.example")
    make_account(make_configuration(subscription), "user@contoso.example")
    begin(subscription)

    send_due(NOON)

    assert to(mailoutbox) == ["role1@contoso.example", "role3@contoso.example"]


def test_a_choice_counts_for_its_kind_in_both_directions(subscription, admin, mailoutbox):
    access = make_admin(subscription, "access@contoso.example", role=Role.ACCESS_ADMIN)
    want(access, WAITING)
    want(admin, POOL_FULL)
    begin(subscription)
    begin(subscription, WAITING, sentence="1 user waits for a Named license.")

    send_due(NOON)

    told = {mail.to[0]: mail.subject for mail in mailoutbox}
    assert told == {
        "access@contoso.example": "Contoso: 1 user waits for a Named license.",
        "root@contoso.example": f"Contoso: {FULL}",
    }


def test_a_choice_is_kept_only_where_it_is_unusual_and_audited(subscription, admin):
    kinds = set(KINDS.values())
    assert choices(user=admin.user, subscription=subscription) == dict.fromkeys(KINDS, True)
    assert want(admin, *kinds) is False

    assert want(admin, *(kinds - {WAITING})) is True

    assert choices(user=admin.user, subscription=subscription) == {name: name != "waiting" for name in KINDS}
    assert [(one.kind, one.is_wanted) for one in NotificationChoice.objects.all()] == [("waiting", False)]
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target) == ("change own notifications", "root@contoso.example")
    assert entry.changes == {"waiting": [True, False]}
    want(admin, *kinds)
    assert not NotificationChoice.objects.exists()


def test_a_person_with_two_accounts_gets_one_mail_and_can_turn_it_off(subscription, admin, mailoutbox):
    second = make_admin(subscription, "second@contoso.example", role=Role.BILLING_ADMIN)
    LoginAccount.objects.filter(pk=second.pk).update(user=admin.user, email="Root@Contoso.example")
    begin(subscription)
    send_due(NOON)
    assert to(mailoutbox) == ["root@contoso.example"]

    want(admin)
    begin(subscription, WAITING, sentence="1 user waits for a Named license.")
    send_due(NOON + MINUTE)

    assert len(mailoutbox) == 1


def test_telling_costs_the_same_for_many_people_as_for_few(subscription, admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    counts = []
    for number, subject in ((0, "named"), (7, "read_only")):
        for _ in range(number):
            make_admin(subscription)
        begin(subscription, subject=subject)
        with CaptureQueriesContext(connection) as captured:
            send_due(NOON + number * MINUTE)
        counts.append([one["sql"] for one in captured if "notificationmail" not in one["sql"]])

    assert len(counts[0]) == len(counts[1])


def smtp(settings, port):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5


def test_a_mail_server_that_is_down_loses_nothing_and_is_asked_once_in_a_while(subscription, admin, settings):
    make_admin(subscription, "billing@contoso.example", role=Role.BILLING_ADMIN)
    with MailServer() as gone:
        port = gone.port
    smtp(settings, port)
    begin(subscription)

    assert send_due(NOON) == 0

    mails = NotificationMail.objects.all()
    assert {(one.due_at, one.attempts) for one in mails} == {(NOON + MINUTE, 1)}
    assert all("refused" in one.problem for one in mails)
    assert send_due(NOON + 30 * timedelta(seconds=1)) == 0
    assert send_due(NOON + MINUTE) == 0
    assert {(one.due_at, one.attempts) for one in mails.all()} == {(NOON + 3 * MINUTE, 2)}
    with MailServer(port=port) as server:
        assert send_due(NOON + 3 * MINUTE) == 2
    assert sorted(mail.recipients[0] for mail in server.mails) == ["billing@contoso.example", "root@contoso.example"]
    assert server.connections == 1
    assert not NotificationMail.objects.exists()


def test_the_wait_between_attempts_has_an_end(subscription, admin, settings):
    with MailServer() as gone:
        smtp(settings, gone.port)
    begin(subscription)
    send_due(NOON)
    NotificationMail.objects.update(attempts=1000, due_at=NOON)

    send_due(NOON)

    assert NotificationMail.objects.get().due_at == NOON + 6 * HOUR


def test_an_address_that_is_refused_keeps_nobody_else_from_the_mail_and_sends_none_twice(subscription, settings):
    for name in ("ann", "bo", "cai"):
        make_admin(subscription, f"{name}@contoso.example")
    begin(subscription)

    with MailServer(refused={"bo@contoso.example": "550 no such user"}) as server:
        smtp(settings, server.port)
        assert send_due(NOON) == 2
        assert send_due(NOON + MINUTE) == 0

    assert sorted(mail.recipients[0] for mail in server.mails) == ["ann@contoso.example", "cai@contoso.example"]
    (left,) = NotificationMail.objects.select_related("account")
    assert (left.account.email, left.attempts, left.problem) == ("bo@contoso.example", 2, "550 no such user")


def test_an_address_that_makes_no_mail_is_a_failure_like_others(subscription, admin, mailoutbox):
    LoginAccount.objects.filter(pk=admin.pk).update(email="root@contoso.example\nBcc: all@contoso.example")
    begin(subscription)

    assert send_due(NOON) == 0

    assert mailoutbox == []
    assert "newline" in NotificationMail.objects.get().problem


def test_a_mail_that_could_not_go_in_time_is_dropped_when_its_matter_is_over(subscription, admin, settings):
    with MailServer() as gone:
        smtp(settings, gone.port)
    begin(subscription)
    send_due(NOON)

    stop(subscription)

    assert not NotificationMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_mail_once(subscription, admin, settings):
    for number in range(4):
        make_admin(subscription, f"admin{number}@contoso.example")
    begin(subscription)

    with MailServer() as server:
        smtp(settings, server.port)
        results = together(4, lambda _number: send_due(NOON))

    assert sum(results) == 5
    assert len({mail.recipients[0] for mail in server.mails}) == len(server.mails) == 5


SEND = """
import django
django.setup()
from datetime import datetime
from provisioning.services.mails import send_due
send_due(datetime.fromisoformat("{at}"))
"""


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_sends_doubles_a_mail_at_most_and_loses_none(subscription, admin, child_environment):
    begin(subscription)
    with MailServer() as server:
        environment = child_environment | {"MFMANAGE_MAIL": f"smtp://127.0.0.1:{server.port}"}
        words = [sys.executable, "-c", SEND.format(at=NOON.isoformat())]
        worker = subprocess.Popen(words, env=environment, cwd=installation.BASE_DIR)
        server.on_mail = lambda: os.kill(worker.pid, signal.SIGKILL)
        assert worker.wait(timeout=60) == -signal.SIGKILL
        assert len(server.mails) == 1
        server.on_mail = lambda: None
        for at in (NOON + MINUTE, NOON + LEASE, NOON + 2 * LEASE):
            subprocess.run(
                [*words[:-1], SEND.format(at=at.isoformat())], env=environment, check=True, cwd=installation.BASE_DIR
            )

    assert len(server.mails) == 2
    assert not NotificationMail.objects.exists()
