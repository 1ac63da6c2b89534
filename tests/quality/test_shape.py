"""The measured shape of the code: small functions, small files, nothing put off."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = ["licensing", "mfmanage", "provisioning", "scim"]
LONGEST_FUNCTION = 50
LONGEST_OF_95_PERCENT = 30
MEDIAN = 8
LONGEST_FILE = 400
LONGEST_TEMPLATE = 120
LONGEST_SCRIPT = 150
PUT_OFF = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bmark\.(skip|skipif|xfail)\b|\bpytest\.(skip|xfail|importorskip)\b")
"""What puts something off, named here only to be refused everywhere: nothing is put off in this file."""

pytestmark = pytest.mark.sqlite


def files(*folders: str, pattern: str = "*.py") -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob(pattern) if "migrations" not in path.parts)


def lengths_of_functions() -> dict[str, int]:
    """Lines from ``def`` to the last statement, without decorators and docstring."""
    return {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": _length(node)
        for path in files(*APPS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = function.body[0] if ast.get_docstring(function) else None
    taken = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - taken


def longer(paths: Iterator[Path], limit: int) -> list[str]:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    return [f"{path.relative_to(ROOT)}: {count}" for path, count in lines.items() if count > limit]


def test_no_function_is_long():
    assert {name: length for name, length in lengths_of_functions().items() if length > LONGEST_FUNCTION} == {}


def test_functions_are_short_as_a_rule():
    lengths = list(lengths_of_functions().values())

    assert statistics.median(lengths) <= MEDIAN
    assert statistics.quantiles(lengths, n=20)[-1] <= LONGEST_OF_95_PERCENT


def test_no_file_is_long():
    assert longer(files(*APPS, "tests"), LONGEST_FILE) == []


def test_no_template_is_long():
    assert longer(files(*APPS, "templates", pattern="*.html"), LONGEST_TEMPLATE) == []


def test_no_script_of_the_portal_is_long():
    scripts = (path for path in files(*APPS, pattern="*.js") if "vendor" not in path.parts)

    assert longer(scripts, LONGEST_SCRIPT) == []


def test_nothing_is_put_off_or_skipped():
    own = {Path(__file__)}
    put_off = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files(*APPS, "tests")
        if path not in own and (found := PUT_OFF.search(path.read_text(encoding="utf-8")))
    ]

    assert put_off == []
