"""The supervisor, with real processes that behave well and badly."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mfmanage import supervisor
from mfmanage.supervisor import Child, ChildDied, ChildNotReady, Supervisor

pytestmark = [pytest.mark.sqlite, pytest.mark.processes]

ROOT = Path(__file__).parents[2]
WELL_BEHAVED = """
import os, pathlib, signal, sys, time
def leave(*_):
    with pathlib.Path(sys.argv[1], "left").open("a") as file:
        file.write(sys.argv[2] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("here I am", flush=True)
print("and my complaints", file=sys.stderr, flush=True)
pathlib.Path(sys.argv[1], sys.argv[2]).write_text(str(os.getpid()))
time.sleep(60)
"""
STUBBORN_SECONDS = 60
STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
name = sys.argv[2] if os.fork() else sys.argv[2] + "-child"
pathlib.Path(sys.argv[1], name + ".new").write_text(str(os.getpid()))
pathlib.Path(sys.argv[1], name + ".new").rename(pathlib.Path(sys.argv[1], name))
time.sleep(60)
"""
DYING = """
import sys
print("the port is taken", file=sys.stderr)
sys.exit(7)
"""
SUPERVISING = """
import sys
from pathlib import Path
from mfmanage.supervisor import Supervisor
from tests.mfmanage.test_supervisor import STUBBORN, WELL_BEHAVED, child
folder = Path(sys.argv[1])
with Supervisor([child(folder, "web", WELL_BEHAVED), child(folder, "worker", STUBBORN)]) as supervisor:
    print("ready", flush=True)
    supervisor.wait()
"""


def child(folder: Path, name: str, program: str) -> Child:
    return Child(
        name=name,
        argv=[sys.executable, "-c", program, str(folder), name],
        env=dict(os.environ),
        ready=lambda: bool((folder / name).exists() and (folder / name).read_text()),
    )


def pid(folder: Path, name: str) -> int:
    return int((folder / name).read_text())


def is_running(number: int) -> bool:
    """A zombie has ended; it only waits for its parent to ask."""
    try:
        os.kill(number, 0)
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def until(fact: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.02)
    return fact()


def test_children_run_inside_the_context_and_are_stopped_last_first_after_it(tmp_path):
    names = ["vault", "web", "worker"]
    with Supervisor([child(tmp_path, name, WELL_BEHAVED) for name in names]):
        pids = [pid(tmp_path, name) for name in names]
        assert all(is_running(number) for number in pids)
        assert len({os.getsid(number) for number in pids} | {os.getsid(0)}) == 4

    assert not any(is_running(number) for number in pids)
    assert (tmp_path / "left").read_text().split() == ["worker", "web", "vault"]


def test_the_lines_of_both_streams_are_forwarded_with_the_name_of_the_child(tmp_path, capfd):
    with Supervisor([child(tmp_path, "web", WELL_BEHAVED)]):
        pass

    output, errors = capfd.readouterr()
    assert output == ""
    assert set(errors.splitlines()) == {"web | here I am", "web | and my complaints"}


def test_a_child_that_ignores_sigterm_and_its_own_child_are_killed_in_the_end(tmp_path):
    with Supervisor([child(tmp_path, "first", STUBBORN), child(tmp_path, "second", STUBBORN)]):
        assert until((tmp_path / "first-child").exists)
        assert until((tmp_path / "second-child").exists)
        pids = [pid(tmp_path, name) for name in ("first", "first-child", "second", "second-child")]
        started = time.monotonic()

    assert time.monotonic() - started < STUBBORN_SECONDS
    assert until(lambda: not any(is_running(number) for number in pids), seconds=1)


def test_a_child_that_dies_at_the_start_is_reported_with_its_last_words_and_the_others_end(tmp_path):
    children = [child(tmp_path, "web", WELL_BEHAVED), child(tmp_path, "worker", DYING)]

    with pytest.raises(ChildDied, match=r"worker ended with exit code 7(.|\n)*the port is taken"):
        Supervisor(children).__enter__()

    assert not (tmp_path / "web").exists() or not is_running(pid(tmp_path, "web"))


def test_a_child_that_dies_later_is_noticed(tmp_path):
    with Supervisor([child(tmp_path, "web", WELL_BEHAVED)]) as running:
        os.kill(pid(tmp_path, "web"), signal.SIGKILL)
        with pytest.raises(ChildDied, match="web ended with exit code 137"):
            running.wait()


def test_a_child_that_is_never_ready_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "READY_SECONDS", 0.3)
    idle = Child("web", [sys.executable, "-c", WELL_BEHAVED, tmp_path, "web"], dict(os.environ), ready=lambda: False)

    with pytest.raises(ChildNotReady, match="web is not ready"):
        Supervisor([idle]).__enter__()

    assert not (tmp_path / "web").exists() or not is_running(pid(tmp_path, "web"))


def test_a_child_is_not_held_up_when_nobody_can_be_told_its_lines(tmp_path):
    def broken_pipe(_line: str) -> None:
        raise BrokenPipeError

    with Supervisor([child(tmp_path, "web", WELL_BEHAVED)], forward=broken_pipe) as running:
        running.check()

    assert not is_running(pid(tmp_path, "web"))


@pytest.mark.parametrize(
    ("sent", "exit_code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_no_child_outlives_its_supervisor_however_that_ends(tmp_path, sent, exit_code):
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert until((tmp_path / "worker-child").exists)
        pids = [pid(tmp_path, name) for name in ("web", "worker", "worker-child")]
        process.send_signal(sent)

    assert process.returncode == exit_code
    assert until(lambda: not any(is_running(number) for number in pids), seconds=10)
