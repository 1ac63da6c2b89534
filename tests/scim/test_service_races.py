"""Parallel calls: nothing is made twice, and nothing is lost (PostgreSQL; SQLite lets one writer in at a time)."""

import pytest

from provisioning.models import LoginAccount, ProvisioningLogEntry
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
