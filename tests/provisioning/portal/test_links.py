"""Links: what is shown before one is made, its own page, and what can be done with it there."""

import pytest
from django.utils import timezone

from provisioning.models import GroupLink, VaultUserGroup
from provisioning.services import links
from provisioning.services.groups import remove_group
from provisioning.services.links import Members
from tests.factories import ACTOR, NOON, make_call, make_configuration, make_group, make_link, make_vault


@pytest.fixture
def page(contoso):
    return contoso.url(f"provisioning/links/{contoso.link.pk}/")


def text(answer):
    return answer.content.decode()


def test_the_form_leads_to_a_preview_that_makes_the_link(contoso, admin):
    chosen = {
        "group": contoso.legal.pk,
        "kind": "new",
        "vault": contoso.contracts.pk,
        "new_target": "Team",
        "mode": "merge",
        "target": "",
    }
    preview = text(admin.get(contoso.url("provisioning/links/create/preview/"), chosen))
    assert "Link Legal to Contracts?" in preview
    assert '<input type="hidden" name="new_target" value="Team"' in preview
    assert GroupLink.objects.count() == 1

    answer = admin.post(contoso.url("provisioning/links/create/"), chosen)

    link = GroupLink.objects.latest("id")
    assert (answer.status_code, answer["Location"]) == (303, contoso.url(f"provisioning/links/{link.pk}/"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"new_target": ""}, "Enter a name for the new user group."),
        ({"new_target": "lawyers"}, "gets its members from “Legal” already."),
        ({"group": "0"}, "Select a valid choice"),
    ],
)
def test_a_preview_of_what_cannot_be_linked_is_the_form_with_a_sentence(contoso, admin, changes, sentence):
    chosen = {"group": contoso.legal.pk, "kind": "new", "vault": contoso.contracts.pk, "new_target": "Team"}
    answer = admin.get(contoso.url("provisioning/links/create/preview/"), {**chosen, "mode": "merge", **changes})

    assert answer.status_code == 422
    assert sentence in text(answer)


def test_the_form_keeps_what_a_preview_was_asked_for_and_without_it_there_is_no_preview(contoso, admin):
    form = contoso.url("provisioning/links/create/")
    assert admin.get(f"{form}preview/")["Location"] == form

    page = text(admin.get(f"{form}?group={contoso.legal.pk}&kind=new&new_target=Team&mode=merge"))

    assert f'<option value="{contoso.legal.pk}" selected>' in page
    assert 'value="Team"' in page
    assert page.count(" checked") == 2
    assert admin.get(f"{form}?group=nobody&mode=none&vault=-1").status_code == 200


def test_a_target_that_is_being_emptied_is_refused_with_a_sentence(contoso, admin):
    links.remove_link(link=contoso.link, members=Members.LEAVE, actor=ACTOR, at=NOON)
    chosen = {"group": contoso.legal.pk, "kind": "new", "vault": contoso.contracts.pk, "new_target": "Lawyers"}

    answer = admin.post(contoso.url("provisioning/links/create/"), {**chosen, "mode": "merge"})

    assert answer.status_code == 422
    assert "“Lawyers” is being emptied" in text(answer)


def test_the_page_of_a_link_is_reached_from_the_list_and_from_its_group(contoso, admin, page):
    for path in ("provisioning/links/", f"provisioning/groups/{contoso.legal.pk}/"):
        assert f'href="{page}"' in text(admin.get(contoso.url(path)))
    vault = contoso.url(f"vaults/{contoso.contracts.pk}/")
    target = f'<a href="{vault}groups/{contoso.link.target_id}/">Lawyers</a> in <a href="{vault}">Contracts</a>'
    assert target in text(admin.get(page))
    for path in ("", "groups/", f"groups/{contoso.link.target_id}/"):
        assert f'href="{page}"' in text(admin.get(vault + path))


def test_a_link_is_paused_and_resumed(admin, page):
    assert "The link is paused." in text(admin.post(f"{page}pause/", follow=True))
    assert "is paused already" in text(admin.post(f"{page}pause/", follow=True))
    assert "The link is resumed." in text(admin.post(f"{page}resume/", follow=True))
    assert "nothing to resume" in text(admin.post(f"{page}resume/", follow=True))
    assert admin.get(f"{page}pause/").status_code == 405


def test_a_preview_of_a_paused_link_says_that_it_waits_for_the_link(contoso, admin, page):
    looks = [f"{page}mode/?mode=merge", f"{page}move/?group={make_group(contoso.configuration, 'Finance').pk}"]
    assert not any("as if it were resumed" in text(admin.get(look)) for look in looks)

    links.pause_link(link=contoso.link, actor=ACTOR, at=NOON)

    assert all("as if it were resumed" in text(admin.get(look)) for look in looks)
    assert "does not wait until it is resumed" in text(admin.get(f"{page}remove/"))


def test_the_mode_is_changed_after_a_preview(contoso, admin, page):
    assert "Change mode</button>" not in text(admin.get(f"{page}mode/"))
    assert "Change mode</button>" in text(admin.get(f"{page}mode/?mode=merge"))
    assert admin.get(f"{page}mode/?mode=nonsense").status_code == 422

    admin.post(f"{page}mode/", {"mode": "merge"})

    contoso.link.refresh_from_db()
    assert contoso.link.mode == "merge"


def test_another_source_is_chosen_after_a_preview(contoso, admin, page):
    other = make_group(contoso.configuration, "Finance")
    assert "Change source</button>" in text(admin.get(f"{page}move/?group={other.pk}"))
    answer = admin.get(f"{page}move/?group={contoso.legal.pk}")
    assert (answer.status_code, "is the source already" in text(answer)) == (422, True)
    assert admin.post(f"{page}move/", {"group": "0"}).status_code == 422

    assert "The target follows Finance now." in text(admin.post(f"{page}move/", {"group": other.pk}, follow=True))

    contoso.link.refresh_from_db()
    assert contoso.link.group == other


def test_a_link_is_removed_with_its_members_leaving(contoso, admin, page):
    assert "Remove link</button>" in text(admin.get(f"{page}remove/"))
    assert "is being removed" in text(admin.post(f"{page}remove/", {"members": "leave"}, follow=True))
    assert admin.post(f"{page}remove/", {"members": "nonsense"}).status_code == 422

    content = text(admin.get(page))
    assert "Keep those who are left" in content
    assert "Choose another source" not in content

    answer = admin.post(f"{page}remove/", {"members": "stay"})
    assert answer["Location"] == contoso.url("provisioning/links/")
    assert not GroupLink.objects.exists()
    assert VaultUserGroup.objects.filter(name="Lawyers").exists()
    assert admin.get(page).status_code == 404


def test_a_link_that_went_meanwhile_is_said_to_be_gone(contoso, admin, page, monkeypatch):
    def gone(**_):
        raise links.LinkGone

    monkeypatch.setattr(links, "pause_link", gone)
    answer = admin.post(f"{page}pause/", follow=True)

    assert answer.redirect_chain[0] == (contoso.url("provisioning/links/"), 303)
    assert "This link was removed." in text(answer)


def test_a_deleted_source_offers_the_two_ways_out(contoso, admin, page):
    call = make_call(contoso.configuration, resource_type="Group", at=timezone.now())
    remove_group(scim_id=contoso.legal.scim_id, call=call)

    content = text(admin.get(page))

    for words in ("deleted by the identity provider on", "Choose another source", "Keep members, remove link"):
        assert words in content


def test_the_links_of_others_are_not_there(contoso, admin):
    elsewhere = make_group(make_configuration(), "Theirs")
    link = make_link(elsewhere, make_vault(elsewhere.subscription))

    for more in ("", "mode/", "move/", "remove/"):
        assert admin.get(contoso.url(f"provisioning/links/{link.pk}/{more}")).status_code == 404
    for more in ("pause/", "resume/"):
        assert admin.post(contoso.url(f"provisioning/links/{link.pk}/{more}")).status_code == 404
