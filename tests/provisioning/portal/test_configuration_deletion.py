"""Deleting a configuration and changing its default license type: previewed, confirmed, told and undone."""

import io
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from licensing.models import LicenseGrant
from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, LoginAccount, ProvisioningConfiguration
from provisioning.services import deletion
from tests.commandline import manage
from tests.factories import ACTOR, make_account, make_admin, make_configuration, make_group, make_subscription
from tests.licensing.people import purchase, reconcile

NAME = "Contoso Entra ID"


@pytest.fixture
def page(contoso):
    pk = contoso.configuration.pk
    return lambda name: contoso.url(f"provisioning/configurations/{pk}/{name}/")


@pytest.fixture
def people(contoso):
    """Two users who have Named from a group, and somebody who has Read only by default."""
    purchase(contoso.subscription, named=9, read_only=50)
    ProvisioningConfiguration.objects.update(default_license_type=LicenseType.READ_ONLY)
    make_account(contoso.configuration, "cleo")
    members = [make_account(contoso.configuration, name) for name in ("ann", "ben")]
    make_group(contoso.configuration, "Named ones", members=members, license_type=LicenseType.NAMED)
    reconcile(contoso.subscription, now=timezone.now())
    return members


def now(contoso):
    return ProvisioningConfiguration.objects.get(pk=contoso.configuration.pk)


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def test_the_page_says_what_goes_and_what_stays_and_who_loses(contoso, admin, page, people):
    users = LoginAccount.objects.filter(configuration=contoso.configuration).count()

    text = words(admin.get(page("delete")))

    assert f"{users} stay as manual users; their own license type is Read only" in text
    assert "the groups in the vaults keep their members" in text
    assert all(f"{one.username} Named → Read only" in text for one in people)
    assert now(contoso).deleted_at is None


@pytest.mark.parametrize(("typed", "said"), [("", "Type the name"), ("contoso entra id", "letter for letter")])
def test_without_the_right_name_nothing_happens(contoso, admin, page, typed, said):
    answer = admin.post(page("delete"), {"name": typed})

    assert answer.status_code == 422
    assert said in words(answer)
    assert now(contoso).deleted_at is None


def test_a_deleted_one_is_listed_as_such_and_can_be_undone(contoso, admin, page):
    answer = admin.post(page("delete"), {"name": NAME}, follow=True)

    assert "no old secret or token opens anything any more" in words(answer)
    assert page("restore") in answer.content.decode()
    assert "Can be undone until" in words(answer)
    assert admin.get(contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/")).status_code == 404
    assert AuditEntry.objects.latest("id").actor_name == "root@contoso.example"

    back = admin.post(page("restore"), follow=True)

    assert "the identity provider needs a new one" in words(back)
    assert "It has no valid client secret" in words(back)
    assert now(contoso).deleted_at is None
    assert page("restore") not in admin.get(contoso.url("provisioning/configurations/")).content.decode()


def test_a_second_click_is_told_what_has_happened(contoso, admin, page):
    admin.post(page("delete"), {"name": NAME})

    assert "is deleted already" in words(admin.post(page("delete"), {"name": NAME}, follow=True))
    admin.post(page("restore"))
    assert "is not deleted" in words(admin.post(page("restore"), follow=True))


def test_after_a_day_it_is_not_listed_and_cannot_be_undone(contoso, admin, page):
    long_ago = timezone.now() - timedelta(hours=25)
    deletion.delete_configuration(configuration=contoso.configuration, actor=ACTOR, at=long_ago)

    assert NAME not in words(admin.get(contoso.url("provisioning/configurations/")))
    assert "which is final" in words(admin.post(page("restore"), follow=True))


def test_home_speaks_of_live_configurations_only(contoso, admin):
    assert "No provisioning configuration yet" not in words(admin.get(contoso.url("")))

    deletion.delete_configuration(configuration=contoso.configuration, actor=ACTOR, at=timezone.now())

    assert "No provisioning configuration yet" in words(admin.get(contoso.url("")))


def test_the_default_license_type_is_changed_after_a_preview(contoso, admin, page, people):
    settings = admin.get(page("settings")).content.decode()
    assert page("license") in settings

    text = words(admin.get(page("license"), {"license_type": int(LicenseType.NONE)}))
    assert "Now Read only Then No license" in text
    assert "cleo Read only → No license" in text
    assert now(contoso).default_license_type == LicenseType.READ_ONLY

    answer = admin.post(page("license"), {"license_type": int(LicenseType.NONE)}, follow=True)
    assert "The default license type of Contoso Entra ID is No license." in words(answer)
    reconcile(contoso.subscription, now=timezone.now())
    assert not LicenseGrant.objects.filter(granted_type=LicenseType.READ_ONLY).exists()
    entry = AuditEntry.objects.latest("id")
    assert entry.action == "set default license type of configuration"
    assert entry.changes == {"default_license_type": ["read-only", "none"]}


@pytest.mark.parametrize(
    ("word", "said"), [("7", "“7” is not a license type"), ("x", "“x” is not a license type"), ("", "Choose a license")]
)
def test_a_type_that_does_not_exist_is_refused_with_a_sentence(contoso, admin, page, word, said):
    before = now(contoso).default_license_type

    for ask in (admin.get, admin.post):
        answer = ask(page("license"), {"license_type": word})
        assert answer.status_code == 422
        assert said in words(answer)

    assert now(contoso).default_license_type == before


def test_the_type_that_holds_already_is_no_deed(contoso, admin, page):
    generation, before = now(contoso).generation, AuditEntry.objects.count()

    admin.post(page("license"), {"license_type": now(contoso).default_license_type})

    assert (now(contoso).generation, AuditEntry.objects.count()) == (generation, before)


@pytest.mark.parametrize("name", ["delete", "license", "restore"])
def test_a_billing_admin_and_a_stranger_do_nothing(contoso, sign_in, page, name):
    billing = make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN)
    before = now(contoso).default_license_type
    for account in (billing, make_admin(make_subscription("Fabrikam"))):
        client = sign_in(account)
        assert client.post(page(name), {"name": NAME, "license_type": 0}).status_code == 404
        assert client.get(page(name), {"license_type": 0}).status_code in {404, 405}

    assert (now(contoso).deleted_at, now(contoso).default_license_type) == (None, before)


@pytest.fixture
def entra(transactional_db):
    configuration = make_configuration(make_subscription("Contoso"), "Entra")
    make_account(configuration, "ann")
    return configuration


def test_an_operator_deletes_and_undoes(entra, capsys):
    preview = manage(capsys, "deleteconfiguration", "Entra", "--dry-run", "--json")
    assert preview.document["users"] == 1
    assert preview.document.keys() >= {"groups", "links", "gain", "lose", "wait", "accounts"}
    assert manage(capsys, "deleteconfiguration", "Entra", "--yes", "--json").document["undo_until"]
    entra.refresh_from_db()
    assert entra.deleted_at is not None

    again = manage(capsys, "deleteconfiguration", "Entra", "--yes")
    assert (again.code, "is deleted" in again.err) == (1, True)
    assert manage(capsys, "setdefaultlicense", "Entra", "named").code == 1
    assert "needs a new one" in manage(capsys, "deleteconfiguration", "Entra", "--undo").out
    assert manage(capsys, "deleteconfiguration", "Entra", "--undo").code == 1
    entra.refresh_from_db()
    assert entra.deleted_at is None


def test_without_a_terminal_an_operator_must_say_yes(entra, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    answer = manage(capsys, "deleteconfiguration", "Entra")

    assert (answer.code, "--yes" in answer.err) == (1, True)


@pytest.mark.parametrize(("typed", "code"), [("Entra", 0), ("entra", 1)])
def test_at_a_terminal_the_name_is_typed(entra, capsys, monkeypatch, typed, code):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda: typed)

    assert manage(capsys, "deleteconfiguration", "Entra").code == code

    entra.refresh_from_db()
    assert (entra.deleted_at is None) == bool(code)


def test_an_operator_sets_the_default_license_type(entra, capsys):
    assert manage(capsys, "setdefaultlicense", "Entra", "named", "--dry-run", "--json").document["wait"] == 1
    assert manage(capsys, "setdefaultlicense", "Entra", "platinum").code == 2
    entra.refresh_from_db()
    assert entra.default_license_type == LicenseType.READ_ONLY

    document = manage(capsys, "setdefaultlicense", "Entra", "named", "--json").document

    assert document == {"configuration": "Entra", "default_license_type": "named"}
    entra.refresh_from_db()
    assert entra.default_license_type == LicenseType.NAMED
