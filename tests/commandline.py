"""Run a command as an operator does, in this process."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import execute_from_command_line


@dataclass(frozen=True, slots=True)
class Answer:
    """What the command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)


def manage(capsys: pytest.CaptureFixture[str], *words: str) -> Answer:
    """Run ``manage.py`` with these words; it closes the connection, so the test needs real transactions."""
    capsys.readouterr()
    code: Any = 0
    try:
        execute_from_command_line(["manage.py", *words])
    except SystemExit as ended:
        code = ended.code or 0
    captured = capsys.readouterr()
    return Answer(code, captured.out, captured.err)
