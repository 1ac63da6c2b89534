"""How people come in: by invitation only, with a username or e-mail address and a password, and perhaps a code."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from typing import Any, Final, ParamSpec, cast

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from provisioning.actor import Actor
from provisioning.models import LoginAccount, User
from provisioning.permissions import PortalRequest, View, roles_of, to_sign_in, vouched_for
from provisioning.services import sign_ins
from provisioning.session_store import SIGN_IN

P = ParamSpec("P")
_MISMATCH = "The username or the password is wrong. Check both and try again."
_LONGEST_BROWSER: Final = 300
_PROVED: Final = "proved_by"
_WORDS: Final = {"password": "password", "totp": "code", "recovery_codes": "recovery code"}
"""What the audit log calls the steps of a sign-in."""
log = structlog.get_logger(__name__)


class PasswordChanged(Exception):
    """The password by which somebody was coming in is another one now."""

    def __init__(self) -> None:
        super().__init__("Your password was changed meanwhile. Sign in with the new one.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """django-allauth's behavior, without registration, and only for people who have a role somewhere."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "incorrect_password": "The password is wrong. Try again.",
        "enter_current_password": "That is not your current password. Try again.",
        "too_many_login_attempts": "Too many wrong attempts. Wait five minutes, then try again.",
        "rate_limited": "Too many wrong attempts. Wait five minutes, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """No page answers in JSON."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Lead nowhere but to this host's own pages (OWASP ASVS 5.0, 3.7.2)."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the caller as ``ClientAddressMiddleware`` knows it; attempts are counted by it."""
        return str(request.META.get("REMOTE_ADDR", ""))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002
        """Return under what attempts at a person are counted: not by the host, of which the caller says the port."""
        return str(credentials["email"]).lower()

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the person, once the password was right; who has no role learns so, and is not let in.

        However the name is written, attempts at one person are counted together, and cost one hash, as an unknown name
        does: ``allauth`` hashes once for each way in which a name could be meant, and only where it means somebody.
        """
        email = _address(credentials.get("email") or credentials.get("username", ""))
        user: User | None = super().authenticate(request, email=email, password=credentials.get("password"))
        if user is not None and user.is_active and not roles_of(user).exists():
            raise ValidationError(str(sign_ins.NoRole()))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:  # noqa: ARG002
        """Note it where operators look, for known and unknown names alike; a name may be a password, so no name."""
        log.warning("sign-in refused", address=self.get_client_ip(request))

    def pre_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse | None:
        """Note which password was right: it must be the person's still when the last step is done."""
        request.session[_PROVED] = user.get_session_auth_hash()
        answer: HttpResponse | None = super().pre_login(request, user, **more)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin the session, under a new key, and record it; password and last role may have gone meanwhile."""
        at = timezone.now()
        enter, how = partial(self._enter, request, user, at), _steps(request, user)
        try:
            sign_ins.sign_in(user=user, how=how, enter=enter, actor=visitor(request), at=at)
        except (PasswordChanged, sign_ins.NoRole) as refusal:
            clear_login(request)
            messages.error(request, str(refusal))
            raise ImmediateHttpResponse(redirect("account_login")) from refusal

    def _enter(self, request: HttpRequest, user: User, at: datetime) -> None:
        if request.session.pop(_PROVED, None) != user.get_session_auth_hash():
            raise PasswordChanged
        super().login(request, user)
        request.session[SIGN_IN] = _beginning(request, at)
        request.session.save()

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Return how the person can prove again who they are; who has no way signs out and in again."""
        if vouched_for(context.request) is not None:
            return [{"id": "sign_on", "description": "Sign in at your organization", "url": reverse("sign_on_again")}]
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if user.is_authenticated and not ways:
            ways = [{"id": "sign_out", "description": "Sign out and in again", "url": reverse("account_logout")}]
        return ways


def _address(name: str) -> str:
    """Return the email of who signs in by that name; a name of nobody stays as it is."""
    try:
        return sign_ins.user_of(name).email
    except sign_ins.NobodySignsIn:
        return name


def open_session(request: HttpRequest, account: LoginAccount, at: datetime, *, proved_at: float) -> None:
    """Begin the session of the account that a single sign-on vouched for, with nothing of what was there before.

    Making secrets asks them again unless they proved who they are at ``proved_at``, a short time ago.
    """
    request.session.flush()
    login(request, account.user, backend=settings.AUTHENTICATION_BACKENDS[0])
    record_authentication(request, account.user, method="single sign-on")
    request.session[AUTHENTICATION_METHODS_SESSION_KEY][-1]["at"] = min(proved_at, at.timestamp())
    request.session[SIGN_IN] = _beginning(request, at) | {"account": account.pk}
    request.session.save()


def _beginning(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return what a session keeps of how it began."""
    browser = request.headers.get("User-Agent", "")[:_LONGEST_BROWSER]
    return {"at": at.isoformat(), "address": str(request.META.get("REMOTE_ADDR", "")), "browser": browser}


def visitor(request: HttpRequest) -> Actor:
    """Return from where the request comes; whose it is, ``sign_ins.record`` knows."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    return Actor(kind="person", name="", address=address, request_id=getattr(request, "request_id", ""))


def here() -> Actor:
    """Return from where the request comes that is being answered."""
    return visitor(context.request)


def _steps(request: HttpRequest, user: User) -> str:
    """Return by what the person has just come in, such as *password and code*."""
    steps: list[str] = []
    for record in get_authentication_records(request, user):
        step = record.get("type") or record["method"]
        steps = [*steps, step] if record["method"] == "mfa" else [step]
    return " and ".join(_WORDS.get(step, step.replace("_", " ")) for step in steps)


def signed_in_recently(request: HttpRequest, *, now: datetime) -> bool:
    """Return whether the person proved who they are within ``ACCOUNT_REAUTHENTICATION_TIMEOUT``."""
    records = get_authentication_records(request, request.user)
    if not records:
        return False
    last = datetime.fromtimestamp(max(record["at"] for record in records), UTC)
    return now - last < timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def requires_recent_sign_in(view: View[P]) -> View[P]:
    """Ask who it is again before ``view`` when the last sign-in is too old; what was posted is kept."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not signed_in_recently(request, now=timezone.now()):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return guarded


def own(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Let people see and change their own sign-in, but not who came by a single sign-on.

    A password or a second factor opens all subscriptions of the person; the admins of one, who choose its identity
    provider, must not get at it.
    """

    @signed_in
    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if vouched_for(request) is not None:
            return render(request, "account/vouched.html")
        return view(request, *args, **kwargs)

    return guarded


def signed_in(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Let only people who are signed in see a page that belongs to no subscription."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not cast("HttpRequest", request).user.is_authenticated:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded
