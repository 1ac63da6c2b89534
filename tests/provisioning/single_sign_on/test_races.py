"""Coming in while somebody else does, or while single sign-on ends."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from provisioning.actor import Actor
from provisioning.models import LoginAccount, PortalSession, SignOnIdentity, SingleSignOn
from provisioning.services import people, sign_on
from provisioning.services import single_sign_on as services
from provisioning.services.id_tokens import Identity
from tests.contoso import make_contoso
from tests.factories import ACTOR, NOON
from tests.races import together
from tests.single_sign_on import CLIENT_ID, ISSUER, make_single_sign_on

VISITOR = Actor(kind="person", name="")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def contoso():
    contoso = make_contoso()
    make_single_sign_on(contoso.subscription, ISSUER)
    people.set_role(account=contoso.ann, role=LoginAccount.Role.ACCESS_ADMIN, actor=ACTOR, at=NOON)
    return contoso


@pytest.fixture
def without_locks(monkeypatch):
    """The control: whoever comes in holds neither the row of single sign-on nor that of the account."""

    def read(subscription_id, _identity):
        return SingleSignOn.objects.get(subscription=subscription_id)

    monkeypatch.setattr(sign_on, "_locked", read)
    monkeypatch.setattr(sign_on, "_held", lambda row: LoginAccount.objects.filter(subscription=row.subscription_id))


def come_in(contoso, subject, enter):
    identity = Identity(issuer=ISSUER, client_id=CLIENT_ID, subject=subject, username="ann@contoso.example")
    return sign_on.sign_on(
        subscription_id=contoso.subscription.pk, identity=identity, enter=enter, actor=VISITOR, at=timezone.now()
    )


def open_session(account):
    now = timezone.now()
    PortalSession.objects.create(
        session_key="x" * 64,
        session_data="",
        user=account.user,
        account=account,
        seen_at=now,
        expire_date=now + timedelta(hours=1),
    )


def end_while_somebody_comes_in(contoso):
    """Return the sessions that are left when single sign-on was switched off in the middle of a sign-in."""
    inside = threading.Event()

    def slowly(account):
        inside.set()
        time.sleep(0.3)
        open_session(account)

    def deed(number):
        if number == 0:
            return come_in(contoso, "subject", slowly)
        inside.wait(timeout=10)
        wanted = services.Wanted(ISSUER, CLIENT_ID, "", is_enabled=False)
        return services.set_single_sign_on(
            subscription=contoso.subscription, wanted=wanted, actor=ACTOR, at=timezone.now()
        )

    assert not [outcome for outcome in together(2, deed) if isinstance(outcome, Exception)]
    return PortalSession.objects.count()


def test_of_many_subjects_with_one_username_one_is_bound_and_the_others_learn_why(contoso):
    outcomes = together(8, lambda number: come_in(contoso, f"subject-{number}", lambda _user: None))

    refused = [outcome for outcome in outcomes if isinstance(outcome, sign_on.SomebodyElse)]
    assert len(refused) == 7
    assert SignOnIdentity.objects.count() == 1


@pytest.mark.usefixtures("without_locks")
def test_without_locks_the_others_fail_at_the_constraint(contoso):
    both_looked = threading.Barrier(2, timeout=10)

    def deed(number):
        return come_in(contoso, f"subject-{number}", lambda _user: None)

    with pytest.MonkeyPatch.context() as patch:
        checked = sign_on._checked
        patch.setattr(sign_on, "_checked", lambda *given: (checked(*given), both_looked.wait())[0])
        outcomes = together(2, deed)

    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [IntegrityError]


def test_nobody_is_signed_in_once_single_sign_on_is_off(contoso):
    assert end_while_somebody_comes_in(contoso) == 0


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_session_outlives_single_sign_on(contoso):
    assert end_while_somebody_comes_in(contoso) == 1
