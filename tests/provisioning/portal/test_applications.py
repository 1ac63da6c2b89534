"""Application accounts in the portal: the pages, and who may use them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, LoginAccount, VaultAccess
from provisioning.queries import pages
from tests.factories import make_admin, make_application, make_person, make_vault

Role = LoginAccount.Role
NEW = {"name": "Scanner of Berlin", "client_id": "scanner-1", "license_type": int(LicenseType.NAMED)}


@pytest.fixture
def scanner(contoso):
    return make_application(contoso.subscription, "scanner", name="Scanner")


def text(answer):
    return answer.content.decode()


def fresh(account):
    return LoginAccount.objects.get(pk=account.pk)


def test_one_is_created_with_license_and_vaults_and_shown(contoso, admin):
    archive = make_vault(contoso.subscription, "Archive")
    form = text(admin.get(contoso.url("applications/create/")))
    assert all(word in form for word in ("Create application account", "Contracts", "Archive", "Client ID"))

    answer = admin.post(contoso.url("applications/create/"), {**NEW, "vaults": [archive.pk]})

    made = LoginAccount.objects.get(username_key="scanner-1")
    assert (answer.status_code, answer["Location"]) == (303, contoso.url(f"applications/{made.pk}/"))
    assert (made.kind, made.full_name, made.license_grant.manual_type) == (
        "application",
        "Scanner of Berlin",
        LicenseType.NAMED,
    )
    assert list(VaultAccess.objects.values_list("account", "vault", "access")) == [(made.pk, archive.pk, "given")]
    acts = AuditEntry.objects.order_by("-id")[:3]
    assert [act.action for act in acts] == ["give vault access", "choose license type", "create application account"]
    assert {act.actor_name for act in acts} == {"root@contoso.example"}
    shown = text(admin.get(answer["Location"]))
    assert all(word in shown for word in ("Scanner of Berlin is added.", "scanner-1", "Timeline"))
    assert "Pin a license type" not in shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "An application account needs a name."),
        ({"client_id": ""}, "An application account needs a client ID."),
        ({"client_id": "ANN@contoso.example"}, "the client ID or username “ANN@contoso.example” already"),
        ({"license_type": "9"}, "Select a valid choice"),
        ({"vaults": ["999999"]}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_stands_in_the_form_and_nothing_is_made(fields, sentence, contoso, admin):
    before = LoginAccount.objects.count(), AuditEntry.objects.count()

    answer = admin.post(contoso.url("applications/create/"), {**NEW, **fields})

    assert (answer.status_code, sentence in text(answer)) == (422, True)
    assert 'value="Scanner of Berlin"' in text(answer) or fields == {"name": ""}
    assert (LoginAccount.objects.count(), AuditEntry.objects.count()) == before


def test_one_is_edited(contoso, admin, scanner):
    url = contoso.url(f"applications/{scanner.pk}/edit/")
    assert 'value="scanner"' in text(admin.get(url))

    taken = admin.post(url, {"name": "Other", "client_id": "bo@contoso.example"})
    answer = admin.post(url, {"name": "Other", "client_id": "other"})

    assert (taken.status_code, "bo@contoso.example” already" in text(taken)) == (422, True)
    assert (answer.status_code, fresh(scanner).full_name, fresh(scanner).username) == (303, "Other", "other")


def test_disabled_enabled_and_deleted_after_typing_the_client_id(contoso, admin, scanner):
    page = contoso.url(f"applications/{scanner.pk}/")

    assert "Disable it first, then delete." in text(admin.get(f"{page}delete/"))
    early = admin.post(f"{page}delete/", {"confirmation": "scanner"}, follow=True)
    assert "is enabled. Disable the application account first" in text(early)
    assert "Workers disable it in its vaults" in text(admin.post(f"{page}disable/", follow=True))
    assert not fresh(scanner).is_enabled
    assert "asks for a license again" in text(admin.post(f"{page}enable/", follow=True))
    assert fresh(scanner).is_enabled
    admin.post(f"{page}disable/")
    wrong = admin.post(f"{page}delete/", {"confirmation": "scan"})
    assert (wrong.status_code, "That is not the client ID of this account." in text(wrong)) == (422, True)
    done = admin.post(f"{page}delete/", {"confirmation": "SCANNER"}, follow=True)

    assert "Scanner is deleted." in text(done)
    assert admin.get(page).status_code == 404


def test_who_may_change_users_does_and_others_see_only(contoso, sign_in, scanner):
    billing = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))
    access = sign_in(make_admin(contoso.subscription, role=Role.ACCESS_ADMIN))
    page = contoso.url(f"applications/{scanner.pk}/")

    for url in (contoso.url("applications/"), page):
        seen = text(billing.get(url))
        assert "Scanner" in seen
        assert not any(word in seen for word in ("Create application", "edit/", "disable/"))
        assert any(word in text(access.get(url)) for word in ("Create application", "disable/"))
    for path in ("create/", f"{scanner.pk}/edit/", f"{scanner.pk}/delete/"):
        url = contoso.url(f"applications/{path}")
        assert (billing.get(url).status_code, access.get(url).status_code) == (404, 200)
    assert billing.post(f"{page}disable/").status_code == 404
    assert access.get(f"{page}disable/").status_code == 405
    assert fresh(scanner).is_enabled


def test_persons_and_applications_have_pages_of_their_own(contoso, admin, scanner):
    answer = admin.get(contoso.url(f"users/{scanner.pk}/"))

    assert (answer.status_code, answer["Location"]) == (302, contoso.url(f"applications/{scanner.pk}/"))
    for path in (
        f"applications/{contoso.ann.pk}/",
        f"applications/{contoso.ann.pk}/edit/",
        f"users/{scanner.pk}/edit/",
    ):
        assert admin.get(contoso.url(path)).status_code == 404
    assert "Scanner" not in text(admin.get(contoso.url("users/")))
    assert "scanner" not in b"".join(admin.get(contoso.url("users/users.csv"))).decode()
    assert "Ann Ångström" not in text(admin.get(contoso.url("applications/")))


def test_the_list_is_searched_paged_and_says_when_it_is_empty(contoso, admin, monkeypatch):
    contoso.archiver.delete()
    assert "No application accounts yet" in text(admin.get(contoso.url("applications/")))
    for number in range(3):
        make_application(contoso.subscription, f"machine-{number}", name=f"Scanner {number}")
    monkeypatch.setattr(pages.fetch, "__kwdefaults__", {**pages.fetch.__kwdefaults__, "size": 2})

    first = text(admin.get(contoso.url("applications/")))

    assert "3 application accounts" in first
    assert ("Scanner 1" in first, "Scanner 2" in first, "Next page" in first) == (True, False, True)
    found = text(admin.get(contoso.url("applications/?q=MACHINE-2")))
    assert ("Scanner 2" in found, "Scanner 1" in found) == (True, False)
    assert "None fits" in text(admin.get(contoso.url("applications/?q=nothing")))


def test_the_list_costs_the_same_for_many(contoso, admin):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(contoso.url("applications/")).status_code == 200
        return len(captured)

    make_application(contoso.subscription)
    cost()
    few = cost()
    for _ in range(20):
        make_application(contoso.subscription)
        make_person(contoso.subscription)

    assert cost() == few <= 4 + 4
