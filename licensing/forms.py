"""The forms of the Licenses page."""

from typing import Any

from django import forms

from licensing.services import pools
from licensing.services.pools import BadPurchase
from provisioning.license_types import LICENSED_TYPES, LicenseType


class PurchaseForm(forms.Form):
    """How many licenses of each type there shall be; its fields are named by the types' slugs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for license_type in LICENSED_TYPES:
            self.fields[license_type.slug] = forms.IntegerField(
                label=license_type.label,
                # Not a number field: browsers show nothing there of what is no number.
                widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
                error_messages={
                    "required": "Enter how many licenses there shall be; 0 for none.",
                    "invalid": "Enter a whole number in digits only, like 1200.",
                },
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for slug, number in list(data.items()):
            try:
                pools.check_purchases({LicenseType.from_slug(slug): number})
            except BadPurchase as problem:
                self.add_error(slug, str(problem))
        return data

    def purchases(self) -> dict[LicenseType, int]:
        """Return the numbers of a valid form."""
        return {license_type: self.cleaned_data[license_type.slug] for license_type in LICENSED_TYPES}


class QueueFilter(forms.Form):
    """Which waiting queue is shown: each type has its own."""

    type = forms.TypedChoiceField(
        label="Waiting for",
        required=False,
        choices=[(int(one), one.label) for one in LICENSED_TYPES],
        coerce=lambda value: LicenseType(int(value)),
        empty_value=None,
    )


class HistoryFilter(forms.Form):
    """How many days of history are shown."""

    CHOICES = ((30, "30 days"), (90, "90 days"), (365, "365 days"))
    USUAL = 90
    days = forms.TypedChoiceField(required=False, choices=CHOICES, coerce=int, empty_value=None)
