"""Forms that change a configuration that is there."""

from django import forms

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType


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
