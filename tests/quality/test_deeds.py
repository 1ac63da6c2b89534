"""Every deed has a row in the audit log: who is told the actor of a deed records it, or calls somebody who does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("provisioning/services", "licensing/services")
RECORDS = "provisioning.services.audit.record"
NO_DEEDS = {
    "provisioning.services.people.may_touch": "asks whether a deed is allowed",
    "provisioning.services.user_imports.upload": "keeps a file for its preview; confirming it is the deed",
}
"""Public functions that are told the actor and record nothing, each with the reason."""

pytestmark = pytest.mark.sqlite
Functions = dict[str, ast.FunctionDef]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def modules() -> dict[str, ast.Module]:
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py")))
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def functions(trees: dict[str, ast.Module]) -> Functions:
    return {
        f"{name}.{node.name}": node
        for name, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what the module calls something, and what that is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def named(function: ast.FunctionDef, module: str, names: dict[str, str]) -> set[str]:
    """Return the full names of what a function names: functions of its module, what it imported, and parts of that."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            found |= {names.get(node.id, f"{module}.{node.id}")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {f"{names.get(node.value.id, node.value.id)}.{node.attr}"}
    return found


def recording(trees: dict[str, ast.Module]) -> set[str]:
    """Return the functions that record, by themselves or by whom they call."""
    names = {name: dict(imported(tree)) for name, tree in trees.items()}
    calls = {
        full: named(function, full.rpartition(".")[0], names[full.rpartition(".")[0]])
        for full, function in functions(trees).items()
    }
    known: set[str] = set()
    more = {RECORDS}
    while more - known:
        known |= more
        more = {full for full, called in calls.items() if called & known}
    return known


def told_the_actor(trees: dict[str, ast.Module]) -> set[str]:
    """Return the public functions that take an actor."""
    return {
        full
        for full, function in functions(trees).items()
        if not function.name.startswith("_")
        and any(one.arg == "actor" for one in [*function.args.args, *function.args.kwonlyargs])
    }


def test_every_deed_of_the_services_is_recorded():
    trees = modules()

    assert told_the_actor(trees) - recording(trees) - set(NO_DEEDS) == set()


def test_what_is_no_deed_is_there_and_records_nothing():
    trees = modules()

    assert set(NO_DEEDS) <= told_the_actor(trees) - recording(trees)


def test_control_deeds_are_found_and_one_without_an_entry_fails():
    text = """
from provisioning.services import audit, manual_accounts
from provisioning.services.configurations import record_deed
def recorded(*, actor): audit.record(actor=actor)
def by_a_helper(*, actor): _helper(actor)
def _helper(actor): record_deed(actor)
def forgotten(*, actor): manual_accounts.set_enabled(actor)
"""
    trees = {**modules(), "new": ast.parse(text)}

    assert {one for one in told_the_actor(trees) - recording(trees) if one.startswith("new.")} == {"new.forgotten"}
    assert len(told_the_actor(modules())) > 50


def test_nobody_else_writes_to_the_audit_log():
    writers = {
        str(path.relative_to(ROOT))
        for app in ("licensing", "mfmanage", "provisioning", "scim")
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and "AuditEntry(" in path.read_text(encoding="utf-8")
    }

    assert writers == {"provisioning/services/audit.py", "provisioning/models/logs.py"}
