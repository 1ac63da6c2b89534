"""The forms of signing in where they are not django-allauth's own."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import PasswordVerificationMixin
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from provisioning.factors import is_used_up, use_up
from provisioning.models import User
from provisioning.services import password_links, sign_ins
from provisioning.sign_in import here


class ForgottenForm(forms.Form):
    """The address of who forgot the password; the answer is the same whether anybody has it."""

    email = forms.EmailField(label="Email", widget=forms.EmailInput({"autocomplete": "email"}))

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def save(self, _request: HttpRequest, **_: Any) -> str:
        email: str = self.cleaned_data["email"]
        password_links.ask(email=email, at=timezone.now())
        return email


class PasswordForm(PasswordVerificationMixin, forms.Form):  # type: ignore[misc]
    """A new password, twice."""

    password1 = forms.CharField(label="New password", widget=forms.PasswordInput, strip=False)
    password2 = forms.CharField(label="New password, again", widget=forms.PasswordInput, strip=False)

    def __init__(self, data: Any, *, user: User | None) -> None:
        super().__init__(data)
        self._user = user

    def clean_password1(self) -> str:
        password: str = get_adapter().clean_password(self.cleaned_data["password1"], user=self._user)
        return password


class _Once:
    """A code that was right counts once; one that was wrong is recorded, for the password was right.

    ``allauth`` forgets the wrong ones once a code is right, so it must not see one that was used.
    """

    user: User
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        if is_used_up(self.user.pk, self.cleaned_data["code"]):
            self.cleaned_data["code"] = ""
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            use_up(self.user.pk, code)
        except ValidationError as error:
            if error.code == "incorrect_code":
                sign_ins.record(user=self.user, action="enter wrong code", actor=here(), at=timezone.now())
            raise
        return code


class CodeForm(_Once, AuthenticateForm):  # type: ignore[misc]
    """The code of the second factor, at signing in."""


class CodeAgainForm(_Once, ReauthenticateForm):  # type: ignore[misc]
    """The code of the second factor, by who is signed in."""


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app, which cannot be used for signing in afterwards."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        use_up(self.user.pk, code)
        return code
