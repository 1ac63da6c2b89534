"""``python -m tests.fuzz [--minutes 30] [--database postgresql]``: look for long, with ever new requests."""

import argparse
import os
import sys
from pathlib import Path

import pytest

from tests.fuzz import MINUTES


def main() -> int:
    """Run schemathesis on the service, then on the token endpoint, each for half of the time."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    os.environ[MINUTES] = str(options.minutes / 2)
    tests = str(Path(__file__).with_name("test_service.py"))
    return int(pytest.main([tests, "-n0", "-m", "processes", "--database", options.database]))


if __name__ == "__main__":
    sys.exit(main())
