"""``docs/security.md`` says nothing that is not shown: its tests exist, its table is whole, its links lead on."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.quality.test_shape import APPS, ROOT, files

pytestmark = pytest.mark.sqlite

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NUMBERS = ROOT / "tests" / "security" / "asvs" / "5.0.0.txt"
"""The requirements of levels 1 and 2 of OWASP ASVS 5.0.0, one a line: number and level."""
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
VERDICT = re.compile(rf"(?:{TEST.pattern}(?:, {TEST.pattern})*|\*not applicable\*: \S.+|\*not met\*: \S.+)\Z")
LONGEST_TEXT = 15
CRYPTOGRAPHY = {"hmac", "cryptography", "jwt", "ssl", "secrets"}
"""Modules by which a file of the product does cryptography; ``hashlib`` alone makes names, not secrets."""


def rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of the tables below a heading, without those that name the columns."""
    section = re.split(r"^## ", PAGE.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    for line in section.splitlines():
        if line.startswith("| ") and not line.startswith(("| No.", "| What ")):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


ASVS = list(rows("OWASP ASVS 5.0, levels 1 and 2"))


@cache
def names_in(path: str) -> set[str]:
    file = ROOT / path
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def missing_tests(text: str) -> list[str]:
    return [f"{path}::{name}" for path, name in TEST.findall(text) if name not in names_in(path)]


def test_every_test_that_the_page_names_exists():
    assert len(TEST.findall(PAGE)) > 150
    assert missing_tests(PAGE) == []


def test_a_test_that_does_not_exist_would_be_noticed():
    own = "tests/quality/test_security_page.py"

    assert missing_tests(f"`{own}::test_nothing_of_the_kind`") != []
    assert missing_tests("`tests/quality/test_nowhere.py::test_a_test_that_does_not_exist_would_be_noticed`") != []
    assert missing_tests(f"`{own}::test_a_test_that_does_not_exist_would_be_noticed`") == []


def test_no_requirement_is_missing_and_each_stands_in_its_place():
    numbers = [line.split() for line in NUMBERS.read_text(encoding="utf-8").splitlines()]

    assert len(numbers) == 253
    assert [[row[0], row[1]] for row in ASVS] == numbers


@pytest.mark.parametrize("row", ASVS, ids=[row[0] for row in ASVS])
def test_a_requirement_has_few_words_and_one_of_three_verdicts(row):
    _, _, text, verdict = row

    assert 0 < len(text.split()) <= LONGEST_TEXT
    assert VERDICT.match(verdict), verdict


@pytest.mark.parametrize("verdict", ["", "yes", "*not met*", "*not applicable*: ", "`tests/x.py::test_y` and more"])
def test_another_verdict_would_be_noticed(verdict):
    assert not VERDICT.match(verdict)


def test_the_counts_above_the_table_are_those_of_the_table():
    verdicts = [row[3] for row in ASVS]
    shown = sum(verdict.startswith("`") for verdict in verdicts)
    inapplicable, unmet = (
        sum(one.startswith(f"*{word}*") for one in verdicts) for word in ("not applicable", "not met")
    )

    assert f"{shown} are shown by tests, {inapplicable} do not apply, {unmet} are not met." in " ".join(PAGE.split())


def test_every_known_failure_of_others_has_its_tests():
    failures = list(rows("Known failures of others"))

    assert len(failures) == 8
    assert all(TEST.search(row[1]) for row in failures)


def test_every_link_of_the_page_leads_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        name, _, heading = target.partition("#")
        file = ROOT / "docs" / (name or "security.md")
        assert file.is_file(), target
        assert not heading or heading in headings(file), target


def headings(file: Path) -> set[str]:
    """Return the names by which the headings of a page are linked to."""
    found = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_file_that_does_cryptography_stands_among_the_keys():
    section = PAGE.partition("\n## Keys\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`((?:licensing|mfmanage|provisioning|scim)/[\w/]+\.py)`", section))

    assert {str(path.relative_to(ROOT)) for path in files(*APPS) if does_cryptography(path)} == listed


def does_cryptography(path: Path) -> bool:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return "django.core.signing" in names or bool(CRYPTOGRAPHY & {name.partition(".")[0] for name in names})
