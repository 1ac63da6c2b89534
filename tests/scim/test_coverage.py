"""Every case of the wire is shown by a scenario or a test; ``cases/ids.json`` lists them all.

Left out may be only what a server cannot show; the reasons are the kinds of it.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.scim.scenarios import CASES, load

pytestmark = pytest.mark.sqlite

ROOT = Path(__file__).parents[2]
IDS = load(CASES / "ids.json")
SCENARIOS = {str(path.relative_to(CASES)): load(path) for path in sorted(CASES.glob("*/*.json"))}
SHOWN = {name for case in SCENARIOS.values() for name in case["ids"]}
LEFT_OUT = [name for names in IDS["left_out"].values() for name in names]
REASONS = {
    "a TLS fact",
    "a source address",
    "Entra's own portal",
    "a client's behavior that asks nothing of the server",
    "another vendor's server",
    "what issue 6 builds: tokens issued in the portal, client assertions",
}


def functions(path: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    }


def exists(node_id: str) -> bool:
    path, _, name = node_id.partition("::")
    return (ROOT / path).is_file() and name.startswith("test_") and name in functions(ROOT / path)


def test_every_case_is_shown_or_left_out_for_a_reason():
    assert [name for name in IDS["cases"] if name not in {*SHOWN, *IDS["tests"], *LEFT_OUT}] == []


def test_nothing_is_left_out_that_is_shown():
    assert [name for name in LEFT_OUT if name in SHOWN or name in IDS["tests"]] == []
    assert [name for name, times in Counter(LEFT_OUT).items() if times > 1] == []


def test_reasons_are_of_few_kinds():
    assert IDS["left_out"].keys() <= REASONS


def test_only_known_cases_are_named():
    assert sorted({*SHOWN, *IDS["tests"], *LEFT_OUT} - IDS["cases"].keys()) == []


def test_the_tests_that_show_a_case_exist():
    assert [node_id for node_ids in IDS["tests"].values() for node_id in node_ids if not exists(node_id)] == []


def test_a_test_that_does_not_exist_would_be_noticed():
    assert not exists("tests/scim/test_coverage.py::test_nothing")
    assert not exists("tests/scim/test_nothing.py::test_only_known_cases_are_named")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_it_shows(name: str):
    case = SCENARIOS[name]

    assert case["title"].strip()
    assert case["ids"], "a scenario names the cases that it shows"
    assert [number for number, times in Counter(case["ids"]).items() if times > 1] == []
    assert case.keys() <= {"ids", "title", "configuration", "setup", "steps", "log"}
    assert case["steps"]
