"""What the portal's templates need beyond Django's own."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpResponse
from django.template import Context
from django.template.defaultfilters import date as format_date
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from provisioning import audit_texts, fragments, navigation, tenancy
from provisioning.addresses import address
from provisioning.call_texts import changed_words
from provisioning.license_types import LicenseType
from provisioning.models import Subscription, TrustedPerson, Vault
from provisioning.permissions import ROLES, Permission, roles_in
from provisioning.queries import trusted_persons as trusted
from provisioning.queries.pages import number_words

register = template.Library()
_SHOWN_CHANGES = 20
_SUBSCRIPTIONS_SHOWN = 100
_TRUSTED_SHOWN = 20
_TIME = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{6})?\+00:00")
"""A time as the audit log has it."""


@register.simple_tag(takes_context=True)
def to(context: Context, name: str, pk: int | None = None) -> str:
    """Return the address of a page in the current subscription."""
    more = {} if pk is None else {"pk": pk}
    return address(context["request"].subscription, name, **more)


@register.simple_tag(takes_context=True)
def navigation_sections(context: Context) -> list[tuple[str, list[navigation.Entry]]]:
    return list(navigation.sections(context["request"]))


@register.simple_tag(takes_context=True)
def my_subscriptions(context: Context) -> list[Subscription]:
    """Return the subscriptions that the person may enter, each once, by name; both menus share one query."""
    request = context["request"]
    if not hasattr(request, "my_subscriptions"):
        accounts = roles_in(request).order_by("subscription__name", "-role")[:_SUBSCRIPTIONS_SHOWN]
        with tenancy.everybody():
            request.my_subscriptions = list({one.subscription_id: one.subscription for one in accounts}.values())
    subscriptions: list[Subscription] = request.my_subscriptions
    return subscriptions


@register.simple_tag(takes_context=True)
def may(context: Context, permission: str) -> bool:
    """Return whether the person's role has the permission of that name."""
    return Permission[permission] in ROLES[context["request"].role]


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return the chosen theme: light, dark or system."""
    request = context.get("request")
    chosen = request.COOKIES.get(settings.THEME_COOKIE_NAME) if request else None
    return chosen if chosen in {"light", "dark"} else "system"


@register.simple_tag(takes_context=True)
def fragment(context: Context, place: fragments.Place, pk: int | None = None) -> SafeString:
    """Return the parts that other apps add to this page."""
    request = context["request"]
    more = {} if pk is None else {"pk": pk}
    answers = [view(request, number=request.subscription.number, **more) for view in fragments.views(place)]
    pieces = [answer.content.decode() for answer in answers if isinstance(answer, HttpResponse)]
    return mark_safe("".join(pieces))  # noqa: S308  # rendered by Django's templates, which escape


@register.simple_tag
def trusted_persons(vault: Vault) -> list[TrustedPerson]:
    """Return the first trusted persons of a vault, those of all vaults included."""
    return trusted.first_of(vault, limit=_TRUSTED_SHOWN)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a decorative icon from ``icons.svg``."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.simple_tag
def vendored(name: str) -> SafeString:
    """Return the script element of a third-party script, with the digest of the lock file."""
    return format_html(
        '<script src="{}" integrity="{}" defer></script>', static(f"vendor/{name}"), _lock()[name]["integrity"]
    )


@register.filter
def ago(at: datetime | None) -> str | SafeString:
    """Return how long ago that was; the exact time is in the element."""
    if at is None:
        return "–"
    exact = format_date(localtime(at), "j F Y, H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, naturaltime(at))


@register.filter
def moment(at: datetime | None) -> str | SafeString:
    """Return the exact time, in the subscription's time zone."""
    if at is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), format_date(localtime(at), "j M Y, H:i:s"))


@register.filter
def readable(value: str) -> str | SafeString:
    """Return a value of the audit log; a time is in the subscription's time zone."""
    try:
        return moment(datetime.fromisoformat(value)) if _TIME.fullmatch(value) else value
    except ValueError:
        return value


@register.filter
def license_label(license_type: int | None) -> str:
    return "No license type" if license_type is None else LicenseType(license_type).label


@register.filter
def counted(number: int) -> str:
    """Return a number that a query counted to the limit."""
    return number_words(number)


@register.filter
def braces(guid: UUID) -> str:
    """Return a GUID as M-Files writes it."""
    return f"{{{guid}}}".upper()


@register.filter
def at_sign_breaks(address: str) -> SafeString:
    """Return an address that may continue on the next line after its at sign."""
    return format_html_join(mark_safe("@<wbr>"), "{}", ((part,) for part in address.split("@")))


@register.filter
def initials(name: str) -> str:
    words = name.replace("@", " ").replace(".", " ").split()
    return "".join(word[0] for word in words[:2])


@register.filter
def changes(entry: dict[str, Any]) -> Iterator[audit_texts.Change]:
    """Return the first fields of ``{field: [old, new]}`` of an entry of the audit log, with their values as texts."""
    yield from islice(audit_texts.changes(entry), _SHOWN_CHANGES)
    if len(entry) > _SHOWN_CHANGES:
        yield audit_texts.Change("and", "", f"{len(entry) - _SHOWN_CHANGES:,} more")


@register.filter
def changed(entry: dict[str, Any]) -> str:
    """Return the names of the attributes that a call changed."""
    return changed_words(entry)


@register.filter
def milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.1f} ms"


@cache
def _lock() -> dict[str, dict[str, str]]:
    path = settings.BASE_DIR / "mfmanage" / "static" / "vendor" / "vendor.lock.json"
    lock: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return lock
