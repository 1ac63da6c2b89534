"""``manage.py entra``: provision a service from a directory file as Entra does; make such files."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from mfmanage.entra import output
from mfmanage.entra import state as states
from mfmanage.entra.client import Connection, ConnectionFailed, CredentialsIn
from mfmanage.entra.directory import Directory
from mfmanage.entra.fields import DirectoryInvalid
from mfmanage.entra.generating import SEED, generate
from mfmanage.entra.reading import load
from mfmanage.entra.results import ObjectResult, Summary
from mfmanage.entra.run import run
from mfmanage.entra.styles import Style

FAILED, PARTLY, INTERRUPTED = 1, 4, 130


class Command(BaseCommand):
    """Try an installation without an Entra tenant; the options are in ``docs/commands.md``."""

    help = "Act as Microsoft Entra's provisioning service."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(required=True, metavar="run|generate")
        _add_run(deeds.add_parser("run", help="Provision a directory file into a SCIM service."))
        _add_generate(deeds.add_parser("generate", help="Print a sample directory of any size."))

    def handle(self, *_: Any, deed: Callable[..., None], **options: Any) -> None:
        try:
            deed(self, options)
        except (ConnectionFailed, DirectoryInvalid, states.StateUnreadable) as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.", returncode=FAILED) from error
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


def _add_run(parser: CommandParser) -> None:
    parser.add_argument("--tenant-url", required=True, type=_address)
    parser.add_argument("--token-endpoint", required=True, type=_address)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret-file", required=True, type=Path)
    parser.add_argument("--directory", required=True, type=Path, help="the source directory, a JSON file")
    parser.add_argument("--state", type=Path, help="remembers ids and failures from run to run")
    parser.add_argument("--style", type=Style, choices=list(Style), help="default: by the flag in the Tenant URL")
    parser.add_argument("--cycles", type=_natural, default=1)
    parser.add_argument("--credentials-in", type=CredentialsIn, choices=list(CredentialsIn), default=CredentialsIn.BODY)
    parser.add_argument("--json", action="store_true", help="one line per object, and one with the counts")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(deed=_run)


def _add_generate(parser: CommandParser) -> None:
    parser.add_argument("--users", required=True, type=_natural)
    parser.add_argument("--groups", required=True, type=_natural)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, help="a file instead of standard output")
    parser.set_defaults(deed=_generate)


def _run(command: BaseCommand, options: dict[str, Any]) -> None:
    directory = load(options["directory"])
    with output.progress_bar(quiet=options["quiet"]) as bar:
        summary = _provision(command, options, directory, bar)
    command.stdout.write(output.json_summary(summary) if options["json"] else output.text_summary(summary))
    if summary.failed:
        raise CommandError(f"{summary.failed} of {summary.objects} objects failed.", returncode=PARTLY)


def _provision(command: BaseCommand, options: dict[str, Any], directory: Directory, bar: Progress) -> Summary:
    path, line = options["state"], output.json_line if options["json"] else output.text_line
    # A bar that moves on the terminal to which the lines go must print them itself, above it.
    above = partial(bar.console.out, highlight=False)
    write = above if command.stdout.isatty() and not bar.disable else command.stdout.write

    def report(result: ObjectResult) -> None:
        write(line(result))
        command.stdout.flush()
        output.advance(bar, directory, result)

    return run(
        _connection(options),
        directory,
        state=states.load(path) if path else states.State(),
        style=options["style"] or _flagged(options["tenant_url"]),
        cycles=options["cycles"],
        report=report,
        save=lambda state: states.save(state, path) if path else None,
    )


def _connection(options: dict[str, Any]) -> Connection:
    return Connection(
        tenant_url=options["tenant_url"],
        token_endpoint=options["token_endpoint"],
        client_id=options["client_id"],
        client_secret=options["client_secret_file"].read_text(errors="replace").strip(),
        credentials_in=options["credentials_in"],
    )


def _flagged(tenant_url: str) -> Style:
    """Return the style that the Tenant URL asks for by a flag, as in Entra's portal."""
    return Style.AAD_OPT_SCIM if Style.AAD_OPT_SCIM in urlsplit(tenant_url).query else Style.DEFAULT


def _generate(command: BaseCommand, options: dict[str, Any]) -> None:
    document = generate(options["users"], options["groups"], options["seed"])
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    if options["output"]:
        options["output"].write_text(text, encoding="utf-8")
    else:
        command.stdout.write(text, ending="")


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ArgumentTypeError(f"{text!r} is not an http or https address")
    return text


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)
