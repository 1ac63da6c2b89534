"""Accounts under a small hourly limit, and what a provider does to them, for the tests about held changes."""

from datetime import timedelta

from provisioning.models import HeldChange, Subscription
from provisioning.services import accounts
from tests.factories import NOON, make_account, make_call, make_configuration, make_profile, make_subscription

MINUTE = timedelta(minutes=1)
DISABLE, REMOVE = HeldChange.Kind.DISABLE, HeldChange.Kind.REMOVE
OPEN, ALLOWED, REJECTED, WITHDRAWN, LAPSED = HeldChange.Decision


def people(number, *, least=2, percent=0, subscription=None):
    """Return accounts of one configuration, which may disable ``least`` of them in an hour."""
    subscription = subscription or make_subscription()
    Subscription.objects.filter(pk=subscription.pk).update(protection_least=least, protection_percent=percent)
    configuration = make_configuration(subscription)
    return [make_account(configuration, f"p{n}@{configuration.pk}.example") for n in range(number)]


def become(account, *, active=None, at=NOON, **fields):
    """Change the account as a PATCH does; without ``active`` it is about something else."""

    def change(found):
        wanted = accounts.shown_active(found) if active is None else active
        return make_profile(found.username, is_enabled=wanted, **fields)

    call = make_call(account.configuration, operation="update", at=at)
    return accounts.change_account(scim_id=account.scim_id, change=change, call=call)


def disable(account, *, at=NOON):
    return become(account, active=False, at=at)


def remove(account, *, at=NOON):
    accounts.remove_account(scim_id=account.scim_id, call=make_call(account.configuration, operation="delete", at=at))


def revive(account, *, is_enabled=True, at=NOON):
    return make_account(account.configuration, account.username, is_enabled=is_enabled, at=at)


def state(account):
    """Whether the account is enabled, and what SCIM shows."""
    account.refresh_from_db()
    return account.is_enabled, accounts.shown_active(account)


def held(account):
    return list(HeldChange.objects.filter(account=account).order_by("id").values_list("kind", "decision"))
