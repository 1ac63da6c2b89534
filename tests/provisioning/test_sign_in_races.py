"""Signing in while the role goes, links that are opened twice, guesses by the hundred: each with its control."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core import context
from allauth.core.internal import ratelimit
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import RequestFactory

from provisioning import sign_in as sign_in_pages
from provisioning.models import LoginAccount, User
from provisioning.services import password_links, password_mails, sign_ins
from provisioning.services.password_links import LinkDead, digest
from provisioning.services.sign_ins import sign_in
from provisioning.sign_in import AccountAdapter
from tests.factories import NOON, make_admin, make_person, make_subscription
from tests.provisioning.test_invitations import choose, key_of, send
from tests.provisioning.test_sign_ins import HERE, disable, lives, session_of, take_role
from tests.races import together

Role = LoginAccount.Role
NEW = "a passphrase that nobody knows"
GUESSES, LET_THROUGH = 200, 5


@pytest.fixture
def bob(transactional_db):
    """A person who has just got a role, beside whom there is another admin."""
    subscription = make_subscription("Contoso")
    make_admin(subscription, "root@contoso.example")
    return make_person(subscription, "bob@contoso.example", full_name="Bob", role=Role.ACCESS_ADMIN)


def race(bob, deed):
    """Sign in, and do the deed while the session is being made; return whether the session lives afterwards."""
    entering, done = threading.Event(), threading.Event()
    stores = []

    def enter():
        entering.set()
        done.wait(timeout=1)
        stores.append(session_of(bob.user))

    def come_in():
        sign_in(user=bob.user, how="password", enter=enter, actor=HERE, at=NOON)

    def take_away():
        entering.wait(timeout=10)
        deed(bob)
        done.set()

    assert together(2, lambda number: [come_in, take_away][number]()) == [None, None]
    return lives(stores[0])


@pytest.mark.postgresql
@pytest.mark.parametrize("deed", [disable, take_role], ids=lambda deed: deed.__name__)
def test_a_session_that_begins_while_the_role_goes_is_ended(deed, bob):
    assert not race(bob, deed)


@pytest.mark.postgresql
def test_without_the_lock_it_lives_on(bob, monkeypatch):
    monkeypatch.setattr(sign_ins, "_lock", lambda _people: None)

    assert race(bob, disable)


@pytest.mark.postgresql
def test_two_last_roles_that_go_at_once_leave_no_session(bob):
    elsewhere = make_person(make_subscription("Fabrikam"), "bob@contoso.example", role=Role.BILLING_ADMIN)
    store = session_of(bob.user)

    assert together(2, lambda number: disable([bob, elsewhere][number])) == [None, None]

    assert not lives(store)


@pytest.mark.postgresql
@pytest.mark.usefixtures("bob")
def test_of_eight_who_open_a_link_at_once_one_sets_the_password():
    key = key_of(send()[0])

    outcomes = together(8, lambda number: choose(key, password=f"{NEW} {number}"))

    assert sum(isinstance(one, User) for one in outcomes) == 1
    assert sum(isinstance(one, LinkDead) for one in outcomes) == 7


@pytest.mark.postgresql
@pytest.mark.usefixtures("bob")
def test_without_looking_again_under_the_lock_several_would(monkeypatch):
    key = key_of(send()[0])
    mail = password_links.opened(digest(key), at=NOON)
    monkeypatch.setattr(password_links, "opened", lambda *_, **__: mail)

    outcomes = together(8, lambda number: choose(key, password=f"{NEW} {number}"))

    assert sum(isinstance(one, User) for one in outcomes) > 1


@pytest.mark.postgresql
@pytest.mark.usefixtures("bob")
def test_workers_at_the_same_time_send_an_invitation_once():
    assert sum(together(4, lambda _: password_mails.send_due(NOON))) == 1

    assert len(outbox.outbox) == 1


def change_at_once(bob):
    """Change the password twice at once, by who has read the old one; return who may."""
    users = [User.objects.get(pk=bob.user_id) for _ in range(2)]

    def change(number):
        with transaction.atomic():
            may = sign_ins.has_still(users[number])
            time.sleep(0.3)
            if may:
                sign_ins.set_password(user=users[number], password=f"{NEW} {number}", actor=HERE, at=NOON)
        return may

    return sorted(together(2, change))


@pytest.mark.postgresql
def test_of_two_who_change_one_password_at_once_one_does(bob):
    assert change_at_once(bob) == [False, True]


@pytest.mark.postgresql
def test_without_holding_the_person_both_would(bob, monkeypatch):
    def look(user):
        return User.objects.filter(pk=user.pk, password=user.password).exists()

    monkeypatch.setattr(sign_ins, "has_still", look)

    assert change_at_once(bob) == [True, True]


@pytest.fixture
def tried(monkeypatch):
    """The guesses that were compared with a password."""
    found = []
    monkeypatch.setattr(sign_in_pages, "_address", lambda name: name)
    monkeypatch.setattr(AuthenticationBackend, "authenticate", lambda *_, password, **__: found.append(password))
    return found


def guesses(times):
    """Try so many passwords at once; return what was said to each."""
    gate = threading.Barrier(times)
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda number: guess(number, gate), range(times)))


def guess(number, gate):
    """Try a password for one name, each time from another address."""
    gate.wait(timeout=30)
    request = RequestFactory().post("/", REMOTE_ADDR=f"203.0.113.{number}")
    with context.request_context(request):
        try:
            AccountAdapter().authenticate(request, username="root@contoso.example", password=str(number))
        except ValidationError as refusal:
            return refusal.code
    return None


def test_of_two_hundred_guesses_at_once_five_are_looked_at(tried):
    outcomes = guesses(GUESSES)

    assert len(tried) == LET_THROUGH
    assert outcomes.count("too_many_login_attempts") == GUESSES - LET_THROUGH


def test_without_the_lock_more_would_be(tried, monkeypatch):
    @contextmanager
    def no_lock(_key):
        yield True

    count = ratelimit.apply_rate

    def slowly(*args, **more):
        counted = count(*args, **more)
        time.sleep(0.05)
        return counted

    monkeypatch.setattr(ratelimit, "cache_lock", no_lock)
    monkeypatch.setattr(ratelimit, "apply_rate", slowly)

    guesses(20)

    assert len(tried) > LET_THROUGH
