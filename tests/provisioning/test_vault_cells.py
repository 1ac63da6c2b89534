"""Vaults in a file of users: what a cell asks for, what is refused, and what an import makes of it."""

import pytest

from licensing.models import VaultUser, VaultUserMembership
from provisioning import vault_cells
from provisioning.exports import csv_lines
from provisioning.models import AuditEntry, VaultAccess
from provisioning.permissions import ROLES, Permission
from provisioning.queries import accounts
from provisioning.queries.user_files import rows
from provisioning.services import user_imports, vault_access
from provisioning.user_rows import TITLES, Asked
from provisioning.vault_cells import Change, Standing
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_configuration,
    make_group,
    make_link,
    make_person,
    make_vault,
)
from tests.provisioning.deeds import LATER


@pytest.mark.parametrize(
    ("old", "new", "asked"),
    [
        ("A|B", "A|B", ([], [])),
        ("A|B", " b | a ", ([], [])),
        ("A|B", "", ([], [])),
        ("A|B", " | ", ([], [])),
        ("", "A", (["A"], [])),
        ("A", "A|B|b|", (["b"], [])),
        ("A|B", "B", ([], ["A"])),
        ("A|B", "B | C", (["C"], ["A"])),
    ],
)
def test_a_cell_asks_for_the_names_that_came_and_went(old, new, asked):
    assert vault_cells.change(old, new) == Change(*asked)


@pytest.mark.parametrize(
    ("asked", "reasons"),
    [
        (Change(["Archive"], ["Given"]), []),
        (Change(["Nowhere"], []), ["There is no vault “Nowhere”. Write the name as the list of vaults has it."]),
        (
            Change(["Blocked"], []),
            ["An admin disabled the user in “Blocked”. Enable the user there first, on the user's page."],
        ),
        (Change([], ["Linked"]), ["Links give access to “Linked”, which a file cannot take away. Leave the name."]),
        (Change([], ["Both"]), ["Links give access to “Both”, which a file cannot take away. Leave the name."]),
        (Change([], ["Kept"]), ["No admin gave the access to “Kept”, so a file cannot take it away. Leave the name."]),
    ],
)
def test_what_a_file_cannot_do_is_said_of_each_vault(asked, reasons):
    standing = Standing(given={"given", "both"}, blocked={"blocked"}, linked={"linked", "both"})
    vaults = {"archive", "given", "blocked", "linked", "both", "kept"}

    assert list(vault_cells.wrong(asked, standing, vaults)) == reasons


@pytest.fixture
def contoso(db):
    """Ann comes to Linked by a link and was given Given; Bob has nothing; there is an Archive."""
    configuration = make_configuration(name="Entra")
    subscription = configuration.subscription
    ann = make_account(configuration, "ann@contoso.example")
    make_person(subscription, "bob@contoso.example")
    made = {name: make_vault(subscription, name) for name in ("Linked", "Given", "Archive")}
    link = make_link(make_group(configuration, members=[ann]), made["Linked"])
    user = VaultUser.objects.create(
        subscription=subscription, vault=made["Linked"], account=ann, account_uid=ann.uid, seen_enabled=True
    )
    VaultUserMembership.objects.create(subscription=subscription, vault_user=user, target=link.target, wanted=True)
    vault_access.give_access(accounts=[ann], vault=made["Given"], actor=ACTOR, at=NOON)
    return subscription


def sheet(subscription):
    return {row.username: row for row in rows(accounts.internal_users(subscription, accounts.Wanted()))}


def upload(subscription, *cells):
    data = "".join(csv_lines(TITLES, cells)).encode()
    return user_imports.upload(subscription=subscription, file_name="users.csv", data=data, actor=ACTOR, at=NOON)


def applied(subscription, *cells):
    found = upload(subscription, *cells)
    user_imports.confirm(user_import=found, actor=ACTOR, at=LATER)
    user_imports.apply(import_id=found.pk, at=LATER)
    found.refresh_from_db()
    return found


def given(subscription):
    rows = VaultAccess.objects.filter(subscription=subscription, access="given").order_by("pk")
    return [(name, vault) for name, vault in rows.values_list("account__username", "vault__name")]


def test_export_and_import_without_a_change_is_nothing_to_import(contoso):
    before = sheet(contoso)

    assert before["ann@contoso.example"].vaults == "Given|Linked"
    with pytest.raises(user_imports.NothingToImport):
        upload(contoso, *before.values())


def test_names_added_give_access_and_names_taken_out_take_it_away(contoso):
    people = sheet(contoso)
    ann = people["ann@contoso.example"]._replace(vaults="linked | Archive")
    bob = people["bob@contoso.example"]._replace(vaults="Given|Archive")

    found = applied(contoso, ann, bob)

    assert found.outcome["refused"] == []
    assert sorted(given(contoso)) == [
        ("ann@contoso.example", "Archive"),
        ("bob@contoso.example", "Archive"),
        ("bob@contoso.example", "Given"),
    ]
    assert AuditEntry.objects.filter(action="give vault access", at=LATER).count() == 3
    assert AuditEntry.objects.filter(action="take vault access away", at=LATER).count() == 1
    with pytest.raises(user_imports.NothingToImport):
        upload(contoso, *sheet(contoso).values())


def test_a_new_user_is_given_vaults(contoso):
    new = sheet(contoso)["bob@contoso.example"]._replace(username="new", email="", state="Added", vaults="archive")

    applied(contoso, new)

    assert ("new", "Archive") in given(contoso)


def test_all_that_cannot_be_is_listed_with_line_and_column(contoso):
    people = sheet(contoso)
    ann = people["ann@contoso.example"]._replace(vaults="Given")
    bob = people["bob@contoso.example"]._replace(vaults="Nowhere|Archive")

    with pytest.raises(user_imports.FileFaulty) as caught:
        upload(contoso, ann, bob)

    assert [tuple(fault) for fault in caught.value.faults] == [
        (2, "Vaults", "Links give access to “Linked”, which a file cannot take away. Leave the name."),
        (3, "Vaults", "There is no vault “Nowhere”. Write the name as the list of vaults has it."),
    ]
    assert given(contoso) == [("ann@contoso.example", "Given")]


def test_a_vault_that_was_renamed_meanwhile_refuses_its_row_alone(contoso):
    people = sheet(contoso)
    ann = people["ann@contoso.example"]._replace(vaults="Given|Linked|Archive")
    found = upload(contoso, ann, people["bob@contoso.example"]._replace(full_name="Bob B"))
    contoso.vaults.filter(name="Archive").update(name="Attic")
    user_imports.confirm(user_import=found, actor=ACTOR, at=LATER)

    user_imports.apply(import_id=found.pk, at=LATER)

    found.refresh_from_db()
    assert [(one["line"], one["reason"]) for one in found.outcome["refused"]] == [
        (2, "There is no vault “Archive” any more. Give access to another one on the user's page.")
    ]
    assert sheet(contoso)["bob@contoso.example"].full_name == "Bob B"


def test_the_preview_counts_what_is_given_and_taken(contoso):
    people = sheet(contoso)
    found = upload(
        contoso,
        people["ann@contoso.example"]._replace(vaults="Linked|Archive"),
        people["bob@contoso.example"]._replace(vaults="Given|Archive"),
    )

    changes = [Asked.from_document(one).vaults for one in found.rows]

    assert changes == [Change(["Archive"], ["Given"]), Change(["Given", "Archive"], [])]


def test_whoever_may_import_users_may_change_vault_rights():
    """A file gives access to vaults, so the one permission must not go without the other."""
    for permissions in ROLES.values():
        assert Permission.CHANGE_USERS not in permissions or Permission.CHANGE_VAULT_RIGHTS in permissions
