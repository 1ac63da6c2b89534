"""Random worlds: whatever happens in directory and vault in whatever order, the vault comes to what §1.5 says."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.licensing.vault_worlds import PEOPLE, World

DIRECTORY = ("enable", "rename", "member", "member", "licenses")
ADMINS = ("pause", "resume", "mode", "access", "full_control")
BEHIND = (
    *("switch_user", "delete_user", "give_roles", "change_login", "remove_login", "restore"),
    *("put_member", "drop_member", "put_stranger", "rename_target", "delete_target"),
)
WORK = ("sweep", "sweep", "sweep", "trouble")


def events(*kinds):
    event = st.tuples(st.sampled_from(kinds), st.integers(0, PEOPLE - 1), st.integers(0, 2))
    return st.lists(event, max_size=12)


MODES = st.tuples(*[st.sampled_from(["replace", "merge"])] * 2)
worlds = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def live(db, monkeypatch):
    """Let events happen to a new world and come to rest."""

    def live(modes, happenings):
        with transaction.atomic():
            world = World(monkeypatch, modes)
            for event in happenings:
                world.happen(*event)
            world.come_to_rest()
            world.close()
            transaction.set_rollback(True)

    return live


@worlds
@given(modes=MODES, happenings=events(*DIRECTORY, *ADMINS, *WORK))
def test_what_directory_and_admins_say_comes_to_the_vault_through_all_trouble(live, modes, happenings):
    live(modes, happenings)


@worlds
@given(modes=MODES, happenings=events(*DIRECTORY, *ADMINS, *BEHIND, *WORK))
def test_a_vault_that_people_edit_comes_to_what_the_rules_say(live, modes, happenings):
    live(modes, happenings)
