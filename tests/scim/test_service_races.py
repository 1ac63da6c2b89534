"""Parallel calls: nothing is made twice, and nothing is lost (PostgreSQL; SQLite lets one writer in at a time)."""

import threading
from typing import Any

import pytest

from provisioning.models import LoginAccount, ProvisioningLogEntry, UserGroup
from provisioning.services import accounts, groups
from scim import patch
from tests.factories import make_configuration
from tests.races import together
from tests.scim.scenarios import Reply
from tests.scim.service import Service

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

TIMES = 12


@pytest.fixture
def service() -> Service:
    return Service(make_configuration())


def statuses(replies: list[Reply | Exception]) -> list[int]:
    return sorted(reply.status if isinstance(reply, Reply) else 0 for reply in replies)


def test_of_parallel_posts_of_one_user_name_one_makes_the_user(service):  # E-USR-35
    bodies = [{"schemas": ["x"], "userName": name} for name in ("ada@x", "ADA@X", "Ada@x")]

    replies = together(TIMES, lambda number: service.ask("POST", "/Users", bodies[number % 3]))

    assert statuses(replies) == [201] + [409] * (TIMES - 1)
    assert LoginAccount.objects.count() == 1
    assert ProvisioningLogEntry.objects.filter(status=409).count() == TIMES - 1


def test_of_parallel_posts_of_one_group_one_makes_the_group(service):
    body = {"schemas": ["x"], "displayName": "Legal"}

    replies = together(TIMES, lambda _number: service.ask("POST", "/Groups", body))

    assert statuses(replies) == [201] + [409] * (TIMES - 1)


def test_parallel_changes_of_members_are_all_there_in_the_end(service: Service):  # E-GRP-30, Q-20
    users = [service.make_user(f"u{number}@x") for number in range(TIMES)]
    group = service.make_group("G", members=[{"value": user} for user in users[::2]])

    def change(number: int) -> Reply:
        word = "remove" if number % 2 == 0 else "add"
        return service.patch(f"/Groups/{group}", {"op": word, "path": "members", "value": [{"value": users[number]}]})

    replies = together(TIMES, change)

    assert statuses(replies) == [204] * TIMES
    members = service.ask("GET", f"/Groups/{group}").body["members"]
    assert {member["value"] for member in members} == set(users[1::2])


def test_parallel_changes_of_one_user_are_all_there_in_the_end(service):
    user = service.make_user("ada@x")
    names = ["title", "nickName", "displayName", "userType", "locale", "timezone"]

    replies = together(
        len(names),
        lambda number: service.patch(f"/Users/{user}", {"op": "add", "path": names[number], "value": "v"}),
    )

    assert statuses(replies) == [200] * len(names)
    shown = service.ask("GET", f"/Users/{user}").body
    assert [shown[name] for name in names] == ["v"] * len(names)
    assert shown["meta"]["version"] == f'W/"{len(names) + 1}"'


def test_of_parallel_renames_to_one_name_one_succeeds(service):
    users = [service.make_user(f"u{number}@x") for number in range(6)]

    replies = together(
        6, lambda number: service.patch(f"/Users/{users[number]}", {"op": "replace", "path": "userName", "value": "n"})
    )

    assert statuses(replies) == [200] + [409] * 5


NAMES = ["title", "nickName", "userType", "locale"]


@pytest.fixture
def everybody_reads_first(monkeypatch):
    """Nobody locks what is read, and nobody writes before all have read: what the lock guards against."""
    all_have_read, apply = threading.Barrier(len(NAMES)), patch.apply

    def apply_late(*args, **kwargs):
        all_have_read.wait(timeout=30)
        return apply(*args, **kwargs)

    for services in (accounts, groups):
        monkeypatch.setattr(services, "_LOCK", {"postgresql": ""})
    monkeypatch.setattr(patch, "apply", apply_late)


@pytest.mark.usefixtures("everybody_reads_first")
def test_control_without_the_lock_changes_of_one_user_are_lost(service):
    user = service.make_user("ada@x")

    together(
        len(NAMES),
        lambda number: service.patch(f"/Users/{user}", {"op": "add", "path": NAMES[number], "value": "v"}),
    )

    shown = service.ask("GET", f"/Users/{user}").body
    assert sum(name in shown for name in NAMES) == 1


def test_a_rename_and_changes_of_members_at_once_are_all_there_in_the_end(service: Service):
    users = [service.make_user(f"u{number}@x") for number in range(4)]
    group = service.make_group("Old", members=[{"value": user} for user in users[:2]])
    changes: list[dict[str, Any]] = [
        {"op": "replace", "path": "displayName", "value": "New"},
        {"op": "replace", "path": "externalId", "value": "E-1"},
        {"op": "remove", "path": "members", "value": [{"value": users[0]}]},
        {"op": "add", "path": "members", "value": [{"value": users[2]}]},
        {"op": "add", "path": "members", "value": [{"value": users[3]}]},
    ]

    replies = together(len(changes), lambda number: service.patch(f"/Groups/{group}", changes[number]))

    assert statuses(replies) == [204] * len(changes)
    shown = service.ask("GET", f"/Groups/{group}").body
    assert (shown["displayName"], shown["externalId"]) == ("New", "E-1")
    assert {member["value"] for member in shown["members"]} == set(users[1:])
    assert shown["meta"]["version"] == f'W/"{len(changes) + 1}"'


def test_of_parallel_replacements_of_the_members_one_is_left_whole(service: Service):
    users = [service.make_user(f"u{number}@x") for number in range(8)]
    group = service.make_group("G", members=[{"value": user} for user in users])

    def replace(number: int) -> Reply:
        members = [{"value": user} for user in users[number * 2 : number * 2 + 2]]
        return service.patch(f"/Groups/{group}", {"op": "replace", "path": "members", "value": members})

    assert statuses(together(4, replace)) == [204] * 4
    left = {member["value"] for member in service.ask("GET", f"/Groups/{group}").body["members"]}
    assert left in [set(users[number * 2 : number * 2 + 2]) for number in range(4)]


@pytest.mark.usefixtures("everybody_reads_first")
def test_control_without_the_lock_changes_of_one_group_are_lost(service: Service):
    group = service.make_group("Old")
    changes = [("displayName", "New"), ("externalId", "E-1"), ("displayName", "Newer"), ("externalId", "E-2")]

    def change(number: int) -> Reply:
        path, value = changes[number]
        return service.patch(f"/Groups/{group}", {"op": "replace", "path": path, "value": value})

    together(len(changes), change)

    assert UserGroup.objects.get(scim_id=group).version == 2


def test_parallel_deletions_of_one_user_forget_it_once(service):
    user = service.make_user("ada@x")

    replies = together(6, lambda _number: service.ask("DELETE", f"/Users/{user}"))

    assert statuses(replies) == [204] + [404] * 5
    assert service.ask("GET", "/Users?count=0").body["totalResults"] == 0


def test_parallel_posts_of_a_removed_user_revive_it_once(service):
    service.ask("DELETE", f"/Users/{service.make_user('ada@x')}")

    replies = together(6, lambda _number: service.ask("POST", "/Users", {"schemas": ["x"], "userName": "ada@x"}))

    assert statuses(replies) == [201] + [409] * 5
    assert service.ask("GET", "/Users?count=0").body["totalResults"] == LoginAccount.objects.count() == 1
