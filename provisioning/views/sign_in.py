"""One's own sign-in: the methods, the password, the second factor; and the links by which a password is set."""

from typing import TYPE_CHECKING, Any, Final, cast

from allauth.account import views as account
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.logout import logout
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from provisioning.permissions import PortalRequest
from provisioning.services import password_links, sign_ins
from provisioning.services.invitations import mail_is_off
from provisioning.session_store import digest
from provisioning.sign_in import visitor
from provisioning.sign_in_forms import PasswordForm
from provisioning.views.common import SeeOther

if TYPE_CHECKING:
    from provisioning.models import User

_LINK: Final = "password_link"
_WITHOUT: Final = "You have no password: you come in by your organization's sign-in."


def methods(request: PortalRequest) -> HttpResponse:
    """Show by what the person signs in, and what can be changed about it."""
    factors = {one.type: one for one in Authenticator.objects.filter(user=request.user)}
    codes = factors.get(Authenticator.Type.RECOVERY_CODES)
    context = {
        "totp": factors.get(Authenticator.Type.TOTP),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "sessions": sign_ins.sessions_of(request.user, at=timezone.now()).count(),
    }
    return render(request, "account/methods.html", context)


class PasswordChange(account.PasswordChangeView):  # type: ignore[misc]
    """Change one's own password; all other sessions end."""

    success_url = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not cast("User", request.user).has_usable_password():
            messages.warning(request, _WITHOUT)
            return redirect("mfa_index")
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)
        return answer

    def get_success_url(self) -> str:
        return reverse("mfa_index")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse
        if not sign_ins.has_still(self.request.user):
            form.add_error("oldpassword", get_adapter().validation_error("enter_current_password"))
            answer = self.form_invalid(form)
            return answer
        answer = super().form_valid(form)
        own = digest(self.request.session.session_key)
        sign_ins.changed_password(user=self.request.user, but=own, actor=visitor(self.request), at=timezone.now())
        return answer


class PasswordForgotten(account.PasswordResetView):  # type: ignore[misc]
    """Ask for a link by mail; the answer tells nobody who is known."""

    success_url = None

    def get_success_url(self) -> str:
        return reverse("password_asked")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return {**super().get_context_data(**more), "is_off": mail_is_off()}


def password_asked(request: HttpRequest) -> HttpResponse:
    """Say that a mail comes to whom there is one for."""
    return render(request, "account/password_asked.html")


def password_link(request: HttpRequest, key: str) -> HttpResponse:
    """Keep the link's digest in the session and go on without the key, which so stands in no later line of a log.

    A link that opens nothing is not kept: anybody can make one up, and the sessions would be nobody's.
    """
    link = password_links.digest(key)
    try:
        password_links.opened(link, at=timezone.now())
    except password_links.LinkDead as refusal:
        return _dead(request, refusal)
    request.session[_LINK] = link
    return redirect("password_set")


def password_set(request: HttpRequest) -> HttpResponse:
    """Ask for the password that the link allows to set; a POST sets it, ends all sessions and leads to signing in."""
    link, now = request.session.get(_LINK, ""), timezone.now()
    try:
        mail = password_links.opened(link, at=now)
        form = PasswordForm(request.POST or None, user=cast("User", mail.user))
        if request.method == "POST" and form.is_valid():
            password = form.cleaned_data["password1"]
            user = password_links.set_password(link=link, password=password, actor=visitor(request), at=now)
            return _come_in(request, user.get_username())
    except password_links.LinkDead as refusal:
        return _dead(request, refusal)
    context = {"form": form, "mail": mail}
    return render(request, "account/password_set.html", context, status=422 if form.errors else 200)


def _dead(request: HttpRequest, refusal: password_links.LinkDead) -> HttpResponse:
    return render(request, "account/password_set.html", {"dead": str(refusal)}, status=410)


def _come_in(request: HttpRequest, username: str) -> HttpResponse:
    logout(request, show_message=False)
    request.session.flush()
    messages.success(request, f"Your password is set. Sign in as {username}.")
    return SeeOther(reverse("account_login"))


class EnterCode(mfa.AuthenticateView):  # type: ignore[misc]
    """The second step of signing in: a code, and nothing else."""

    def _build_forms(self) -> Any:
        data = self.request.POST if self.request.method == "POST" else None
        self.auth_form = self.get_form_class()(user=self.stage.login.user, data=data)
        self.webauthn_form = None
        return self.auth_form


class Activate(totp.ActivateTOTPView):  # type: ignore[misc]
    """Set up an authenticator app."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        _record(self.request, "activate second factor")
        return answer


class Deactivate(totp.DeactivateTOTPView):  # type: ignore[misc]
    """Do without the authenticator app, and without recovery codes."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        _record(self.request, "deactivate second factor")
        return answer


class NewRecoveryCodes(recovery_codes.GenerateRecoveryCodesView):  # type: ignore[misc]
    """Make new recovery codes, which end the old ones."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        _record(self.request, "make recovery codes")
        return answer


def _record(request: HttpRequest, action: str) -> None:
    assert request.user.is_authenticated
    sign_ins.record(user=request.user, action=action, actor=visitor(request), at=timezone.now())
