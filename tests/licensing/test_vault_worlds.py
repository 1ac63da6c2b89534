"""Random worlds: whatever happens in directory and vault in whatever order, the vault comes to what §1.5 says.

``--hypothesis-profile thorough`` tries fifteen times as many.
"""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.audit_log import around_deeds
from tests.licensing.vault_events import admins, directory, edits
from tests.licensing.vault_worlds import World


def sweep(world, *_):
    world.sweep()


def events(*kinds):
    event = st.tuples(
        st.sampled_from([*kinds, sweep, sweep, sweep, edits.trouble]), st.integers(0, 7), st.integers(0, 2)
    )
    return st.lists(event, max_size=14)


MODES = st.tuples(*[st.sampled_from(["replace", "merge"])] * 2)
worlds = settings(
    max_examples=max(10, settings().max_examples // 10),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def live(db, monkeypatch):
    """Let events happen to a new world and come to rest."""

    def live(modes, happenings):
        with around_deeds():
            world = World(monkeypatch, modes)
            for event in happenings:
                world.happen(*event)
            world.come_to_rest()
            world.close()
            transaction.set_rollback(True)

    return live


PAUSED_AND_DISABLED = [(admins.pause, 0, 0), (directory.enable, 1, 0)]
KEPT_AND_DELETED = [(admins.unlink, 1, 1), (edits.delete_user, 2, 0)]
TARGET_AND_SOURCE_DELETED = [(edits.delete_target, 0, 0), (directory.delete_source, 0, 0)]
CHANGED_AND_SOURCE_DELETED = [(admins.pause, 0, 0), (edits.put_member, 2, 0), (admins.resume, 0, 0)]
CHANGED_AND_SOURCE_DELETED += [(directory.delete_source, 0, 0)]
BLOCKED_AND_DELETED = [(admins.access, 1, 2), (edits.delete_user, 1, 0)]


@worlds
@example(modes=("replace", "merge"), happenings=PAUSED_AND_DISABLED)
@given(modes=MODES, happenings=events(*directory.EVENTS, *admins.EVENTS))
def test_what_directory_and_admins_say_comes_to_the_vault_through_all_trouble(live, modes, happenings):
    live(modes, happenings)


@worlds
@example(modes=("merge", "merge"), happenings=KEPT_AND_DELETED)
@example(modes=("merge", "replace"), happenings=BLOCKED_AND_DELETED)
@example(modes=("replace", "replace"), happenings=TARGET_AND_SOURCE_DELETED)
@example(modes=("replace", "replace"), happenings=[*TARGET_AND_SOURCE_DELETED, (directory.wait_a_day, 0, 0)])
@example(modes=("replace", "replace"), happenings=CHANGED_AND_SOURCE_DELETED)
@example(modes=("replace", "replace"), happenings=[*CHANGED_AND_SOURCE_DELETED, (directory.wait_a_day, 0, 0)])
@given(modes=MODES, happenings=events(*directory.EVENTS, *admins.EVENTS, *edits.EVENTS))
def test_a_vault_that_people_edit_comes_to_what_the_rules_say(live, modes, happenings):
    live(modes, happenings)
