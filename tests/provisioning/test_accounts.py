"""What an identity provider does to login accounts (1-product §1.3)."""

import threading
from datetime import timedelta

import pytest

from provisioning.models import LoginAccount, ProvisioningLogEntry
from provisioning.services import accounts, groups
from provisioning.services.memberships import MemberChange
from provisioning.signals import directory_changed
from tests.factories import (
    NOON,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_group,
    make_profile,
    make_subscription,
)
from tests.races import together

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def last_entry() -> ProvisioningLogEntry:
    return ProvisioningLogEntry.objects.latest("pk")


def update_call(account):
    return make_call(account.configuration, operation="update", at=LATER)


def test_a_new_account_is_due_for_the_reconcilers():
    account = make_account(make_configuration(), "Päivi@contoso.example")

    assert account.generation > account.observed_generation
    assert account.is_enabled
    assert account.username_key == "päivi@contoso.example"


def test_creating_an_account_is_logged_with_what_it_has():
    account = make_account(make_configuration(), "ann@contoso.example")

    entry = last_entry()
    assert (entry.operation, entry.status, entry.is_success) == ("create", 201, True)
    assert (entry.resource_id, entry.resource_name) == (account.scim_id, "ann@contoso.example")
    assert entry.changes["userName"] == [None, "ann@contoso.example"]


@pytest.mark.parametrize("username", ["ann@contoso.example", "ANN@contoso.example"])
def test_a_username_is_taken_in_any_letter_case(username):
    configuration = make_configuration()
    make_account(configuration, "ann@contoso.example")

    with pytest.raises(accounts.UsernameTaken, match="is already in use"):
        make_account(configuration, username)


def test_a_username_of_a_manual_account_is_taken():
    subscription = make_subscription()
    make_admin(subscription, "ann@contoso.example")

    with pytest.raises(accounts.UsernameTaken):
        make_account(make_configuration(subscription), "ann@contoso.example")


def test_a_username_of_another_configuration_of_the_subscription_is_taken():
    subscription = make_subscription()
    make_account(make_configuration(subscription), "ann@contoso.example")

    with pytest.raises(accounts.UsernameTaken):
        make_account(make_configuration(subscription), "ann@contoso.example")


def test_another_subscription_may_use_the_same_username():
    make_account(make_configuration(), "ann@contoso.example")

    assert make_account(make_configuration(), "ann@contoso.example").pk


def test_an_external_id_is_unique_in_its_configuration():
    configuration = make_configuration()
    make_account(configuration, external_id="E-1")

    with pytest.raises(accounts.ExternalIdTaken, match="E-1"):
        make_account(configuration, external_id="E-1")


def test_a_change_keeps_the_account_and_raises_version_and_generation():
    account = make_account(make_configuration(), "ann@contoso.example")

    changed = accounts.change_account(
        scim_id=account.scim_id, change=lambda _: make_profile("ann.lee@contoso.example"), call=update_call(account)
    )

    assert (changed.pk, changed.version, changed.generation) == (account.pk, 2, account.generation + 1)
    assert changed.modified_at == LATER
    assert last_entry().changes["userName"] == ["ann@contoso.example", "ann.lee@contoso.example"]


def test_a_change_that_changes_nothing_leaves_version_and_generation():
    account = make_account(make_configuration())

    changed = accounts.change_account(scim_id=account.scim_id, change=lambda _: None, call=update_call(account))

    assert (changed.version, changed.generation, changed.modified_at) == (1, account.generation, NOON)
    assert (last_entry().status, last_entry().changes) == (200, {})


def test_a_rename_to_a_taken_username_changes_nothing():
    configuration = make_configuration()
    make_account(configuration, "ann@contoso.example")
    bob = make_account(configuration, "bob@contoso.example")

    with pytest.raises(accounts.UsernameTaken):
        accounts.change_account(
            scim_id=bob.scim_id, change=lambda _: make_profile("Ann@contoso.example"), call=update_call(bob)
        )

    bob.refresh_from_db()
    assert (bob.username, bob.version) == ("bob@contoso.example", 1)
    assert last_entry().operation == "create"


def test_disabling_notes_when_and_enabling_forgets_it():
    account = make_account(make_configuration(), "ann@contoso.example")

    def become(*, is_enabled):
        return accounts.change_account(
            scim_id=account.scim_id,
            change=lambda _: make_profile("ann@contoso.example", is_enabled=is_enabled),
            call=update_call(account),
        )

    assert become(is_enabled=False).disabled_at == LATER
    assert become(is_enabled=True).disabled_at is None


def test_an_account_of_another_configuration_does_not_exist():
    account = make_account(make_configuration())

    with pytest.raises(accounts.AccountNotFound):
        accounts.change_account(
            scim_id=account.scim_id, change=lambda _: None, call=make_call(make_configuration(), operation="update")
        )


def test_a_removed_account_stays_disabled_and_leaves_its_groups():
    configuration = make_configuration()
    account = make_account(configuration)
    group = make_group(configuration, members=[account])

    accounts.remove_account(scim_id=account.scim_id, call=make_call(configuration, operation="delete", at=LATER))

    account.refresh_from_db()
    assert (account.scim_id, account.is_enabled, account.removed_at, account.disabled_at) == (None, False, LATER, LATER)
    assert not group.memberships.exists()


def test_creating_a_removed_account_again_revives_it_under_a_new_id():
    configuration = make_configuration()
    account = make_account(configuration, "ann@contoso.example")
    accounts.remove_account(scim_id=account.scim_id, call=make_call(configuration, operation="delete"))

    revived = make_account(configuration, "Ann@contoso.example")

    assert revived.pk == account.pk
    assert revived.uid == account.uid
    assert revived.scim_id not in {None, account.scim_id}
    assert (revived.is_enabled, revived.removed_at) == (True, None)


def test_a_commit_is_announced_and_a_failing_receiver_harms_nothing(django_capture_on_commit_callbacks):
    heard = []

    def receive(sender, subscription_id, **_):
        heard.append(subscription_id)
        raise RuntimeError

    directory_changed.connect(receive)
    try:
        configuration = make_configuration()
        with django_capture_on_commit_callbacks(execute=True):
            make_account(configuration)
    finally:
        directory_changed.disconnect(receive)

    assert heard == [configuration.subscription_id]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_parallel_creates_of_one_username_one_wins():
    configuration = make_configuration()

    outcomes = together(
        8, lambda number: make_account(configuration, f"{'ANN' if number % 2 else 'ann'}@contoso.example")
    )

    assert sum(isinstance(outcome, LoginAccount) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, accounts.UsernameTaken) for outcome in outcomes) == 7
    assert LoginAccount.objects.count() == 1


def adopting(subscription):
    configuration = make_configuration(subscription)
    configuration.adopts_manual_accounts = True
    configuration.save()
    return configuration


def test_a_manual_account_is_adopted_where_the_configuration_allows_it():
    subscription = make_subscription()
    ann = make_admin(subscription, "Ann@contoso.example", role=LoginAccount.Role.ACCESS_ADMIN)
    configuration = adopting(subscription)

    adopted = make_account(configuration, "ann@contoso.example", full_name="Ann Lee", at=LATER)

    stored = LoginAccount.objects.get(username_key="ann@contoso.example")
    assert (stored.pk, stored.uid, stored.user_id, stored.role) == (ann.pk, ann.uid, ann.user_id, ann.role)
    assert (stored.configuration, stored.scim_id) == (configuration, adopted.scim_id)
    assert (stored.full_name, stored.created_at, stored.is_enabled) == ("Ann Lee", NOON, True)
    assert stored.generation > ann.generation
    assert last_entry().detail == (
        "Took over the manual account “Ann@contoso.example”, with its role, license and vaults."
    )


def remove(account):
    configuration = account.configuration
    accounts.remove_account(scim_id=account.scim_id, call=make_call(configuration, operation="delete", at=LATER))


def test_what_another_configuration_removed_stays_its_own():
    subscription = make_subscription()
    remove(make_account(make_configuration(subscription), "ann@contoso.example"))

    with pytest.raises(accounts.UsernameTaken):
        make_account(adopting(subscription), "ann@contoso.example")


def test_a_removed_account_whose_configuration_is_gone_is_like_a_manual_one():
    subscription = make_subscription()
    gone = make_configuration(subscription)
    account = make_account(gone, "ann@contoso.example")
    remove(account)
    gone.delete()

    with pytest.raises(accounts.UsernameTaken):
        make_account(make_configuration(subscription), "ann@contoso.example")
    adopted = make_account(adopting(subscription), "ann@contoso.example")

    assert (adopted.pk, adopted.is_enabled, adopted.removed_at) == (account.pk, True, None)


def test_a_revival_says_so_and_restores_no_memberships():
    configuration = make_configuration()
    account = make_account(configuration, "ann@contoso.example")
    group = make_group(configuration, members=[account])
    remove(account)

    make_account(configuration, "ann@contoso.example")

    assert last_entry().detail == (
        "Revived the account “ann@contoso.example”, which had been removed; its groups were not restored."
    )
    assert not group.memberships.exists()


def test_a_revival_with_a_taken_external_id_changes_nothing():
    configuration = make_configuration()
    remove(make_account(configuration, "ann@contoso.example"))
    make_account(configuration, "bob@contoso.example", external_id="E-1")

    with pytest.raises(accounts.ExternalIdTaken):
        make_account(configuration, "ann@contoso.example", external_id="E-1")

    assert LoginAccount.objects.get(username="ann@contoso.example").is_removed


def admin_through_scim(subscription, username="ann@contoso.example"):
    account = make_account(make_configuration(subscription), username)
    account.role = LoginAccount.Role.SUBSCRIPTION_ADMIN
    account.save()
    return account


def become(account, *, is_enabled=None):
    profile = None if is_enabled is None else make_profile(account.username, is_enabled=is_enabled)
    return accounts.change_account(scim_id=account.scim_id, change=lambda _: profile, call=update_call(account))


def states(account):
    account.refresh_from_db()
    return account.is_enabled, accounts.shown_active(account)


def test_the_last_subscription_admin_stays_enabled_and_the_provider_sees_what_it_asked_for():
    ann = admin_through_scim(make_subscription())

    become(ann, is_enabled=False)

    assert states(ann) == (True, False)
    assert ann.disabled_at is None
    assert last_entry().changes["active"] == [True, False]
    assert last_entry().detail.startswith("The account stays enabled, because it is the last enabled Subscription")


@pytest.mark.parametrize("why", ["nobody", "disabled", "other subscription", "lesser role"])
def test_who_does_not_count_as_another_admin(why):
    subscription = make_subscription()
    ann = admin_through_scim(subscription)
    if why == "disabled":
        bob = make_admin(subscription)
        LoginAccount.objects.filter(pk=bob.pk).update(is_enabled=False)
    elif why == "other subscription":
        make_admin(make_subscription())
    elif why == "lesser role":
        make_admin(subscription, role=LoginAccount.Role.ACCESS_ADMIN)

    become(ann, is_enabled=False)

    assert states(ann) == (True, False)


def test_an_admin_beside_another_one_is_disabled():
    subscription = make_subscription()
    ann = admin_through_scim(subscription)
    make_admin(subscription)

    become(ann, is_enabled=False)

    assert states(ann) == (False, False)
    assert last_entry().detail == ""


def test_what_was_held_back_is_forgotten_when_the_provider_enables_the_account():
    ann = admin_through_scim(make_subscription())
    become(ann, is_enabled=False)

    become(ann, is_enabled=True)

    assert states(ann) == (True, True)
    assert ann.intended_active is None


@pytest.mark.parametrize("is_enabled", [None, False])
def test_what_was_held_back_happens_with_the_next_call_once_there_is_another_admin(is_enabled):
    subscription = make_subscription()
    ann = admin_through_scim(subscription)
    become(ann, is_enabled=False)
    make_admin(subscription)
    assert states(ann) == (True, False)

    become(ann, is_enabled=is_enabled)

    assert states(ann) == (False, False)
    assert (ann.intended_active, ann.disabled_at, ann.version) == (None, LATER, 3)
    assert last_entry().detail.startswith("Disabled now, as was asked for earlier")


def test_the_last_subscription_admin_leaves_scim_and_keeps_the_portal():
    ann = admin_through_scim(make_subscription())

    remove(ann)

    assert states(ann) == (True, False)
    assert (ann.scim_id, ann.removed_at, ann.disabled_at) == (None, LATER, None)
    assert last_entry().detail.startswith("The account stays enabled")


def test_an_adopted_last_admin_is_not_disabled_either():
    subscription = make_subscription()
    make_admin(subscription, "ann@contoso.example")

    adopted = make_account(adopting(subscription), "ann@contoso.example", is_enabled=False)

    assert states(adopted) == (True, False)
    assert last_entry().detail.endswith("then disable it again.")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_are_disabled_at_once_one_stays():
    subscription = make_subscription()
    admins = [admin_through_scim(subscription, f"admin{number}@x") for number in range(2)]

    for _ in range(5):
        together(2, lambda number: become(admins[number], is_enabled=False))

        assert sorted(states(admin) for admin in admins) == [(False, False), (True, False)]
        for admin in admins:
            become(admin, is_enabled=True)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_waiting_for_each_other_both_admins_are_disabled(monkeypatch):
    subscription = make_subscription()
    admins = [admin_through_scim(subscription, f"admin{number}@x") for number in range(2)]
    both_have_looked = threading.Barrier(2)

    def look(account):
        others = LoginAccount.objects.filter(role=account.role, is_enabled=True).exclude(pk=account.pk)
        is_last = not others.exists()
        both_have_looked.wait(timeout=30)
        return is_last

    monkeypatch.setattr(accounts, "is_last_admin", look)
    together(2, lambda number: become(admins[number], is_enabled=False))

    assert [states(admin) for admin in admins] == [(False, False)] * 2


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_removal_and_a_change_of_members_do_not_wait_in_a_circle():
    configuration = make_configuration()
    for _ in range(8):
        people = [make_account(configuration) for _ in range(4)]
        group = make_group(configuration, members=people)

        def deed(number, people=people, group=group):
            if number:
                remove(people[number])
            else:
                ids = tuple(str(one.scim_id) for one in reversed(people))
                groups.change_group(
                    scim_id=group.scim_id,
                    change=lambda _: groups.GroupChange(members=[MemberChange("remove", ids)]),
                    call=make_call(configuration, operation="update", resource_type="Group"),
                )

        outcomes = together(4, deed)

        assert [type(outcome) for outcome in outcomes] == [type(None)] * 4, outcomes
        assert not group.memberships.exists()
