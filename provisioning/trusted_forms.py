"""The form about trusted persons; what is allowed, ``services.trusted_persons`` says."""

from typing import Any

from django import forms

from provisioning.models import Subscription, Vault
from provisioning.queries.groups import CHOICE_LIMIT
from provisioning.services.trusted_persons import ALL_VAULTS, LONGEST_ADDRESS, LONGEST_NAME


class TrustedPersonForm(forms.Form):
    """A trusted person; which vault it is of is asked when one is added, and stays."""

    vault = forms.ModelChoiceField(
        Vault.objects.none(),
        label="Trusted person of",
        required=False,
        empty_label=ALL_VAULTS,
        help_text="Mail comes about this vault; about every vault with “All vaults”.",
    )
    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Enter a name."},
    )
    email = forms.CharField(
        label="Email",
        max_length=LONGEST_ADDRESS,
        widget=forms.EmailInput({"autocomplete": "off"}),
        error_messages={"required": "Enter an e-mail address."},
        help_text="The person needs no account and no role in the portal.",
    )

    def __init__(self, data: Any, *, subscription: Subscription, initial: dict[str, Any], is_new: bool) -> None:
        super().__init__(data, initial=initial)
        if not is_new:
            del self.fields["vault"]
            return
        rows = Vault.objects.filter(subscription=subscription).order_by("name", "pk")
        offered = list(rows.values_list("pk", "name")[:CHOICE_LIMIT])
        chosen = str(self.data.get("vault") or initial.get("vault") or "")
        if chosen.isdecimal() and not any(str(pk) == chosen for pk, _ in offered):
            offered += list(rows.filter(pk=chosen).values_list("pk", "name"))
        field = self.fields["vault"]
        field.queryset = rows  # type: ignore[attr-defined]
        field.choices = [("", ALL_VAULTS), *offered]  # type: ignore[attr-defined]
