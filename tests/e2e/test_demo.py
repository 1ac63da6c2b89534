"""The demo, as ``make demo`` runs it: real processes, real HTTP, and the outcome that the sample demands."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mfmanage.embedded import free_port

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "manage.py"), "demo"]


def environment() -> dict[str, str]:
    """As in a fresh shell: nothing of the tests' own installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MFMANAGE_", "DJANGO_"))}


def run(*words: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*DEMO, *words], cwd=folder, env=environment(), capture_output=True, text=True, timeout=180, check=False
    )


def test_the_outcome_is_the_expected_one_from_whatever_folder(tmp_path):
    answer = run("--once", "--json", "--port", str(free_port()), folder=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {
        "created": 60,
        "updated": 4,
        "disabled": 2,
        "deleted": 1,
        "licenses": {"named": 20, "concurrent": 0, "read-only": 25},
        "waiting": 16,
        "vault_users": 10,
        "ok": True,
    }


def test_it_stays_until_ctrl_c_and_then_leaves_nothing_behind():
    port = free_port()
    with subprocess.Popen(
        [*DEMO, "--port", str(port)], cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True
    ) as demo:
        said = ""
        while "Ctrl-C stops everything." not in said:
            line = demo.stderr.readline()
            assert line, said
            said += line
        folder = Path(f"/proc/{demo.pid}/environ").read_text().split("MFMANAGE_DATA_DIR=")[1].split("\0")[0]
        children = {int(pid) for pid in subprocess.getoutput(f"pgrep --parent {demo.pid}").split()}

        began = time.monotonic()
        demo.send_signal(signal.SIGINT)
        demo.wait(10)

    assert time.monotonic() - began < 8
    assert demo.returncode == 130
    assert f"http://127.0.0.1:{port}" in said
    assert re.search(r"Sign in as \S+@\S+ with the password \S+", said)
    assert not Path(folder).exists()
    assert len(children) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_port_in_use_is_said_in_a_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = run("--once", "--port", str(taken.getsockname()[1]))

    assert answer.returncode == 1
    assert re.fullmatch(r"Refused: Port \d+ cannot be used .*\n", answer.stderr)


@pytest.mark.parametrize("content", [None, "{", '{"users": [{"id": 1}]}'])
def test_a_directory_file_that_cannot_be_used_is_said_in_a_line(tmp_path, content):
    file = tmp_path / "directory.json"
    if content is not None:
        file.write_text(content)

    answer = run("--once", "--directory", str(file), "--port", str(free_port()))

    assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
    assert "Traceback" not in answer.stderr
