"""Who may open and change what of a vault."""

import pytest
from django.test import Client

from licensing.models import DriftReport, VaultUser
from provisioning.models import VaultAccess
from tests.factories import NOON, make_subscription
from tests.licensing.browsing import Role, signed_in


@pytest.mark.parametrize(
    ("path", "billing"),
    [
        ("{url}users/", 200),
        ("{url}drift/", 200),
        ("{url}drift/{report}/", 200),
        ("{url}users/{user}/disable/", 404),
        ("{url}remove/", 404),
        ("{vaults}create/", 404),
    ],
)
def test_who_may_open_which_page(world, link, url, path, billing):
    world.sweep()
    user = VaultUser.objects.earliest("pk")
    report = DriftReport.objects.create(subscription=world.subscription, vault=world.vault, started_at=NOON)
    page = path.format(url=url, vaults=f"/s/{world.subscription.number}/vaults/", user=user.pk, report=report.pk)

    assert signed_in(world.subscription, Role.BILLING_ADMIN).get(page).status_code == billing
    assert signed_in(world.subscription, Role.ACCESS_ADMIN).get(page).status_code == 200
    assert signed_in(make_subscription()).get(page).status_code == 404
    assert Client().get(page).status_code == 302


@pytest.mark.parametrize("path", ["{url}compare/", "{url}users/{user}/disable/", "{url}users/{user}/enable/"])
def test_who_may_not_change_rights_changes_nothing(world, link, url, path):
    world.sweep()
    page = path.format(url=url, user=VaultUser.objects.earliest("pk").pk)
    DriftReport.objects.all().delete()

    assert signed_in(world.subscription, Role.BILLING_ADMIN).post(page).status_code == 404
    assert not VaultAccess.objects.exists()
    assert not DriftReport.objects.exists()
