"""What the tests of accounts do again and again."""

from datetime import timedelta

from provisioning.models import ProvisioningLogEntry
from provisioning.services import accounts
from tests.factories import NOON, make_call, make_configuration

LATER = NOON + timedelta(hours=1)


def last_entry() -> ProvisioningLogEntry:
    return ProvisioningLogEntry.objects.latest("pk")


def update_call(account):
    return make_call(account.configuration, operation="update", at=LATER)


def adopting(subscription):
    configuration = make_configuration(subscription)
    configuration.adopts_manual_accounts = True
    configuration.save()
    return configuration


def remove(account):
    configuration = account.configuration
    accounts.remove_account(scim_id=account.scim_id, call=make_call(configuration, operation="delete", at=LATER))
