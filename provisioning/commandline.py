"""What every command has in common: the contract of docs/commands.md.

Data goes to standard output, everything else to standard error; ``--json`` prints one JSON document. Exit codes:
0 done, 1 failed, 2 usage, 3 differences found, 4 partly done, 130 interrupted.
"""

import json
import os
import sys
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.core.management import CommandError, CommandParser
from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError, transaction

from provisioning.services import audit

DIFFERENCES: Final = 3
"""The exit code of a check that found differences."""


class Refused(CommandError):
    """What was asked for cannot be done; the message says why and what to do. Exit code 1 unless given."""


class DataCommand(BaseCommand):
    """A command that prints a document: as JSON with ``--json``, else as lines for people.

    ``refusals`` are the named exceptions of the services it calls: each is one clear line and exit code 1.
    """

    requires_system_checks = ()
    refusals: tuple[type[Exception], ...] = ()

    def __init__(self, **streams: Any) -> None:
        super().__init__(**{"no_color": bool(os.environ.get("NO_COLOR")), **streams})

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--quiet", action="store_true", help="print nothing but data and errors")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except self.refusals as error:
            raise Refused(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise Refused(_database_problem(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)

    def emit(self, document: dict[str, Any], lines: Iterable[str], options: dict[str, Any]) -> None:
        """Print ``document`` when JSON was asked for, else ``lines``."""
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        else:
            for line in lines:
                self.stdout.write(line)

    def note(self, line: str, options: dict[str, Any]) -> None:
        """Say something beside the data."""
        if not options["quiet"]:
            self.stderr.write(line)


class Deed(DataCommand):
    """A command that changes the directory, in one transaction; with ``--dry-run`` nothing is kept."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="check everything, keep nothing, show no secret")

    @transaction.atomic
    def handle(self, *_args: Any, **options: Any) -> None:
        with audit.recorded_last():
            self.perform(options)
        transaction.set_rollback(options["dry_run"])

    @abstractmethod
    def perform(self, options: dict[str, Any]) -> None:
        """Do it and print what was done."""


def may_print_secret(options: dict[str, Any]) -> bool:
    """Return whether a secret may go to standard output: into JSON, or before the eyes of a person at a terminal."""
    return bool(options["json"]) or sys.stdout.isatty()


def write_secret(path: str, secret: str) -> None:
    """Write a secret to a new file that only its owner can read. Raises ``Refused`` when the file cannot be made."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secret)
    except FileExistsError as error:
        raise Refused(f"{path} exists already; name a file that does not exist.") from error
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error


def read_text(path: str) -> str:
    """Return the content of a file. Raises ``Refused`` when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read: {error}.") from error


def _database_problem(error: Exception) -> str:
    text = str(error).strip().splitlines()[0]
    if "no such table" in text or "does not exist" in text:
        return f"The database is not migrated ({text}). Run manage.py migrate."
    return f"The database cannot be used: {text}. Check MFMANAGE_DATABASE_URL."
