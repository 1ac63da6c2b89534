"""The eye that every test keeps on the audit log: it sees a lock behind the head's, and nothing else."""

import pytest
from django.db import transaction

from provisioning.models import LoginAccount
from provisioning.services import manual_accounts, people, policies
from tests.audit_log import LockedAfterTheHead
from tests.factories import ACTOR, NOON, make_person, make_subscription

pytestmark = pytest.mark.django_db


def recording_first(account, action, changes, actor, at):
    manual_accounts.write(account, action, changes, actor, at)
    LoginAccount.objects.filter(pk=account.pk).update(modified_at=at)


def test_a_deed_that_records_and_then_locks_fails(monkeypatch):
    person = make_person(make_subscription())
    # The entry of the stack is the product's deed, of which this is a part.
    monkeypatch.setattr(manual_accounts, "done", recording_first)

    with pytest.raises(LockedAfterTheHead, match="Record in the audit log last"):
        people.disable_person(account=person, actor=ACTOR, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_so_it_does_in_a_transaction_of_its_own(monkeypatch):
    person = make_person(make_subscription())
    monkeypatch.setattr(manual_accounts, "done", recording_first)

    with pytest.raises(LockedAfterTheHead, match="Record in the audit log last"):
        people.disable_person(account=person, actor=ACTOR, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_deeds_one_after_the_other_are_none_of_its_business():
    subscription = make_subscription()
    person = make_person(subscription)

    people.disable_person(account=person, actor=ACTOR, at=NOON)
    policies.set_policies(subscription=subscription, actor=ACTOR, at=NOON, contact_name="Ann")
    with transaction.atomic():
        people.enable_person(account=person, actor=ACTOR, at=NOON)
        people.disable_person(account=person, actor=ACTOR, at=NOON)

    person.refresh_from_db()
    assert not person.is_enabled
