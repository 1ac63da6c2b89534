"""How many users and groups a configuration has, kept by those who make and remove them: counting is linear.

A total is the sum of 16 rows. Each connection of PostgreSQL adds to the row of its own number, so that parallel
writers seldom wait for each other. It is the last row that a transaction locks, so that no two can wait in a circle.
"""

from typing import Final

from django.db import connection

from provisioning.models import ProvisioningConfiguration

USER: Final = "User"
GROUP: Final = "Group"


def add(*, configuration_id: int, kind: str, number: int) -> None:
    """Note, in the caller's transaction, that there are ``number`` more (or, below zero, less) of ``kind``."""
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(shard=SHARD[connection.vendor]), [configuration_id, kind, number])


def number_of(configuration: ProvisioningConfiguration, kind: str) -> int:
    """Return how many resources of ``kind``, ``User`` or ``Group``, SCIM knows of this configuration."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM, [configuration.pk, kind])
        return int(cursor.fetchone()[0])


SHARD: Final = {"postgresql": "pg_backend_pid() %% 16", "sqlite": "0"}
ADD: Final = """
INSERT INTO provisioning_resourcetotal AS total (configuration_id, kind, shard, number)
VALUES (%s, %s, {shard}, %s)
ON CONFLICT (configuration_id, kind, shard) DO UPDATE SET number = total.number + excluded.number"""
_SUM = """
SELECT COALESCE(sum(number), 0) FROM provisioning_resourcetotal WHERE configuration_id = %s AND kind = %s"""
