"""The life of a configuration's secrets against a small model: whatever happens in whatever order, both agree.

The model knows a secret by its text: until when it opens the token endpoint. A token is what a use of one leaves.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from oauth2_provider.models import AccessToken

from provisioning.models import ClientSecret
from provisioning.services import configurations, rotation, secrets
from tests.factories import ACTOR, NOON, make_credentials

HOURS = st.integers(0, 24)
DAYS = st.sampled_from([1, 90, 180, 365, 730])


@dataclass
class Known:
    """A secret as the model knows it; ``retires`` is the end of the overlap."""

    text: str
    expires: datetime
    retires: datetime | None = None
    is_revoked: bool = False
    used: datetime | None = None


class Secrets(RuleBasedStateMachine):
    """What admins, the clock and the identity provider do."""

    def __init__(self):
        super().__init__()
        self.now = NOON
        credentials = make_credentials(at=self.now)
        self.configuration = credentials.configuration
        self.known = [Known(credentials.client_secret, NOON + secrets.LIFETIME)]
        self.has_tokens = False

    def live(self):
        return [one for one in self.known if self.is_live(one)]

    def is_live(self, one):
        return not one.is_revoked and one.expires > self.now and (one.retires is None or one.retires > self.now)

    def pair(self):
        """Return the old and the new secret of a running rotation."""
        old = [one for one in self.live() if one.retires is not None]
        new = [one for one in self.live() if one.retires is None]
        return (old[0], new[0]) if old and new else None

    def deed(self):
        return {"configuration": self.configuration, "actor": ACTOR, "at": self.now}

    @rule(hours=HOURS, days=DAYS)
    def start(self, hours, days):
        overlap, lifetime, old = timedelta(hours=hours), timedelta(days=days), self.live()
        if len(old) > 1:
            with pytest.raises(rotation.TwoSecrets):
                rotation.start_rotation(**self.deed())
            return
        text = rotation.start_rotation(overlap=overlap, lifetime=lifetime, **self.deed())
        for one in old:
            one.retires = self.now + overlap
        self.known.append(Known(text, self.now + lifetime))

    @rule()
    def complete(self):
        pair = self.pair()
        if pair is None:
            with pytest.raises(rotation.NoRotation):
                rotation.complete_rotation(**self.deed())
            return
        rotation.complete_rotation(**self.deed())
        pair[0].is_revoked = True

    @rule()
    def cancel(self):
        pair = self.pair()
        if pair is None:
            with pytest.raises(rotation.NoRotation):
                rotation.cancel_rotation(**self.deed())
            return
        rotation.cancel_rotation(**self.deed())
        pair[0].retires, pair[1].is_revoked = None, True

    @rule(choice=st.integers(0, 9))
    def revoke(self, choice):
        one = self.known[choice % len(self.known)]
        row = self.rows()[one.text]
        if not self.is_live(one):
            with pytest.raises(rotation.SecretEnded):
                rotation.revoke_secret(secret_id=row.pk, **self.deed())
            return
        others = [other for other in self.live() if other is not one]
        rotation.revoke_secret(secret_id=row.pk, **self.deed())
        one.is_revoked, self.has_tokens = True, False
        for other in others:
            other.retires = None

    @rule()
    def disconnect(self):
        assert configurations.disconnect_configuration(**self.deed()) == len(self.live())
        for one in self.known:
            one.is_revoked = True
        self.has_tokens = False

    @rule(hours=st.sampled_from([1, 2, 12, 24]))
    def some_hours_pass(self, hours):
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.now < NOON + timedelta(days=3000))
    @rule(days=st.sampled_from([30, 200, 400]))
    def some_days_pass(self, days):
        self.now += timedelta(days=days)

    @rule(choice=st.integers(0, 9))
    def use(self, choice):
        one = self.known[choice % len(self.known)]
        secret = self.found(one)
        assert (secret is not None) == self.is_live(one)
        if secret is not None:
            AccessToken.objects.create(
                application=self.configuration.application, token=secrets.make_secret(), expires=self.now
            )
            assert secrets.record_use(secret=secret, at=self.now)
            one.used, self.has_tokens = self.now, True

    def found(self, one):
        return secrets.matching_secret(client_id=self.configuration.client_id, secret=one.text, at=self.now)

    def rows(self):
        """Return the rows by the texts of their secrets, which stand in the order in which they were made."""
        return dict(zip((one.text for one in self.known), ClientSecret.objects.order_by("pk"), strict=True))

    @invariant()
    def exactly_those_open_that_should_and_they_are_two_at_most(self):
        opening = {one.text for one in self.known if self.found(one)}
        assert opening == {one.text for one in self.live()}
        assert len(opening) <= 2

    @invariant()
    def what_the_page_says_is_what_is(self):
        rows = self.rows()
        listed = rotation.live(self.configuration, at=self.now)
        assert {one.pk for one in listed} == {rows[one.text].pk for one in self.live()}
        running, pair = rotation.rotation(listed), self.pair()
        shown = running and (running.old.pk, running.new.pk)
        assert shown == (pair and (rows[pair[0].text].pk, rows[pair[1].text].pk))
        assert [rows[one.text].last_used_at for one in self.known] == [one.used for one in self.known]

    @invariant()
    def tokens_end_with_access_and_not_with_a_rotation(self):
        assert AccessToken.objects.exists() == self.has_tokens


class _Undone(Exception):
    pass


@pytest.mark.django_db
def test_whatever_happens_in_whatever_order_secrets_open_what_they_should():
    class Fresh(Secrets):
        """Each run begins with an empty database, by a savepoint that is rolled back."""

        def __init__(self):
            self._undo = transaction.atomic()
            self._undo.__enter__()
            super().__init__()

        def teardown(self):
            with suppress(_Undone):
                self._undo.__exit__(_Undone, _Undone(), None)

    run_state_machine_as_test(
        Fresh,
        settings=settings(
            max_examples=6, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
