"""The locks: complete, hashed, in agreement, and free of any address to download from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PIN = re.compile(r"^(?P<name>[\w.-]+)(\[[\w, -]+\])?==(?P<version>\S+)", re.MULTILINE)

pytestmark = pytest.mark.sqlite


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="ascii")
    return {canonicalize_name(found["name"]): found["version"] for found in PIN.finditer(text)}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_option(lock):
    text = (ROOT / lock).read_text(encoding="ascii")

    assert not re.search(r"://|\s@\s|^\s*-(?!-hash=)", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_a_version_and_hashes(lock):
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="ascii").strip())

    assert len(entries) == len(pins(lock))
    assert all(PIN.match(entry) and "--hash=sha256:" in entry for entry in entries)


def test_both_locks_hold_the_same_versions():
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")

    assert runtime.items() <= development.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_what_the_project_asks_for(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"]
    if lock == "requirements-dev.lock":
        wanted = wanted + project["dependency-groups"]["dev"]
    locked = pins(lock)

    unsatisfied = [
        line
        for line in wanted
        if not (asked := Requirement(line)).specifier.contains(locked.get(canonicalize_name(asked.name), "0"))
    ]

    assert unsatisfied == []
