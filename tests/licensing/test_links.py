"""What admins do with links, and what becomes of a deleted source, against a real emulated vault server over HTTP."""

from datetime import timedelta

import pytest

from licensing import portal
from licensing.models import VaultUser, VaultUserMembership
from licensing.services import link_states
from licensing.services.differences import differences
from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from provisioning.models import AuditEntry, GroupLink, ProvisioningLogEntry, VaultUserGroup
from provisioning.services import links
from provisioning.services.links import Members
from tests.factories import ACTOR, NOON, make_account, make_configuration, make_group, make_link, make_subscription
from tests.licensing.people import DAY, MINUTE, NAMED, change_members, purchase, reconcile, remove_group

ANN, BOB, EVE = "ann@contoso.example", "bob@contoso.example", "eve@contoso.example"
MERGE, REPLACE = GroupLink.Mode.MERGE, GroupLink.Mode.REPLACE
HOUR = timedelta(hours=1)
DONE = {"actor": ACTOR, "at": NOON}


@pytest.fixture
def ann(world):
    return make_account(world.configuration, ANN)


@pytest.fixture
def bob(world):
    return make_account(world.configuration, BOB)


@pytest.fixture
def group(world, ann, bob):
    return make_group(world.configuration, "Legal", members=[ann, bob], external_id="object-1")


@pytest.fixture
def link(world, group):
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    return link


def state(link):
    found = link_states.views([link.pk])[link.pk]
    return str(found.state), found.progress, found.reason


def put_stranger(world, group="Lawyers"):
    """Put Eve into a user group of the vault, as a person does in M-Files Admin."""
    eve = admin.add_user(world.server, world.guid, EVE)
    (found,) = (one for one in world.server.list_groups(world.guid) if one.name == group)
    admin.change_members(world.server, world.guid, found.id, add=[eve.key])


def test_a_paused_link_leaves_members_as_they_are_and_catches_up_when_resumed(world, link, group, ann):
    links.pause_link(link=link, **DONE)
    new = make_account(world.configuration, "new@contoso.example")
    change_members(group, add=[new], remove=[ann])
    world.sweep()
    assert world.members("Lawyers") == {ANN, BOB}
    assert state(link) == ("paused", "", "")

    links.resume_link(link=link, **DONE)
    world.sweep()

    assert world.members("Lawyers") == {BOB, new.username}
    assert world.users() == {ANN: False, BOB: True, new.username: True}
    assert state(link) == ("in sync", "", "")


def test_another_mode_removes_the_others_from_the_target(world, group):
    link = make_link(group, world.vault, "Lawyers", mode=MERGE)
    world.sweep()
    put_stranger(world)
    links.set_mode(link=link, mode=MERGE, **DONE)
    world.sweep()
    assert world.members("Lawyers") == {ANN, BOB, EVE}

    links.set_mode(link=link, mode=REPLACE, **DONE)
    world.sweep()

    assert world.members("Lawyers") == {ANN, BOB}
    assert [(one.action, one.changes) for one in AuditEntry.objects.filter(action="change mode of link")] == [
        ("change mode of link", {"mode": ["merge", "replace"]})
    ]


def test_a_link_that_follows_another_source_exchanges_its_members(world, link, bob):
    cyd = make_account(world.configuration, "cyd@contoso.example")
    other = make_group(world.configuration, "Finance", members=[bob, cyd])

    links.move_link(link=link, group=other, **DONE)
    world.sweep()

    assert world.members("Lawyers") == {BOB, cyd.username}
    assert world.users() == {ANN: False, BOB: True, cyd.username: True}
    assert AuditEntry.objects.get(action="change source of link").changes == {"group": ["Legal", "Finance"]}


@pytest.mark.parametrize("mode", [REPLACE, MERGE])
def test_members_of_a_removed_link_leave_and_then_the_link_goes(world, group, mode):
    link = make_link(group, world.vault, "Lawyers", mode=mode)
    world.sweep()
    put_stranger(world)

    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    assert state(link) == ("synchronizing", "2 to go", "Being removed: its members leave")
    assert differences(subscription=world.subscription, now=NOON)["endings"] == 1
    world.sweep()

    assert world.members("Lawyers") == {EVE}
    assert world.users() == {ANN: False, BOB: False, EVE: True}
    assert not GroupLink.objects.exists()
    assert not VaultUserMembership.objects.exists()
    assert differences(subscription=world.subscription, now=NOON) == {}


def test_members_of_a_removed_link_stay_if_that_is_chosen(world, link, ann):
    links.remove_link(link=link, members=Members.STAY, **DONE)
    world.sweep()

    assert not GroupLink.objects.exists()
    assert world.members("Lawyers") == {ANN, BOB}
    assert world.users() == {ANN: True, BOB: True}


def test_who_was_on_the_way_to_a_vault_does_not_come_after_a_link_was_removed(world, group):
    link = make_link(group, world.vault, "Lawyers")
    reconcile(world.subscription)

    links.remove_link(link=link, members=Members.STAY, **DONE)
    world.sweep()

    assert world.users() == {}
    assert differences(subscription=world.subscription, now=NOON) == {}


def test_another_link_keeps_vault_users_enabled_when_one_is_removed(world, link, ann):
    make_link(make_group(world.configuration, "All", members=[ann]), world.vault, "Everybody")
    world.sweep()

    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    world.sweep()

    assert world.users() == {ANN: True, BOB: False}
    assert (world.members("Lawyers"), world.members("Everybody")) == (set(), {ANN})


def test_a_link_of_an_empty_group_goes_at_once(world):
    link = make_link(make_group(world.configuration, "Nobody"), world.vault, "Lawyers")
    world.sweep()

    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    world.sweep()

    assert not GroupLink.objects.exists()


def test_a_link_that_never_reached_its_vault_goes_too(world, group):
    world.server.faults.general = Faults(down=True)
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    links.remove_link(link=link, members=Members.LEAVE, **DONE)

    world.server.faults.general = Faults()
    world.sweep(NOON + HOUR)

    assert not GroupLink.objects.exists()
    assert world.users() == {}


def test_a_paused_link_can_be_removed(world, link):
    links.pause_link(link=link, **DONE)

    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    world.sweep()

    assert (world.members("Lawyers"), GroupLink.objects.count()) == (set(), 0)


def test_a_vault_that_is_down_shows_at_a_link_that_is_being_removed(world, link):
    world.server.faults.general = Faults(down=True)
    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    world.sweep(NOON + HOUR)

    name, progress, reason = state(link)
    assert (name, progress) == ("needs attention", "2 to go")
    assert reason.startswith("Being removed: its members leave. ")
    assert "The vault server is switched off." in reason

    links.remove_link(link=link, members=Members.STAY, **DONE)
    assert not GroupLink.objects.exists()


def test_a_target_that_a_person_deleted_in_the_vault_lets_a_removed_link_go(world, link):
    (found,) = (one for one in world.server.list_groups(world.guid) if one.name == "Lawyers")
    admin.delete_group(world.server, world.guid, found.id)

    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    for hours in range(1, 4):
        world.sweep(NOON + hours * HOUR)

    assert not GroupLink.objects.exists()
    assert world.users() == {ANN: False, BOB: False}


def test_a_target_is_free_again_only_after_its_members_have_left(world, link, group):
    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    with pytest.raises(links.TargetEmptied, match="“Lawyers” is being emptied"):
        make_link(group, world.vault, "Lawyers")

    world.sweep()
    make_link(group, world.vault, "Lawyers")
    world.sweep()

    assert world.members("Lawyers") == {ANN, BOB}


def refused(error, words, deed, **more):
    with pytest.raises(error, match=words):
        deed(**more, **DONE)


def test_what_cannot_be_done_with_a_link_is_refused_in_a_sentence(world, link, group):
    refused(links.LinkNotPaused, "nothing to resume", links.resume_link, link=link)
    refused(links.SourceUnfit, "is the source already", links.move_link, link=link, group=group)
    elsewhere = make_group(make_configuration(make_subscription()), "Theirs")
    refused(links.SourceUnfit, "“Theirs” was deleted", links.move_link, link=link, group=elsewhere)
    links.pause_link(link=link, **DONE)
    refused(links.LinkPaused, "is paused already", links.pause_link, link=link)

    links.remove_link(link=link, members=Members.LEAVE, **DONE)
    for deed, more in (
        (links.pause_link, {}),
        (links.resume_link, {}),
        (links.set_mode, {"mode": MERGE}),
        (links.move_link, {"group": group}),
        (links.remove_link, {"members": Members.LEAVE}),
    ):
        refused(links.LinkEnding, "is being removed", deed, link=link, **more)

    links.remove_link(link=link, members=Members.STAY, **DONE)
    refused(links.LinkGone, "was removed", links.pause_link, link=link)


def test_members_of_a_deleted_source_stay_for_a_day_and_the_link_says_until_when(world, link, group):
    remove_group(group)
    world.sweep(NOON + 23 * HOUR)
    assert world.members("Lawyers") == {ANN, BOB}
    sentence = "The identity provider deleted the source user group; its members leave on 13 May 2026, 12:00."
    assert state(link) == ("source deleted", "", sentence)

    world.sweep(NOON + DAY + MINUTE)

    assert world.members("Lawyers") == set()
    assert world.users() == {ANN: False, BOB: False}
    sentence = "The identity provider deleted the source user group; its members have left."
    assert state(link) == ("source deleted", "", sentence)


def test_a_link_that_was_changed_just_before_its_source_was_deleted_still_lets_strangers_leave(world, link, group):
    links.pause_link(link=link, **DONE)
    put_stranger(world)
    links.resume_link(link=link, **DONE)
    remove_group(group)

    world.sweep()

    assert world.members("Lawyers") == {ANN, BOB}


def test_a_target_that_a_person_deleted_is_not_made_for_a_deleted_source_and_nobody_is_recorded_in_it(
    world, link, group, ann
):
    admin.delete_group(world.server, world.guid, VaultUserGroup.objects.get(name="Lawyers").remote_id)
    remove_group(group)

    world.sweep(NOON + HOUR)

    assert "Lawyers" not in {one.name for one in world.server.list_groups(world.guid)}
    assert not VaultUserMembership.objects.filter(seen=True).exists()
    assert state(link)[:2] == ("source deleted", "0 of 2")

    recreate(world, ann, at=NOON + 2 * HOUR)
    world.sweep(NOON + 2 * HOUR)

    assert ANN in world.members("Lawyers")


def recreate(world, *members, at):
    return make_group(world.configuration, "Legal", members=members, external_id="object-1", at=at)


def test_a_deleted_source_that_is_created_again_gets_its_license_type_and_links_back(world, group, ann):
    purchase(world.subscription, named=2)
    group.license_type = NAMED
    group.save()
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    remove_group(group)
    world.sweep(NOON + HOUR)

    again = recreate(world, ann, at=NOON + HOUR)
    world.sweep(NOON + HOUR)

    link.refresh_from_db()
    assert (link.group, again.license_type) == (again, NAMED)
    assert world.members("Lawyers") == {ANN, BOB}, "those who are not sent yet stay for the day"
    assert state(link) == ("in sync", "", "")
    assert "Took over the license type and 1 link(s)" in ProvisioningLogEntry.objects.latest("id").detail
    entry = AuditEntry.objects.get(action="follow source that the identity provider created again")
    assert entry.changes == {"group": [group.scim_id, again.scim_id]}

    world.sweep(NOON + DAY + MINUTE)
    assert world.members("Lawyers") == {ANN}
    assert world.users() == {ANN: True, BOB: False}


def test_a_source_that_comes_back_after_the_day_brings_its_members_again(world, link, group, ann):
    remove_group(group)
    world.sweep(NOON + DAY + MINUTE)
    assert world.members("Lawyers") == set()

    recreate(world, ann, at=NOON + 2 * DAY)
    world.sweep(NOON + 2 * DAY)

    assert world.members("Lawyers") == {ANN}


@pytest.mark.parametrize("why", ["other object", "other configuration", "removed link"])
def test_a_link_follows_only_the_same_object_of_the_same_directory(world, link, group, why):
    remove_group(group)
    if why == "removed link":
        links.remove_link(link=link, members=Members.LEAVE, **DONE)

    other = make_configuration(world.subscription) if why == "other configuration" else world.configuration
    make_group(other, "Legal", external_id="object-2" if why == "other object" else "object-1")

    link.refresh_from_db()
    assert link.group == group


def test_choosing_another_source_is_the_way_out_of_a_deleted_one(world, link, group, bob):
    remove_group(group)
    world.sweep(NOON + DAY + MINUTE)
    other = make_group(world.configuration, "Finance", members=[bob])

    links.move_link(link=link, group=other, **DONE)
    world.sweep(NOON + DAY + MINUTE)
    assert (world.members("Lawyers"), state(link)[0]) == ({BOB}, "in sync")

    remove_group(other, at=NOON + 2 * DAY)
    world.sweep(NOON + 3 * DAY + MINUTE)
    assert world.members("Lawyers") == set(), "its second source can be deleted, too"


def test_refused_members_that_are_to_leave_need_attention(world, link):
    VaultUserMembership.objects.update(wanted=False)
    VaultUser.objects.filter(account__username=ANN).update(state="stalled", reason="No.")

    assert state(link) == ("needs attention", "0 of 2", "1 vault user was refused: No.")


def test_a_page_of_links_is_one_statement(world, link, group, django_assert_num_queries):
    others = [make_link(group, world.vault, f"Group {number}") for number in range(3)]

    with django_assert_num_queries(1):
        assert len(portal.link_cells([link.pk, *(one.pk for one in others)])) == 4


def test_a_target_has_one_source(world, link, group):
    with pytest.raises(links.TargetLinked, match="“Lawyers” gets its members from “Legal” already"):
        make_link(group, world.vault, "lawyers")
    assert VaultUserGroup.objects.filter(vault=world.vault, name_key="lawyers").count() == 1
