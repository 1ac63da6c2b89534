"""The tests' settings: the product's own, with a cheap hasher for passwords and a database file apart."""

from mfmanage.settings import *  # noqa: F403
from mfmanage.settings import DATA_DIR, DATABASES, EMBEDDED

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if EMBEDDED:
    # A file, as in the product: the users of an in-memory database do not wait for each other's locks.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
