"""The page of a person's own notifications, and what Home says when mail cannot be sent."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from provisioning.models import LoginAccount, NotificationMail
from provisioning.notification_kinds import AUDIT_DIFFERS, KINDS, POOL_FULL, SECRET_EXPIRES, WAITING
from provisioning.services.mails import send_due
from provisioning.services.notifications import choices, notice
from tests.factories import NOON, make_admin, make_subscription
from tests.mailserver import MailServer

Role = LoginAccount.Role


@pytest.fixture
def url(contoso):
    return contoso.url("settings/notifications/")


def ticked(answer):
    return set(re.findall(r'<input type="checkbox" name="(\w+)"[^>]* checked', answer.content.decode()))


def begin(contoso, subject="named", kind=POOL_FULL):
    sentence = "All Named licenses are in use: 5 of 5."
    notice(subscription=contoso.subscription, kind=kind, subject=subject, sentence=sentence, at=NOON)


@pytest.mark.parametrize(
    ("role", "usual"),
    [
        (Role.BILLING_ADMIN, set(KINDS) - {SECRET_EXPIRES.name, AUDIT_DIFFERS.name}),
        (Role.ACCESS_ADMIN, {SECRET_EXPIRES.name, AUDIT_DIFFERS.name}),
        (Role.SUBSCRIPTION_ADMIN, set(KINDS)),
    ],
)
def test_everybody_with_a_role_chooses_for_themselves(contoso, sign_in, url, role, usual):
    person, other = make_admin(contoso.subscription, role=role), make_admin(contoso.subscription)
    client = sign_in(person)
    page = client.get(url)
    assert ticked(page) == usual
    assert f"Goes to {person.email}." in page.content.decode()

    saved = client.post(url, {"waiting": "on"}, follow=True)

    assert saved.redirect_chain == [(url, 303)]
    assert "Your choice is saved." in saved.content.decode()
    assert ticked(saved) == {"waiting"}
    assert ticked(client.post(url, {}, follow=True)) == set()
    assert all(choices(user=other.user, subscription=contoso.subscription).values())


@pytest.mark.parametrize("kind", [SECRET_EXPIRES, AUDIT_DIFFERS])
def test_a_billing_admin_is_told_nothing_of_provisioning_and_of_all_acts(contoso, sign_in, url, kind):
    client = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))
    notice(subscription=contoso.subscription, kind=kind, subject="1/7", sentence="It is so.", at=NOON)

    page = client.post(url, {kind.name: "on"}, follow=True).content.decode()

    assert kind.label not in page
    assert "It is so." not in page


def test_a_stranger_finds_no_page(sign_in, url):
    assert sign_in(make_admin(make_subscription("Fabrikam"))).get(url).status_code == 404


def test_the_page_says_what_holds_now_and_that_nothing_does(contoso, admin, url):
    assert "stands here for as long as it lasts" in admin.get(url).content.decode()
    begin(contoso)

    page = admin.get(url).content.decode()

    assert "All Named licenses are in use: 5 of 5." in page
    assert "not told yet" in page


def test_the_page_says_when_no_mail_can_come(contoso, admin, url, settings):
    LoginAccount.objects.update(email="")
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    page = admin.get(url).content.decode()

    assert "Your account has no e-mail address" in page
    assert "This installation sends no mail." in page


def test_home_says_that_mail_cannot_be_sent_until_it_has_gone(contoso, admin, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    begin(contoso)
    with MailServer(refused={"root@contoso.example": "451 <greylisted>"}) as server:
        settings.EMAIL_PORT = server.port
        send_due(NOON)
        page = admin.get(contoso.url()).content.decode()
        assert "Mail to 1 person cannot be sent and is tried again: 451 &lt;greylisted&gt;" in page

        server.refused.clear()
        NotificationMail.objects.update(due_at=NOON)
        send_due(NOON)

    assert "cannot be sent" not in admin.get(contoso.url()).content.decode()


def test_the_page_costs_the_same_with_much_that_runs(contoso, admin, url):
    counts = []
    for subjects in (("named",), tuple("abcdefgh")):
        for subject in subjects:
            begin(contoso, subject, WAITING)
        with CaptureQueriesContext(connection) as captured:
            admin.get(url)
        counts.append(len(captured))

    assert counts[0] == counts[1]
