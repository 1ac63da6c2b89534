"""What an identity provider does to user groups; members are sets, and no deed depends on the size of a group."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, ProvisioningLogEntry, UserGroup
from provisioning.services import groups
from provisioning.services.memberships import MemberChange
from tests.factories import NOON, due_ids, forget_due, make_account, make_call, make_configuration, make_group
from tests.races import together

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def change(group: UserGroup, *members: MemberChange, name: str | None = None) -> UserGroup:
    profile = None
    if name is not None:
        document = {"displayName": name}
        profile = groups.GroupProfile(display_name=name, external_id=None, document=document, search=document)
    return groups.change_group(
        scim_id=group.scim_id,
        change=lambda _: groups.GroupChange(profile=profile, members=members),
        call=make_call(group.configuration, operation="update", resource_type="Group", at=LATER),
    )


def ids(*accounts: LoginAccount) -> tuple[str, ...]:
    return tuple(str(account.scim_id) for account in accounts)


def members(group: UserGroup) -> set[str]:
    return set(group.accounts.values_list("username", flat=True))


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def people(configuration):
    return [make_account(configuration, f"{name}@x") for name in ("ann", "bob", "cyd", "dan")]


STEPS = [
    ("add", ["cyd@x"], {"ann@x", "bob@x", "cyd@x"}),
    ("add", ["ann@x"], {"ann@x", "bob@x"}),
    ("remove", ["ann@x"], {"bob@x"}),
    ("remove", ["dan@x"], {"ann@x", "bob@x"}),
    ("remove", ["ann@x", "bob@x"], set()),
    ("replace", ["bob@x", "dan@x"], {"bob@x", "dan@x"}),
    ("replace", [], set()),
    ("clear", [], set()),
]


@pytest.mark.parametrize(("kind", "names", "expected"), STEPS)
def test_a_step_on_the_members(configuration, people, kind, names, expected):
    group = make_group(configuration, members=people[:2])

    change(group, MemberChange(kind, ids(*(one for one in people if one.username in names))))

    assert members(group) == expected


def test_steps_are_taken_in_order(configuration, people):
    group = make_group(configuration, members=people[:1])
    ann, bob = ids(people[0]), ids(people[1])

    change(group, MemberChange("add", bob), MemberChange("remove", ann + bob), MemberChange("add", ann))

    assert members(group) == {"ann@x"}


def test_exactly_those_who_come_or_leave_become_due(configuration, people):
    group = make_group(configuration, members=people[:2])
    forget_due()

    change(group, MemberChange("replace", ids(people[1], people[2])))

    assert due_ids() == {people[0].pk, people[2].pk}


def test_what_changes_nothing_leaves_version_and_time(configuration, people):
    group = make_group(configuration, members=people[:1])

    again = change(group, MemberChange("add", ids(people[0])), MemberChange("remove", ids(people[1])))

    assert (again.version, again.modified_at) == (1, NOON)


def test_unknown_ids_are_skipped_and_named_in_the_log(configuration, people):
    group = make_group(configuration)
    stranger = make_account(make_configuration())

    change(group, MemberChange("add", (*ids(people[0], stranger), "nobody")))

    entry = ProvisioningLogEntry.objects.latest("pk")
    assert members(group) == {"ann@x"}
    assert entry.detail.startswith("Skipped 2 member(s)")
    assert "nobody" in entry.detail
    assert str(stranger.scim_id) in entry.detail


def test_a_group_may_be_a_member_and_is_not_expanded(configuration, people):
    child = make_group(configuration, "Contracts", members=people)
    group = make_group(configuration, "Legal")

    changed = change(group, MemberChange("add", (child.scim_id,)))

    assert [nesting.child for nesting in group.nestings.all()] == [child]
    assert (members(group), changed.version) == (set(), 2)
    change(group, MemberChange("remove", (child.scim_id,)))
    assert not group.nestings.exists()


def test_a_group_is_never_its_own_member(configuration):
    group = make_group(configuration)

    change(group, MemberChange("add", (group.scim_id,)))

    assert not group.nestings.exists()


def test_a_name_is_taken_in_any_letter_case_and_nothing_is_done(configuration, people):
    make_group(configuration, "Legal")
    group = make_group(configuration, "Sales", members=people[:1])

    with pytest.raises(groups.GroupNameTaken, match="LEGAL"):
        change(group, MemberChange("clear"), name="LEGAL")

    assert members(group) == {"ann@x"}


def test_a_rename_keeps_members_and_license_type(configuration, people):
    group = make_group(configuration, "Sales", members=people, license_type=LicenseType.NAMED)

    renamed = change(group, name="Sales Nordics")

    assert (renamed.display_name, renamed.license_type, len(members(group))) == ("Sales Nordics", 3, 4)


def test_a_deleted_group_frees_its_name_and_keeps_its_members_for_an_undo(configuration, people):
    group = make_group(configuration, "Legal", members=people)

    groups.remove_group(scim_id=group.scim_id, call=make_call(configuration, operation="delete", at=LATER))

    group.refresh_from_db()
    assert group.deleted_at == LATER
    assert group.generation > group.observed_generation
    assert group.memberships.count() == 4
    assert make_group(configuration, "Legal").pk != group.pk
    with pytest.raises(groups.GroupNotFound):
        change(group, MemberChange("clear"))


def test_the_number_of_statements_does_not_depend_on_the_size_of_the_group(configuration, people):
    small, large = make_group(configuration), make_group(configuration)
    crowd = LoginAccount.objects.bulk_create(
        LoginAccount(
            subscription=configuration.subscription,
            configuration=configuration,
            scim_id=f"crowd-{number}",
            username=f"{number}@x",
            username_key=f"{number}@x",
            created_at=NOON,
            modified_at=NOON,
        )
        for number in range(2_000)
    )
    change(large, MemberChange("add", ids(*crowd)))

    counts = []
    for group in (small, large):
        with CaptureQueriesContext(connection) as statements:
            change(group, MemberChange("add", ids(people[0])))
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 9


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_parallel_changes_of_one_group_lose_nobody(configuration, people):
    group = make_group(configuration)

    outcomes = together(4, lambda number: change(group, MemberChange("add", ids(people[number]))))

    assert all(isinstance(outcome, UserGroup) for outcome in outcomes), outcomes
    assert members(group) == {"ann@x", "bob@x", "cyd@x", "dan@x"}
    assert UserGroup.objects.get(pk=group.pk).version == 5


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_callers_that_write_back_the_list_they_read_lose_members(configuration, people):
    """What the set operations guard against."""
    group = make_group(configuration)
    all_have_read = threading.Barrier(4)

    def read_modify_write(number: int) -> None:
        wanted = set(group.memberships.values_list("account_id", flat=True)) | {people[number].pk}
        all_have_read.wait(timeout=30)
        with transaction.atomic():
            UserGroup.objects.select_for_update().get(pk=group.pk)
            group.accounts.set(wanted, through_defaults={"subscription": group.subscription})

    together(4, read_modify_write)

    assert len(members(group)) == 1
