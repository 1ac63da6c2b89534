"""The state file comes back as it was, and is written whole or not at all."""

import json

import pytest

from mfmanage.entra import state as states
from mfmanage.entra.state import Escrow, GroupAnchor, Quarantine, State, StateUnreadable, UserAnchor


def a_state() -> State:
    return State(
        watermark=2,
        next_at="2030-01-01T12:00:00+00:00",
        settings="abc",
        seen={"User anna": "def"},
        users={"anna": UserAnchor("1", "anna@contoso.com", "2"), "boss": UserAnchor("2", "boss@contoso.com")},
        groups={"Legal": GroupAnchor("3", "Legal", {"anna": "1", "boss": "2"})},
        escrows={"User carl": Escrow(1, "EntryConflict", "taken", "2030-01-01T12:40:00+00:00", is_reference=True)},
        staged=["User anna"],
        quarantine=Quarantine("StagedDelete", "1 removal waits.", "2030-01-01T12:00:00+00:00", 1),
    )


def test_a_state_comes_back_as_it_was(tmp_path):
    states.save(a_state(), tmp_path / "state.json")

    assert states.load(tmp_path / "state.json") == a_state()


def test_a_file_that_is_not_there_is_an_empty_state(tmp_path):
    assert states.load(tmp_path / "state.json") == State()


def test_saving_replaces_the_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old")

    states.save(a_state(), path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_a_save_that_fails_keeps_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    states.save(a_state(), path)
    broken = State(escrows={"x": object()})

    with pytest.raises(TypeError):
        states.save(broken, path)

    assert states.load(path) == a_state()
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"watermark": 1, "users": {"a": {"x": 1}}}), "\xff"])
def test_a_file_that_no_run_wrote_is_refused(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(StateUnreadable, match=r"state\.json is not a state file of the simulator\."):
        states.load(path)


def test_a_deleted_user_is_forgotten_in_its_groups_too():
    state = a_state()

    state.forget_user("anna")

    assert list(state.users) == ["boss"]
    assert state.groups["Legal"].members == {"boss": "2"}


def test_a_state_of_before_there_were_incremental_cycles_is_read(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(
        json.dumps(
            {
                "watermark": 2,
                "users": {"anna": {"target": "1", "name": "anna@contoso.com", "manager": "boss"}},
                "groups": {},
                "escrows": {"User carl": {"attempts": 1, "code": "EntryConflict", "detail": "taken"}},
            }
        )
    )

    state = states.load(path)

    assert (state.watermark, state.settings, state.escrows["User carl"].retry_at) == (2, "", "")
