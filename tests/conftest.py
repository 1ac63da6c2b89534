"""Fixtures for every test."""

import os
from urllib.parse import urlsplit

import pytest
from django.db import connection


@pytest.fixture
def child_environment(transactional_db) -> dict[str, str]:
    """The environment of child processes (``manage.py``, gunicorn, Celery) that work on this test's database.

    Real transactions, because another process sees only what is committed.
    """
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return {**os.environ, "MFMANAGE_DATABASE_URL": f"sqlite:///{name}"}
    folder = urlsplit(os.environ["MFMANAGE_DATABASE_URL"]).path.rpartition("/")[0]
    return {**os.environ, "MFMANAGE_DATABASE_URL": f"postgres://mfmanage@{folder}/{name}"}


def pytest_sessionfinish() -> None:
    """Forget counted calls, which would be written when the process ends: the tests' database is gone by then."""
    from provisioning.services.call_counts import counts

    counts.take()
