"""When the daily check finds that an audit log differs, admins see it on Home and get a mail, once for each finding."""

import re

import pytest
from django.core import mail
from django.utils import timezone

from provisioning.models import AuditHead, LoginAccount, Notification
from provisioning.services import notifications
from provisioning.services.audit_verification import verify_all
from provisioning.services.mails import send_due
from provisioning.tasks import audit
from tests.factories import make_admin, make_subscription
from tests.provisioning.test_audit_tampering import tamper

pytestmark = pytest.mark.django_db
Role = LoginAccount.Role
OF = "WHERE subscription_id = {id}"
CUT = (
    f"DELETE FROM {{t}} {OF} AND number > 1",
    f"UPDATE provisioning_audithead SET number = 1, digest = (SELECT digest FROM {{t}} {OF}) {OF}",
)
EDIT = f"UPDATE {{t}} SET target = 'another' {OF} AND number = %d"


@pytest.fixture(autouse=True)
def heads(settings, tmp_path):
    settings.AUDIT_HEADS = tmp_path / "heads" / "all.jsonl"
    return settings.AUDIT_HEADS


@pytest.fixture
def admins():
    """One of each role, who made five entries by being appointed after the subscription's creation."""
    subscription = make_subscription("Contoso")
    return {role: make_admin(subscription, f"{role.name.lower()}@contoso.example", role=role) for role in Role if role}


@pytest.fixture
def log(admins):
    return admins[Role.SUBSCRIPTION_ADMIN].subscription


def told():
    """Check, and send mails, as the worker does every day."""
    audit()
    send_due(timezone.now())
    return sorted(one.to[0] for one in mail.outbox)


def home(client, account):
    client.force_login(account.user)
    text = client.get(f"/s/{account.subscription.number}/").content.decode()
    return re.sub(r"\s+", " ", text)


def test_nobody_is_told_of_a_log_that_is_as_it_was_written(log):
    assert (told(), Notification.objects.count()) == ([], 0)


def test_who_may_see_all_acts_is_told_once_however_often_it_is_found(log):
    tamper(log, EDIT % 2)

    assert [told() for _ in range(3)] == [["access_admin@contoso.example", "subscription_admin@contoso.example"]] * 3

    text = re.sub(r"\s+", " ", mail.outbox[0].body)
    assert "The check of the audit log found: Entry 2 is not what was written there." in text
    assert f"/s/{log.number}/audit/" in text
    assert "manage.py auditverify" in text


def test_another_finding_is_told_anew(log):
    tamper(log, EDIT % 2)
    before = len(told())

    tamper(log, EDIT % 3)

    assert len(told()) == 2 * before
    assert "Entry 2 is not what was written there. And 1 more." in re.sub(r"\s+", " ", mail.outbox[-1].body)
    assert Notification.objects.filter(ended_at=None).count() == 1


def test_home_says_it_to_who_may_see_all_acts_and_to_nobody_else(log, admins, client):
    tamper(log, EDIT % 2)
    verify_all(timezone.now())

    seen = {role: "Entry 2 is not what was written there." in home(client, admin) for role, admin in admins.items()}

    assert seen == {Role.BILLING_ADMIN: False, Role.ACCESS_ADMIN: True, Role.SUBSCRIPTION_ADMIN: True}


def test_home_says_no_more_once_it_is_as_it_was_written_again(log, admins, client):
    tamper(log, EDIT % 2)
    verify_all(timezone.now())
    tamper(log, EDIT.replace("another", "billing_admin@contoso.example") % 2)

    verify_all(timezone.now())

    assert "not what was written" not in home(client, admins[Role.ACCESS_ADMIN])
    assert not Notification.objects.filter(ended_at=None).exists()


def test_what_only_the_exported_heads_show_is_told_and_stands_on_the_page_of_the_log(log, admins, client):
    audit()
    tamper(log, *CUT)

    assert told() == ["access_admin@contoso.example", "subscription_admin@contoso.example"]
    assert "The log ended with entry 4 on " in home(client, admins[Role.ACCESS_ADMIN])
    assert AuditHead.objects.get(pk=log.pk).differences == 1


def test_another_subscription_is_not_told(log):
    other = make_admin(make_subscription("Fabrikam"), "root@fabrikam.example")
    audit()
    tamper(log, *CUT)

    assert other.email not in told()


def test_heads_that_cannot_be_read_hide_nothing_that_the_log_itself_shows(log, heads):
    audit()
    heads.write_text("nonsense\n")
    tamper(log, EDIT % 2)

    assert told() == ["access_admin@contoso.example", "subscription_admin@contoso.example"]


def test_a_billing_admin_cannot_choose_to_be_told(admins, log):
    chosen = {
        role: notifications.choices(user=admin.user, subscription=log).get("audit_differs")
        for role, admin in admins.items()
    }

    assert chosen == {Role.BILLING_ADMIN: None, Role.ACCESS_ADMIN: True, Role.SUBSCRIPTION_ADMIN: True}
