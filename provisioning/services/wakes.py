"""Make accounts due: the one way in which licenses and vaults learn that they must look at accounts again.

Rows of due accounts are written after the rows of the accounts, and in the order of their ids, so that nobody waits in
a circle: whoever wakes several accounts in one transaction locks them all first, or wakes them all in one statement.
"""

from collections.abc import Iterable
from typing import Any

from provisioning import sql
from provisioning.sql import Statement


def accounts(ids: Iterable[int]) -> Statement:
    """Return what makes these accounts due, for ``run_with`` or ``run_alone``."""
    return Statement(_PUT.format(chosen=_LISTED.format(ids=sql.id_list())), [sql.ids(ids)])


def new_account(subscription_id: int) -> Statement:
    """Return what makes the account due that a deed inserts, for ``run_with``."""
    return Statement(_PUT.format(chosen=_INSERTED), [subscription_id])


def chunk(subscription_id: int, chosen: Statement, *, after: int, size: int) -> Statement:
    """Return what makes the first ``size`` accounts with an id above ``after`` due, and returns their ids.

    ``chosen`` selects accounts of the subscription as ``id``.
    """
    parameters: list[Any] = [subscription_id, *chosen.parameters, after, size]
    return Statement(_PUT.format(chosen=_CHUNK.format(which=chosen.text)) + " RETURNING account_id", parameters)


_PUT = """
INSERT INTO provisioning_dueaccount (subscription_id, account_id, generation) {chosen}
ON CONFLICT (subscription_id, account_id) DO UPDATE SET generation = provisioning_dueaccount.generation + 1"""
_LISTED = """
SELECT subscription_id, id, 1 FROM provisioning_loginaccount
WHERE id IN ({ids}) AND EXISTS (SELECT 1 {{deed}}) ORDER BY id"""
_INSERTED = "SELECT %s, {id}, 1 {deed} WHERE true"
_CHUNK = """
SELECT %s, chosen.id, 1 FROM ({which}) AS chosen WHERE chosen.id > %s ORDER BY chosen.id LIMIT %s"""
