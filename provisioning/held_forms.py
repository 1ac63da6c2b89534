"""The form that decides about held changes."""

from typing import Any, Final

from django import forms
from django.db.models import QuerySet

from provisioning.models import HeldChange, ProvisioningConfiguration, Subscription
from provisioning.queries.pages import SIZE

ALLOW: Final = "allow"
_LARGEST: Final = 2**63 - 1


class _Ids(forms.MultipleChoiceField):
    """Ids of changes, whether or not they are still held: that is told after the decision."""

    def valid_value(self, value: str) -> bool:
        return value.isascii() and value.isdecimal() and int(value) <= _LARGEST


class DecisionForm(forms.Form):
    """A decision about single changes (``ids``), or about all of a configuration that were held up to ``last``."""

    decision = forms.ChoiceField(choices=[(ALLOW, "Allow"), ("reject", "Reject")])
    ids = _Ids(required=False)
    configuration = forms.ModelChoiceField(ProvisioningConfiguration.objects.none(), required=False)
    last = forms.IntegerField(min_value=0, max_value=_LARGEST, required=False)

    def __init__(self, data: Any, *, subscription: Subscription) -> None:
        super().__init__(data)
        configurations = ProvisioningConfiguration.objects.filter(subscription=subscription)
        self.fields["configuration"].queryset = configurations  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse what chooses nothing."""
        if not self.cleaned_data.get("ids") and not self.cleaned_data.get("configuration"):
            raise forms.ValidationError("Select at least one change.")
        return self.cleaned_data

    @property
    def allows(self) -> bool:
        return bool(self.cleaned_data["decision"] == ALLOW)

    def narrowed(self, rows: QuerySet[HeldChange]) -> QuerySet[HeldChange]:
        """Return the chosen ones."""
        if configuration := self.cleaned_data["configuration"]:
            last = self.cleaned_data["last"]
            return rows.filter(configuration=configuration, pk__lte=_LARGEST if last is None else last)
        return rows.filter(pk__in=self.cleaned_data["ids"][:SIZE])
