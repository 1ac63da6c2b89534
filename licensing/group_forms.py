"""The form about vault user groups; what is allowed, ``services.vault_groups`` says."""

from django import forms

from licensing.services.vault_groups import LONGEST_NAME


class VaultGroupForm(forms.Form):
    """A user group that is to be made in a vault."""

    name = forms.CharField(
        label="Name of the new user group",
        max_length=LONGEST_NAME,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Enter a name for the user group."},
    )
