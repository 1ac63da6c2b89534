"""The filter of the audit log."""

from datetime import date
from typing import Any, Final

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from provisioning.models import Subscription
from provisioning.queries import audit

_SENSIBLE_DAY: Final = (MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31)))


class AuditFilter(forms.Form):
    """Its fields are the parameters of the page's address; who sees only the own acts is not asked whose."""

    q = forms.CharField(
        label="Acted on, or request ID", required=False, max_length=200, widget=forms.TextInput({"type": "search"})
    )
    who = forms.CharField(label="Who", required=False, max_length=200, widget=forms.TextInput({"type": "search"}))
    action = forms.ChoiceField(label="What", required=False)
    first_day = forms.DateField(
        label="From", required=False, validators=_SENSIBLE_DAY, widget=forms.DateInput({"type": "date"})
    )
    last_day = forms.DateField(
        label="To", required=False, validators=_SENSIBLE_DAY, widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, *args: Any, subscription: Subscription, only_of: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._only_of = only_of
        actions = [(one, one.capitalize()) for one in audit.actions(subscription, only_of)]
        self.fields["action"].choices = [("", "Anything"), *actions]  # type: ignore[attr-defined]

    def wanted(self) -> audit.Wanted:
        """Return what was chosen; a value that makes no sense narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return audit.Wanted(
            only_of=self._only_of,
            who="" if self._only_of else chosen.get("who", ""),
            action=chosen.get("action", ""),
            about=chosen.get("q", ""),
            first_day=chosen.get("first_day"),
            last_day=chosen.get("last_day"),
        )
