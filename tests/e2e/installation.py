"""An installation of its own for a test, driven by its commands as an operator drives it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mfmanage.embedded import free_port

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "mfmanage" / "entra" / "sample.json"


class Installation:
    """``settings`` are the MFMANAGE_ variables; nothing of the tests' own installation is left in the environment."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        others = {name: value for name, value in os.environ.items() if not name.startswith(("MFMANAGE_", "DJANGO_"))}
        self.environment = {**others, **settings, "MFMANAGE_BASE_URL": self.address}

    def manage(self, *words: str) -> Any:
        """Run a command and return its (last) JSON document."""
        return json.loads(self.manage_plain(*words, "--json").splitlines()[-1])

    def manage_plain(self, *words: str) -> str:
        """Run a command and return what it prints."""
        argv = [sys.executable, "manage.py", *words]
        answer = subprocess.run(argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    @contextmanager
    def running(self, *words: str) -> Iterator[Any]:
        """Keep a command running; give the document that it prints when it listens."""
        with self.process("manage.py", *words, "--json") as process:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())

    @contextmanager
    def process(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """Keep a Python process running, and end it with SIGTERM."""
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)

    def provision(self, credentials: Mapping[str, str], folder: Path, *, cycles: int) -> Any:
        """Be Entra for some cycles of the sample directory, with what ``createconfiguration`` prints."""
        secret = folder / "secret"
        secret.write_text(credentials["client_secret"])
        return self.manage(
            *("entra", "run", "--cycles", str(cycles), "--state", str(folder / "state.json")),
            *("--tenant-url", credentials["tenant_url"], "--token-endpoint", credentials["token_endpoint"]),
            *("--client-id", credentials["client_id"], "--client-secret-file", str(secret)),
            *("--directory", str(SAMPLE)),
        )


def embedded(folder: Path) -> Installation:
    """Return an embedded installation that keeps its data in ``folder``."""
    return Installation({"MFMANAGE_DATA_DIR": str(folder)})
