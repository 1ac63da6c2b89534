"""What is measured about a vault with very many users: pages and pieces of them, queries, and deeds that are undone."""

import re
from collections.abc import Callable
from functools import partial
from html import unescape

from django.db import transaction
from django.utils import timezone

from licensing.services import due, link_states
from provisioning.models import GroupLink, Vault
from provisioning.services import links, vaults
from tests import factories
from tests.bench.screen_world import World

STATES = {"enabled": "enabled", "disabled": "disabled", "person": "that need a person", "detached": "detached"}
Deeds = dict[str, Callable[[], object]]


def pages(world: World) -> Deeds:
    """Return what is asked for again and again, by name."""
    number, link = world.vault.subscription.number, world.link.pk
    pieces, vault = f"/licensing/{number}/fragments/", f"{world.home}vaults/{world.vault.pk}/"
    fresh = Vault.objects.exclude(pk=world.vault.pk).latest("pk").pk
    new = f"group={world.group.pk}&vault={fresh}&kind=new&new_target=New&mode=replace"
    addresses = {
        "Home": world.home,
        "Links": f"{world.home}provisioning/links/",
        "A link": f"{world.home}provisioning/links/{link}/",
        "Preview: a link into a new target": f"{pieces}link-preview/{world.group.pk}/?{new}",
        "Preview: *replace* mode (asks for all members)": f"{pieces}link-mode/{link}/?mode=replace",
        "Preview: *merge* mode": f"{pieces}link-mode/{link}/?mode=merge",
        "Preview: another source (asks for all members)": f"{pieces}link-move/{link}/?group={world.other.pk}",
        "Preview: removal, members leave": f"{pieces}link-removal/{link}/?members=leave",
        "Preview: removal, members stay": f"{pieces}link-removal/{link}/?members=stay",
        "Vaults": f"{world.home}vaults/",
        "A vault": vault,
        **_lists_of_users(f"{vault}users/"),
        "Drift report": f"{vault}drift/{world.report.pk}/",
        "Vault user groups": f"{vault}groups/",
        "Members of a vault user group": f"{vault}groups/{world.link.target_id}/",
        "A user": f"{world.home}users/{world.user.account_id}/",
    }
    found: Deeds = {name: partial(_get, world, url) for name, url in addresses.items()}
    later = re.search(r'href="(\?[^"]+)" rel="next"', world.client.get(f"{vault}users/").content.decode())
    assert later is not None, "the vault has more than a page of users"
    return found | {
        "Users, a later page": partial(_get, world, f"{vault}users/{unescape(later[1])}"),
        **_queries(world),
    }


def _lists_of_users(url: str) -> dict[str, str]:
    lists = {f"Users {words}": f"{url}?state={state}" for state, words in STATES.items()}
    found = {f"Users {words}, a search": f"{url}?state={state}&q=user7777%40" for state, words in STATES.items()}
    nobody = {"Users enabled, a search that finds nobody": f"{url}?q=nowhere"}
    return lists | found | nobody | {"Users, all": f"{url}?state=all"}


def _queries(world: World) -> Deeds:
    newest = list(GroupLink.objects.order_by("-pk").values_list("pk", flat=True)[:49])
    return {
        "`link_states.views`, 50 links": lambda: link_states.views([*newest, world.link.pk]),
        "`due.due_vaults`": lambda: list(due.due_vaults(timezone.now())),
        "`due.due_subscriptions`": lambda: due.due_subscriptions(timezone.now()),
        "`due.unprepared_links`": lambda: list(due.unprepared_links()),
        "`due.emptied_links`": lambda: list(due.emptied_links()),
    }


def deeds(world: World) -> Deeds:
    """Return what is done once; nothing of it is kept."""
    by, at, stay = factories.ACTOR, timezone.now(), links.Members.STAY
    remove_link = partial(links.remove_link, link=world.link, members=stay, actor=by, at=at)
    remove_vault = partial(vaults.remove_vault, vault=world.vault, actor=by, at=at)
    return {
        "Deed: remove the link, members stay": partial(_undone, remove_link),
        "Deed: remove the vault": partial(_undone, remove_vault),
    }


def dry_run(world: World) -> list[str]:
    """Return the words of the command that says what a link of the group into a new target would do."""
    words = [str(world.group.configuration.public_id), world.group.display_name, "Vault 1", "New", "--create"]
    return ["linkgroup", *words, "--dry-run", "--json"]


def _get(world: World, url: str) -> None:
    answer = world.client.get(url)
    if answer.status_code != 200:
        raise RuntimeError(f"{url}: {answer.status_code}")


def _undone(deed: Callable[[], object]) -> None:
    with transaction.atomic():
        deed()
        transaction.set_rollback(True)
