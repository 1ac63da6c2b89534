"""The tests' settings: the product's own, with a cheap hasher for passwords and a database file apart."""

from mfmanage.settings import *  # noqa: F403
from mfmanage.settings import DATA_DIR, DATABASES, EMBEDDED, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests ask as fast as they can, and with wrong secrets as often as they like.
SCIM_RATE = TOKEN_FAILURES = 0
# What a test does itself stands above subscriptions; requests and tasks enter their scopes as in the product.
UNSCOPED = "*"
# No thread writes to a test's database behind its back.
CALL_COUNT_SECONDS = 0
if EMBEDDED:
    # A file, as in the product: the users of an in-memory database do not wait for each other's locks.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # As many connections as a race has threads: waiting for one would hide the race, or deadlock its gate.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 80, "timeout": 30}
    # Static files from their sources, as embedded: nothing has been collected.
    STATIC_ROOT = None
    WHITENOISE_USE_FINDERS = True
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
