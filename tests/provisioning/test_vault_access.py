"""What admins decide about accounts in vaults: rows, audit, who is looked at again, refusals (1-product §1.5)."""

import pytest

from provisioning.models import AuditEntry, VaultAccess
from provisioning.services import vault_access
from provisioning.services.vault_access import AccountElsewhere, AccountRemoved, Decision
from provisioning.signals import vault_users_switched
from tests.factories import ACTOR, NOON, due_ids, forget_due, make_account, make_configuration, make_vault
from tests.licensing.people import remove

pytestmark = pytest.mark.django_db
ANN, BOB = "ann@contoso.example", "bob@contoso.example"
GIVEN, BLOCKED, BY_LINKS = VaultAccess.Access.GIVEN, VaultAccess.Access.BLOCKED, VaultAccess.Access.BY_LINKS


@pytest.fixture
def ann():
    return make_account(make_configuration(), ANN)


@pytest.fixture
def vault(ann):
    return make_vault(ann.subscription, "Contracts")


@pytest.fixture
def switched():
    """The signals that were sent: accounts, and whether they shall be enabled."""
    heard = []

    def hear(*, account_ids, is_enabled, **_):
        heard.append((account_ids, is_enabled))

    vault_users_switched.connect(hear)
    yield heard
    vault_users_switched.disconnect(hear)


def do(deed, vault, *accounts, **options):
    return deed(accounts=accounts, vault=vault, actor=ACTOR, at=NOON, **options)


def test_access_that_is_given_is_recorded_told_and_looked_at(ann, vault):
    forget_due()

    assert do(vault_access.give_access, vault, ann) == 1

    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.target) == ("give vault access", f"{ANN} in Contracts")
    assert entry.changes == {"access": ["by_links", "given"]}
    assert vault_access.decision(ann, vault) == Decision(GIVEN, None)
    assert due_ids() == {ann.pk}


def test_what_is_so_already_is_no_deed(ann, vault):
    do(vault_access.give_access, vault, ann)
    before = AuditEntry.objects.count()
    forget_due()

    assert do(vault_access.give_access, vault, ann) == 0
    assert do(vault_access.take_access, make_vault(ann.subscription), ann) == 0

    assert AuditEntry.objects.count() == before + 1  # the vault that was made
    assert due_ids() == set()


@pytest.mark.parametrize(
    ("deeds", "access"),
    [
        (["give_access", "take_access"], None),
        (["block", "unblock"], None),
        (["give_access", "unblock"], GIVEN),
        (["block", "take_access"], BLOCKED),
        (["block", "give_access"], GIVEN),
        (["give_access", "block"], BLOCKED),
    ],
)
def test_a_row_goes_once_it_says_nothing(ann, vault, deeds, access):
    for name in deeds:
        do(getattr(vault_access, name), vault, ann)

    assert list(VaultAccess.objects.values_list("access", flat=True)) == ([access] if access else [])


def test_full_control_and_access_are_two_things(ann, vault):
    do(vault_access.set_full_control, vault, ann, full_control=True)
    do(vault_access.give_access, vault, ann)
    do(vault_access.take_access, vault, ann)
    assert vault_access.decision(ann, vault) == Decision(BY_LINKS, True)

    do(vault_access.set_full_control, vault, ann, full_control=None)

    assert not VaultAccess.objects.exists()


def test_many_accounts_are_one_deed(ann, vault, django_assert_max_num_queries):
    others = [make_account(ann.configuration) for _ in range(200)]
    with django_assert_max_num_queries(16):
        assert do(vault_access.give_access, vault, ann, *others) == 201

    entry = AuditEntry.objects.latest("pk")
    assert entry.target == "201 accounts in Contracts"
    assert entry.changes[ANN] == ["by_links", "given"]


def test_who_enables_or_disables_in_a_vault_tells_those_who_keep_it_in_step(ann, vault, switched):
    do(vault_access.block, vault, ann)
    do(vault_access.block, vault, ann)
    do(vault_access.unblock, vault, ann)
    do(vault_access.unblock, vault, ann)

    assert switched == [([ann.pk], False), ([ann.pk], True), ([ann.pk], True)]


def test_an_account_of_another_subscription_is_refused_and_nobody_gets_in(ann, vault):
    stranger = make_account(make_configuration(), BOB)

    with pytest.raises(AccountElsewhere, match="no such user in the subscription"):
        do(vault_access.give_access, vault, ann, stranger)

    assert not VaultAccess.objects.exists()


def test_a_removed_account_gets_no_access_and_can_lose_it(ann, vault):
    do(vault_access.give_access, vault, ann)
    remove(ann)

    with pytest.raises(AccountRemoved, match="was removed by the identity provider"):
        do(vault_access.give_access, vault, ann)
    with pytest.raises(AccountRemoved):
        do(vault_access.set_full_control, vault, ann, full_control=True)

    assert do(vault_access.take_access, vault, ann) == 1
