"""The forms of Settings. Their fields are those of ``services.policies.Policies``, which says what is allowed."""

from typing import Any, Final
from zoneinfo import available_timezones

from django import forms

from provisioning.models import Subscription
from provisioning.notification_kinds import KINDS
from provisioning.services.policies import LONGEST_NAME, BadPolicy, Policies, check_policies

_RELEASE: Final = [
    (Subscription.ReleasePolicy.KEEP, "Keep the license, until somebody takes it away"),
    (Subscription.ReleasePolicy.AT_ONCE, "Release the license at once"),
    (Subscription.ReleasePolicy.AFTER_DAYS, "Release the license after a number of days"),
]
_FILL: Final = [
    (Subscription.FillPolicy.ALWAYS, "Whenever a license becomes free, whatever the reason"),
    (Subscription.FillPolicy.ON_PURCHASE, "Only when the purchased number changes"),
]
_DISABLING: Final = [
    (False, "Keep the vault user disabled, until somebody enables it"),
    (True, "Enable the vault user again"),
]


class PoliciesForm(forms.Form):
    """What an admin of the subscription may change about it."""

    contact_name = forms.CharField(label="Contact", required=False, max_length=LONGEST_NAME)
    contact_email = forms.CharField(
        label="E-mail of the contact",
        required=False,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text="Shown on Home to everybody who may open the portal, as the one to ask.",
    )
    time_zone = forms.ChoiceField(help_text="Times in the portal, and days in its charts, are those of this zone.")
    release_policy = forms.ChoiceField(
        label="When a user is disabled or removed",
        choices=_RELEASE,
        widget=forms.RadioSelect,
        help_text="A license that is released goes to the first who waits. A user who is enabled again asks anew, "
        "behind those who wait already. Users who are disabled now are looked at again when this changes.",
    )
    release_after_days = forms.IntegerField(
        label="Days until it is released",
        widget=forms.NumberInput({"inputmode": "numeric"}),
        help_text="Counts from the day the user was disabled; only for “after a number of days”.",
    )
    fill_policy = forms.ChoiceField(
        label="When users who wait get a license",
        choices=_FILL,
        widget=forms.RadioSelect,
        help_text="The first who asked comes first. With the second choice, a license that somebody gives back stays "
        "free until you purchase more or fewer.",
    )
    protection_least = forms.IntegerField(
        label="Always allowed in an hour", widget=forms.NumberInput({"inputmode": "numeric"})
    )
    protection_percent = forms.IntegerField(
        label="Or this percentage of the configuration’s users, where that is more",
        widget=forms.NumberInput({"inputmode": "numeric"}),
    )
    overrides_vault_disabling = forms.TypedChoiceField(
        label="When a person disables a vault user in M-Files Admin",
        choices=_DISABLING,
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
        help_text="With the second choice, vault users whom links or admins want are enabled again, also those "
        "who are disabled now. Whatever is chosen, an admin can disable and enable each vault user here in the portal.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Say beside its field what the service would refuse."""
        data: dict[str, Any] = super().clean() or {}
        for field, value in list(data.items()):
            try:
                check_policies({field: value})  # type: ignore[misc]
            except BadPolicy as error:
                self.add_error(field, str(error))
        return data


POLICY_FIELDS: Final = tuple(Policies.__annotations__)


class NotificationsForm(forms.Form):
    """A field for every kind of notification in ``initial``: whether the person gets mail about it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in (KINDS[name] for name in self.initial):
            self.fields[kind.name] = forms.BooleanField(label=kind.label, help_text=kind.help, required=False)

    def wanted(self) -> set[str]:
        """Return the names of the kinds that are ticked in a valid form."""
        return {name for name, is_wanted in self.cleaned_data.items() if is_wanted}
