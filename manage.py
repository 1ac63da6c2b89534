#!/usr/bin/env python
"""The operators' entry point; every command is described in docs/commands.md."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mfmanage.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
