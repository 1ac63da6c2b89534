"""A subscription whose provisioning log is long, and an admin who has signed in."""

import re
import time
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs

import psutil
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from provisioning.models import ProvisioningLogEntry, User
from tests import factories


@dataclass(frozen=True, slots=True)
class World:
    """``parts`` fill the blanks of a query."""

    client: Client
    url: str
    parts: dict[str, str]


def make_world(rows: int) -> World:
    """Fill the log in plain SQL: 90 days, a busy and a quiet configuration, 2 % failures, 0.5 % deletions."""
    call_command("migrate", verbosity=0)
    subscription = factories.make_subscription("Contoso", at=timezone.now())
    busy = factories.make_configuration(subscription, "Busy", at=timezone.now())
    quiet = factories.make_configuration(subscription, "Quiet", at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [subscription.pk, quiet.pk, busy.pk, rows, rows])
        cursor.execute("VACUUM ANALYZE provisioning_provisioninglogentry")
    client = Client(SERVER_NAME="localhost")
    factories.make_admin(subscription, "root@contoso.example")
    client.force_login(User.objects.get(), "allauth.account.auth_backends.AuthenticationBackend")
    url = f"/s/{subscription.number}/provisioning/log/"
    middle = ProvisioningLogEntry.objects.order_by("id")[rows // 2]
    day = middle.at.date().isoformat()
    onward = re.search(
        r'href="\?([^"]+)" rel="next"', client.get(url, {"first_day": day, "last_day": day}).content.decode()
    )
    assert onward is not None, "a day has more than one page"
    parts = {
        "busy": str(busy.pk),
        "quiet": str(quiet.pk),
        "day": day,
        "resource": middle.resource_id,
        "request": middle.request_id,
        "middle": parse_qs(unescape(onward[1]))["page"][0],
    }
    return World(client, url, parts)


def cpu_seconds() -> tuple[float, float]:
    """Return the CPU time that this process and its process of PostgreSQL have taken so far."""
    backend = psutil.Process(connection.connection.info.backend_pid).cpu_times()
    return time.process_time(), backend.user + backend.system


def statements(client: Client, url: str, *, explain: bool) -> tuple[int, list[str]]:
    """Return how many statements the page makes, and the plans of those on the log."""
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    slow = [query["sql"] for query in captured if "provisioninglogentry" in query["sql"]]
    plans = [_plan(sql) for sql in slow] if explain else []
    return len(captured), plans


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%"))
        return "\n".join([sql, *(f"    {row[0]}" for row in cursor.fetchall())])


_ROWS = """
INSERT INTO provisioning_provisioninglogentry (
    subscription_id, configuration_id, at, operation, resource_type, resource_id, resource_name, status, is_success,
    detail, changes, duration_us, request_id)
SELECT %s, CASE WHEN n %% 200 = 0 THEN %s ELSE %s END, now() - (%s - n) * interval '7.776 seconds',
    CASE WHEN n %% 200 = 7 THEN 'delete' WHEN n %% 10 = 1 THEN 'create' ELSE 'update' END,
    CASE WHEN n %% 20 = 3 THEN 'Group' ELSE 'User' END,
    '00000000-0000-4000-8000-' || lpad((n %% 100000)::text, 12, '0'), 'user' || n || '@contoso.com',
    CASE WHEN n %% 50 = 9 THEN 409 ELSE 200 END, n %% 50 <> 9,
    CASE WHEN n %% 50 = 9 THEN 'A user of that name exists already.' ELSE '' END,
    jsonb_build_object('displayName', jsonb_build_array('User ' || n, 'User number ' || n),
        'title', jsonb_build_array('Engineer', 'Senior engineer')), 2000, md5(n::text)
FROM generate_series(1, %s) AS n"""
