#!/usr/bin/env python
"""The operators' entry point; every command is described in docs/commands.md."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from provisioning import tenancy


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mfmanage.settings")
    try:
        with tenancy.everybody():
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
