"""Whose license a person wants to change, and to what, as the address of a page or a form says it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django import forms
from django.http import QueryDict

from licensing.services.choices import AccountRemoved
from provisioning.forms import UserFilter
from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import LoginAccount, Subscription
from provisioning.queries import account_pages

NO_PIN: Final = "none"
_LONGEST_ID: Final = 18


class NobodyChosen(Exception):
    """No account is selected, or none of the subscription's."""

    def __init__(self) -> None:
        super().__init__("Nobody is selected. Go back to the list, and select the users whose license is to change.")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The accounts, and the parameters that name them: to be carried on by forms and addresses."""

    ids: list[int]
    parameters: list[tuple[str, str]]

    @property
    def digest(self) -> str:
        """Tells these accounts from others, so that what is done is what was shown."""
        return hashlib.sha256(",".join(map(str, self.ids)).encode()).hexdigest()[:32]


def choose(subscription: Subscription, data: QueryDict) -> Chosen:
    """Return the accounts of the ids in ``row``; with ``all``, those whom the filter of the list finds.

    Raises ``NobodyChosen`` and ``TooManyFound``.
    """
    if data.get("all"):
        form = UserFilter(data, subscription=subscription)
        chosen = Chosen(account_pages.everybody(subscription, form.wanted()), [("all", "1"), *form.chosen_parameters()])
    else:
        ids = {int(word) for word in data.getlist("row") if word.isdecimal() and len(word) <= _LONGEST_ID}
        rows = LoginAccount.objects.filter(subscription=subscription, pk__in=ids).order_by("pk")
        known = list(rows.values_list("pk", flat=True))
        chosen = Chosen(known, [("row", str(pk)) for pk in known])
    if not chosen.ids:
        raise NobodyChosen
    return chosen


def refuse_removed(ids: Iterable[int]) -> None:
    """Raise ``AccountRemoved`` for accounts that get no license any more."""
    rows = LoginAccount.objects.filter(pk__in=list(ids), removed_at__isnull=False).order_by("username_key")
    if removed := list(rows.values_list("username", flat=True)):
        raise AccountRemoved(removed)


class PinForm(forms.Form):
    """A license type to pin to accounts, or that their pins are taken away."""

    license_type = forms.ChoiceField(
        label="License type",
        choices=[("", "Choose"), *((str(number), label) for number, label in LICENSE_TYPE_CHOICES), (NO_PIN, "No pin")],
        help_text="A pinned type holds, whatever the user's groups and configuration give. Without a pin, they decide.",
        error_messages={
            "required": "Choose the license type to pin, or No pin.",
            "invalid_choice": "There is no such license type. Choose one of the list.",
        },
    )

    def license_type_of(self) -> LicenseType | None:
        """Return the type of a valid form; None is no pin."""
        word = self.cleaned_data["license_type"]
        return None if word == NO_PIN else LicenseType(int(word))


class ManualTypeForm(forms.Form):
    """The license type that a manual account wants of its own."""

    license_type = forms.TypedChoiceField(
        label="License type", choices=LICENSE_TYPE_CHOICES, coerce=lambda value: LicenseType(int(value))
    )
