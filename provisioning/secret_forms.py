"""Forms that make a client secret."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django import forms

from provisioning.services.rotation import LONGEST_OVERLAP, OVERLAP
from provisioning.services.secrets import LIFETIME, LIFETIMES

_HOUR: Final = timedelta(hours=1)
_LONGEST_HOURS: Final = LONGEST_OVERLAP // _HOUR


def lifetime_field(label: str = "The secret expires after") -> forms.TypedChoiceField:
    """Return the field that asks how long a secret lives; unanswered, it is the usual time."""
    return forms.TypedChoiceField(
        label=label,
        choices=[(one.days, f"{one.days} days") for one in LIFETIMES],
        coerce=lambda days: timedelta(days=int(days)),
        initial=LIFETIME.days,
        required=False,
        empty_value=LIFETIME,  # type: ignore[arg-type]
        help_text="You are warned 60, 30, 7 and 1 days before.",
    )


class NewSecretForm(forms.Form):
    """A first secret for a configuration that has none; ``form_id`` tells a repeated submission from a new one."""

    lifetime = lifetime_field()
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"form_id": uuid4()})

    def overlap(self) -> timedelta:
        """Return for how long an old secret is to live on."""
        return timedelta(0)


class RotationForm(NewSecretForm):
    """A secret that replaces another one."""

    hours = forms.IntegerField(
        label="Hours until the old secret ends",
        min_value=0,
        max_value=_LONGEST_HOURS,
        initial=OVERLAP // _HOUR,
        help_text=f"From 0, which ends it at once, to {_LONGEST_HOURS}. Until then both secrets work.",
        error_messages={
            "required": f"Enter for how many hours the old secret works on: 0 to {_LONGEST_HOURS}.",
            "min_value": f"Enter 0 to {_LONGEST_HOURS} hours.",
            "max_value": f"Enter 0 to {_LONGEST_HOURS} hours.",
        },
    )
    field_order = ("hours", "lifetime")

    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])
