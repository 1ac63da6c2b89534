"""What people choose for accounts: pins, the types of manual accounts, and another look."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import LicenseGrant, VaultUser
from licensing.services import choices, reasons
from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, LoginAccount
from provisioning.signals import directory_changed
from provisioning.templatetags.portal import changes
from tests.factories import ACTOR, NOON, make_account, make_admin, make_configuration, make_group, make_subscription
from tests.licensing.people import (
    CONCURRENT,
    MINUTE,
    NAMED,
    NONE,
    READ_ONLY,
    has,
    license_of,
    pool,
    purchase,
    reconcile,
    remove,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration():
    subscription = make_subscription()
    purchase(subscription, named=2, read_only=5)
    return make_configuration(subscription, "Entra", default_license_type=READ_ONLY)


def pin(*accounts, license_type, at=NOON):
    ids = [account.pk for account in accounts]
    return choices.pin(
        subscription=accounts[0].subscription, account_ids=ids, license_type=license_type, actor=ACTOR, at=at
    )


def choose(*accounts, license_type, at=NOON):
    ids = [account.pk for account in accounts]
    return choices.choose_manual(
        subscription=accounts[0].subscription, account_ids=ids, license_type=license_type, actor=ACTOR, at=at
    )


def newest_act():
    return AuditEntry.objects.latest("pk")


@pytest.mark.parametrize("is_looked_at", [True, False])
def test_a_pin_decides_alone_and_without_it_the_rest_does_again(configuration, is_looked_at):
    account = make_account(configuration)
    make_group(configuration, members=[account], license_type=CONCURRENT)
    if is_looked_at:
        reconcile(configuration.subscription)

    assert pin(account, license_type=NAMED) == 1
    reconcile(configuration.subscription)
    assert license_of(account) == (NAMED, "")

    assert pin(account, license_type=None) == 1
    reconcile(configuration.subscription)
    assert license_of(account) == (CONCURRENT, "")
    assert pool(configuration.subscription, NAMED).granted == 0


def test_pinning_no_license_gives_the_seat_back(configuration):
    account = make_account(configuration)
    reconcile(configuration.subscription)

    pin(account, license_type=NONE)
    reconcile(configuration.subscription)

    assert has(account) == NONE
    assert reasons.reason(account, now=NOON).why == "No license, as pinned to the account"


def test_a_choice_for_a_new_account_asks_when_it_was_made_however_late_the_workers_come(configuration):
    admin = make_admin(configuration.subscription)
    choose(admin, license_type=NAMED, at=NOON + MINUTE)

    reconcile(configuration.subscription, now=NOON + timedelta(hours=1))

    assert LicenseGrant.objects.get(account=admin).asked_at == NOON + MINUTE


def test_a_new_account_that_is_pinned_to_what_it_wants_anyway_keeps_its_place(configuration):
    account = make_account(configuration)

    pin(account, license_type=READ_ONLY, at=NOON + MINUTE)
    reconcile(configuration.subscription, now=NOON + 2 * MINUTE)

    assert LicenseGrant.objects.get(account=account).asked_at == NOON


def test_the_audit_log_says_who_pinned_what(configuration):
    account = make_account(configuration, "ann")
    pin(account, license_type=READ_ONLY)

    pin(account, license_type=NAMED, at=NOON + MINUTE)

    act = newest_act()
    assert (act.action, act.target, act.actor_name, act.at) == (
        "pin license type",
        "ann",
        "manage.py tests",
        NOON + MINUTE,
    )
    assert act.changes == {"pinned_type": ["read-only", "named"]}


def test_a_bulk_pin_is_one_row_of_the_audit_log_that_names_every_account_with_its_old_pin(configuration):
    ann, bob, cy = (make_account(configuration, name) for name in ("ann", "bob", "cy"))
    pin(ann, license_type=NAMED)
    pin(cy, license_type=READ_ONLY)

    assert pin(ann, bob, cy, license_type=READ_ONLY) == 2

    act = newest_act()
    assert act.target == "2 accounts"
    assert act.changes == {"ann": ["named", "read-only"], "bob": [None, "read-only"]}


def test_a_page_of_the_audit_log_shows_the_first_of_many_pins(configuration):
    accounts = [make_account(configuration, f"user{number:02}") for number in range(23)]
    pin(*accounts, license_type=NAMED)

    shown = list(changes(newest_act().changes))

    assert len(shown) == 21
    assert shown[0] == ("user00", "", "named")
    assert shown[20] == ("and", "", "3 more")


def test_a_pin_that_changes_nothing_is_no_deed(configuration):
    account = make_account(configuration)
    before = AuditEntry.objects.count()

    assert pin(account, license_type=None) == 0

    assert AuditEntry.objects.count() == before
    assert not LicenseGrant.objects.exists()


def test_accounts_of_other_subscriptions_are_left_alone(configuration):
    own, other = make_account(configuration), make_account(make_configuration())
    reconcile(other.subscription)

    assert pin(own, other, license_type=NAMED) == 1

    assert LicenseGrant.objects.get(account=other).pinned_type is None


def test_many_accounts_take_as_many_statements_as_one(configuration):
    def statements(number):
        accounts = [make_account(configuration) for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            assert pin(*accounts, license_type=NAMED) == number
        return len(captured)

    assert statements(50) == statements(1) <= 20


def test_more_accounts_than_a_chunk_are_all_pinned(configuration, monkeypatch):
    monkeypatch.setattr(choices, "_CHUNK", 2)
    accounts = [make_account(configuration) for _ in range(5)]

    assert pin(*accounts, license_type=CONCURRENT) == 5
    reconcile(configuration.subscription)

    assert {has(account) for account in accounts} == {CONCURRENT}


def test_a_pin_on_a_removed_account_is_refused_and_nobody_is_pinned(configuration):
    ann, bob = make_account(configuration, "ann"), make_account(configuration, "bob")
    remove(ann)

    with pytest.raises(choices.AccountRemoved, match="“ann” was removed by the identity provider"):
        pin(ann, bob, license_type=NAMED)

    assert not LicenseGrant.objects.filter(pinned_type=NAMED).exists()


def test_the_pin_of_a_removed_account_can_be_taken_away(configuration):
    account = make_account(configuration)
    pin(account, license_type=NAMED)
    remove(account)

    assert pin(account, license_type=None) == 1


def test_a_refusal_names_three_accounts_and_counts_the_rest(configuration):
    accounts = [make_account(configuration, name) for name in ("ann", "bob", "cy", "dan", "eve")]

    with pytest.raises(choices.AccountProvisioned, match="“ann”, “bob”, “cy” and 2 more came through a configuration"):
        choose(*accounts, license_type=NAMED)


@pytest.mark.parametrize("deed", [pin, choose])
@pytest.mark.parametrize("number", [4, -1])
def test_a_type_that_does_not_exist_is_refused(configuration, deed, number):
    admin = make_admin(configuration.subscription)

    with pytest.raises(choices.NoSuchType, match=f"{number} is not a license type; use one of 3 .Named."):
        deed(admin, license_type=number)


def test_a_manual_account_wants_what_a_person_chose_and_the_audit_log_says_so(configuration):
    admin = make_admin(configuration.subscription, "zoe@contoso.example")
    choose(admin, license_type=NAMED)
    reconcile(configuration.subscription)
    assert license_of(admin) == (NAMED, "")

    choose(admin, license_type=NONE)
    reconcile(configuration.subscription)

    assert license_of(admin) == (NONE, "")
    act = newest_act()
    assert (act.action, act.target, act.changes) == (
        "choose license type",
        "zoe@contoso.example",
        {"manual_type": ["named", "none"]},
    )


def test_resync_has_the_account_and_its_vault_users_looked_at_now(configuration, vault_link):
    account = make_account(configuration)
    vault_link(make_group(configuration, members=[account]))
    reconcile(configuration.subscription)
    VaultUser.objects.update(due_at=None, state="stalled")
    LicenseGrant.objects.update(wanted_type=NONE)

    choices.resync(account=account, actor=ACTOR, at=NOON + MINUTE)
    tally = reconcile(configuration.subscription, now=NOON + MINUTE)

    assert tally.accounts == 1
    assert LicenseGrant.objects.get(account=account).wanted_type == LicenseType.READ_ONLY
    assert VaultUser.objects.get().due_at == NOON + MINUTE
    assert (newest_act().action, newest_act().target) == ("resync account", account.username)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", ["pin", "choose", "resync"])
def test_every_choice_is_announced_to_the_workers(configuration, deed):
    admin = make_admin(configuration.subscription)
    heard = []
    receiver = lambda subscription_id, **_: heard.append(subscription_id)  # noqa: E731  a receiver is a weak reference
    directory_changed.connect(receiver)

    match deed:
        case "pin":
            pin(admin, license_type=NAMED)
        case "choose":
            choose(admin, license_type=NAMED)
        case "resync":
            choices.resync(account=LoginAccount.objects.get(pk=admin.pk), actor=ACTOR, at=NOON)

    assert heard == [configuration.subscription_id]
