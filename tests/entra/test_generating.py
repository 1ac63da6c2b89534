"""Generated directories are valid, reproducible, and the sample is one of them."""

import json
from pathlib import Path

import pytest

import mfmanage.entra
from mfmanage.entra.generating import generate
from mfmanage.entra.reading import load, parse

SAMPLE = Path(mfmanage.entra.__file__).with_name("sample.json")


@pytest.mark.parametrize("users", [0, 1, 2, 9, 60, 1500])
@pytest.mark.parametrize("groups", [0, 1, 6, 9])
def test_a_directory_of_any_size_is_valid(users, groups):
    source = parse(generate(users, groups, seed=7)).at(1)

    assert (len(source.users), len(source.groups)) == (users, groups)


def test_the_same_seed_makes_the_same_directory_and_another_one_another():
    assert generate(30, 3, seed=1) == generate(30, 3, seed=1)
    assert generate(30, 3, seed=1) != generate(30, 3, seed=2)


def test_the_sample_is_the_generated_directory_of_60_users_and_6_groups():
    assert json.loads(SAMPLE.read_text(encoding="utf-8")) == generate(60, 6)


def test_the_sample_has_names_that_try_a_service():
    source = load(SAMPLE).at(1)
    names = " ".join(user.display_name or "" for user in source.users.values())

    assert all(name in names for name in ("Müller", "O'Brien", "Ångström", "Päivi"))
    assert any("'" in user.user_principal_name for user in source.users.values())
    assert all(user.user_principal_name.isascii() for user in source.users.values())
    assert {group.display_name for group in source.groups.values()} >= {"Legal", "Legal/Contracts", "Sales Nordics"}


def test_the_sample_has_managers_texts_and_empty_texts():
    users = load(SAMPLE).at(1).users.values()

    assert sum(user.manager is None for user in users) == 1
    assert all(user.info1 for user in users)
    assert 0 < sum(user.info2 is None for user in users) < 10


def test_somebody_waits_when_the_sales_group_of_the_sample_gets_20_named_licenses():
    [sales] = [group for group in load(SAMPLE).at(1).groups.values() if group.display_name == "Sales Nordics"]

    assert len(sales.members) == 24


def test_in_the_samples_second_cycle_two_leave_one_is_disabled_and_others_change():
    first, second = (load(SAMPLE).at(cycle) for cycle in (1, 2))
    kept = [(first.users[key], user) for key, user in second.users.items()]

    assert len(first.users) - len(second.users) == 1
    assert sum(not user.assigned for user in second.users.values()) == 1
    assert sum(not user.account_enabled for user in second.users.values()) == 1
    assert sum(before.user_principal_name != after.user_principal_name for before, after in kept) == 1
    assert sum(before.manager != after.manager for before, after in kept) == 1
    assert sum(before.info1 != after.info1 for before, after in kept) == 2
    assert sum(first.groups[key].members != group.members for key, group in second.groups.items()) >= 2
