"""``python -m tests.trust --tries N`` looks for long; ``--write`` writes the tables of docs/roles.md (README.md)."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import django


def write() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.trust.documentation import PAGE, written

    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def look(options: argparse.Namespace) -> int:
    """Share the tries among processes, each of which has a world of its own; return the worst of their exit codes."""
    tests = str(Path(__file__).with_name("test_tries.py"))
    command = [sys.executable, "-m", "pytest", tests, "-q", "-n0"]
    command += ["--database", options.database, "--role", options.role]
    environment = os.environ | {"MFM_TRUST_TRIES": str(-(-options.tries // options.processes))}
    running = [subprocess.Popen(command, env=environment) for _ in range(options.processes)]
    return max(one.wait() for one in running)


def main() -> int:
    """Do what the options ask for; 0: nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust")
    parser.add_argument("--tries", type=int, default=0, help="how many generated requests to send")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many send them at a time")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--role", choices=("superuser", "application"), default="superuser")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/roles.md")
    options = parser.parse_args()
    if options.write:
        write()
    return look(options) if options.tries else 0


if __name__ == "__main__":
    sys.exit(main())
