"""``python -m tests.faults [--users N] [--vault-kills N] [--worker-kills N] [--restores N] [--database NAME]``."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.servers import start, use

if TYPE_CHECKING:
    from tests.faults.harness import Report


def main() -> int:
    """Start private servers, carry the plan out on them, print what happened; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    for name, number in (("users", 5000), ("vault-kills", 200), ("worker-kills", 200), ("restores", 1), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    options = vars(parser.parse_args())
    database = options.pop("database")
    servers = start(database=database, source="auto")
    try:
        use(servers.directory, database, "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "ERROR"
        django.setup()
        return _run(options)
    finally:
        servers.stop()


def _run(options: dict[str, int]) -> int:
    from django.core.management import call_command

    from tests.faults.harness import Harness, Plan

    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory(prefix="mfm-faults-") as folder:
        try:
            report = Harness(Plan(**options), Path(folder), os.environ).run()
        finally:
            _print_last_words(Path(folder))
    _print(report)
    return 1 if report.complaints or report.unexplained else 0


def _print_last_words(folder: Path) -> None:
    for log in sorted(folder.glob("*.log")):
        print(
            f"{log.name} ends with:", *log.read_text(errors="replace").splitlines()[-20:], sep="\n  ", file=sys.stderr
        )


def _print(report: "Report") -> None:
    shown = sorted(report.shown_after) or [0.0]
    print(f"{report.seconds:.0f} s of trouble: {dict(report.kills)}; {report.changes} changes meanwhile.")
    print(f"Outages were shown after {shown[len(shown) // 2]:.1f} s (median), {shown[-1]:.1f} s (longest).")
    for (state, reason), number in report.samples.most_common():
        print(f"  {number} samples: {state} {reason}")
    print(f"In line {report.quiet_after:.0f} s after the last kill, a full comparison included.")
    print(f"{report.vault_users} vault users, {report.members} members, {report.writes} changing calls carried out.")
    print(f"{report.brought_back} members of the merge target came back with the backup.")
    print(f"{len(report.complaints)} complaints; {report.unexplained} samples without a reason.")
    print(*report.complaints[:50], sep="\n")


if __name__ == "__main__":
    sys.exit(main())
