"""The installation that is measured: PostgreSQL with many users, gunicorn in front, a configuration with a token."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from django.db import connection, transaction
from django.utils import timezone

from mfmanage import embedded
from provisioning.models import LoginAccount, ProvisioningConfiguration, UserGroup
from tests import factories

BIG_GROUP = 250_000


@dataclass(frozen=True, slots=True)
class World:
    """One configuration with so many ``users``, its token endpoint's form, and the SCIM ids of its groups.

    Half of the users at most are in the big group: the rest can come.
    """

    configuration: ProvisioningConfiguration
    form: dict[str, str]
    small_group: str
    big_group: str
    users: int

    def user(self, number: int) -> str:
        """Return the SCIM id of the user of that number."""
        return _scim_id(self.configuration.pk, f"{number:012d}")

    def row_id(self, number: int) -> int:
        return LoginAccount.objects.get(scim_id=self.user(number)).pk


def make_world(users: int) -> World:
    """Make a subscription with ``users`` users and two groups (10 members, and 250,000 or half of all) in plain SQL."""
    credentials = factories.make_credentials(at=timezone.now())
    configuration = credentials.configuration
    groups = [factories.make_group(configuration, name) for name in ("Small", "Big")]
    sizes = (10, min(BIG_GROUP, users // 2))
    fill(configuration, users, dict(zip(groups, sizes, strict=True)))
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


def fill(configuration: ProvisioningConfiguration, users: int, sizes: dict[UserGroup, int]) -> None:
    """Make so many users, and the first of them members of the groups, in plain SQL."""
    ids = [configuration.subscription_id, configuration.pk]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")  # foreign keys are right, and not looked up
        cursor.execute(_USERS, [*ids, _scim_id(configuration.pk, ""), users - 1])
        for group, size in sizes.items():
            cursor.execute(_MEMBERS, [configuration.subscription_id, group.pk, configuration.pk, size])
    factories.recount(configuration)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _scim_id(configuration_id: int, number: str) -> str:
    return f"{configuration_id:08d}-0000-4000-8000-{number}"


_USERS = """
INSERT INTO provisioning_loginaccount (
    subscription_id, configuration_id, uid, scim_id, kind, role, username, username_key, external_id, full_name, email,
    display_name_key, email_key, info1, info2, is_enabled, document, search, version, created_at, modified_at)
SELECT %s, %s, gen_random_uuid(), %s || lpad(n::text, 12, '0'), 'person', 0,
    'user' || n || '@contoso.com', 'user' || n || '@contoso.com', 'E' || n, 'User ' || n, 'user' || n || '@contoso.com',
    'user ' || n, 'user' || n || '@contoso.com', 'Cost center', '', true, d.document, d.document, 1, now(), now()
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
