"""``python -m tests.trust --tries N`` looks for long; ``--write`` writes the tables of docs/roles.md (README.md)."""

import argparse
import os
import sys
from pathlib import Path

import django
import pytest


def write() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.trust.documentation import PAGE, written

    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> int:
    """Do what the options ask for; 0: nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust")
    parser.add_argument("--tries", type=int, default=0, help="how many generated requests to send")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--role", choices=("superuser", "application"), default="superuser")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/roles.md")
    options = parser.parse_args()
    if options.write:
        write()
    if not options.tries:
        return 0
    os.environ["MFM_TRUST_TRIES"] = str(options.tries)
    tests = str(Path(__file__).with_name("test_tries.py"))
    return int(pytest.main([tests, "-n0", "--database", options.database, "--role", options.role]))


if __name__ == "__main__":
    sys.exit(main())
