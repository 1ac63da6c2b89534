"""Invitations and forgotten passwords: who is mailed a link, what it opens, and when it is dead."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core import mail as outbox
from django.test import RequestFactory

from provisioning.actor import Actor
from provisioning.models import AuditEntry, LoginAccount, PasswordMail, SingleSignOn, User
from provisioning.services import password_links, password_mails, people, user_imports
from provisioning.services.password_links import CannotSend, LinkDead, ask, digest, send_link, set_password
from provisioning.services.people import RoleOutOfReach
from provisioning.services.subscriptions import add_admin
from tests.factories import (
    ACTOR,
    NOON,
    PASSWORD,
    make_account,
    make_admin,
    make_configuration,
    make_person,
    make_subscription,
)
from tests.mailserver import MailServer

Role = LoginAccount.Role
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW = "a passphrase that nobody knows"
HERE = Actor(kind="person", name="", address="203.0.113.7")
LINK = re.compile(r"/account/password/link/([^/\s]+)/")
pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    return make_subscription("Contoso")


@pytest.fixture
def bob(subscription):
    """A person who has just got a role."""
    return make_person(subscription, "bob@contoso.example", full_name="Bob", role=Role.ACCESS_ADMIN)


def send(at=NOON):
    """Send what waits, and return the mails that have gone."""
    before = len(outbox.outbox)
    password_mails.send_due(at)
    return outbox.outbox[before:]


def key_of(mail):
    return LINK.search(mail.body)[1]


def choose(key, at=NOON, password=NEW):
    return set_password(link=digest(key), password=password, actor=HERE, at=at)


def change_email(account, email):
    fields = {name: getattr(account, name) for name in ("username", "full_name", "role", "info1", "info2")}
    people.change_person(account=account, email=email, actor=ACTOR, at=NOON, **fields)


def can_sign_in(name, password=NEW):
    request = RequestFactory().post("/")
    return authenticate(request, username=name, password=password) is not None


def audited(action):
    return AuditEntry.objects.filter(action=action)


def test_who_gets_a_role_is_invited_to_choose_a_password(bob):
    [mail] = send()

    assert mail.to == ["bob@contoso.example"]
    assert mail.subject == "Invitation to Contoso in mfmanage"
    assert "you have the role Access admin in Contoso" in mail.body
    user = choose(key_of(mail))
    assert (user, user.full_name) == (bob.user, "Bob")
    assert can_sign_in("bob@contoso.example")
    assert audited("accept invitation").get().actor_name == "bob@contoso.example"


def test_nobody_without_a_role_is_invited(subscription):
    person = make_person(subscription, "cy@contoso.example")

    assert send() == []
    assert person.user is None


def test_a_role_given_later_invites_and_another_role_does_not_again(subscription):
    person = make_person(subscription, "cy@contoso.example")
    people.set_role(account=person, role=Role.BILLING_ADMIN, actor=ACTOR, at=NOON)
    assert len(send()) == 1

    people.set_role(account=person, role=Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)

    assert send() == []


def test_a_provisioned_account_that_gets_a_role_is_invited(subscription):
    account = make_account(make_configuration(subscription), "dora@contoso.example")

    people.set_role(account=account, role=Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)

    assert [mail.to for mail in send()] == [["dora@contoso.example"]]


def test_who_has_a_password_is_told_of_the_subscription_without_a_link(subscription):
    admin = make_admin(make_subscription("Fabrikam"), "root@contoso.example")

    person = make_person(subscription, "Root@Contoso.example", role=Role.ACCESS_ADMIN)
    [mail] = send()

    assert person.user == admin.user
    assert mail.subject == "You may enter Contoso in mfmanage"
    assert not LINK.search(mail.body)
    assert not PasswordMail.objects.exists()


def test_the_first_admin_of_a_subscription_gets_a_password_and_no_mail(subscription):
    admin = add_admin(
        subscription=subscription,
        email="root@contoso.example",
        password=None,
        role=Role.SUBSCRIPTION_ADMIN,
        actor=ACTOR,
        at=NOON,
    )

    assert send() == []
    assert can_sign_in("root@contoso.example", admin.password)


def test_a_file_of_users_invites_too(subscription):
    title = "Account type,Username,Full name,Email,License type,Role,State,Additional information 1,"
    title += "Additional information 2,Vaults\n"
    row = "Internal user,eve@contoso.example,Eve,eve@contoso.example,No license,Access Admin,Added,,,\n"
    uploaded = user_imports.upload(
        subscription=subscription, file_name="users.csv", data=(title + row).encode(), actor=ACTOR, at=NOON
    )
    user_imports.confirm(user_import=uploaded, actor=ACTOR, at=NOON)
    user_imports.apply(import_id=uploaded.pk, at=NOON)

    assert [mail.to for mail in send()] == [["eve@contoso.example"]]


def test_a_link_opens_once(bob):
    key = key_of(send()[0])
    choose(key)

    with pytest.raises(LinkDead, match="Ask for a new one"):
        choose(key, password="another passphrase of somebody")
    assert can_sign_in("bob@contoso.example")


def test_a_link_opens_for_seven_days(bob):
    key = key_of(send()[0])

    assert password_links.opened(digest(key), at=NOON + 7 * DAY - timedelta(seconds=1)).user == bob.user
    with pytest.raises(LinkDead):
        password_links.opened(digest(key), at=NOON + 7 * DAY)


@pytest.mark.parametrize("key", ["", "x", "0" * 43])
def test_what_is_no_link_opens_nothing(bob, key):
    send()

    with pytest.raises(LinkDead):
        password_links.opened(digest(key), at=NOON)


def test_no_key_opens_a_link_that_has_not_been_sent(bob):
    with pytest.raises(LinkDead):
        password_links.opened("", at=NOON)


def test_the_database_does_not_know_the_link(bob):
    key = key_of(send()[0])

    assert key not in str(PasswordMail.objects.values().get())
    assert PasswordMail.objects.get().digest == digest(key)


def test_an_invitation_sent_again_ends_the_one_before(bob):
    first = key_of(send()[0])
    kind = send_link(account=bob, actor=ACTOR, at=NOON)
    second = key_of(send()[0])

    assert kind == PasswordMail.Kind.INVITATION
    with pytest.raises(LinkDead):
        choose(first)
    choose(second)
    assert audited("send invitation").get().changes == {"mail to": [None, "bob@contoso.example"]}


def test_an_admin_can_send_who_has_a_password_a_link_to_choose_another(subscription):
    admin = make_admin(subscription, "root@contoso.example")

    assert send_link(account=admin, actor=ACTOR, at=NOON) == PasswordMail.Kind.RESET

    [mail] = send()
    assert mail.subject == "Another password for mfmanage"
    choose(key_of(mail))
    assert can_sign_in("root@contoso.example")


def test_an_access_admin_sends_no_link_to_an_admin_above(subscription):
    admin = make_admin(subscription, "root@contoso.example")
    actor = Actor(kind="person", name="x", role=Role.ACCESS_ADMIN.label)

    with pytest.raises(RoleOutOfReach):
        send_link(account=admin, actor=actor, at=NOON)


def test_why_no_link_can_be_sent_is_said(subscription, settings):
    none = make_person(subscription, "none@contoso.example")
    nowhere = make_person(subscription, "nowhere", role=Role.ACCESS_ADMIN)
    off = make_person(subscription, "off@contoso.example", role=Role.ACCESS_ADMIN)
    people.disable_person(account=off, actor=ACTOR, at=NOON)

    for person, sentence in ((none, "Give the user one first"), (nowhere, "Enter one first"), (off, "Enable the user")):
        with pytest.raises(CannotSend, match=sentence):
            send_link(account=person, actor=ACTOR, at=NOON)


def test_without_mail_nobody_is_invited_and_the_sentence_says_what_to_do(subscription, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    bob = make_person(subscription, "bob@contoso.example", role=Role.ACCESS_ADMIN)

    assert not PasswordMail.objects.exists()
    with pytest.raises(CannotSend, match=r"set MFMANAGE_MAIL, or to run manage.py changepassword bob@contoso.example"):
        send_link(account=bob, actor=ACTOR, at=NOON)


def test_a_corrected_email_gets_the_invitation_and_the_mistyped_one_opens_nothing(subscription):
    person = make_person(subscription, "bob", full_name="Bob", email="bbo@contoso.example", role=Role.ACCESS_ADMIN)
    wrong = key_of(send()[0])
    change_email(person, "bob@contoso.example")

    with pytest.raises(LinkDead):
        choose(wrong)
    assert [mail.to for mail in send()] == [["bob@contoso.example"]]


def test_who_has_come_in_keeps_their_sign_in_when_the_accounts_email_changes(bob):
    user = choose(key_of(send()[0]))
    change_email(bob, "mallory@contoso.example")

    bob.refresh_from_db()
    assert bob.user == user
    assert send() == []


def test_a_link_is_dead_once_its_person_may_not_come_in(bob):
    key = key_of(send()[0])
    people.disable_person(account=bob, actor=ACTOR, at=NOON)

    with pytest.raises(LinkDead):
        choose(key)


def test_an_invitation_whose_role_has_gone_is_not_sent(subscription, bob):
    make_person(make_subscription("Fabrikam"), "bob@contoso.example", role=Role.ACCESS_ADMIN)
    people.set_role(account=bob, role=Role.NO_ROLE, actor=ACTOR, at=NOON)

    assert [mail.subject for mail in send()] == ["Invitation to Fabrikam in mfmanage"]


def test_a_username_that_somebody_else_has_is_not_taken_over(subscription):
    User.objects.create_user("bob@contoso.example", email="other@contoso.example", password=PASSWORD)

    bob = make_person(subscription, "bob@contoso.example", role=Role.ACCESS_ADMIN)

    assert bob.user.email == "bob@contoso.example"
    assert bob.user.username.startswith("person-")


def test_a_forgotten_password_is_mailed_to_whom_there_is_one_for(subscription):
    make_admin(subscription, "root@contoso.example")
    ask(email="root@contoso.example", at=NOON)
    ask(email="nobody@contoso.example", at=NOON)

    mails = send()

    assert [mail.to for mail in mails] == [["root@contoso.example"]]
    choose(key_of(mails[0]))
    assert can_sign_in("root@contoso.example")
    assert audited("reset password").get().target == "root@contoso.example"
    assert not PasswordMail.objects.exists()


def test_asking_writes_the_same_whether_anybody_is_known(subscription):
    make_admin(subscription, "root@contoso.example")

    ask(email="root@contoso.example", at=NOON)
    ask(email="nobody@contoso.example", at=NOON)

    known, unknown = PasswordMail.objects.order_by("pk").values("kind", "user", "digest", "due_at")
    assert known == unknown


def test_the_mail_goes_to_the_address_that_is_kept_not_to_the_one_that_was_typed(subscription):
    make_admin(subscription, "root@contoso.example")
    ask(email="ROOT@contoso.example", at=NOON)

    assert [mail.to for mail in send()] == [["root@contoso.example"]]


def test_who_has_no_role_any_more_gets_no_link(subscription):
    make_admin(subscription, "other@contoso.example")
    admin = make_admin(subscription, "root@contoso.example")
    people.disable_person(account=admin, actor=ACTOR, at=NOON)
    ask(email="root@contoso.example", at=NOON)

    assert send() == []
    assert not PasswordMail.objects.exists()


def test_a_reset_link_opens_for_an_hour_and_is_not_sent_later(subscription):
    make_admin(subscription, "root@contoso.example")
    ask(email="root@contoso.example", at=NOON)
    key = key_of(send()[0])
    ask(email="root@contoso.example", at=NOON)

    with pytest.raises(LinkDead):
        choose(key, at=NOON + HOUR)
    assert send(NOON + HOUR + DAY) == []


def test_a_mail_that_the_server_refuses_is_tried_again_with_another_link(bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    with MailServer(refused={"bob@contoso.example": "451 not now"}) as server:
        settings.EMAIL_PORT = server.port
        assert password_mails.send_due(NOON) == 0
        assert PasswordMail.objects.get().problem == "451 not now"
        assert password_mails.send_due(NOON) == 0

        server.refused = {}
        assert password_mails.send_due(NOON + timedelta(minutes=1)) == 1

    [sent] = server.mails
    assert choose(LINK.search(sent.message.get_content())[1]) == bob.user


def test_links_that_have_been_dead_for_long_are_forgotten(bob):
    send()

    password_mails.prune(now=NOON + 36 * DAY)
    assert PasswordMail.objects.exists()
    password_mails.prune(now=NOON + 38 * DAY)
    assert not PasswordMail.objects.exists()


def with_sign_on(subscription):
    SingleSignOn.objects.create(
        subscription=subscription, issuer="https://id.example", client_id="x", client_secret="x", changed_at=NOON
    )


@pytest.fixture
def dora(subscription):
    return make_account(make_configuration(subscription), "dora@contoso.example")


def test_who_comes_by_single_sign_on_is_led_there_and_gets_no_link(subscription, dora):
    with_sign_on(subscription)
    people.set_role(account=dora, role=Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)

    [mail] = send()

    assert f"/sign-in/{subscription.number}/" in mail.body
    assert not LINK.search(mail.body)


def test_who_comes_by_single_sign_on_sets_no_password_by_mail(subscription, dora):
    people.set_role(account=dora, role=Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)
    key = key_of(send()[0])
    with_sign_on(subscription)
    ask(email="dora@contoso.example", at=NOON)

    assert send() == []
    with pytest.raises(LinkDead):
        choose(key)


def test_who_has_a_password_beside_single_sign_on_may_set_another(subscription, dora):
    people.set_role(account=dora, role=Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)
    choose(key_of(send()[0]))
    with_sign_on(subscription)
    ask(email="dora@contoso.example", at=NOON)

    assert len(send()) == 1
