"""The admin API and page, which stand for M-Files Admin."""

import html
import re

import httpx
import pytest

from licensing.vaultserver.faults import Faults
from tests.licensing.vaultserver.conftest import TOKEN
from tests.licensing.vaultserver.people import key, put_people, user


@pytest.fixture
def person(url):
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        yield client


def done(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer):
    return (answer.status_code, answer.json()["code"])


def delete(person, path):
    return person.delete(path, headers={"Content-Type": "application/json"})


def test_a_vault_is_made_changed_and_destroyed(person, http_agent):
    guid = done(person.post("/admin/vaults", json={"name": "Contracts"}))["guid"]
    done(person.patch(f"/admin/vaults/{guid}", json={"user_synchronization": True, "figures": {"objects": 7}}))

    info = http_agent.get_vault(guid)

    assert (info.name, info.user_synchronization, info.figures.objects, info.online) == ("Contracts", True, 7, True)
    done(delete(person, f"/admin/vaults/{guid}"))
    assert http_agent.list_vaults() == ()


def test_a_vault_can_be_made_under_a_given_guid(person):
    guid = "c840be1a-5b47-4ac0-8ef7-835c166c8e24"

    assert done(person.post("/admin/vaults", json={"name": "Contracts", "vault": guid}))["guid"] == guid


def test_a_user_is_disabled_enabled_and_deleted_by_name(person, http_agent, vault):
    (anna,) = put_people(http_agent, vault, "anna@contoso.com")
    path = f"/admin/vaults/{vault}/users/anna@contoso.com"

    done(person.patch(path, json={"enabled": False}))
    assert user(http_agent, vault, anna).disabled_by_person
    done(person.patch(path, json={"enabled": True, "roles": 1}))
    assert user(http_agent, vault, anna).roles == 1 | 1024
    assert not user(http_agent, vault, anna).disabled_by_person
    done(delete(person, path))
    assert user(http_agent, vault, anna).deleted
    done(person.post(f"/admin/vaults/{vault}/users", json={"username": "anna@contoso.com"}))
    assert not user(http_agent, vault, anna).deleted


def test_a_user_is_added_with_a_new_login_account(person, http_agent, vault):
    made = done(person.post(f"/admin/vaults/{vault}/users", json={"username": "guest", "internal": False}))

    assert (made["username"], made["internal"], made["key"]) == ("guest", False, f"user:{made['id']}")
    assert [one.username for one in http_agent.list_login_accounts(vault).items] == ["guest"]


def test_a_login_account_is_added_renamed_and_deleted(person, http_agent, vault):
    done(person.post("/admin/login-accounts", json={"username": "guest", "license_type": "read-only"}))
    assert refused(person.post("/admin/login-accounts", json={"username": "GUEST"})) == (409, "username_taken")
    done(person.post("/admin/login-accounts", json={"username": "other"}))
    assert refused(person.patch("/admin/login-accounts/guest", json={"username": "other"})) == (409, "username_taken")

    changed = done(person.patch("/admin/login-accounts/guest", json={"username": "Visitor", "license_type": "named"}))

    assert (changed["username"], changed["license_type"]) == ("Visitor", "named")
    done(delete(person, "/admin/login-accounts/visitor"))
    assert [one.username for one in http_agent.list_login_accounts(vault).items] == ["other"]
    assert refused(delete(person, "/admin/login-accounts/visitor")) == (404, "account_not_found")


def test_groups_are_added_renamed_filled_and_deleted(person, http_agent, vault):
    (anna,) = put_people(http_agent, vault, "anna")
    groups = f"/admin/vaults/{vault}/groups"
    outer = done(person.post(groups, json={"name": "Legal"}))["id"]
    inner = done(person.post(groups, json={"name": "Lawyers"}))["id"]
    done(person.patch(f"{groups}/{inner}", json={"name": "LAWYERS", "visible": False}))
    added = done(person.post(f"{groups}/{outer}/members", json={"add": [anna.uid, f"group:{inner}"]}))

    assert [one["outcome"] for one in added] == ["added", "added"]
    assert [(one.name, one.visible) for one in http_agent.list_groups(vault)][3:] == [("LAWYERS", False)]
    done(delete(person, f"{groups}/{inner}"))
    assert [one.key for one in http_agent.list_group_members(vault, outer).items] == [anna.uid]
    assert [one.name for one in http_agent.list_groups(vault)][2:] == ["Legal"]


def test_built_in_groups_and_taken_names_are_refused(person, vault):
    groups = f"/admin/vaults/{vault}/groups"
    done(person.post(groups, json={"name": "Legal"}))

    assert refused(person.post(groups, json={"name": "legal"})) == (400, "invalid_request")
    assert refused(person.patch(f"{groups}/101", json={"name": "All internal users"})) == (400, "invalid_request")
    assert refused(delete(person, f"{groups}/1")) == (409, "group_built_in")
    assert refused(person.patch(f"{groups}/2", json={"name": "x"})) == (409, "group_built_in")


def test_a_person_may_edit_while_user_synchronization_is_on(person, http_agent, vault):
    group = http_agent.ensure_group(vault, "Legal", idempotency_key=key())
    (anna,) = put_people(http_agent, vault, "anna")
    done(person.patch(f"/admin/vaults/{vault}", json={"user_synchronization": True}))

    done(person.post(f"/admin/vaults/{vault}/groups/{group.id}/members", json={"add": [anna.uid]}))

    assert [one.key for one in http_agent.list_group_members(vault, group.id).items] == [anna.uid]


def test_faults_are_switched_on_and_off(person, server, vault):
    done(person.put("/admin/faults", json={"error": 0.5}))
    done(person.put("/admin/faults", json={"vault": vault, "down": True}))

    assert (server.faults.of(None), server.faults.of(vault)) == (Faults(error=0.5), Faults(down=True))
    done(person.put("/admin/faults", json={}))
    assert (server.faults.of(None), server.faults.of(vault)) == (Faults(), Faults())
    assert refused(person.put("/admin/faults", json={"error": 5})) == (400, "invalid_request")


def test_a_backup_is_made_and_restored(person, http_agent, vault):
    headers = {"Content-Type": "application/json"}
    done(person.post("/admin/backups/monday", headers=headers))
    put_people(http_agent, vault, "anna")
    done(person.post("/admin/backups/monday/restore", headers=headers))

    assert http_agent.list_vault_users(vault).items == ()
    assert refused(person.post("/admin/backups/never/restore", headers=headers)) == (404, "not_found")
    assert refused(person.post("/admin/backups/a.b", headers=headers)) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["users/nobody", "users/user:99"])
def test_an_unknown_user_is_refused(person, vault, path):
    assert refused(person.patch(f"/admin/vaults/{vault}/{path}", json={})) == (404, "user_not_found")


def test_the_page_shows_vaults_users_and_groups(person, http_agent, server, vault):
    put_people(http_agent, vault, "<anna>")
    done(person.patch(f"/admin/vaults/{vault}", json={"name": "Contracts & more"}))

    assert "Contracts &amp; more" in person.get("/").text
    page = person.get("/", params={"vault": vault}).text
    assert "&lt;anna&gt;" in page
    assert "<anna>" not in page
    assert "All internal users (built-in)" in page


def test_the_page_shows_detached_and_deleted_users(person, http_agent, vault):
    (anna,) = put_people(http_agent, vault, "anna")
    put_people(http_agent, vault, "bert")
    http_agent.remove_login_accounts(vault, [anna.uid], idempotency_key=key())
    done(delete(person, f"/admin/vaults/{vault}/users/bert"))

    page = person.get("/", params={"vault": vault}).text

    assert "(detached)" in page
    assert "deleted" in page


def test_the_page_shows_the_faults_and_switches_them(person, server):
    done(person.put("/admin/faults", json={"error": 0.25, "refuse": ["<anna>"]}))

    page = person.get("/").text

    assert "0.25" in page
    assert "&lt;anna&gt;" in page
    (none,) = [one for one in buttons(page) if one["label"] == "None"]
    done(press(person, none))
    assert server.faults.general == Faults()


def test_every_button_of_the_page_does_what_the_admin_api_can(person, http_agent, vault):
    put_people(http_agent, vault, "anna", "bert")
    http_agent.ensure_group(vault, "Legal", idempotency_key=key())
    done(delete(person, f"/admin/vaults/{vault}/users/bert"))

    pressed = set()
    for path in (f"/?vault={vault}", "/"):
        for button in sorted(buttons(person.get(path).text), key=lambda one: one["label"] == "Restore"):
            done(press(person, button))
            pressed.add(button["label"])

    assert pressed >= {"yes", "no", "Delete", "Undelete", "Add user", "Add user group", "Rename vault", "Add", "Down"}
    assert http_agent.get_vault(vault).name == "monday"


def buttons(page):
    """Return the buttons of a page as the script sees them."""
    found = re.findall(r"<button ([^>]*)>([^<]*)</button>", page)
    return [dict(re.findall(r'data-(\w+)="([^"]*)"', data)) | {"label": label} for data, label in found]


def press(person, button):
    """Send what the script sends; who is asked answers with one name."""
    path, body = (html.unescape(button[name]).replace("ANSWER", "monday") for name in ("path", "body"))
    return person.request(button["method"], path, content=body, headers={"Content-Type": "application/json"})


def test_the_page_of_an_unknown_vault_is_not_found(person):
    assert person.get("/", params={"vault": "nowhere"}).status_code == 404
