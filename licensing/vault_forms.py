"""The forms about vaults."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError

from licensing.services import vault_servers
from provisioning.services import vaults

_LONGEST_ADDRESS = 200


class VaultForm(forms.Form):
    """A vault to be registered: a new one, or the one with ``guid`` that its server has."""

    agent_url = forms.CharField(
        label="Address of the vault agent",
        required=False,
        max_length=_LONGEST_ADDRESS,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    guid = forms.UUIDField(required=False, error_messages={"invalid": "Choose one of the vaults of the list."})
    name = forms.CharField(
        label="Name of the new vault",
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="A vault that its server has already keeps its name.",
    )

    def __init__(self, *args: Any, has_emulation: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        help_text = "Like https://vaults.example.com:8443, on the vault server that has the vault or shall have it."
        emulation = " Leave it empty for the emulated vault server of this installation." * has_emulation
        self.fields["agent_url"].help_text = help_text + emulation
        self.has_emulation = has_emulation

    def clean_agent_url(self) -> str:
        url: str = self.cleaned_data["agent_url"].rstrip("/")
        if not url and not self.has_emulation:
            raise forms.ValidationError("Enter the address of the vault agent of the vault server.")
        if url:
            _check_address(url)
        return url


class NewVaultForm(VaultForm):
    """The same, when it is to be registered and not only asked about."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("guid") and not data.get("name") and "name" not in self.errors:
            self.add_error("name", "Enter a name for the new vault, or choose a vault that the server has.")
        return data


class VaultUserFilter(forms.Form):
    """Which vault users are listed."""

    STATES = (
        ("enabled", "Enabled"),
        ("disabled", "Disabled"),
        ("person", "Needs a person"),
        ("detached", "Detached"),
        ("all", "All with an account"),
    )
    q = forms.CharField(required=False, max_length=200, widget=forms.TextInput({"type": "search"}))
    state = forms.ChoiceField(required=False, choices=STATES)


def _check_address(url: str) -> None:
    """Raise ``ValidationError`` unless vaults may be registered at that address."""
    try:
        vaults.check_agent_address(url)
    except vaults.BadAgentAddress as error:
        raise ValidationError(str(error)) from error
    if not vault_servers.is_allowed(url):
        raise ValidationError(
            f"Vaults of {urlsplit(url).netloc} cannot be registered here. Ask the operator of this installation to add "
            "it to MFMANAGE_VAULT_AGENT_HOSTS."
        )
