"""How many users and groups there are, without counting them."""

import random
import threading

import pytest

from provisioning.models import LoginAccount, ProvisioningConfiguration, ResourceTotal, UserGroup
from provisioning.services import accounts, groups, totals
from tests.factories import make_account, make_call, make_configuration, make_group
from tests.races import together

pytestmark = pytest.mark.django_db


def counted(configuration: ProvisioningConfiguration) -> tuple[int, int]:
    users = LoginAccount.objects.filter(configuration=configuration, scim_id__isnull=False)
    return users.count(), UserGroup.objects.filter(configuration=configuration, deleted_at__isnull=True).count()


def told(configuration: ProvisioningConfiguration) -> tuple[int, int]:
    return totals.number_of(configuration, "User"), totals.number_of(configuration, "Group")


def make_user(configuration: ProvisioningConfiguration, number: int) -> None:
    make_account(configuration, f"user{number}@x")


def remove_user(configuration: ProvisioningConfiguration, number: int) -> None:
    account = LoginAccount.objects.filter(username=f"user{number}@x").first()
    call = make_call(configuration, operation="delete")
    accounts.remove_account(scim_id=(account and account.scim_id) or "nobody", call=call)


def make_a_group(configuration: ProvisioningConfiguration, number: int) -> None:
    make_group(configuration, f"Group {number}")


def remove_a_group(configuration: ProvisioningConfiguration, number: int) -> None:
    group = UserGroup.objects.filter(display_name=f"Group {number}", deleted_at__isnull=True).first()
    call = make_call(configuration, operation="delete")
    groups.remove_group(scim_id=group.scim_id if group else "nothing", call=call)


DEEDS = [make_user, make_user, remove_user, make_a_group, make_a_group, remove_a_group]
REFUSALS = (accounts.UsernameTaken, accounts.AccountNotFound, groups.GroupNameTaken, groups.GroupNotFound)


@pytest.mark.parametrize("seed", range(5))
def test_totals_are_what_counting_finds_after_any_deeds(seed: int):
    chance, configuration, refused = random.Random(seed), make_configuration(), 0

    for _ in range(60):
        try:
            chance.choice(DEEDS)(configuration, chance.randrange(6))
        except REFUSALS:
            refused += 1

    assert told(configuration) == counted(configuration)
    assert refused > 0


def test_a_configuration_has_totals_of_its_own():
    mine, other = make_configuration(), make_configuration()
    make_account(mine)

    assert (told(mine), told(other)) == ((1, 0), (0, 0))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_parallel_deeds_are_all_counted():
    configuration = make_configuration()
    leaving = [make_account(configuration) for _ in range(8)]

    def come_or_go(number: int) -> None:
        if number % 2:
            make_account(configuration, f"new{number}@x")
        else:
            call = make_call(configuration, operation="delete")
            accounts.remove_account(scim_id=str(leaving[number // 2].scim_id), call=call)

    assert together(16, come_or_go) == [None] * 16
    assert told(configuration) == counted(configuration) == (8, 0)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_writers_that_write_back_the_total_they_read_lose_some():
    """What adding in the database guards against."""
    configuration = make_configuration()
    make_account(configuration)

    def read_add_write(_number: int) -> None:
        total = ResourceTotal.objects.get(configuration=configuration, kind="User")
        gate.wait(timeout=30)
        total.number += 1
        total.save()

    gate = threading.Barrier(4)
    together(4, read_add_write)

    assert totals.number_of(configuration, "User") == 2
