"""A deleted configuration opens nothing, its users stay as manual ones, and for a day it can be undone."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from oauth2_provider.models import AccessToken

from licensing.models import LicenseGrant, VaultUser, VaultUserMembership
from licensing.services import reasons
from provisioning import tasks
from provisioning.models import (
    AuditEntry,
    ClientSecret,
    GroupLink,
    HeldChange,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    UserGroup,
)
from provisioning.services import configurations, deletion, totals
from provisioning.services.accounts import touch_accounts
from provisioning.services.deletion import Extent
from provisioning.services.pruning import prune_log
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_configuration,
    make_credentials,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)
from tests.licensing.people import MINUTE, NAMED, READ_ONLY, license_of, purchase, reconcile, remove_group

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)


def delete(configuration, at=NOON):
    return deletion.delete_configuration(configuration=configuration, actor=ACTOR, at=at)


def restore(configuration, at=NOON):
    return deletion.restore_configuration(configuration=configuration, actor=ACTOR, at=at)


class Place:
    """A configuration with a default, a group that gives more, and a link; ``ann`` is in the group, ``ben`` is not."""

    def __init__(self):
        self.subscription = make_subscription()
        purchase(self.subscription, named=9, read_only=9)
        self.configuration = make_configuration(self.subscription, "Entra", default_license_type=READ_ONLY)
        self.ann, self.ben = (make_account(self.configuration, name) for name in ("ann", "ben"))
        self.group = make_group(self.configuration, "Legal", members=[self.ann], license_type=NAMED)
        self.link = make_link(self.group, make_vault(self.subscription))
        self.work()

    def work(self, at=NOON):
        """Work as the workers do, with a vault that does at once what is wanted."""
        reconcile(self.subscription, now=at)
        VaultUser.objects.update(seen_enabled=F("wanted_enabled"))

    def target(self):
        rows = VaultUserMembership.objects.filter(target=self.link.target, wanted=True)
        return set(rows.values_list("vault_user__account_id", flat=True))

    def enabled(self):
        return set(VaultUser.objects.filter(wanted_enabled=True).values_list("account_id", flat=True))


@pytest.fixture
def place():
    return Place()


def token_of(client, credentials):
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.configuration.client_id,
        "client_secret": credentials.client_secret,
    }
    return client.post("/oauth/token", form)


def users_by(client, credentials, token):
    address = f"/scim/v2/{credentials.configuration.public_id}/Users"
    return client.get(address, headers={"authorization": f"Bearer {token}"})


def test_no_old_token_and_no_old_secret_opens_anything_any_more(client):
    credentials = make_credentials(at=timezone.now())
    token = token_of(client, credentials).json()["access_token"]
    assert users_by(client, credentials, token).status_code == 200

    delete(credentials.configuration, timezone.now())

    assert users_by(client, credentials, token).status_code == 401
    refused = token_of(client, credentials)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_what_was_given_out_at_the_last_moment_opens_nothing_either(client):
    credentials = make_credentials(at=timezone.now())
    token = token_of(client, credentials).json()["access_token"]

    # As when a token is being issued while the configuration is deleted: neither is revoked.
    ProvisioningConfiguration.objects.update(deleted_at=timezone.now())

    assert users_by(client, credentials, token).status_code == 401
    assert token_of(client, credentials).status_code == 401


def test_the_old_tokens_and_secrets_stay_revoked_when_it_is_undone(client):
    credentials = make_credentials(at=timezone.now())
    token = token_of(client, credentials).json()["access_token"]

    delete(credentials.configuration, timezone.now())
    restore(credentials.configuration, timezone.now())

    assert users_by(client, credentials, token).status_code == 401
    assert token_of(client, credentials).status_code == 401
    assert not AccessToken.objects.exists()
    assert not ClientSecret.objects.filter(revoked_at=None).exists()


def test_users_stay_as_manual_ones_with_the_default_as_their_own_type(place):
    assert delete(place.configuration) == Extent(users=2, groups=1, links=1)
    place.work()

    assert [license_of(one)[0] for one in (place.ann, place.ben)] == [READ_ONLY, READ_ONLY]
    assert set(LicenseGrant.objects.values_list("source_kind", flat=True)) == {"manual"}
    assert LoginAccount.objects.filter(is_enabled=True).count() == 2
    assert "Read only" in reasons.reason(place.ann, now=NOON).why


def test_targets_in_vaults_keep_their_members_and_vault_users_stay_for_good(place):
    kept = place.target(), place.enabled()
    assert kept == ({place.ann.pk}, {place.ann.pk})

    delete(place.configuration)
    place.work(NOON + DAY)
    assert (place.target(), place.enabled()) == kept

    deletion.purge(at=NOON + DAY)
    assert not VaultUserMembership.objects.exists()
    LicenseGrant.objects.update(pinned_type=NAMED)
    touch_accounts([place.ann.pk])
    place.work(NOON + DAY)
    assert place.enabled() == {place.ann.pk}


def test_undoing_brings_everything_back_but_what_was_gone_before(place):
    gone = make_group(place.configuration, "Old")
    remove_group(gone, at=NOON)
    still = make_link(make_group(place.configuration, "Paused"), place.link.target.vault)
    GroupLink.objects.filter(pk=still.pk).update(paused_at=NOON)
    place.work()
    before = state(place)

    delete(place.configuration, NOON + MINUTE)
    place.work(NOON + MINUTE)
    assert state(place) != before
    restore(place.configuration, NOON + DAY)
    place.work(NOON + DAY)

    assert state(place) == before


def state(place):
    return {
        "licenses": list(LicenseGrant.objects.order_by("pk").values_list("account_id", "granted_type", "source_kind")),
        "groups": list(UserGroup.objects.order_by("pk").values_list("pk", "deleted_at")),
        "links": list(GroupLink.objects.order_by("pk").values_list("pk", "paused_at")),
        "accounts": list(LoginAccount.objects.order_by("pk").values_list("pk", "configuration_id", "scim_id")),
        "totals": [totals.number_of(place.configuration, kind) for kind in (totals.USER, totals.GROUP)],
        "members": place.target(),
        "vault users": place.enabled(),
    }


def test_after_a_day_it_is_final(place):
    delete(place.configuration)

    with pytest.raises(deletion.DeletionFinal, match="Create a new configuration"):
        restore(place.configuration, NOON + DAY)
    assert deletion.purge(at=NOON + DAY - MINUTE) == 0
    assert LoginAccount.objects.filter(configuration=place.configuration).count() == 2


@pytest.mark.parametrize("looked_at", [True, False])
def test_once_it_is_final_licenses_are_as_before_and_the_name_is_free(place, looked_at):
    other = make_configuration(place.subscription, "Other", default_license_type=NAMED)
    cleo = make_account(other, "cleo")
    new = make_account(place.configuration, "new")
    if looked_at:
        place.work()
    delete(place.configuration)
    if looked_at:
        place.work()

    assert deletion.purge(at=NOON + DAY) == 1
    assert deletion.purge(at=NOON + DAY) == 0
    place.work(NOON + DAY)

    rows = LoginAccount.objects.exclude(pk=cleo.pk)
    assert set(rows.values_list("configuration_id", "scim_id")) == {(None, None)}
    assert set(LicenseGrant.objects.filter(account__in=rows).values_list("manual_type", flat=True)) == {READ_ONLY}
    assert [license_of(one)[0] for one in (place.ann, place.ben, new, cleo)] == [READ_ONLY, READ_ONLY, READ_ONLY, NAMED]
    assert not UserGroup.objects.exists()
    assert not GroupLink.objects.exists()
    assert make_configuration(place.subscription, "Entra").name == "Entra"
    assert LoginAccount.objects.get(pk=cleo.pk).configuration == other


def test_a_final_deletion_withdraws_what_was_held(place):
    HeldChange.objects.create(
        subscription=place.subscription,
        configuration=place.configuration,
        account=place.ann,
        kind=HeldChange.Kind.DISABLE,
        asked_at=NOON,
    )
    LoginAccount.objects.filter(pk=place.ann.pk).update(intended_active=False)
    delete(place.configuration)

    deletion.purge(at=NOON + DAY)

    assert HeldChange.objects.get().decision == HeldChange.Decision.WITHDRAWN
    assert LoginAccount.objects.get(pk=place.ann.pk).intended_active is None


def test_the_log_is_kept_as_long_as_any_and_then_the_last_row_goes(place):
    delete(place.configuration)
    deletion.purge(at=NOON + DAY)
    assert ProvisioningLogEntry.objects.filter(configuration=place.configuration).exists()
    assert ProvisioningConfiguration.objects.get().name == "Entra (deleted 2026-05-12 12:00:00)"

    prune_log(before=NOON + DAY)
    deletion.purge(at=NOON + 2 * DAY)

    assert not ProvisioningConfiguration.objects.exists()


def test_the_daily_task_makes_old_deletions_final(place):
    delete(place.configuration, timezone.now() - DAY)

    tasks.prune()

    assert not LoginAccount.objects.exclude(configuration=None).exists()


def test_both_deeds_are_audited_and_done_once(place):
    with pytest.raises(deletion.NotDeleted):
        restore(place.configuration)
    delete(place.configuration)
    with pytest.raises(configurations.ConfigurationDeleted):
        delete(place.configuration)
    restore(place.configuration)
    with pytest.raises(deletion.NotDeleted):
        restore(place.configuration)

    rows = AuditEntry.objects.filter(action__endswith="e configuration", target="Entra").order_by("pk")
    assert list(rows.values_list("action", "changes"))[1:] == [
        ("delete configuration", {"users": [2, 0], "groups": [1, 0]}),
        ("restore configuration", {}),
    ]


def test_a_purge_goes_on_where_it_was_interrupted(place, monkeypatch):
    delete(place.configuration)
    with monkeypatch.context() as patched:
        patched.setattr(deletion, "_CHUNK", 1)
        calls = []

        def fail_late(*words):
            calls.append(words)
            if len(calls) == 2:
                raise ZeroDivisionError
            return release(*words)

        release = deletion._release
        patched.setattr(deletion, "_release", fail_late)
        with pytest.raises(ZeroDivisionError):
            deletion.purge(at=NOON + DAY)
    assert LoginAccount.objects.filter(configuration=None).count() == 1

    deletion.purge(at=NOON + DAY)

    assert LoginAccount.objects.filter(configuration=None).count() == 2
    assert totals.number_of(place.configuration, totals.USER) == 0
    place.work(NOON + DAY)
    assert [license_of(one)[0] for one in (place.ann, place.ben)] == [READ_ONLY, READ_ONLY]
