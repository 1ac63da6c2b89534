"""Many record at once: the chain stays one, and nobody waits in a circle."""

import threading

import pytest
from django.db import IntegrityError, OperationalError, transaction

from provisioning.models import AuditHead, LoginAccount
from provisioning.services import audit, audit_chain
from provisioning.services.audit_verification import verify
from tests.factories import ACTOR, NOON, make_person, make_subscription
from tests.races import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
THREADS, DEEDS = 16, 20


def act(subscription, target):
    audit.record(subscription_id=subscription.pk, actor=ACTOR, action="try", target=target, at=NOON)


def test_sixteen_who_record_in_two_subscriptions_at_once_make_two_whole_chains():
    subscriptions = [make_subscription(), make_subscription()]

    def deeds(number):
        for deed in range(DEEDS):
            with transaction.atomic():
                act(subscriptions[(number + deed) % 2], f"{number}, {deed}")

    outcomes = together(THREADS, deeds)

    assert outcomes == [None] * THREADS
    for subscription in subscriptions:
        result = verify(subscription)
        assert (result.entries, result.differences) == (1 + THREADS * DEEDS // 2, [])


def test_control_without_the_lock_two_entries_want_to_follow_the_same_one(monkeypatch):
    subscription, both_have_read = make_subscription(), threading.Barrier(2)

    def unlocked(subscription_id):
        head = AuditHead.objects.get(pk=subscription_id)
        both_have_read.wait(timeout=30)
        return head

    monkeypatch.setattr(audit_chain, "_locked_head", unlocked)
    outcomes = together(2, lambda number: act(subscription, str(number)))

    assert sorted(type(one) for one in outcomes if one) == [IntegrityError]


def rename_in_turn(accounts, gate, deed):
    """Change two accounts in one transaction; whoever else does wants the other one first, or the head."""
    for account in accounts:
        LoginAccount.objects.select_for_update().get(pk=account.pk)
        act(account.subscription, account.username)
        if account is accounts[0]:
            gate.wait(timeout=30)


def one_and_both(several):
    """Let one transaction change both accounts while another one changes the second; return what became of them."""
    subscription, gate = make_subscription(), threading.Barrier(2)
    accounts = [make_person(subscription), make_person(subscription)]

    def deed(number):
        if number == 0:
            with several():
                rename_in_turn(accounts, gate, deed)
            return
        with transaction.atomic():
            LoginAccount.objects.select_for_update().get(pk=accounts[1].pk)
            gate.wait(timeout=30)
            act(subscription, "the second one alone")

    outcomes = together(2, deed)
    return [type(one) for one in outcomes if one is not None], verify(subscription).count


def test_who_does_several_deeds_holds_no_head_while_waiting_for_somebody_else():
    assert one_and_both(audit.recorded_last) == ([], 0)


def test_control_recording_before_the_last_lock_makes_two_wait_in_a_circle():
    failed, differences = one_and_both(transaction.atomic)

    assert (failed, differences) == ([OperationalError], 0)
