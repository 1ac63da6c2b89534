"""Whether this process is alive, and whether it can do its work."""

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


@require_safe
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer as soon as the process serves."""
    return JsonResponse({"status": "alive"})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say of each thing that is needed whether it is there: 200 when all are, else 503."""
    problems = {name: sentence for name, check in CHECKS.items() if (sentence := check())}
    body = {"status": "not ready" if problems else "ready", **dict.fromkeys(CHECKS, "ok"), **problems}
    return JsonResponse(body, status=503 if problems else 200)


def _database() -> str:
    try:
        connection.ensure_connection()
    except DatabaseError:
        return "The database does not answer."
    return ""


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "The database does not answer."
    return "Migrations are pending: run manage.py migrate." if pending else ""


def _broker() -> str:
    try:
        if settings.REDIS_URL:
            cache.get("ready")
    except RedisError:
        return "Redis does not answer."
    return ""


CHECKS = {"database": _database, "migrations": _migrations, "broker": _broker}
