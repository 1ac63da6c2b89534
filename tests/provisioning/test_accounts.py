"""What an identity provider does to login accounts (1-product §1.3)."""

import pytest

from provisioning.models import LoginAccount, Subscription
from provisioning.services import accounts, groups
from provisioning.services.memberships import MemberChange
from provisioning.signals import directory_changed
from tests.factories import (
    NOON,
    due_ids,
    forget_due,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_group,
    make_profile,
    make_subscription,
)
from tests.provisioning.deeds import LATER, adopting, last_entry, remove, update_call
from tests.races import together

pytestmark = pytest.mark.django_db


def test_a_new_account_is_due_for_the_reconcilers():
    account = make_account(make_configuration(), "Päivi@contoso.example")

    assert due_ids() == {account.pk}
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


def test_a_change_keeps_the_account_raises_its_version_and_makes_it_due():
    account = make_account(make_configuration(), "ann@contoso.example")
    forget_due()

    changed = accounts.change_account(
        scim_id=account.scim_id, change=lambda _: make_profile("ann.lee@contoso.example"), call=update_call(account)
    )

    assert (changed.pk, changed.version, due_ids()) == (account.pk, 2, {account.pk})
    assert changed.modified_at == LATER
    assert last_entry().changes["userName"] == ["ann@contoso.example", "ann.lee@contoso.example"]


def test_a_change_that_changes_nothing_leaves_the_version_and_makes_nobody_due():
    account = make_account(make_configuration())
    forget_due()

    changed = accounts.change_account(scim_id=account.scim_id, change=lambda _: None, call=update_call(account))

    assert (changed.version, changed.modified_at, due_ids()) == (1, NOON, set())
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


def test_a_manual_account_is_adopted_where_the_configuration_allows_it():
    subscription = make_subscription()
    ann = make_admin(subscription, "Ann@contoso.example", role=LoginAccount.Role.ACCESS_ADMIN)
    configuration = adopting(subscription)
    forget_due()

    adopted = make_account(configuration, "ann@contoso.example", full_name="Ann Lee", at=LATER)

    stored = LoginAccount.objects.get(username_key="ann@contoso.example")
    assert (stored.pk, stored.uid, stored.user_id, stored.role) == (ann.pk, ann.uid, ann.user_id, ann.role)
    assert (stored.configuration, stored.scim_id) == (configuration, adopted.scim_id)
    assert (stored.full_name, stored.created_at, stored.is_enabled) == ("Ann Lee", NOON, True)
    assert due_ids() == {ann.pk}
    assert last_entry().detail == (
        "Took over the manual account “Ann@contoso.example”, with its role, license and vaults."
    )


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


def test_a_removed_account_gives_up_its_username_to_another_one():
    configuration = make_configuration()
    gone, bob = (make_account(configuration, name) for name in ("ann@contoso.example", "bob@contoso.example"))
    remove(gone)
    forget_due()

    profile = make_profile("Ann@contoso.example")
    accounts.change_account(scim_id=bob.scim_id, change=lambda _: profile, call=update_call(bob))

    gone.refresh_from_db()
    bob.refresh_from_db()
    assert (bob.username, bob.username_key) == ("Ann@contoso.example", "ann@contoso.example")
    assert gone.username == "ann@contoso.example (removed, renamed 2026-05-12 13:00:00)"
    assert gone.username_key == gone.username
    assert due_ids() == {gone.pk, bob.pk}


def test_a_removed_account_of_another_configuration_keeps_its_username():
    subscription = make_subscription()
    remove(make_account(make_configuration(subscription), "ann@contoso.example"))
    bob = make_account(make_configuration(subscription), "bob@contoso.example")

    profile = make_profile("ann@contoso.example")
    with pytest.raises(accounts.UsernameTaken):
        accounts.change_account(scim_id=bob.scim_id, change=lambda _: profile, call=update_call(bob))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_removal_and_a_change_of_members_do_not_wait_in_a_circle():
    configuration = make_configuration()
    Subscription.objects.filter(pk=configuration.subscription_id).update(protection_least=100)
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
