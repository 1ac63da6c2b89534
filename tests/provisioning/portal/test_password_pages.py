"""The pages by which passwords are set, asked for and mailed."""

import re
import time

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from provisioning.models import LoginAccount, PasswordMail, PortalSession
from provisioning.services import password_mails
from tests.factories import make_admin, make_person

Role = LoginAccount.Role
LOGIN, FORGOTTEN, SET = "/account/login/", "/account/password/forgotten/", "/account/password/set/"
NEW = "a passphrase that nobody knows"
OFF = "django.core.mail.backends.dummy.EmailBackend"


@pytest.fixture
def root(contoso):
    return make_admin(contoso.subscription, "root@contoso.example")


@pytest.fixture
def bob(contoso):
    return make_person(contoso.subscription, "bob@contoso.example", full_name="Bob", role=Role.ACCESS_ADMIN)


def text(answer):
    return answer.content.decode()


def mailed_link():
    password_mails.send_due(timezone.now())
    return re.search(r"/account/password/link/[^/\s]+/", outbox.outbox[-1].body)[0]


def choose(client, link, first=NEW, second=NEW):
    client.get(link)
    return client.post(SET, {"password1": first, "password2": second})


def test_from_the_invitation_to_signing_in(bob):
    client, link = Client(), mailed_link()
    assert "For bob@contoso.example" in text(client.get(link, follow=True))

    answer = choose(client, link)

    assert (answer.status_code, answer["Location"]) == (303, LOGIN)
    assert "Your password is set. Sign in as bob@contoso.example." in text(client.get(LOGIN))
    assert client.post(LOGIN, {"login": "bob@contoso.example", "password": NEW})["Location"] == "/"


def test_looking_at_a_link_does_not_use_it_up(bob):
    link = mailed_link()
    for _ in range(3):
        assert Client().get(link, follow=True).status_code == 200

    assert choose(Client(), link).status_code == 303


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("short", "short", "at least 12 characters"),
        (NEW, NEW + "!", "the same password"),
        ("bob@contoso.example", "bob@contoso.example", "too similar"),
        ("1q2w3e4r5t6y", "1q2w3e4r5t6y", "too common"),
        ("", "", "required"),
    ],
)
def test_a_poor_password_is_refused_and_the_link_stays(first, second, sentence, bob):
    link = mailed_link()

    page = choose(Client(), link, first, second)

    assert page.status_code == 422
    assert sentence in text(page)
    assert choose(Client(), link).status_code == 303


def test_a_dead_link_says_so_and_leads_on(bob):
    link = mailed_link()
    choose(Client(), link)

    for answer in (Client().get(link, follow=True), choose(Client(), link), Client().get(SET)):
        assert answer.status_code == 410
        assert "This link opens nothing any more" in text(answer)
        assert FORGOTTEN in text(answer)


def test_setting_a_password_ends_all_sessions_this_ones_too(root, sign_in):
    client, other = sign_in(root), sign_in(root)
    client.post(FORGOTTEN, {"email": "root@contoso.example"})
    link = mailed_link()

    choose(client, link)

    assert not PortalSession.objects.filter(user=root.user).exists()
    assert client.get("/").status_code == other.get("/").status_code == 302


def test_asking_answers_the_same_whether_anybody_is_known(root):
    known = Client().post(FORGOTTEN, {"email": "root@contoso.example"})
    unknown = Client().post(FORGOTTEN, {"email": "nobody@contoso.example"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert "If somebody signs in with that address" in text(Client().get(known["Location"]))
    password_mails.send_due(timezone.now())
    assert [mail.to for mail in outbox.outbox] == [["root@contoso.example"]]


def test_asking_five_times_an_hour_for_an_address_is_enough(root):
    answers = [Client().post(FORGOTTEN, {"email": "root@contoso.example"}).status_code for _ in range(6)]

    assert answers == [302] * 5 + [429]
    assert PasswordMail.objects.count() == 5


def test_without_mail_the_page_says_whom_to_ask(root, settings):
    settings.EMAIL_BACKEND = OFF

    assert "Ask its operator to set a password for you" in text(Client().get(FORGOTTEN))


def test_the_page_of_a_user_says_how_the_invitation_stands(contoso, root, sign_in, bob):
    client, url = sign_in(root), contoso.url(f"users/{bob.pk}/")
    assert "The invitation to bob@contoso.example is on its way." in text(client.get(url))
    link = mailed_link()
    assert "at bob@contoso.example; the link opens until" in text(client.get(url))

    choose(Client(), link)
    assert "bob@contoso.example, never signed in" in text(client.get(url))
    Client().post(LOGIN, {"login": "bob@contoso.example", "password": NEW})

    assert "bob@contoso.example, last signed in" in text(client.get(url))


def test_an_invitation_is_sent_again_from_the_users_page(contoso, root, sign_in, bob):
    client, url = sign_in(root), contoso.url(f"users/{bob.pk}/")
    assert "Send invitation again" in text(client.get(url))

    page = client.post(f"{url}send-link/", follow=True)

    assert "An invitation to bob@contoso.example is on its way by mail." in text(page)
    assert choose(Client(), mailed_link()).status_code == 303
    assert "Send password reset" in text(client.get(url))
    assert "can choose another password" in text(client.post(f"{url}send-link/", follow=True))


def test_without_mail_the_page_of_a_user_says_what_to_do(contoso, root, sign_in, settings):
    settings.EMAIL_BACKEND = OFF
    bob = make_person(contoso.subscription, "bob@contoso.example", role=Role.ACCESS_ADMIN)
    client, url = sign_in(root), contoso.url(f"users/{bob.pk}/")

    assert "Not invited: this installation sends no mail." in text(client.get(url))
    assert "set MFMANAGE_MAIL, or to run manage.py changepassword bob@" in text(
        client.post(f"{url}send-link/", follow=True)
    )


def test_an_access_admin_sends_no_link_to_an_admin_above(contoso, root, sign_in):
    client = sign_in(make_admin(contoso.subscription, "access@contoso.example", role=Role.ACCESS_ADMIN))

    page = client.post(contoso.url(f"users/{root.pk}/send-link/"), follow=True)

    assert "Only a Subscription admin can" in text(page)
    assert not PasswordMail.objects.exists()


def test_who_has_no_address_is_told_apart(contoso, root, sign_in):
    nowhere = make_person(contoso.subscription, "nowhere", role=Role.ACCESS_ADMIN)

    assert "No email address, so nobody can be invited." in text(sign_in(root).get(contoso.url(f"users/{nowhere.pk}/")))


def test_the_current_password_is_not_guessed_by_who_finds_a_browser_open(root, sign_in):
    form = {"oldpassword": "wrong", "password1": "another long passphrase", "password2": "another long passphrase"}
    client, start = sign_in(root), time.time()
    answers = []
    with pytest.MonkeyPatch.context() as patch:
        for minute in range(0, 240, 40):
            patch.setattr(time, "time", lambda later=minute: start + later)
            answers.append(client.post("/account/password/change/", form).status_code)

    assert answers == [200] * 5 + [429]
