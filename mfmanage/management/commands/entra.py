"""``manage.py entra``: provision a service from a directory file as Entra does; make such files."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from mfmanage.entra import faults, output
from mfmanage.entra import state as states
from mfmanage.entra.attributes import GALLERY, MAPPINGS, Roles, with_roles
from mfmanage.entra.client import Connection, ConnectionFailed, CredentialsIn, wire
from mfmanage.entra.directory import Directory
from mfmanage.entra.fields import DirectoryInvalid
from mfmanage.entra.generating import SEED, generate
from mfmanage.entra.job import Job
from mfmanage.entra.mapping import MatchingUnknown
from mfmanage.entra.ondemand import MOST_MEMBERS, ObjectMissing, on_demand
from mfmanage.entra.quarantine import JobDisabled
from mfmanage.entra.reading import load
from mfmanage.entra.restarts import PORTAL, Restart
from mfmanage.entra.results import ObjectResult, Status, Summary
from mfmanage.entra.run import run
from mfmanage.entra.styles import Style

FAILED, PARTLY, INTERRUPTED = 1, 4, 130
REFUSED = (ConnectionFailed, DirectoryInvalid, JobDisabled, ObjectMissing, states.StateUnreadable)


class Command(BaseCommand):
    """Try an installation without an Entra tenant; the options are in ``docs/commands.md``."""

    help = "Act as Microsoft Entra's provisioning service."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(required=True, metavar="run|ondemand|generate")
        _add_run(deeds.add_parser("run", help="Provision a directory file into a SCIM service."))
        _add_on_demand(deeds.add_parser("ondemand", help="Provision one user, or a group and a few members, at once."))
        _add_generate(deeds.add_parser("generate", help="Print a sample directory of any size."))

    def handle(self, *_: Any, deed: Callable[..., None], **options: Any) -> None:
        try:
            deed(self, options)
        except REFUSED as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.", returncode=FAILED) from error
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


def _add_connection(parser: CommandParser) -> None:
    parser.add_argument("--tenant-url", required=True, type=_address)
    parser.add_argument("--token-endpoint", required=True, type=_address)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret-file", required=True, type=Path)
    parser.add_argument("--credentials-in", type=CredentialsIn, choices=list(CredentialsIn), default=CredentialsIn.BODY)
    parser.add_argument("--directory", required=True, type=Path, help="the source directory, a JSON file")
    parser.add_argument("--state", type=Path, help="remembers ids and failures from run to run")
    parser.add_argument("--mapping", choices=list(MAPPINGS), default=GALLERY.name, help="default: gallery (M-Files)")
    parser.add_argument("--roles", type=Roles, choices=list(Roles), help="maps appRoles to roles, by this expression")
    parser.add_argument(
        "--match", type=_words, default=[], metavar="PATH,…", help="matching attributes in order, default: userName"
    )
    parser.add_argument("--json", action="store_true", help="for programs: one line per object")


def _add_run(parser: CommandParser) -> None:
    _add_connection(parser)
    parser.add_argument("--style", type=Style, choices=list(Style), help="default: by the flag in the Tenant URL")
    parser.add_argument("--cycles", type=_natural, default=1)
    parser.add_argument(
        "--restart", type=_restart, default=frozenset(), metavar="KIND,…", help=f"default, {', '.join(Restart)}"
    )
    parser.add_argument("--allow-deletes", action="store_true", help="do what the deletion threshold held back")
    parser.add_argument("--deletion-threshold", type=_natural, metavar="N", help="hold back more removals than N")
    parser.add_argument("--skip-out-of-scope-deletions", action="store_true", help="leave what leaves the scope")
    parser.add_argument("--check-references", action="store_true", help="ask before a manager or member is written")
    parser.add_argument("--parallel", type=_positive, default=1, metavar="N", help="objects worked on at a time")
    parser.add_argument("--faults", default="", metavar="NAME=P,…", help=f"made on purpose: {', '.join(faults.USUAL)}")
    parser.add_argument("--fault-seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(deed=_run)


def _add_on_demand(parser: CommandParser) -> None:
    _add_connection(parser)
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", default="", metavar="UPN", help="a userPrincipalName")
    whom.add_argument("--group", default="", metavar="NAME", help="a displayName")
    parser.add_argument(
        "--member", action="append", default=[], metavar="UPN", help=f"of the group; {MOST_MEMBERS} at most"
    )
    parser.set_defaults(deed=_on_demand)


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
        output.advance(bar, result)

    return run(
        _connection(options),
        directory,
        state=_remembered(options),
        style=options["style"] or _flagged(options["tenant_url"]),
        cycles=options["cycles"],
        job=_full_job(options),
        restart=options["restart"] | ({Restart.FORCE_DELETES} if options["allow_deletes"] else set()),
        transport=_transport(options),
        report=report,
        save=lambda state: states.save(state, path) if path else None,
    )


def _on_demand(command: BaseCommand, options: dict[str, Any]) -> None:
    if len(options["member"]) > MOST_MEMBERS or (options["member"] and options["user"]):
        raise CommandError(f"--member goes with --group, at most {MOST_MEMBERS} times.", returncode=2)
    directory, state = load(options["directory"]), _remembered(options)
    try:
        results = on_demand(
            _connection(options),
            directory,
            user=options["user"],
            group=options["group"],
            members=options["member"],
            state=state,
            job=_job(options),
        )
    finally:
        if options["state"]:
            states.save(state, options["state"])
    line = output.json_line if options["json"] else output.four_steps
    for result in results:
        command.stdout.write(line(result))
    failed = sum(result.status is Status.FAILURE for result in results)
    if failed:
        raise CommandError(f"{failed} of {len(results)} objects failed.", returncode=PARTLY)


def _remembered(options: dict[str, Any]) -> states.State:
    return states.load(options["state"]) if options["state"] else states.State()


def _connection(options: dict[str, Any]) -> Connection:
    return Connection(
        tenant_url=options["tenant_url"],
        token_endpoint=options["token_endpoint"],
        client_id=options["client_id"],
        client_secret=options["client_secret_file"].read_text(errors="replace").strip(),
        credentials_in=options["credentials_in"],
    )


def _job(options: dict[str, Any]) -> Job:
    mapping = MAPPINGS[options["mapping"]]
    if options["roles"]:
        mapping = with_roles(mapping, options["roles"])
    try:
        return Job(mapping=mapping.matched_by(options["match"]) if options["match"] else mapping)
    except MatchingUnknown as error:
        raise CommandError(f"--match: {error}.", returncode=2) from error


def _full_job(options: dict[str, Any]) -> Job:
    return replace(
        _job(options),
        workers=options["parallel"],
        checks_references=options["check_references"],
        skips_out_of_scope_deletions=options["skip_out_of_scope_deletions"],
        deletion_threshold=options["deletion_threshold"],
    )


def _transport(options: dict[str, Any]) -> httpx.BaseTransport | None:
    try:
        wanted = faults.parse(options["faults"], options["fault_seed"])
    except faults.FaultsUnreadable as error:
        raise CommandError(f"--faults: {error}.", returncode=2) from error
    return faults.FaultyTransport(wire(), wanted) if wanted.chances else None


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


def _positive(text: str) -> int:
    if not _natural(text):
        raise ArgumentTypeError("0 is not enough")
    return int(text)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _restart(text: str) -> frozenset[Restart]:
    """Read the kinds of a restart; ``default`` is what the portal's button does."""
    if text == "default":
        return PORTAL
    try:
        return frozenset(Restart(word) for word in _words(text))
    except ValueError as error:
        raise ArgumentTypeError(f"{error}; known are default, {', '.join(Restart)}") from error
