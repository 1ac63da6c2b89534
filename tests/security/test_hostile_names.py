"""Names that others chose stay texts on every page."""

import re

import pytest

from provisioning.models import LoginAccount, ProvisioningConfiguration, Subscription, UserGroup, Vault
from tests.security.addresses import PEOPLE, address_of, ask, name_of
from tests.trust.routes import Route

ADMIN = LoginAccount.Role.SUBSCRIPTION_ADMIN
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7|add:7 }}{% now 'Y' %}"
RAW = re.compile(r"<script>alert\(1\)|<img src=x|[^{]\b14\b[^}]*\{%|onerror=alert\(2\)>(?!&)")


@pytest.fixture(scope="module")
def _named(world, django_db_blocker):
    """Give everything that has a name a hostile one."""
    with django_db_blocker.unblock():
        for model, field in (
            (Subscription, "name"),
            (LoginAccount, "full_name"),
            (LoginAccount, "info1"),
            (ProvisioningConfiguration, "name"),
            (UserGroup, "display_name"),
            (Vault, "name"),
        ):
            for number, row in enumerate(model.objects.all()):
                model.objects.filter(pk=row.pk).update(**{field: f"{HOSTILE}{number}"})


@pytest.fixture
def hostile(_named, tenant):
    return tenant


@pytest.mark.parametrize("route", PEOPLE, ids=name_of)
def test_what_others_wrote_stays_text(route: Route, hostile):
    answer = ask(hostile.browsers[ADMIN], "GET", address_of(route, hostile))
    if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        assert not RAW.search(answer.content.decode())


def test_the_hostile_names_are_shown(hostile):
    page = ask(hostile.browsers[ADMIN], "GET", hostile.contoso.url("users/")).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7|add:7 }}" in page
    assert RAW.search(f"<p>{HOSTILE}</p>")
