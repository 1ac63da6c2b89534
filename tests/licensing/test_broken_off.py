"""Work that breaks off at any call to the vault or at any recording ends in the same world when it is done again."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction

from licensing.clients.agent import AgentUnavailable
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.models import DriftFinding
from licensing.reconcilers import comparisons, licenses, targets, vault_users
from licensing.services import agents
from licensing.services.leases import Lease, LeaseLost
from licensing.vaultserver import admin
from tests.licensing.broken_off import NOW, SCENES, Stage, pictured

NEVER = 0
HOUR = timedelta(hours=1)


class Breaking:
    """A vault agent that fails once, at call number ``at``: before its effect or after it.

    ``changing`` tells of each call that was made whether it may change something.
    """

    def __init__(self, server, at, is_done):
        self._agent, self._at, self._is_done, self.changing = InProcessVaultAgent(server), at, is_done, []

    def __getattr__(self, name):
        call = getattr(self._agent, name)

        def made(*arguments, **options):
            self.changing.append("idempotency_key" in options)
            if len(self.changing) != self._at:
                return call(*arguments, **options)
            if self._is_done:
                call(*arguments, **options)
            # Asked to wait, the session does not repeat the call by itself.
            raise AgentUnavailable("The answer is lost.", retry_after=1)

        return made


class Losing:
    """Loses the lease once, at recording number ``at``."""

    def __init__(self, monkeypatch, at):
        self.number, recording = 0, Lease.recording

        def counted(lease):
            self.number += 1
            if self.number == at:
                raise LeaseLost
            return recording(lease)

        monkeypatch.setattr(Lease, "recording", counted)


class Scene:
    """A stage on which something has happened that no worker has carried out; it can be carried out many times."""

    def __init__(self, monkeypatch, happen):
        self._monkeypatch, self.stage = monkeypatch, Stage(monkeypatch)
        happen(self.stage)
        licenses.reconcile(self.stage.subscription.pk, now=NOW)
        admin.back_up(self.stage.server, "scene")

    def play(self, *, at=NEVER, is_done=False, lost_at=NEVER, look=pictured):
        """Work until something breaks off, and an hour later to the end; return what has become of the world."""
        admin.restore(self.stage.server, "scene")
        agent = Breaking(self.stage.server, at, is_done)
        with transaction.atomic(), self._monkeypatch.context() as patches:
            patches.setattr(agents, "agent_for", lambda _vault: agent)
            losing = Losing(patches, lost_at)
            self.stage.sweep(NOW)
            self.calls, self.recordings = tuple(agent.changing), losing.number
            self.stage.sweep(NOW + HOUR)
            picture = look(self.stage)
            transaction.set_rollback(True)
        return picture


@contextmanager
def scene_of(monkeypatch, name):
    made = Scene(monkeypatch, SCENES[name])
    yield made
    made.stage.server.close()


@pytest.fixture(params=SCENES)
def scene(request, db, monkeypatch):
    with scene_of(monkeypatch, request.param) as made:
        yield made


def test_it_may_break_off_at_every_call(scene):
    undisturbed = scene.play()
    calls = scene.calls
    assert any(calls)
    assert undisturbed["VaultStatus"] == [("ready", "", 0, None)]

    for at, is_changing in enumerate(calls, 1):
        assert scene.play(at=at) == undisturbed, at
        if is_changing:
            assert scene.play(at=at, is_done=True) == undisturbed, at


def test_the_lease_may_be_lost_at_every_recording(scene):
    undisturbed = scene.play()
    assert scene.recordings > 1

    for at in range(1, scene.recordings + 1):
        assert scene.play(lost_at=at) == undisturbed, at


def strangers_named(_stage):
    """Return how often the drift report names the guest who was in the target that replaces."""
    return DriftFinding.objects.filter(subject="Target replace: guest").count()


@pytest.fixture
def drifted(db, monkeypatch):
    with scene_of(monkeypatch, "a full comparison finds drift") as made:
        yield made


def every_break(scene):
    """Yield what may break off: each call without and with its effect, and each recording."""
    scene.play()
    recordings = scene.recordings
    yield from ({"at": at, "is_done": done} for at in range(1, len(scene.calls) + 1) for done in (False, True))
    yield from ({"lost_at": at} for at in range(1, recordings + 1))


def test_whom_a_comparison_takes_out_of_a_target_is_named_once_wherever_it_breaks_off(drifted):
    for broken in every_break(drifted):
        assert drifted.play(**broken, look=strangers_named) == 1, broken


def test_control_named_with_the_page_and_not_before_the_removal_a_stranger_is_forgotten(drifted, monkeypatch):
    def remove_first(journal, stage, link, leaving):
        targets.remove(journal.session, link, leaving)
        tell_of(journal, stage, link, leaving)

    tell_of = comparisons._tell
    monkeypatch.setattr(comparisons, "_tell", remove_first)

    assert 0 in {drifted.play(**broken, look=strangers_named) for broken in every_break(drifted)}


def test_control_if_it_is_not_recorded_first_whom_we_add_a_lost_answer_makes_them_a_persons(db, monkeypatch):
    monkeypatch.setattr(vault_users, "_intend", lambda *_: None)

    with scene_of(monkeypatch, "a first link that merges") as scene:
        undisturbed = scene.play()
        changing = [at for at, is_changing in enumerate(scene.calls, 1) if is_changing]
        lost = [scene.play(at=at, is_done=True) for at in changing]

    [differing] = [picture for picture in lost if picture != undisturbed]
    assert [name for name in undisturbed if differing[name] != undisturbed[name]] == ["VaultUserMembership"]
