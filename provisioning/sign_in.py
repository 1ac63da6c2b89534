"""How people come in: by invitation only, with a username or e-mail address and a password."""

from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from provisioning.models import User
from provisioning.permissions import PortalRequest, View, roles_of

P = ParamSpec("P")
_MISMATCH = "The username or the password is wrong. Check both and try again."


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """django-allauth's behavior, without registration, and only for people who have a role somewhere."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "incorrect_password": "The password is wrong. Try again.",
        "too_many_login_attempts": "Too many attempts with a wrong password. Wait five minutes, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the person, once the password was right; who has no role learns so, and is not let in."""
        user: User | None = super().authenticate(request, **credentials)
        if user is not None and user.is_active and not roles_of(user).exists():
            raise ValidationError(
                "Your account has no role in mfmanage, or it is disabled. Ask a Subscription admin to give you one."
            )
        return user


def signed_in_recently(request: HttpRequest, *, now: datetime) -> bool:
    """Return whether the person proved who they are within ``ACCOUNT_REAUTHENTICATION_TIMEOUT``."""
    records = get_authentication_records(request, request.user)
    if not records:
        return False
    last = datetime.fromtimestamp(max(record["at"] for record in records), UTC)
    return now - last < timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def requires_recent_sign_in(view: View[P]) -> View[P]:
    """Ask for the password again before ``view`` when the last sign-in is too old; what was posted is kept."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not signed_in_recently(request, now=timezone.now()):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return guarded
