"""``/healthz`` and ``/readyz``: alive is not ready."""

import pytest
from django.db import OperationalError, connection
from redis.exceptions import ConnectionError as RedisConnectionError

from mfmanage import health

pytestmark = pytest.mark.django_db


def test_a_process_that_serves_is_alive_without_asking_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_a_migrated_installation_is_ready(client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "ok", "migrations": "ok", "broker": "ok"}


def test_pending_migrations_are_named(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'mfa'")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["migrations"] == "Migrations are pending: run manage.py migrate."


def test_a_database_that_does_not_answer_is_named(client, monkeypatch):
    def refuse():
        raise OperationalError

    monkeypatch.setattr(connection, "ensure_connection", refuse)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["database"]) == (503, "The database does not answer.")


@pytest.mark.postgresql
def test_redis_that_does_not_answer_is_named(client, monkeypatch):
    def refuse(*_):
        raise RedisConnectionError

    monkeypatch.setattr(health.cache, "get", refuse)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["broker"]) == (503, "Redis does not answer.")


def test_health_is_read_only(client):
    assert client.post("/healthz").status_code == 405
