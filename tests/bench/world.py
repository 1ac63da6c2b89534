"""The installation that is measured: PostgreSQL with many users, gunicorn in front, a configuration with a token."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from mfmanage import embedded
from provisioning.models import ProvisioningConfiguration
from tests import factories

BIG_GROUP = 10_000


@dataclass(frozen=True, slots=True)
class World:
    """One configuration, its token endpoint's form, and the SCIM ids that are worked on."""

    configuration: ProvisioningConfiguration
    form: dict[str, str]
    small_group: str
    big_group: str
    users: int

    def user(self, number: int) -> str:
        """Return the SCIM id of the user of that number."""
        return f"00000000-0000-4000-8000-{number:012d}"


def make_world(users: int) -> World:
    """Migrate the database and fill it with ``users`` users and two groups (10 and 10,000 members) in plain SQL."""
    call_command("migrate", verbosity=0)
    credentials = factories.make_credentials(at=timezone.now())
    configuration = credentials.configuration
    with connection.cursor() as cursor:
        cursor.execute(_USERS, [configuration.subscription_id, configuration.pk, users - 1])
    groups = [factories.make_group(configuration, name) for name in ("Small", "Big")]
    with connection.cursor() as cursor:
        for group, size in zip(groups, (10, min(BIG_GROUP, users)), strict=True):
            cursor.execute(_MEMBERS, [configuration.subscription_id, group.pk, configuration.pk, size])
        cursor.execute("ANALYZE")
    form = {
        "grant_type": "client_credentials",
        "client_id": configuration.client_id,
        "client_secret": credentials.client_secret,
    }
    return World(configuration, form, groups[0].scim_id, groups[1].scim_id, users)


@contextmanager
def serving(workers: int) -> Iterator[tuple[str, int]]:
    """Run gunicorn as in production; give its address and process id."""
    port = embedded.free_port()
    argv = [
        *(sys.executable, "-m", "gunicorn", "mfmanage.wsgi", "--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        *("--worker-class", "gthread", "--threads", "4", "--workers", str(workers), "--keep-alive", "60"),
    ]
    with subprocess.Popen(argv, env={**os.environ, "DJANGO_SETTINGS_MODULE": "mfmanage.settings"}) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
                client.get(f"{address}/healthz").raise_for_status()
            yield address, server.pid
        finally:
            server.terminate()


_USERS = """
INSERT INTO provisioning_loginaccount (
    subscription_id, configuration_id, uid, scim_id, kind, role, username, username_key, external_id, full_name, email,
    display_name_key, email_key, info1, info2, is_enabled, document, search, version, created_at, modified_at,
    generation, observed_generation)
SELECT %s, %s, gen_random_uuid(), '00000000-0000-4000-8000-' || lpad(n::text, 12, '0'), 'person', 0,
    'user' || n || '@contoso.com', 'user' || n || '@contoso.com', 'E' || n, 'User ' || n, 'user' || n || '@contoso.com',
    'user ' || n, 'user' || n || '@contoso.com', 'Cost center', '', true, d.document, d.document, 1, now(), now(), 2, 2
FROM generate_series(0, %s) AS n, LATERAL (SELECT jsonb_build_object(
    'userName', 'user' || n || '@contoso.com', 'externalId', 'E' || n, 'displayName', 'User ' || n, 'active', true,
    'name', jsonb_build_object('givenName', 'User', 'familyName', n::text, 'formatted', 'User ' || n),
    'emails', jsonb_build_array(jsonb_build_object(
        'type', 'work', 'value', 'user' || n || '@contoso.com', 'primary', true)),
    'urn:ietf:params:scim:schemas:extension:info:2.0:User', jsonb_build_object('info1', 'Cost center')
) AS document) AS d"""
_MEMBERS = """
INSERT INTO provisioning_groupmembership (subscription_id, group_id, account_id)
SELECT %s, %s, id FROM provisioning_loginaccount WHERE configuration_id = %s ORDER BY id LIMIT %s"""
