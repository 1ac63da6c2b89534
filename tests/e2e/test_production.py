"""The story by commands alone, in production: PostgreSQL, Redis, gunicorn, a Celery worker, beat, a vault server."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import urlopen

import pytest

from tests import servers
from tests.e2e.installation import Installation

pytestmark = pytest.mark.e2e


@pytest.fixture
def installation() -> Iterator[Installation]:
    started = servers.start(database="postgresql", source="auto")
    try:
        installation = Installation(servers.environment(started.directory, "postgresql", "production"))
        with ExitStack() as stack:
            installation.manage_plain("migrate", "--verbosity", "0")
            installation.manage_plain("collectstatic", "--no-input", "--verbosity", "0")
            web = ["--bind", f"127.0.0.1:{installation.port}", "--worker-class", "gthread", "--workers", "2"]
            stack.enter_context(installation.process("-m", "gunicorn", "mfmanage.wsgi", *web, "--threads", "4"))
            stack.enter_context(installation.process("-m", "celery", "-A", "mfmanage", "worker", "--concurrency", "2"))
            beat = ["beat", "--schedule", f"{started.directory}/beat"]
            stack.enter_context(installation.process("-m", "celery", "-A", "mfmanage", *beat))
            wait_until(lambda: is_ready(installation.address))
            yield installation
    finally:
        started.stop()


def is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=20) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(condition: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_the_whole_story_by_commands(installation, tmp_path):
    with installation.running("vaultserver", "--port", "0") as vault_server:
        installation.manage("createsubscription", "Contoso", "--license", "named=20", "--license", "read-only=60")
        installation.manage("createvault", "Contoso", "Projects", "--agent-url", vault_server["url"])
        create = ["createconfiguration", "Contoso", "Entra", "--kind", "gallery", "--default-license", "read-only"]
        credentials = installation.manage(*create)

        summary = installation.provision(credentials, tmp_path, cycles=1)
        assert (summary["cycles"][0]["created"], summary["cycles"][0]["failed"]) == (66, 0)
        preview = installation.manage("setgrouplicense", "Entra", "Legal", "named", "--dry-run")
        installation.manage("setgrouplicense", "Entra", "Legal", "named")
        installation.manage("linkgroup", "Entra", "Legal", "Projects", "Lawyers", "--create")

        member = preview["accounts"][0]["username"]
        wait_until(lambda: in_vault(installation.manage("explain", member)))
        explained = installation.manage("explain", member)

    assert preview["gain"] == 12
    assert explained["license"]["granted"] == "named"
    assert "group Legal" in explained["license"]["why"]
    assert explained["vaults"][0]["groups"] == ["Lawyers"]
    assert explained["pending"] == []


def in_vault(explained: dict[str, Any]) -> bool:
    return bool(explained["vaults"]) and explained["vaults"][0]["state"] == "enabled" and not explained["pending"]
