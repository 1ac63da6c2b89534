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

Place = Literal["home", "account", "group", "vault", "link"]
"""A page. ``home`` is called with ``number``; the others with ``number`` and ``pk``, the id of the row they show."""
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs a person, or is worth a word: one sentence, and where to go for it."""

    text: str
    url: str
    tone: Literal["waiting", "problem"] = "problem"


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
