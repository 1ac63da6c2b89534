"""Fixtures for every test."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import settings

from tests import audit_log
from tests.database_role import become_application, make_role

settings.register_profile("thorough", max_examples=1500, deadline=None)
"""Fifteen times as many examples: ``--hypothesis-profile thorough``."""


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


@pytest.fixture(scope="session", autouse=True)
def _tables_can_be_emptied() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        audit_log.let_tables_be_emptied(patch)
        yield


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    """Attempts to sign in are counted per address, and every test comes from the same one."""
    cache.clear()


@pytest.fixture(autouse=True)
def _audit_log_is_locked_last() -> Iterator[None]:
    """In every test: no deed takes a lock after that of the audit log."""
    with audit_log.head_locked_last():
        yield


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Leave PostgreSQL's test databases alone at the end: their server is the tests' own, and goes as a whole.

    Dropping one fails while a thread of a live server still has a connection to it.
    """
    return connection.vendor == "postgresql"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, pytestconfig) -> None:
    """With ``--role application``, use the database made by the superuser as the product does: as somebody else."""
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            make_role()
            if pytestconfig.getoption("role") == "application":
                become_application()


def pytest_sessionfinish() -> None:
    """Forget counted calls, which would be written when the process ends: the tests' database is gone by then."""
    from provisioning.services.call_counts import counts

    counts.take()
