"""The database lets nobody rewrite the audit log who cannot switch its triggers off."""

import pytest
from django.db import DatabaseError, connection, transaction

from provisioning.models import AuditEntry
from provisioning.services.audit_verification import verify
from tests.audit_log import unguarded
from tests.factories import make_subscription

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED = {
    "an entry changed": "UPDATE provisioning_auditentry SET target = ''",
    "an entry deleted": "DELETE FROM provisioning_auditentry WHERE number = 1",
    "a head deleted": "DELETE FROM provisioning_audithead",
    "a head moved back": "UPDATE provisioning_audithead SET number = number - 1",
    "a head given to another": "UPDATE provisioning_audithead SET subscription_id = subscription_id + 1000",
}
EMPTIED = ["provisioning_auditentry", "provisioning_audithead"]


def carry_out(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses_to_rewrite_the_log(name):
    subscription = make_subscription()

    with pytest.raises(DatabaseError, match="The audit log is append-only"):
        carry_out(REFUSED[name])

    assert verify(subscription).count == 0


@pytest.mark.postgresql
@pytest.mark.parametrize("table", EMPTIED)
def test_it_refuses_to_empty_it_at_one_stroke(table):
    make_subscription()

    with pytest.raises(DatabaseError, match="The audit log is append-only"):
        carry_out(f"TRUNCATE {table}")


@pytest.mark.parametrize("name", ["an entry deleted", "a head moved back"])
def test_control_the_same_happens_to_who_may_switch_triggers_off(name):
    subscription = make_subscription()

    with transaction.atomic(), unguarded():
        carry_out(REFUSED[name])

    assert verify(subscription).count > 0


def test_the_tests_switch_them_on_again():
    make_subscription()
    with transaction.atomic(), unguarded():
        pass

    with pytest.raises(DatabaseError, match="The audit log is append-only"):
        AuditEntry.objects.all().delete()
