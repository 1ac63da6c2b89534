"""Accounts and users for the tests of the vault agent contract."""

import uuid
from itertools import count

from licensing.clients.agent import LoginAccount, VaultUserWish
from provisioning.license_types import LicenseType

_numbers = count()


def key():
    """A new decision takes a new idempotency key."""
    return f"key-{next(_numbers)}"


def account(username, *, uid=None, **fields):
    return LoginAccount(uid=uid or str(uuid.uuid4()), username=username, license_type=LicenseType.NAMED, **fields)


def wish(account, *, enabled=True, **fields):
    return VaultUserWish(account_uid=account.uid, enabled=enabled, **fields)


def put_people(agent, vault, *usernames):
    """Put login accounts and enabled vault users of these names; return the accounts."""
    accounts = [account(username) for username in usernames]
    agent.put_login_accounts(vault, accounts, idempotency_key=key())
    agent.put_vault_users(vault, [wish(one) for one in accounts], idempotency_key=key())
    return accounts


def user(agent, vault, who):
    """The vault user of an account, or of a key."""
    found = agent.get_vault_users(vault, [getattr(who, "uid", who)])
    return found[0] if found else None


def outcomes(results):
    return [result.error.code if result.error else str(result.outcome) for result in results]
