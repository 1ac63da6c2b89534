"""Sessions: they begin for who has a role, are known by digests, and end with the last role, whoever takes it away."""

from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.utils import timezone

from provisioning.actor import Actor
from provisioning.models import AuditEntry, HeldChange, LoginAccount, PasswordMail, PortalSession
from provisioning.models.sign_in import IDLE
from provisioning.services import accounts, held, people, user_imports
from provisioning.services.sign_ins import NoRole, SessionGone, end_other_sessions, end_session, leave, sign_in
from provisioning.session_store import SIGN_IN, SessionStore, digest
from tests.factories import (
    ACTOR,
    NOON,
    PASSWORD,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_person,
    make_profile,
    make_subscription,
)

Role = LoginAccount.Role
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LOGIN = "/account/login/"
HERE = Actor(kind="person", name="", address="203.0.113.7", request_id="a-request")
pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    return make_subscription("Contoso")


@pytest.fixture
def root(subscription):
    return make_admin(subscription, "root@contoso.example")


@pytest.fixture
def bob(subscription, root):
    """A manual person with a role, beside whom there is another admin."""
    return with_password(make_person(subscription, "bob@contoso.example", role=Role.ACCESS_ADMIN))


def with_password(account):
    account.user.set_password(PASSWORD)
    account.user.save()
    return account


def session_of(user, *, account=None, at=None, address="203.0.113.7"):
    """Begin a session of the person; its store is returned."""
    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), "allauth.account.auth_backends.AuthenticationBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    begun = {"at": (at or timezone.now()).isoformat(), "address": address, "browser": "Firefox"}
    store[SIGN_IN] = begun | ({"account": account.pk} if account else {})
    store.save()
    return store


def lives(store):
    return PortalSession.live(timezone.now()).filter(pk=digest(store.session_key)).exists()


def browser_of(account):
    client = Client()
    assert client.post(LOGIN, {"login": account.email, "password": PASSWORD})["Location"] == "/"
    return client


def disable(account):
    people.disable_person(account=account, actor=ACTOR, at=NOON)


def take_role(account):
    people.set_role(account=account, role=Role.NO_ROLE, actor=ACTOR, at=NOON)


def take_role_by_editing(account):
    fields = {name: getattr(account, name) for name in ("username", "full_name", "email", "info1", "info2")}
    people.change_person(account=account, role=Role.NO_ROLE, actor=ACTOR, at=NOON, **fields)


def import_row(account, *, role="Access Admin", state="Enabled"):
    titles = "Account type,Username,Full name,Email,License type,Role,State,Additional information 1,"
    titles += "Additional information 2,Vaults\n"
    row = f"Internal user,{account.username},{account.full_name},{account.email},No license,{role},{state},,,\n"
    uploaded = user_imports.upload(
        subscription=account.subscription, file_name="u.csv", data=(titles + row).encode(), actor=ACTOR, at=NOON
    )
    user_imports.confirm(user_import=uploaded, actor=ACTOR, at=NOON)
    user_imports.apply(import_id=uploaded.pk, at=NOON)


def disable_by_file(account):
    import_row(account, state="Disabled")


def take_role_by_file(account):
    import_row(account, role="No Role")


WAYS_OUT = [disable, take_role, take_role_by_editing, disable_by_file, take_role_by_file]


@pytest.mark.parametrize("deed", WAYS_OUT, ids=lambda deed: deed.__name__)
def test_sessions_end_with_the_last_role_whoever_takes_it_away(deed, bob):
    first, second = browser_of(bob), browser_of(bob)

    deed(bob)

    assert not PortalSession.objects.filter(user=bob.user).exists()
    for client in (first, second):
        page = client.get(f"/s/{bob.subscription.number}/", follow=True)
        assert page.request["PATH_INFO"] == LOGIN
        assert "Your session is over" in page.content.decode()


def test_sessions_do_not_come_back_when_the_account_is_enabled_again(bob):
    client = browser_of(bob)
    disable(bob)
    people.enable_person(account=bob, actor=ACTOR, at=NOON)

    assert client.get("/").status_code == 302
    assert client.get("/", follow=True).request["PATH_INFO"] == LOGIN


@pytest.fixture
def dora(subscription, root):
    """A provisioned account with a role."""
    account = make_account(make_configuration(subscription), "dora@contoso.example")
    people.set_role(account=account, role=Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)
    account.refresh_from_db()
    return with_password(account)


def patch_inactive(account):
    inactive = make_profile(account.username, is_enabled=False)
    call = make_call(account.configuration, operation="update")
    accounts.change_account(scim_id=account.scim_id, change=lambda _: inactive, call=call)


def remove(account):
    accounts.remove_account(scim_id=account.scim_id, call=make_call(account.configuration, operation="delete"))


@pytest.mark.parametrize("deed", [patch_inactive, remove], ids=lambda deed: deed.__name__)
def test_sessions_end_when_the_identity_provider_disables_or_removes_the_account(deed, dora):
    store = session_of(dora.user)

    deed(dora)

    assert not lives(store)


def test_sessions_end_when_a_manual_account_is_adopted_as_a_disabled_one(bob):
    configuration = make_configuration(bob.subscription)
    configuration.adopts_manual_accounts = True
    configuration.save()
    store = session_of(bob.user)

    accounts.create_account(profile=make_profile(bob.username, is_enabled=False), call=make_call(configuration))

    assert not lives(store)


def test_sessions_end_when_an_admin_allows_a_held_disabling(dora):
    dora.subscription.protection_least = dora.subscription.protection_percent = 0
    dora.subscription.save()
    store = session_of(dora.user)
    patch_inactive(dora)
    assert lives(store)

    change = HeldChange.objects.get()
    held.allow(subscription=dora.subscription, ids=[change.pk], actor=ACTOR, at=NOON)

    assert not lives(store)


def test_sessions_end_when_the_account_is_deleted(bob):
    disable(bob)
    store = session_of(bob.user)

    people.delete_person(account=bob, actor=ACTOR, at=NOON)

    assert not lives(store)


def test_who_has_a_role_elsewhere_stays_signed_in_there_and_is_shut_out_here(bob):
    elsewhere = make_person(make_subscription("Fabrikam"), "bob@contoso.example", role=Role.BILLING_ADMIN)
    client = browser_of(bob)

    disable(bob)

    assert client.get(f"/s/{bob.subscription.number}/").status_code == 404
    assert client.get(f"/s/{elsewhere.subscription.number}/").status_code == 200


def test_a_session_by_single_sign_on_ends_with_the_role_in_that_subscription(bob):
    elsewhere = make_person(make_subscription("Fabrikam"), "bob@contoso.example", role=Role.BILLING_ADMIN)
    here, there = (session_of(bob.user, account=one) for one in (bob, elsewhere))

    disable(bob)

    assert (lives(here), lives(there)) == (False, True)


def test_other_peoples_sessions_stay(bob, root):
    store = session_of(root.user)

    disable(bob)

    assert lives(store)


def test_another_role_ends_no_session(bob):
    store = session_of(bob.user)

    people.set_role(account=bob, role=Role.BILLING_ADMIN, actor=ACTOR, at=NOON)

    assert lives(store)


def test_nobody_without_a_role_gets_in(bob):
    take_role(bob)

    with pytest.raises(NoRole, match="Ask a Subscription admin"):
        sign_in(user=bob.user, how="password", enter=pytest.fail, actor=HERE, at=NOON)


def test_single_sign_on_lets_in_only_where_it_vouches(bob):
    other = make_person(bob.subscription, "other@contoso.example", role=Role.ACCESS_ADMIN)

    with pytest.raises(NoRole):
        sign_in(user=bob.user, how="single sign-on", enter=pytest.fail, only=other.pk, actor=HERE, at=NOON)


def test_signing_in_stands_in_the_audit_log_of_each_subscription_with_the_role_there(bob):
    make_person(make_subscription("Fabrikam"), "bob@contoso.example", role=Role.BILLING_ADMIN)

    sign_in(user=bob.user, how="password and code", enter=lambda: None, actor=HERE, at=NOON)

    rows = AuditEntry.objects.filter(action="sign in").order_by("subscription")
    assert {(row.actor_name, row.address, row.request_id) for row in rows} == {
        ("bob@contoso.example", "203.0.113.7", "a-request")
    }
    assert [row.actor_role for row in rows] == ["Access admin", "Billing admin"]
    assert rows[0].changes == {"how": [None, "password and code"]}


def test_a_single_sign_on_is_told_to_its_own_subscription_alone(bob):
    make_person(make_subscription("Fabrikam"), "bob@contoso.example", role=Role.BILLING_ADMIN)

    sign_in(user=bob.user, how="x", enter=lambda: None, only=bob.pk, actor=HERE, at=NOON)

    assert AuditEntry.objects.get(action="sign in").subscription == bob.subscription


def test_what_fails_while_coming_in_leaves_nothing(bob):
    def fail():
        session_of(bob.user)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        sign_in(user=bob.user, how="password", enter=fail, actor=HERE, at=NOON)

    assert not PortalSession.objects.exists()
    assert not AuditEntry.objects.filter(action="sign in").exists()


def test_the_database_does_not_know_what_stands_in_the_cookie(bob):
    store = session_of(bob.user)

    row = PortalSession.objects.get()
    assert store.session_key not in str(vars(row))
    assert (row.user, row.address, row.browser) == (bob.user, "203.0.113.7", "Firefox")
    assert SessionStore(row.session_key).load() == {}


def test_a_session_is_over_after_twelve_hours_however_often_it_is_saved(bob):
    store = session_of(bob.user, at=timezone.now() - 12 * HOUR + 60 * SECOND)
    assert lives(store)
    old = session_of(bob.user, at=timezone.now() - 12 * HOUR)
    old["x"] = 1
    old.save()

    assert not lives(old)
    assert SessionStore(old.session_key).load() == {}


def test_a_session_is_over_after_two_hours_without_a_request(bob):
    store = session_of(bob.user)
    PortalSession.objects.update(seen_at=timezone.now() - IDLE)

    assert SessionStore(store.session_key).load() == {}


def test_a_request_is_noted_once_in_five_minutes(bob, django_assert_num_queries):
    store = session_of(bob.user)
    with django_assert_num_queries(1):
        SessionStore(store.session_key).load()
    PortalSession.objects.update(seen_at=timezone.now() - 301 * SECOND)

    SessionStore(store.session_key).load()

    assert timezone.now() - PortalSession.objects.get().seen_at < 10 * SECOND


def test_sessions_that_are_over_are_removed(bob):
    session_of(bob.user, at=timezone.now() - 13 * HOUR)
    session_of(bob.user)
    PortalSession.objects.filter(expire_date__gt=timezone.now()).update(seen_at=timezone.now() - IDLE)
    kept = session_of(bob.user)

    SessionStore.clear_expired()

    assert PortalSession.objects.get().pk == digest(kept.session_key)


def test_a_session_that_was_ended_cannot_be_saved_again(bob):
    store = session_of(bob.user)
    PortalSession.objects.all().delete()
    store["x"] = 1

    with pytest.raises(UpdateError):
        store.save()
    assert not PortalSession.objects.exists()


def test_one_session_is_ended_and_only_by_its_person(bob, root):
    mine, other = session_of(bob.user), session_of(bob.user)
    with pytest.raises(SessionGone):
        end_session(user=root.user, key=digest(other.session_key), actor=HERE, at=NOON)

    end_session(user=bob.user, key=digest(other.session_key), actor=HERE, at=NOON)

    assert (lives(mine), lives(other)) == (True, False)
    assert AuditEntry.objects.get(action="end session").changes == {"address": ["203.0.113.7", None]}


def test_all_sessions_but_this_one_are_ended(bob, root):
    mine, _, _, theirs = (session_of(user) for user in (bob.user, bob.user, bob.user, root.user))

    assert end_other_sessions(user=bob.user, but=digest(mine.session_key), actor=HERE, at=NOON) == 2

    assert lives(mine)
    assert lives(theirs)
    assert PortalSession.objects.count() == 2


def test_links_of_who_has_left_open_nothing(bob):
    assert PasswordMail.objects.filter(user=bob.user).exists()

    disable(bob)

    assert not PasswordMail.objects.filter(user=bob.user).exists()


def test_leaving_looks_at_each_person_once(bob, root, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        leave([bob.user_id, root.user_id, bob.user_id, None])

    assert LoginAccount.objects.get(pk=bob.pk).is_enabled
