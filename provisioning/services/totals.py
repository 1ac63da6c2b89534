"""How many users and groups a configuration has, kept by those who make and remove them: counting is linear.

A total is the sum of 16 rows. Each connection of PostgreSQL adds to the row of its own number, so that parallel
writers seldom wait for each other. It is the last row that a transaction locks, so that no two can wait in a circle.
"""

from typing import Final

from django.db import connection

from provisioning.models import ProvisioningConfiguration
from provisioning.sql import Statement, run

USER: Final = "User"
GROUP: Final = "Group"


def step(configuration_id: int, kind: str, number: int) -> Statement:
    """Return what notes, together with the deed, that there are ``number`` more (below zero: less) of ``kind``."""
    return Statement(
        _STEP.replace("{shard}", _SHARD[connection.vendor]), (configuration_id, configuration_id, kind, number)
    )


def number_of(configuration: ProvisioningConfiguration, kind: str) -> int:
    """Return how many resources of ``kind``, ``User`` or ``Group``, SCIM knows of this configuration."""
    [(number,)] = run(Statement(_SUM, (configuration.pk, kind)))
    return int(number)


_SHARD = {"postgresql": "pg_backend_pid() %% 16", "sqlite": "0"}
_STEP = """
INSERT INTO provisioning_resourcetotal AS total (subscription_id, configuration_id, kind, shard, number)
SELECT (SELECT subscription_id FROM provisioning_provisioningconfiguration WHERE id = %s), %s, %s, {shard}, %s {deed}
WHERE true
ON CONFLICT (configuration_id, kind, shard) DO UPDATE SET number = total.number + excluded.number"""
_SUM = """
SELECT COALESCE(sum(number), 0) FROM provisioning_resourcetotal WHERE configuration_id = %s AND kind = %s"""
