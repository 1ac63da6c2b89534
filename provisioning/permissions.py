"""Who may do what in the portal: the table of roles (1-product §1.6), and the decorator that every view carries."""

import logging
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from provisioning import tenancy
from provisioning.actor import Actor
from provisioning.models import LoginAccount, Subscription, User
from provisioning.session_store import SIGN_IN

Role = LoginAccount.Role

logger = logging.getLogger(__name__)


class Permission(Enum):
    """A row of the table of roles."""

    SEE = auto()
    """Open the portal; see the subscription, its vaults and its users."""
    SEE_LICENSES = auto()
    ORDER_LICENSES = auto()
    """Change the purchased numbers."""
    CHANGE_USERS = auto()
    """Create, change, disable and delete users that are no Billing or Subscription admins; files of users."""
    CHANGE_ADMINS = auto()
    """Touch and appoint Billing admins and Subscription admins."""
    CHANGE_VAULT_RIGHTS = auto()
    PROVISIONING = auto()
    """See and change configurations, user groups, links, the log and held changes."""
    CHANGE_SETTINGS = auto()
    """Change the subscription's settings and policies."""
    SEE_OWN_ACTS = auto()
    """See the audit log, at least one's own acts."""
    SEE_ALL_ACTS = auto()


_EVERYBODY = {Permission.SEE, Permission.SEE_LICENSES, Permission.SEE_OWN_ACTS}
_ACCESS = {
    Permission.CHANGE_USERS,
    Permission.CHANGE_VAULT_RIGHTS,
    Permission.PROVISIONING,
    Permission.SEE_ALL_ACTS,
}
ROLES: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.NO_ROLE: frozenset(),
    Role.BILLING_ADMIN: frozenset(_EVERYBODY | {Permission.ORDER_LICENSES}),
    Role.ACCESS_ADMIN: frozenset(_EVERYBODY | _ACCESS),
    Role.SUBSCRIPTION_ADMIN: frozenset(Permission),
}


class PortalRequest(HttpRequest):
    """The request that a view with ``requires`` gets."""

    user: User
    request_id: str
    htmx: HtmxDetails
    subscription: Subscription
    """The current subscription: the one whose number stands in the address."""
    role: Role
    """The highest role that the person has in the subscription."""
    actor: Actor
    """The person, as services and the audit log want to know them."""


P = ParamSpec("P")
View = Callable[Concatenate[PortalRequest, P], HttpResponseBase]


def requires(permission: Permission) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Let only people with ``permission`` in the subscription of the address in; the view does not see ``number``.

    Who is not signed in goes to the sign-in page. A stranger to the subscription, and who may not see the page, gets
    404, as if it were not there; the log says who was refused what. Sets ``request.subscription``, ``request.role``
    and ``request.actor``; times are shown in the subscription's time zone, and no page stays in a cache after signing
    out.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(anyone: HttpRequest, *args: Any, number: str, **kwargs: Any) -> HttpResponseBase:
            request = cast("PortalRequest", anyone)
            if not anyone.user.is_authenticated:
                return to_sign_in(request)
            enter(request, number)
            if permission not in ROLES[request.role]:
                raise _refused(request, request.role.label)
            with timezone.override(ZoneInfo(request.subscription.time_zone)), tenancy.of(request.subscription.pk):
                response = view(request, *args, **kwargs)
            if isinstance(response, StreamingHttpResponse):
                pieces = iter(cast("Iterator[bytes]", response.streaming_content))
                response.streaming_content = tenancy.each(request.subscription.pk, pieces)
            add_never_cache_headers(response)
            return response

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def to_sign_in(request: PortalRequest) -> HttpResponseBase:
    """Lead to the sign-in page; a page that renews a part of itself goes there as a whole, and comes back whole.

    Who comes with a session that is over is told so.
    """
    if settings.SESSION_COOKIE_NAME in request.COOKIES and request.session.session_key is None:
        messages.warning(request, _OVER)
    if not request.htmx:
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or request.get_full_path()
    return HttpResponseClientRedirect(redirect_to_login(page).url)


_OVER: Final = (
    "Your session is over: you did nothing for two hours, it was ended, your password was changed, or you may not come "
    "in any more. Sign in again."
)


def enter(request: PortalRequest, number: str) -> None:
    """Load the subscription as the signed-in person may know it, once a request. Raises ``Http404`` for a stranger."""
    known = getattr(request, "subscription", None)
    if known is not None and known.number == number:
        return
    with tenancy.everybody():
        account = roles_in(request).filter(subscription__number=number).order_by("-role").first()
    if account is None:
        raise _refused(request, "a stranger")
    request.subscription = account.subscription
    request.role = Role(account.role)
    request.actor = Actor(
        kind="person",
        name=request.user.get_username(),
        role=request.role.label,
        address=str(request.META.get("REMOTE_ADDR", "")),
        request_id=request.request_id,
    )


def _refused(request: PortalRequest, role: str) -> Http404:
    """Note who asked for what is not for them (ASVS 5.0, 16.3.2), and return what the answer is made of."""
    logger.warning("%r may not %s %r as %s", request.user.get_username(), request.method, request.path, role)
    return Http404()


def vouched_for(request: HttpRequest) -> int | None:
    """Return the account for which a single sign-on let the person in; None: a password did, which holds for all."""
    found: int | None = request.session.get(SIGN_IN, {}).get("account")
    return found


def roles_in(request: HttpRequest) -> QuerySet[LoginAccount]:
    """Return the accounts by which the signed-in person may enter in this session; read it for everybody.

    Who came by a subscription's single sign-on enters by the account that its provider vouched for, and by no other
    of the same person: whoever can choose that account's address must reach nobody else's roles by it (decision 24).
    """
    accounts, only = roles_of(cast("PortalRequest", request).user), vouched_for(request)
    return accounts if only is None else accounts.filter(pk=only)


def roles_of(user: User) -> QuerySet[LoginAccount]:
    """Return the enabled login accounts, with their subscriptions, by which ``user`` may enter; ask for everybody."""
    return LoginAccount.objects.select_related("subscription").filter(user=user, is_enabled=True, role__gt=Role.NO_ROLE)
