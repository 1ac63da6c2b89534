"""The forms about application accounts; what their fields may hold, ``provisioning.people_rules`` says."""

from typing import Any

from django import forms

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import LoginAccount, Subscription, Vault
from provisioning.people_rules import APPLICATION_LABELS, application_problem
from provisioning.queries import applications

_FIELDS = {"name": "full_name", "client_id": "username"}
"""The fields of a form, and what an account calls them."""


class ApplicationForm(forms.Form):
    """Name and client ID of an application account."""

    name = forms.CharField(label=APPLICATION_LABELS["full_name"], required=False)
    client_id = forms.CharField(
        label=APPLICATION_LABELS["username"],
        required=False,
        help_text="What the application is known by to vaults; unique among the client IDs and usernames of the "
        "subscription.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any, *, account: LoginAccount | None = None) -> None:
        known = {name: getattr(account, field) for name, field in _FIELDS.items()} if account else {}
        super().__init__(data, initial=known)

    def clean(self) -> dict[str, Any]:
        """Say beside each field that changes what it cannot hold."""
        data: dict[str, Any] = super().clean() or {}
        for name, field in _FIELDS.items():
            text = data.get(name)
            if text is not None and text != self.initial.get(name) and (sentence := application_problem(field, text)):
                self.add_error(name, sentence)
        return data


class NewApplicationForm(ApplicationForm):
    """A new application account, with the license that it wants and the vaults that it is given."""

    license_type = forms.TypedChoiceField(
        label="License type",
        choices=LICENSE_TYPE_CHOICES,
        coerce=lambda value: LicenseType(int(value)),
        initial=int(LicenseType.NONE),
        help_text="The application waits for it while none is free, and gets into vaults when it has it.",
    )
    vaults = forms.ModelMultipleChoiceField(
        Vault.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The application becomes a user of these vaults.",
    )

    def __init__(self, data: Any, *, subscription: Subscription, may_give_vaults: bool) -> None:
        super().__init__(data)
        rows = applications.vaults(subscription)
        if may_give_vaults and rows.exists():
            self.fields["vaults"].queryset = rows  # type: ignore[attr-defined]
        else:
            del self.fields["vaults"]


class ApplicationFilter(forms.Form):
    """The words that a list of application accounts is searched for."""

    q = forms.CharField(required=False, max_length=200, widget=forms.TextInput({"type": "search"}))

    def search(self) -> str:
        self.is_valid()
        return str(self.cleaned_data.get("q", ""))
