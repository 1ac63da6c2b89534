"""Every filter and order of internal users against plain Python, a page at a time, and what it costs."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import LicenseGrant, VaultUser
from provisioning.license_types import LicenseType
from provisioning.models import GroupMembership, LoginAccount
from provisioning.queries import account_pages, accounts, pages
from provisioning.queries.accounts import Wanted
from tests.factories import NOON, make_configuration, make_group, make_subscription, make_vault, recount

SORTS = [*account_pages.SORTS, *(f"-{word}" for word in account_pages.SORTS)]
PEOPLE = 120


@pytest.fixture
def directory(db):
    """Three sources, and people with everything at random; another subscription has the same names."""
    chance = random.Random(8)
    subscription, stranger = make_subscription("Contoso"), make_subscription("Fabrikam")
    configurations = [make_configuration(subscription, name) for name in ("First", "Second")]
    vaults = [make_vault(subscription, name) for name in ("Contracts", "Archive")]
    groups = [make_group(configurations[0], name) for name in ("Legal", "Sales")]
    rows = [_person(chance, number, subscription, configurations) for number in range(PEOPLE)]
    rows += [_person(chance, number, stranger, []) for number in range(10)]
    people = LoginAccount.objects.bulk_create(rows)
    for account in people:
        _add(chance, account, groups, vaults)
    for configuration in configurations:
        recount(configuration)
    return Directory(subscription, configurations, vaults, groups)


class Directory:
    def __init__(self, subscription, configurations, vaults, groups):
        self.subscription, self.configurations, self.vaults, self.groups = subscription, configurations, vaults, groups

    def who(self, fits):
        """Return those of whom ``fits`` is true."""
        people = LoginAccount.objects.filter(subscription=self.subscription, kind="person")
        return [account for account in people if fits(account)]

    def walk(self, wanted, sort):
        """Return the ids on all pages, first to last."""
        seen, cursor = [], ""
        while True:
            listing = account_pages.listing(self.subscription, wanted, sort=sort, cursor=cursor)
            seen += [account.pk for account in listing.page.rows]
            cursor = listing.page.next
            if not cursor:
                return seen


def in_order(people, sort):
    """Return the ids in the order of ``sort``, by plain Python."""
    key = account_pages.SORTS[sort.removeprefix("-")]
    turned = sort.startswith("-")
    return [one.pk for one in sorted(people, key=lambda one: (getattr(one, key), one.pk), reverse=turned)]


def _person(chance, number, subscription, configurations):
    name = f"{chance.choice(['ann', 'bo', 'cecilia'])}{number}"
    configuration = chance.choice([*configurations, None])
    is_enabled = chance.random() < 0.6
    return LoginAccount(
        subscription=subscription,
        configuration=configuration,
        scim_id=f"{subscription.pk}-{number}" if configuration else None,
        kind="application" if chance.random() < 0.05 else "person",
        role=chance.choice([0, 0, 0, 1, 2, 3]),
        username=name,
        username_key=name,
        full_name=chance.choice(["", "ann berg", "bo", "cecilia x"]),
        email=f"{name}@example.com",
        email_key=chance.choice(["", "a@example.com", f"{name}@example.com"]),
        is_enabled=is_enabled,
        removed_at=None if is_enabled or chance.random() < 0.5 else NOON,
        created_at=NOON,
        modified_at=NOON + timedelta(minutes=chance.randrange(9)),
    )


def _add(chance, account, groups, vaults):
    if chance.random() < 0.8:
        types = [chance.randrange(4), chance.randrange(4)]
        LicenseGrant.objects.create(
            subscription_id=account.subscription_id,
            account=account,
            username_key=account.username_key,
            granted_type=min(types),
            wanted_type=max(types),
            asked_at=NOON,
        )
    for group in groups:
        if chance.random() < 0.3:
            GroupMembership.objects.create(subscription_id=account.subscription_id, group=group, account=account)
    for vault in vaults:
        if chance.random() < 0.4:
            VaultUser.objects.create(
                subscription_id=account.subscription_id,
                vault=vault,
                account=account,
                account_uid=account.uid,
                seen_enabled=chance.choice([True, False, None]),
            )


def grant_of(account):
    return LicenseGrant.objects.filter(account=account).first() or LicenseGrant(granted_type=-1, wanted_type=-1)


def is_in(account, vault):
    return VaultUser.objects.filter(account=account, vault=vault, seen_enabled=True).exists()


CASES = {
    "nothing": lambda _: ({}, lambda _: True),
    "search": lambda _: ({"search": "ANN"}, lambda a: "ann" in f"{a.username_key} {a.full_name} {a.email_key}"),
    "enabled": lambda _: ({"state": "enabled"}, lambda a: a.is_enabled),
    "disabled": lambda _: ({"state": "disabled"}, lambda a: not a.is_enabled and a.removed_at is None),
    "removed": lambda _: ({"state": "removed"}, lambda a: not a.is_enabled and a.removed_at is not None),
    "no role": lambda _: ({"role": "0"}, lambda a: a.role == 0),
    "access admins": lambda _: ({"role": "2"}, lambda a: a.role == 2),
    "manual": lambda _: ({"configuration": "manual"}, lambda a: a.configuration_id is None),
    "a source": lambda d: (
        {"configuration": str(d.configurations[1].pk)},
        lambda a: a.configuration_id == d.configurations[1].pk,
    ),
    "a group": lambda d: ({"group": d.groups[0]}, lambda a: a.memberships.filter(group=d.groups[0]).exists()),
    "Named": lambda _: ({"added": {"license": "3"}}, lambda a: grant_of(a).granted_type == LicenseType.NAMED),
    "no license": lambda _: ({"added": {"license": "0"}}, lambda a: grant_of(a).granted_type == LicenseType.NONE),
    "waiting": lambda _: ({"added": {"waiting": "any"}}, lambda a: grant_of(a).is_waiting),
    "waiting for Named": lambda _: (
        {"added": {"waiting": "3"}},
        lambda a: grant_of(a).is_waiting and grant_of(a).wanted_type == LicenseType.NAMED,
    ),
    "a vault": lambda d: ({"added": {"vault": str(d.vaults[0].pk)}}, lambda a: is_in(a, d.vaults[0])),
    "everything": lambda d: (
        {
            "state": "enabled",
            "role": "0",
            "configuration": str(d.configurations[0].pk),
            "search": "o a",
            "added": {"waiting": "any", "vault": str(d.vaults[1].pk)},
        },
        lambda a: (
            a.is_enabled
            and a.role == 0
            and a.configuration_id == d.configurations[0].pk
            and any(letter in f"{a.username_key} {a.full_name} {a.email_key}" for letter in "oa")
            and grant_of(a).is_waiting
            and is_in(a, d.vaults[1])
        ),
    ),
}
"""What is wanted, and who fits, said in plain Python."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stretch", [pages.STRETCH, 25])
def test_every_filter_in_every_order_shows_each_who_fits_once(case, stretch, directory, monkeypatch):
    """Few accounts are sorted; in stretches of 25 the same lists are walked and searched."""
    monkeypatch.setattr(account_pages, "STRETCH", stretch)
    fields, fits = CASES[case](directory)
    wanted, expected = Wanted(**fields), directory.who(fits)

    for sort in SORTS:
        assert directory.walk(wanted, sort) == in_order(expected, sort), sort


@pytest.mark.parametrize("case", CASES)
def test_the_number_found_is_right_whatever_the_order(case, directory):
    fields, fits = CASES[case](directory)

    numbers = {
        account_pages.listing(directory.subscription, Wanted(**fields), sort=sort, cursor="").number for sort in SORTS
    }

    assert numbers == {len(directory.who(fits))}


def test_what_would_have_to_be_looked_at_row_by_row_is_not_counted(directory, monkeypatch):
    monkeypatch.setattr(account_pages, "STRETCH", 25)
    searched = account_pages.listing(directory.subscription, Wanted(search="ann"), sort="name", cursor="")
    waiting = account_pages.listing(directory.subscription, Wanted(added={"waiting": "any"}), sort="name", cursor="")

    assert (searched.number, searched.words, searched.is_complete) == (None, "", False)
    assert (waiting.words, waiting.is_complete) == ("more than 10,000", False)


def test_everybody_who_fits_is_the_same_set_without_an_order(directory):
    for case, make in CASES.items():
        fields, fits = make(directory)
        found = accounts.internal_users(directory.subscription, Wanted(**fields))
        assert set(found) == set(directory.who(fits)), case


@pytest.mark.parametrize("sort", SORTS)
def test_an_order_costs_a_constant_number_of_statements(sort, directory, monkeypatch):
    monkeypatch.setattr(account_pages, "STRETCH", 25)

    def cost(wanted):
        with CaptureQueriesContext(connection) as captured:
            account_pages.listing(directory.subscription, wanted, sort=sort, cursor="")
        return len(captured)

    few = [cost(Wanted()), cost(Wanted(search="ann"))]
    for _ in range(8):
        make_configuration(directory.subscription)

    assert [cost(Wanted()), cost(Wanted(search="ann"))] == few
    assert max(few) <= 6
