"""Forms that change a link that is there."""

from typing import Any

from django import forms

from provisioning.forms import offer_groups
from provisioning.models import GroupLink, Subscription, UserGroup
from provisioning.services.links import Members


class ModeForm(forms.Form):
    """What a link does with other members of its target."""

    mode = forms.ChoiceField(
        label="Other members of the target group", choices=GroupLink.Mode.choices, widget=forms.RadioSelect
    )


class SourceForm(forms.Form):
    """Another source for a link."""

    group = forms.ModelChoiceField(
        UserGroup.objects.none(),
        label="New source user group",
        empty_label="Choose a user group",
        error_messages={
            "required": "Choose the user group that the target should follow.",
            "invalid_choice": "There is no such user group any more. Choose one of the list.",
        },
    )

    def __init__(self, *args: Any, subscription: Subscription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_groups(self.fields["group"], subscription, chosen=self.data.get("group"))


class RemovalForm(forms.Form):
    """What becomes of the members of the target when its link is removed."""

    members = forms.ChoiceField(
        label="Members of the target group",
        choices=[
            (Members.LEAVE.value, "Leave the target group; vault users that nothing else keeps are disabled"),
            (Members.STAY.value, "Stay in the vault as they are"),
        ],
        initial=Members.LEAVE.value,
        widget=forms.RadioSelect,
    )
