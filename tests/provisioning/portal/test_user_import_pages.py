"""Users as a file in the portal: exported, edited, checked, previewed, confirmed (1-product §1.7)."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from licensing.reconcilers import licenses
from provisioning.exports import csv_lines
from provisioning.models import AuditEntry, LoginAccount, UserImport
from provisioning.services import user_imports
from provisioning.user_rows import TITLES, Cells
from tests.factories import NOON, make_admin, make_person, make_subscription, make_vault

Role = LoginAccount.Role


@pytest.fixture
def bob(contoso):
    return make_person(contoso.subscription, "bob@contoso.example", full_name="Bob Manual")


def text(answer):
    return answer.content.decode()


def exported(client, contoso, query=""):
    answer = client.get(contoso.url(f"users/users.csv{query}"))
    assert answer["Content-Disposition"] == 'attachment; filename="users.csv"'
    lines = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert next(lines) == list(TITLES)
    return {row.username: row for row in (Cells(*line) for line in lines)}


def send(client, contoso, *rows, name="users.csv"):
    data = "".join(csv_lines(TITLES, rows)).encode()
    return client.post(contoso.url("users/import/"), {"file": SimpleUploadedFile(name, data)})


def test_the_export_follows_the_filter_and_is_audited(contoso, admin, bob):
    assert set(exported(admin, contoso)) == {
        *("ann@contoso.example", "bo@contoso.example", "bob@contoso.example", "root@contoso.example")
    }
    assert set(exported(admin, contoso, "?q=bob&page=x&sort=name")) == {"bob@contoso.example"}
    taken = AuditEntry.objects.latest("id")
    assert (taken.action, taken.target, taken.changes) == ("export", "users", {"q": [None, "bob"]})
    assert "users.csv?q=bob" in text(admin.get(contoso.url("users/?q=bob&page=x")))


def test_exported_edited_previewed_confirmed(contoso, admin, bob):
    licenses.reconcile(contoso.subscription.pk, now=NOON)
    sheet = exported(admin, contoso)
    rows = [
        sheet["bob@contoso.example"]._replace(full_name="Bob <b>", state="Disabled"),
        sheet["ann@contoso.example"]._replace(license_type="No license"),
        sheet["bob@contoso.example"]._replace(username="new@contoso.example", state="Added"),
        sheet["root@contoso.example"],
    ]

    answer = send(admin, contoso, *rows)
    found = UserImport.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, contoso.url(f"users/import/{found.pk}/"))
    preview = text(admin.get(answer["Location"]))
    for words in ("Import users.csv?", "Nothing has changed yet", "Bob &lt;b&gt;", "Gain a license", "Import 3 rows"):
        assert words in preview
    assert not LoginAccount.objects.filter(username="new@contoso.example").exists()

    done = admin.post(f"{answer['Location']}confirm/", follow=True)
    again = admin.post(f"{answer['Location']}confirm/", follow=True)

    assert done.redirect_chain[-1] == (answer["Location"], 303)
    assert "3 rows worked through" in text(done)
    assert "Import 3 rows" not in text(done)
    assert "was confirmed already" in text(again)
    bob.refresh_from_db()
    assert (bob.full_name, bob.is_enabled) == ("Bob <b>", False)
    assert LoginAccount.objects.get(username="new@contoso.example").is_enabled
    assert contoso.ann.license_grant.pinned_type == 0


def test_the_preview_counts_the_vaults_that_are_given_and_taken_away(contoso, admin, bob):
    row = exported(admin, contoso)["bob@contoso.example"]._replace(vaults="contracts")
    url = send(admin, contoso, row)["Location"]

    assert "<dt>Access to vaults given</dt><dd>1</dd>" in text(admin.get(url))
    admin.post(f"{url}confirm/")
    assert exported(admin, contoso)["bob@contoso.example"].vaults == "Contracts"

    make_vault(contoso.subscription, "Archive")
    page = text(admin.get(send(admin, contoso, row._replace(vaults="Archive"))["Location"]))
    assert "<dt>Access to vaults taken away</dt><dd>1</dd>" in page


def test_the_preview_says_who_gains_and_waits(contoso, admin, bob):
    licenses.reconcile(contoso.subscription.pk, now=NOON)
    row = exported(admin, contoso)["bob@contoso.example"]._replace(license_type="Named")

    page = text(admin.get(send(admin, contoso, row)["Location"]))

    assert "waits for Named" in page


def test_all_faults_are_listed_and_nothing_is_kept(contoso, admin, bob):
    sheet = exported(admin, contoso)

    answer = send(
        admin,
        contoso,
        sheet["bob@contoso.example"]._replace(role="King", state="<i>"),
        sheet["ann@contoso.example"]._replace(state="Disabled"),
    )

    page = text(answer)
    assert answer.status_code == 422
    for words in (
        "2 lines of the file must be corrected first. Nothing was imported.",
        "“King” is not known.",
        "“&lt;i&gt;” is not known.",
        "“Contoso Entra ID” provisions the user and decides this. Leave “Enabled”.",
        "3 faults",
    ):
        assert words in page
    assert not UserImport.objects.exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "there is nothing where “Account type” belongs"),
        (b"\xff\xfe\x00", "The file is not UTF-8 text."),
        (",".join(TITLES).encode(), "The file changes nothing"),
        (b"x" * (20 * 1024 * 1024 + 1), "The file has more than 20 MB."),
    ],
)
def test_what_is_no_such_file_is_refused(data, sentence, contoso, admin):
    answer = admin.post(contoso.url("users/import/"), {"file": SimpleUploadedFile("x.csv", data)})

    assert (answer.status_code, sentence in text(answer)) == (422, True)


def test_no_file_at_all_is_said(contoso, admin):
    answer = admin.post(contoso.url("users/import/"), {})

    assert (answer.status_code, "Choose a file." in text(answer)) == (422, True)


def test_a_long_file_is_shown_in_parts_and_goes_on_by_itself(contoso, admin, bob):
    row = exported(admin, contoso)["bob@contoso.example"]
    url = send(admin, contoso, *(row._replace(username=f"u{n:03}@contoso.example", state="Added") for n in range(250)))[
        "Location"
    ]
    assert "u099" in text(admin.get(url))
    assert "u100" not in text(admin.get(url))
    assert "u249" in text(admin.get(f"{url}?part=3"))
    assert admin.get(f"{url}?part=99999999999999999999").status_code == 200

    page = text(admin.post(f"{url}confirm/", follow=True))
    assert "200 of 250 rows are done. The others follow by themselves" in page
    assert "hx-trigger" in page
    user_imports.apply(import_id=UserImport.objects.get().pk, at=NOON)

    page = text(admin.get(url))
    assert "250 rows worked through" in page
    assert 'hx-select="#outcome"' not in page


def test_what_could_not_be_done_is_listed(contoso, admin, bob):
    row = exported(admin, contoso)["bob@contoso.example"]._replace(username="new", state="Added")
    url = send(admin, contoso, row)["Location"]
    make_person(contoso.subscription, "NEW")

    page = text(admin.post(f"{url}confirm/", follow=True))

    assert "1 could not be done" in page
    assert "Another account has the username “new” already." in page


def test_imports_of_another_subscription_are_not_found(contoso, admin, sign_in, bob):
    send(admin, contoso, exported(admin, contoso)["bob@contoso.example"]._replace(info1="x"))
    elsewhere = make_subscription("Fabrikam")
    client = sign_in(make_admin(elsewhere))
    page = f"/s/{elsewhere.number}/users/import/{UserImport.objects.get().pk}/"

    assert client.get(page).status_code == 404
    assert client.post(f"{page}confirm/").status_code == 404
    assert UserImport.objects.get().outcome == {}


def test_an_access_admin_imports_nothing_about_admins_above(contoso, admin, sign_in):
    client = sign_in(make_admin(contoso.subscription, role=Role.ACCESS_ADMIN))
    row = exported(client, contoso)["root@contoso.example"]._replace(full_name="Other")

    answer = send(client, contoso, row)

    assert "Only a Subscription admin can change or appoint" in text(answer)
