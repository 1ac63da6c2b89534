"""Licenses on a user's page, and pinning a type to one user or many with its preview."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from licensing.models import LicenseGrant, VaultUser
from licensing.services import choices
from licensing.services.timeline import Step, steps
from licensing.vaultserver.faults import Faults
from provisioning.models import AuditEntry, DueAccount, LoginAccount
from provisioning.queries import account_pages
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_admin,
    make_configuration,
    make_group,
    make_link,
    make_subscription,
)
from tests.licensing.people import NAMED, NONE, READ_ONLY, disable, license_of, purchase, reconcile, remove

ANN, BOB = "ann@contoso.example", "bob@contoso.example"


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN, full_name="Ann Berg")


@pytest.fixture
def bob(world):
    return make_account(world.configuration, BOB, full_name="Bob Cole")


@pytest.fixture
def client(world):
    return signed_in(world.subscription)


def signed_in(subscription, role=LoginAccount.Role.ACCESS_ADMIN):
    client = Client()
    client.force_login(make_admin(subscription, role=role).user)
    return client


def get(client, world, path):
    return client.get(f"/s/{world.subscription.number}/{path}", secure=True)


def post(client, world, path, **data):
    return client.post(f"/s/{world.subscription.number}/{path}", data, secure=True, follow=True)


def form_of(content):
    """Return what the form that confirms would send."""
    confirm = content[content.index('<form class="actions" method="post"') :]
    data = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', confirm):
        data.setdefault(name, []).append(value)
    data.pop("csrfmiddlewaretoken", None)
    return data


def confirm(client, world, query):
    """Look at the preview and press its button, as a browser without scripts does."""
    data = form_of(get(client, world, f"licenses/pins/?{query}").content.decode())
    return post(client, world, "licenses/pins/", **data).content.decode()


def pinned(*accounts):
    grants = dict(LicenseGrant.objects.values_list("account_id", "pinned_type"))
    return [grants.get(account.pk) for account in accounts]


def test_selected_users_are_pinned_after_a_preview(world, client, ann, bob):
    purchase(world.subscription, named=1, read_only=20)
    world.sweep()

    preview = get(client, world, f"licenses/pins/?row={ann.pk}&row={bob.pk}&license_type=3").content.decode()
    assert "Pin a license type to 2 users" in preview
    assert "Read only → Named" in preview
    assert "waits for Named" in preview
    assert pinned(ann, bob) == [None, None]

    page = confirm(client, world, f"row={ann.pk}&row={bob.pk}&license_type=3")

    assert "The pin of 2 users is changed." in page
    assert pinned(ann, bob) == [NAMED, NAMED]
    reconcile(world.subscription)
    assert license_of(ann) == (NAMED, "")
    assert AuditEntry.objects.filter(action="pin license type", actor_kind="person").count() == 1


def test_all_that_the_filter_finds_are_pinned_and_the_filter_stays(world, client, ann, bob):
    disable(bob)

    listed = get(client, world, "users/?state=enabled&q=contoso&configuration=" + str(world.configuration.pk))
    assert "Pin license of all 1 found" in listed.content.decode()
    query = f"all=1&state=enabled&q=contoso&configuration={world.configuration.pk}"
    page = confirm(client, world, f"{query}&license_type=3")

    assert pinned(ann, bob) == [NAMED, None]
    assert "The pin of 1 user is changed." in page


def test_many_come_back_to_the_filtered_list(world, client, ann, bob):
    data = form_of(get(client, world, "licenses/pins/?all=1&q=contoso&license_type=1").content.decode())
    answer = client.post(f"/s/{world.subscription.number}/licenses/pins/", data, secure=True)

    assert answer.status_code == 303
    assert answer["Location"] == f"/s/{world.subscription.number}/users/?q=contoso"


def test_nothing_is_done_when_others_fit_the_filter_by_now(world, client, ann):
    data = form_of(get(client, world, "licenses/pins/?all=1&q=b&license_type=3").content.decode())
    bob = make_account(world.configuration, BOB)

    page = post(client, world, "licenses/pins/", **data).content.decode()

    assert "Other users fit the filter now" in page
    assert "waits for Named" in page
    assert pinned(ann, bob) == [None, None]


def test_a_pin_is_taken_away(world, client, ann):
    choices.pin(subscription=world.subscription, account_ids=[ann.pk], license_type=NAMED, actor=ACTOR, at=NOON)

    page = confirm(client, world, f"row={ann.pk}&license_type=none")

    assert pinned(ann) == [None]
    assert "Ann Berg" in page
    assert "The pin of 1 user is changed." in page


def test_the_page_asks_for_the_type_first(world, client, ann):
    page = get(client, world, f"licenses/pins/?row={ann.pk}").content.decode()

    assert "Pin a license type to Ann Berg" in page
    assert '<select name="license_type"' in page
    assert 'class="errors"' not in page
    assert "what it will do" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Nobody is selected."),
        ("row=x&row=-1&row=99999999999999999999", "Nobody is selected."),
        ("all=1&q=nobody-at-all", "Nobody is selected."),
        ("row={ann}&license_type=9", "There is no such license type."),
        ("row={ann}&license_type=", "Choose the license type to pin, or No pin."),
    ],
)
def test_bad_input_is_said_and_does_nothing(query, sentence, world, client, ann):
    query = query.format(ann=ann.pk)
    shown = get(client, world, f"licenses/pins/?{query}").content.decode()
    data = {name: [value] for name, _, value in (pair.partition("=") for pair in query.split("&")) if name}

    done = post(client, world, "licenses/pins/", **data).content.decode()

    assert sentence in shown
    assert sentence in done
    assert pinned(ann) == [None]


def test_removed_users_are_named_and_nothing_is_done(world, client, ann, bob):
    data = form_of(get(client, world, f"licenses/pins/?row={ann.pk}&row={bob.pk}&license_type=3").content.decode())
    remove(bob)

    shown = get(client, world, f"licenses/pins/?row={ann.pk}&row={bob.pk}&license_type=3").content.decode()
    done = post(client, world, "licenses/pins/", **data).content.decode()

    for page in (shown, done):
        assert f"“{BOB}” was removed by the identity provider." in page
        assert "what it will do" not in page
    assert pinned(ann, bob) == [None, None]


def test_too_many_are_refused_in_words(world, client, ann, bob, monkeypatch):
    monkeypatch.setattr(account_pages, "COUNT_LIMIT", 1)

    page = get(client, world, "licenses/pins/?all=1&license_type=3").content.decode()

    assert "At most 1 users can be changed at once. Narrow the filter first." in page
    assert "Pin license of all" not in get(client, world, "users/").content.decode()
    assert "Pin license of selected" in get(client, world, "users/").content.decode()


def test_another_subscriptions_users_are_never_chosen(world, ann):
    stranger = make_subscription()
    client = signed_in(stranger)
    path = f"/s/{stranger.number}/licenses/"

    assert "Nobody is selected" in client.get(f"{path}pins/?row={ann.pk}&license_type=3", secure=True).content.decode()
    for deed in ("resync", "type"):
        answer = client.post(f"{path}accounts/{ann.pk}/{deed}/", {"license_type": "3"}, secure=True)
        assert answer.status_code == 404


@pytest.mark.parametrize(("role", "status"), [("BILLING_ADMIN", 404), ("ACCESS_ADMIN", 200)])
def test_who_may_change_users_sees_and_does_it(world, ann, role, status):
    client = signed_in(world.subscription, LoginAccount.Role[role])

    assert get(client, world, f"licenses/pins/?row={ann.pk}").status_code == status
    assert post(client, world, f"licenses/accounts/{ann.pk}/resync/").status_code == status
    assert post(client, world, f"licenses/accounts/{ann.pk}/type/", license_type="3").status_code == status
    for path in ("users/", f"users/{ann.pk}/"):
        content = get(client, world, path).content.decode()
        assert ("licenses/pins/" in content, "Resync now" in content) == (
            status == 200,
            status == 200 and ann.pk in path_ids(path),
        )


def path_ids(path):
    return [int(part) for part in path.split("/") if part.isdecimal()]


def test_deeds_are_posts(world, client, ann):
    for deed in ("resync", "type"):
        assert get(client, world, f"licenses/accounts/{ann.pk}/{deed}/").status_code == 405


def test_resync_makes_the_user_due(world, client, ann):
    world.sweep()
    assert not DueAccount.objects.filter(account=ann).exists()

    page = post(client, world, f"licenses/accounts/{ann.pk}/resync/").content.decode()

    assert "Workers look at the license and the vaults of this user now." in page
    assert DueAccount.objects.filter(account=ann).exists()
    assert AuditEntry.objects.filter(action="resync account", target=ANN).exists()


def test_a_manual_user_gets_a_type_of_its_own(world, client):
    manual = make_admin(world.subscription, "manual@contoso.example")
    assert "License type of this manual user" in get(client, world, f"users/{manual.pk}/").content.decode()

    page = post(client, world, f"licenses/accounts/{manual.pk}/type/", license_type="1").content.decode()

    assert "The license type of this user is Read only." in page
    assert LicenseGrant.objects.get(account=manual).manual_type == READ_ONLY
    assert '<option value="1" selected>' in page
    wrong = post(client, world, f"licenses/accounts/{manual.pk}/type/", license_type="9").content.decode()
    assert "There is no such license type." in wrong


def test_a_provisioned_user_has_no_type_of_its_own(world, client, ann):
    assert "License type of this manual user" not in get(client, world, f"users/{ann.pk}/").content.decode()

    page = post(client, world, f"licenses/accounts/{ann.pk}/type/", license_type="3").content.decode()

    assert "came through a configuration" in page
    assert not LicenseGrant.objects.filter(account=ann, manual_type__isnull=False).exists()


def test_the_license_section_says_granted_wanted_place_and_pin(world, client, ann, bob):
    make_group(world.configuration, members=[ann, bob], license_type=NAMED)
    world.sweep()
    choices.pin(subscription=world.subscription, account_ids=[bob.pk], license_type=NAMED, actor=ACTOR, at=NOON)
    reconcile(world.subscription)

    facts = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)", get(client, world, f"users/{bob.pk}/").content.decode()))

    assert facts["Granted"].strip() == "No license"
    assert facts["Wanted"].strip() == "Named"
    assert facts["Place in the queue"] == "2 of 2"
    assert facts["Pinned"] == "Named"


def timeline(account, **how):
    return {step.title: step for step in steps(account, now=NOON, **how)}


def test_the_timeline_of_a_new_user_is_pending_after_its_groups(world, ann):
    group = make_group(world.configuration, "Legal", members=[ann])
    way = timeline(ann)

    assert list(way) == ["Request", "Matched", "Attributes", "Groups", "License", "Vaults"]
    assert way["Request"] == Step("Request", "done", "Create user, answered 201", "", NOON)
    assert way["Matched"].detail == "A new account."
    assert "Username" in way["Attributes"].detail
    assert way["Groups"] == Step("Groups", "done", "In 1 user group", "Legal", group.modified_at)
    assert (way["License"].state, way["Vaults"].state) == ("pending", "pending")


def test_the_timeline_ends_in_the_vault(world, ann):
    make_link(make_group(world.configuration, "Legal", members=[ann]), world.vault, "Lawyers")
    world.sweep()

    way = timeline(ann)

    assert (way["License"].state, way["License"].result, way["License"].at) == ("done", "Read only", NOON)
    assert way["Vault Contracts"].state == "done"
    assert way["Vault Contracts"].result == "Enabled"
    assert way["Vault Contracts"].detail == "In Lawyers. Linked from group Legal."


def test_the_timeline_says_what_waits_and_what_needs_a_person(world, ann):
    make_link(make_group(world.configuration, "Legal", members=[ann]), world.vault, "Lawyers")
    world.server.faults.general = Faults(refuse=frozenset({ANN}))
    world.sweep()
    assert timeline(ann)["Vault Contracts"].state == "stuck"

    VaultUser.objects.update(state="retrying", due_at=NOON + timedelta(hours=1), reason="Nobody answers.")
    choices.pin(subscription=world.subscription, account_ids=[ann.pk], license_type=NAMED, actor=ACTOR, at=NOON)
    assert timeline(ann)["License"].state == "pending"
    reconcile(world.subscription)

    way = timeline(ann)
    assert (way["License"].result, way["License"].state) == ("Waits for Named", "pending")
    assert (way["Vault Contracts"].state, "Nobody answers." in way["Vault Contracts"].detail) == ("pending", True)


def test_the_timeline_of_a_removed_and_of_a_manual_user(world, ann):
    remove(ann, at=NOON + timedelta(days=1))
    ann.refresh_from_db()
    manual = make_admin(world.subscription)

    assert timeline(ann)["Matched"] == Step(
        "Matched", "quiet", f"Removed by {world.configuration}", at=NOON + timedelta(days=1)
    )
    assert timeline(manual)["Request"].result == "Made by hand, without a provider"
    assert timeline(manual)["Matched"].result == "A manual account"
    assert timeline(manual)["Groups"].result == "In no user group"
    assert timeline(manual)["License"].state == "pending"


def test_who_may_not_see_the_log_sees_the_timeline_without_it(world, ann):
    content = get(signed_in(world.subscription, LoginAccount.Role.BILLING_ADMIN), world, f"users/{ann.pk}/")

    assert "Timeline" in content.content.decode()
    assert "answered 201" not in content.content.decode()


def test_a_users_page_costs_the_same_with_many_groups_and_vaults(world, client, ann):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert get(client, world, f"users/{ann.pk}/").status_code == 200
        return len(captured)

    make_link(make_group(world.configuration, members=[ann]), world.vault)
    world.sweep()
    few = cost()
    for _ in range(5):
        make_link(make_group(world.configuration, members=[ann]), world.vault)
    world.sweep()

    assert cost() == few


def test_a_preview_of_many_is_paged(world, client, ann, bob, monkeypatch):
    from licensing.views import previewing

    monkeypatch.setattr(previewing, "SHOWN", 1)
    other = make_configuration(world.subscription, default_license_type=NONE)
    make_account(other, "carl@contoso.example")
    world.sweep()

    first = get(client, world, "licenses/pins/?all=1&q=contoso.example&license_type=3").content.decode()
    onward = re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&")
    second = get(client, world, f"licenses/pins/{onward}").content.decode()

    table = re.compile(r'<td data-label="What changes">')
    assert len(table.findall(first)) == len(table.findall(second)) == 1
    assert form_of(second)["all"] == ["1"]
