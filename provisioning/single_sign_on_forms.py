"""The form about single sign-on; what is allowed, ``services.single_sign_on`` says."""

from typing import Any

from django import forms

from provisioning.services.single_sign_on import Wanted


class SingleSignOnForm(forms.Form):
    """What an admin may say of the identity provider; the secret is never shown again."""

    issuer = forms.CharField(
        label="Issuer",
        widget=forms.URLInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text="For Microsoft Entra ID: https://login.microsoftonline.com/, then the Directory (tenant) ID, "
        "then /v2.0. For any other provider, the issuer that its discovery names.",
        error_messages={"required": "Enter the issuer."},
    )
    client_id = forms.CharField(
        label="Application (client) ID",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter the client ID."},
    )
    client_secret = forms.CharField(
        label="Client secret",
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="The value of the secret, not its ID. It is stored encrypted and never shown again.",
    )
    is_enabled = forms.BooleanField(
        label="People may sign in with it",
        required=False,
        help_text="Switching it off ends the sessions of those who came so.",
    )
    admits_manual_accounts = forms.BooleanField(
        label="Also users who were not provisioned",
        required=False,
        help_text="Whoever has such a user’s username at the identity provider can then work as that user here.",
    )

    def __init__(self, data: Any, *, initial: dict[str, Any], has_secret: bool) -> None:
        super().__init__(data, initial=initial)
        if has_secret:
            self.fields["client_secret"].help_text += " Leave it empty to keep the one that is stored."

    def wanted(self) -> Wanted:
        """Return what a valid form holds."""
        return Wanted(**self.cleaned_data)
