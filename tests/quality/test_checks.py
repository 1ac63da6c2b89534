"""``make``, ``.ci/checks`` and ``.ci/install``, with stand-ins for the tools that they start."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UTILITIES = ["dirname", "env", "find", "ls", "mktemp", "rm", "sed", "sh", "touch", "xargs"]
TOOLS = ["deptry", "djade", "lint-imports", "mypy", "pytest", "python", "ruff"]

pytestmark = [pytest.mark.sqlite, pytest.mark.processes]


@pytest.fixture
def clone(tmp_path):
    """A copy of the project's entrances; every tool of its virtual environment notes its call and succeeds."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").touch()
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for tool in TOOLS:
        put_tool(programs / tool, "exit 0")
    return tmp_path


def put_tool(path: Path, ending: str) -> None:
    path.write_text(f'#!/bin/sh\necho "{path.name} $*" >> "{path.parent}/calls"\n{ending}\n')
    path.chmod(0o755)


def calls(clone: Path) -> list[str]:
    return (clone / ".venv" / "bin" / "calls").read_text().splitlines()


def run(clone: Path, *command: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(path) if path else os.environ["PATH"], "HOME": str(clone / "home")}
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def only(clone: Path, *programs: str) -> Path:
    """A folder for the PATH that has these programs and no others."""
    folder = clone / "programs"
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(shutil.which(program) or f"/bin/{program}")
    return folder


def test_all_steps_run_and_the_failed_ones_are_named(clone):
    put_tool(clone / ".venv/bin/mypy", "echo type trouble; exit 1")
    put_tool(clone / ".venv/bin/deptry", "exit 3")

    done = run(clone, ".ci/checks", "lint")

    assert done.returncode == 1
    assert "type trouble" in done.stdout
    assert done.stdout.endswith("\nFailed:\n   types: mypy\n   dependencies: deptry\n")
    assert any(call.startswith("python manage.py check --deploy") for call in calls(clone))


def test_checks_that_pass_say_so(clone):
    done = run(clone, ".ci/checks", "lint")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\nAll checks passed.\n")
    assert not any(call.startswith("pytest") for call in calls(clone))


def test_the_tests_run_on_both_databases_and_in_a_browser_with_the_options_given(clone):
    programs = only(clone, *UTILITIES)
    put_tool(programs / "chromium", "exit 0")

    done = run(clone, ".ci/checks", "test", "-k", "seats", path=programs)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [call for call in calls(clone) if call.startswith("pytest")] == [
        "pytest -n 2 -m not e2e and (sqlite or not processes) -k seats",
        "pytest -n 2 -m not e2e --database postgresql --servers wheel --touching-database -k seats",
        "pytest -n 2 -m e2e tests/e2e -k seats",
    ]


def test_without_chromium_the_checks_fail_and_say_what_to_install(clone):
    done = run(clone, ".ci/checks", "test", path=only(clone, *UTILITIES))

    assert done.returncode == 1
    assert "apt-get install chromium" in done.stderr
    assert done.stdout.endswith("Failed:\n   end-to-end tests in Chromium\n")


def test_an_installed_lock_is_not_installed_again_and_arguments_are_passed_on(clone):
    first = run(clone, "make", "-n", "demo")
    stamp = next(word for word in first.stdout.split() if word.startswith(".venv/installed"))
    (clone / stamp).touch()

    done = run(clone, "make", "demo", "ARGS=--port 9000")

    assert done.returncode == 0, done.stderr
    assert calls(clone) == ["python manage.py demo --port 9000"]


def test_a_changed_lock_is_installed_by_its_hashes_and_only_the_new_stamp_stays(clone):
    old, new = clone / ".venv/installed-1-1", clone / ".venv/installed-2-2"
    old.touch()
    programs = only(clone, *UTILITIES)
    put_tool(programs / "uv", "exit 0")

    done = run(clone, ".ci/install", "requirements.lock", str(new), path=programs)

    called = (programs / "calls").read_text()
    assert done.returncode == 0, done.stderr
    options = "--python .venv/bin/python --no-deps --require-hashes --requirement requirements.lock"
    assert called == f"uv pip install --quiet {options}\n"
    assert new.exists()
    assert not old.exists()


def test_a_failed_installation_leaves_no_stamp(clone):
    stamp = clone / ".venv/installed-2-2"
    programs = only(clone, *UTILITIES)
    put_tool(programs / "uv", "exit 2")

    done = run(clone, ".ci/install", "requirements.lock", str(stamp), path=programs)

    assert done.returncode == 2
    assert not stamp.exists()


def test_a_machine_without_a_recent_python_is_told_what_is_needed(clone):
    shutil.rmtree(clone / ".venv")

    done = run(clone, ".ci/install", "requirements.lock", ".venv/installed-2-2", "", path=only(clone, *UTILITIES))

    assert done.returncode == 1
    assert done.stderr.startswith("mfmanage needs CPython 3.11 or later")
