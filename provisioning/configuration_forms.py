"""Forms that change a configuration that is there."""

from typing import Any

from django import forms

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import ProvisioningConfiguration


class DefaultLicenseForm(forms.Form):
    """The license type that every user of a configuration asks for first."""

    license_type = forms.TypedChoiceField(
        label="Default license type",
        choices=LICENSE_TYPE_CHOICES,
        coerce=lambda value: LicenseType(int(value)),
        help_text="Users get the highest of this and the types of their user groups.",
        error_messages={
            "required": "Choose a license type.",
            "invalid_choice": "“%(value)s” is not a license type. Choose one of the list.",
        },
    )


class DeletionForm(forms.Form):
    """The name of the configuration that is to go, typed again."""

    name = forms.CharField(
        label="Type the name of the configuration to confirm",
        error_messages={"required": "Type the name of the configuration to confirm."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, configuration: ProvisioningConfiguration, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.configuration = configuration

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.configuration.name:
            raise forms.ValidationError(
                f"“{name}” is not its name. Type “{self.configuration.name}”, letter for letter."
            )
        return name
