"""Parts of pages, and notices, that another app adds to the screens of this one, without being imported.

An app registers them in its ``ready()``. A fragment is an ordinary view of that app with an address of its own (so
that htmx can renew it) which answers with a piece of HTML; the page includes it on the server, so that the page is
whole without scripts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.http.response import HttpResponseBase

from provisioning.models import Subscription
from provisioning.permissions import Permission

Place = Literal[
    "account",
    "configuration_deletion",
    "configuration_license",
    "group",
    "group_license",
    "home",
    "link",
    "link_mode",
    "link_move",
    "link_preview",
    "link_removal",
    "timeline",
    "user_import",
    "vault",
    "vaults",
]
"""A page. ``home`` and ``vaults`` are called with ``number``; the others also with ``pk``, the id of the row they show.

``timeline`` is a part of an account's page, below the columns.
``group_license`` is the page that asks before a group's license type changes; its ``license_type`` (an empty text:
none) stands in the query, and the fragment says who gains, loses and starts to wait. ``configuration_license`` is the
same for the default license type of a configuration, ``configuration_deletion`` the page that asks before one goes,
``user_import`` the one that asks before a file of users is applied. ``link_preview`` (called with the source group),
``link_mode``, ``link_move`` and ``link_removal`` are the pages that ask before a link is made, changed or removed; what
is chosen stands in the query, as their forms name it.
"""
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence and where to go for it. ``good`` stands in Home's banner; the others need a person.

    Who lacks ``permission`` does not get it.
    """

    text: str
    url: str
    tone: Literal["good", "waiting", "problem"] = "problem"
    permission: Permission = Permission.SEE


_fragments: dict[Place, list[View]] = {}
_notices: list[Callable[[Subscription], list[Notice]]] = []


def register(place: Place, view: View) -> None:
    """Show the answer of ``view`` on the pages of ``place``."""
    views = _fragments.setdefault(place, [])
    if view not in views:
        views.append(view)


def views(place: Place) -> tuple[View, ...]:
    return tuple(_fragments.get(place, ()))


def register_notices(notices: Callable[[Subscription], list[Notice]]) -> None:
    """Ask ``notices`` what needs attention whenever Home is shown."""
    if notices not in _notices:
        _notices.append(notices)


def notices(subscription: Subscription) -> Iterator[Notice]:
    """Return what needs attention in the subscription, as all apps see it."""
    for provider in _notices:
        yield from provider(subscription)
