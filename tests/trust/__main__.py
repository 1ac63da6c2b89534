"""``python -m tests.trust --write`` writes the tables of docs/roles.md; see README.md for the rest."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.trust.documentation import PAGE, written  # noqa: E402

if "--write" in sys.argv:
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
