"""What the product's code never does, read from the code itself (docs/security.md)."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.quality.test_shape import APPS, ROOT, files

pytestmark = pytest.mark.sqlite

NEVER_CALLED = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "pickle.load",
    "pickle.loads",
    "marshal.loads",
    "shelve.open",
    "yaml.load",
    "tempfile.mktemp",
    "hashlib.md5",
    "hashlib.sha1",
    "Template",
    "engines.from_string",
}
NEVER_IMPORTED = {
    "pickle",
    "marshal",
    "shelve",
    "yaml",
    "xml",
    "lxml",
    "ldap",
    "ldap3",
    "requests",
    "telnetlib",
    "ftplib",
    "zipfile",
    "tarfile",
}
STARTS_PROCESSES = {"mfmanage/supervised.py", "mfmanage/supervisor.py"}
"""The demo and the embedded installation start their own servers; nothing that serves requests starts a process."""
USES_CHANCE = {"mfmanage/entra/faults.py", "mfmanage/entra/generating.py", "licensing/vaultserver/faults.py"}
"""What simulates needs chance that can be repeated; secrets come from ``secrets``."""
ALLOWED_TO_VOUCH = {"provisioning/templatetags/portal.py"}
"""Says of texts that they are HTML: what Django's templates rendered, and a constant."""


class Words(NamedTuple):
    """What a file of code calls and imports, and its text."""

    calls: set[str]
    imports: set[str]
    text: str


def words_of(text: str) -> Words:
    nodes = list(ast.walk(ast.parse(text)))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    return Words(called, {name.partition(".")[0] for name in modules}, text)


@cache
def code() -> dict[str, Words]:
    return {str(path.relative_to(ROOT)): words_of(path.read_text(encoding="utf-8")) for path in files(*APPS)}


def calls(name: str) -> set[str]:
    return {path for path, words in code().items() if name in words.calls}


def imports(name: str) -> set[str]:
    return {path for path, words in code().items() if name in words.imports}


@pytest.mark.parametrize("name", sorted(NEVER_CALLED))
def test_no_code_runs_a_text_or_takes_a_weak_way(name):
    assert calls(name) == set()


@pytest.mark.parametrize("name", sorted(NEVER_IMPORTED))
def test_no_code_reads_objects_archives_or_xml(name):
    assert imports(name) == set()


def test_the_look_for_calls_and_imports_finds_them():
    words = words_of("import pickle.x\nfrom xml.dom import y\nos.system('ls')\neval('1')")

    assert words.calls == {"os.system", "eval"}
    assert words.imports == {"pickle", "xml"}


def test_processes_are_started_by_a_list_of_words_and_by_the_demo_alone():
    assert imports("subprocess") == STARTS_PROCESSES
    for path in STARTS_PROCESSES:
        assert "shell=True" not in code()[path].text


def test_what_must_not_be_guessed_comes_from_the_operating_system():
    assert imports("random") == USES_CHANCE


def test_requests_to_others_follow_no_redirect_and_check_the_certificate():
    for path, words in code().items():
        for wrong in ("follow_redirects=True", "verify=False", "CERT_NONE", "check_hostname = False"):
            assert wrong not in words.text, path


def test_few_say_of_a_text_that_it_is_html():
    assert {path for path, words in code().items() if "mark_safe" in words.text} == ALLOWED_TO_VOUCH
    pages = [path.read_text(encoding="utf-8") for path in files(*APPS, "templates", pattern="*.html")]
    assert not any("|safe" in page or "autoescape off" in page for page in pages)


def test_scripts_keep_nothing_in_the_browser_and_talk_to_nobody_else():
    for path in files("mfmanage", pattern="*.js"):
        text = path.read_text(encoding="utf-8")
        if "vendor" not in path.parts:
            assert not re.search(
                r"localStorage|sessionStorage|indexedDB|postMessage|document\.(write|cookie|domain)", text
            )
            assert not re.search(r"https?://|\.outerHTML|insertAdjacentHTML|__proto__|WebSocket", text)


def test_no_secret_stands_in_the_code():
    secret = re.compile(r"\bmfm[a-z]_[A-Za-z0-9_-]{40,}|-----BEGIN [A-Z ]*PRIVATE KEY|postgres://\w+:\w+@(?!HOST)")

    assert [str(path) for path in files(*APPS) if secret.search(path.read_text(encoding="utf-8"))] == []


def test_the_image_has_no_history_and_runs_as_nobody():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "*" in ignored
    assert {name for name in ignored if name.startswith("!") and "git" in name} == set()
    assert re.search(r"^USER (?!root|0)\S+", image, re.MULTILINE)
    assert "--require-hashes" in image


def test_the_containers_may_do_little():
    compose = Path(ROOT / "compose.yaml").read_text(encoding="utf-8")

    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "127.0.0.1:8000:8000"):
        assert line in compose
