"""The forms about internal users; what their fields may hold, ``provisioning.people_rules`` says."""

from typing import Any

from django import forms

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import LoginAccount
from provisioning.people_rules import LABELS, problem
from provisioning.user_rows import MOST_BYTES

Role = LoginAccount.Role
_HELP = {
    "username": "What the person signs in with; unique in the subscription.",
    "email": "Where notifications go.",
}


class PersonForm(forms.Form):
    """An internal user; of a provisioned one only the role can be changed, and the license of a known one elsewhere."""

    username = forms.CharField(label=LABELS["username"], required=False, help_text=_HELP["username"])
    full_name = forms.CharField(label=LABELS["full_name"], required=False)
    email = forms.CharField(label=LABELS["email"], required=False, help_text=_HELP["email"])
    license_type = forms.TypedChoiceField(
        label="License type",
        choices=LICENSE_TYPE_CHOICES,
        coerce=lambda value: LicenseType(int(value)),
        initial=int(LicenseType.NONE),
        help_text="The user waits for it while none is free.",
    )
    role = forms.TypedChoiceField(
        label="Role in the portal",
        choices=Role.choices,
        coerce=lambda value: Role(int(value)),
        initial=int(Role.NO_ROLE),
    )
    info1 = forms.CharField(label=LABELS["info1"], required=False)
    info2 = forms.CharField(label=LABELS["info2"], required=False)

    def __init__(self, data: Any, *, roles: list[Role], account: LoginAccount | None = None) -> None:
        known = {name: getattr(account, name) for name in (*LABELS, "role")} if account else {}
        super().__init__(data, initial=known)
        self.fields["role"].choices = [(int(role), role.label) for role in roles]  # type: ignore[attr-defined]
        if account is not None:
            del self.fields["license_type"]
        for name in LABELS if account is not None and account.configuration_id is not None else ():
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Say beside each field that changes what it cannot hold."""
        data: dict[str, Any] = super().clean() or {}
        for name in LABELS:
            text = data.get(name)
            if text is not None and text != self.initial.get(name) and (sentence := problem(name, text)):
                self.add_error(name, sentence)
        return data


class DeleteForm(forms.Form):
    """The username or client ID of the account that is to be deleted, typed by hand; ``label`` says which it is."""

    confirmation = forms.CharField(widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, data: Any, *, username: str, label: str = LABELS["username"]) -> None:
        super().__init__(data)
        self.fields["confirmation"].label = label
        self._username = username

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.casefold() != self._username.strip().casefold():
            label = str(self.fields["confirmation"].label)
            raise forms.ValidationError(f"That is not the {label[0].lower()}{label[1:]} of this account.")
        return typed


class ImportForm(forms.Form):
    """A file of users."""

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        help_text=f"UTF-8, with commas or semicolons; at most {MOST_BYTES // 1024**2} MB.",
        error_messages={"required": "Choose a file."},
        widget=forms.ClearableFileInput({"accept": ".csv,text/csv"}),
    )
