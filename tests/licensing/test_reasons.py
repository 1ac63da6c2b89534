"""Why an account has its license is what the engine used: on generated worlds, the plan's own reasons."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.models import LicenseGrant
from licensing.plans import licenses as plan
from licensing.plans.licenses import SourceKind
from licensing.services import reasons, wishes
from provisioning.models import LoginAccount, UserGroup
from tests.factories import NOON
from tests.licensing.facts import facts_of
from tests.licensing.people import NONE
from tests.licensing.test_wishes import GROUPS, MOMENTS, PEOPLE, POLICIES, TYPES, build

pytestmark = pytest.mark.django_db


def queue_of(subscription, wanted):
    """Who waits for a type, first to last, sorted in plain Python."""
    grants = [one for one in LicenseGrant.objects.filter(subscription=subscription) if one.wanted_type == wanted]
    return sorted((one for one in grants if one.is_waiting), key=lambda one: (one.asked_at, one.username_key))


def told(account, source):
    """The words that the sentence must have for what gives the account its type."""
    match source.kind:
        case SourceKind.GROUP:
            return f"from group {UserGroup.objects.get(pk=source.group_id).display_name} "
        case SourceKind.PIN:
            return "pinned to the account "
        case SourceKind.MANUAL:
            return "chosen by a person "
    return f"the default of {account.configuration.name} "


def sentence_of(account, wanted, source, granted, place):
    """How the sentence must begin."""
    if not account.is_enabled:
        return "No license: the account is disabled" if granted == NONE else f"{granted.label}"
    if wanted == NONE:
        return "No license, as pinned" if source.kind is SourceKind.PIN else "No license: neither"
    if wanted != granted:
        return f"Waits for {wanted.label}, place {place}, has {granted.label.replace('No', 'no')} meanwhile"
    return f"{granted.label}, {told(account, source)}("


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE, groups=GROUPS, given_by=st.tuples(TYPES, st.none() | MOMENTS), policy=POLICIES)
def test_the_reason_is_what_the_plan_decides_by(db, people, groups, given_by, policy):
    with transaction.atomic():
        subscription = build(people, groups, *given_by)
        accounts = list(LoginAccount.objects.filter(subscription=subscription).select_related("configuration"))
        planned = {account.pk: plan.wanted_type(facts_of(account)) for account in accounts}
        wishes.record(subscription.pk, list(planned), policy, NOON)

        found = reasons.many(accounts, NOON)

        for account in accounts:
            wanted, source = planned[account.pk]
            reason, grant = found[account.pk], LicenseGrant.objects.get(account=account)
            queue = [one.account_id for one in queue_of(subscription, wanted)]
            place = queue.index(account.pk) + 1 if account.pk in queue else 0
            assert (reason.wanted, reason.source, reason.granted) == (wanted, source.kind, grant.granted_type)
            assert (reason.place, reason.queue) == (place, len(queue) if place else 0)
            start = sentence_of(account, wanted, source, reason.granted, f"{place} of {len(queue)}")
            assert reason.why.startswith(start)
            assert reasons.reason(account, now=NOON) == reason
        transaction.set_rollback(True)
