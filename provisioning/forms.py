"""The portal's forms. What a person typed is checked here for shape; what the directory allows, services say."""

from datetime import date
from typing import Any, Final

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet

from provisioning import filters
from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import (
    GroupLink,
    LoginAccount,
    ProvisioningConfiguration,
    Subscription,
    UserGroup,
    Vault,
    VaultUserGroup,
)
from provisioning.models.configurations import SHORTEST_TOKEN_LIFETIME
from provisioning.queries import account_pages, accounts, logs
from provisioning.queries import groups as group_queries

_ANY = ("", "Any")
TOKEN_LIFETIMES: Final = [(hours * 3600, "1 hour" if hours == 1 else f"{hours} hours") for hours in range(1, 7)]
_WHO_ADOPTS: Final = (
    "Only a Subscription admin can switch this on, for it can take over an admin's account; who manages provisioning "
    "can switch it off."
)
_SENSIBLE_DAY = (MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31)))


class UserFilter(forms.Form):
    """The filter and order of internal users; its fields are the parameters of the page's address."""

    q = forms.CharField(label="Search", required=False, max_length=200, widget=forms.TextInput({"type": "search"}))
    state = forms.ChoiceField(
        required=False,
        choices=[_ANY, ("enabled", "Enabled"), ("disabled", "Disabled"), ("removed", "Removed by the provider")],
    )
    role = forms.ChoiceField(
        required=False, choices=[_ANY, *((str(value), label) for value, label in LoginAccount.Role.choices)]
    )
    configuration = forms.ChoiceField(label="Source", required=False)
    group = forms.ModelChoiceField(
        UserGroup.objects.none(), label="User group", required=False, empty_label="Any", blank=True
    )
    sort = forms.ChoiceField(
        label="Order",
        required=False,
        choices=[
            ("", "Full name"),
            ("-name", "Full name, last first"),
            ("username", "Username"),
            ("-username", "Username, last first"),
            ("email", "Email"),
            ("-email", "Email, last first"),
            ("-change", "Newest change first"),
            ("change", "Oldest change first"),
        ],
    )

    def __init__(self, *args: Any, subscription: Subscription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = ProvisioningConfiguration.objects.filter(subscription=subscription).order_by("name")
        names = [(str(pk), name) for pk, name in rows.values_list("pk", "name")]
        self.fields["configuration"].choices = [_ANY, *names, ("manual", "Manual")]  # type: ignore[attr-defined]
        offer_groups(self.fields["group"], subscription, chosen=self.data.get("group"))
        for one in filters.registered():
            choices = [_ANY, *one.choices(subscription)]
            self.fields[one.name] = forms.ChoiceField(label=one.label, required=False, choices=choices)

    def wanted(self) -> accounts.Wanted:
        """Return what was chosen; a value that makes no sense narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return accounts.Wanted(
            search=chosen.get("q", ""),
            state=chosen.get("state", ""),
            role=chosen.get("role", ""),
            configuration=chosen.get("configuration", ""),
            group=chosen.get("group"),
            added={one.name: chosen[one.name] for one in filters.registered() if chosen.get(one.name)},
        )

    def order(self) -> str:
        """Return the order that was chosen, as ``queries.account_pages.SORTS`` names it."""
        self.is_valid()
        return str(self.cleaned_data.get("sort") or account_pages.FIRST_SORT)

    def chosen_parameters(self) -> list[tuple[str, str]]:
        """Return the parameters that narrow or order the list, for an address or a form that carries them on."""
        return [(name, self.data[name]) for name in self.fields if self.data.get(name)]


class LogFilter(forms.Form):
    """The filter of the provisioning log; its fields are the parameters of the page's address."""

    q = forms.CharField(
        label="User, group or request ID", required=False, max_length=200, widget=forms.TextInput({"type": "search"})
    )
    resource = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    result = forms.ChoiceField(required=False, choices=[_ANY, ("succeeded", "Succeeded"), ("failed", "Failed")])
    operation = forms.ChoiceField(required=False, choices=[_ANY, *((one, one.capitalize()) for one in logs.OPERATIONS)])
    type = forms.ChoiceField(
        label="About", required=False, choices=[("", "Anything"), ("User", "Users"), ("Group", "User groups")]
    )
    configuration = forms.ModelChoiceField(
        ProvisioningConfiguration.objects.none(), required=False, empty_label="Any", blank=True
    )
    first_day = forms.DateField(
        label="From", required=False, validators=_SENSIBLE_DAY, widget=forms.DateInput({"type": "date"})
    )
    last_day = forms.DateField(
        label="To", required=False, validators=_SENSIBLE_DAY, widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, *args: Any, subscription: Subscription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = ProvisioningConfiguration.objects.filter(subscription=subscription).order_by("name")
        self.fields["configuration"].queryset = rows  # type: ignore[attr-defined]

    def wanted(self) -> logs.Wanted:
        """Return what was chosen; a value that makes no sense narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return logs.Wanted(
            search=chosen.get("q", ""),
            resource=chosen.get("resource", ""),
            result=chosen.get("result", ""),
            operation=chosen.get("operation", ""),
            resource_type=chosen.get("type", ""),
            configuration=chosen.get("configuration"),
            first_day=chosen.get("first_day"),
            last_day=chosen.get("last_day"),
        )


class ConfigurationSettingsForm(forms.Form):
    """How a configuration answers its identity provider: the fields of ``services.configurations.Settings``.

    Who may not switch adoption on is shown it disabled while it is off.
    """

    adopts_manual_accounts = forms.BooleanField(
        label="Adopt manual accounts",
        required=False,
        help_text="A user whose username belongs to a manual account takes that account over, with its role, vaults "
        "and history. Otherwise the identity provider is told that the name is taken.",
    )
    user_patch_status = forms.TypedChoiceField(
        label="Answer to a changed user",
        choices=ProvisioningConfiguration.UserPatchStatus.choices,
        coerce=int,
        widget=forms.RadioSelect,
        help_text="Microsoft Entra takes both. Some other providers insist on one of them.",
    )
    accepts_bare_tokens = forms.BooleanField(
        label="Accept unquoted words in filters",
        required=False,
        help_text="Some providers leave out the quotation marks that SCIM demands around a text. Entra does not.",
    )
    token_lifetime = forms.TypedChoiceField(
        label="An access token lives for",
        required=False,
        choices=TOKEN_LIFETIMES,
        coerce=int,
        empty_value=SHORTEST_TOKEN_LIFETIME,  # type: ignore[arg-type]
        help_text="The identity provider then asks for another one. Holds from the next token on.",
    )

    def __init__(self, data: Any, *, initial: dict[str, Any], may_adopt: bool) -> None:
        super().__init__(data, initial=initial)
        if may_adopt:
            return
        field = self.fields["adopts_manual_accounts"]
        field.help_text = f"{field.help_text} {_WHO_ADOPTS}"
        # Not ``field.disabled``, which overlooks what a forged form says: the service is to refuse that in words.
        if not initial["adopts_manual_accounts"]:
            field.widget.attrs["disabled"] = True

    def refuse_adoption(self, sentence: str) -> None:
        """Say why adoption stays off, and show it so."""
        self.add_error("adopts_manual_accounts", sentence)
        self.initial["adopts_manual_accounts"] = False
        self.fields["adopts_manual_accounts"].disabled = True


class GroupLicenseForm(forms.Form):
    """The license type that a group gives its members; an empty one gives them no right of its own."""

    license_type = forms.TypedChoiceField(
        label="License type",
        required=False,
        choices=[("", "No license type"), *LICENSE_TYPE_CHOICES[:-1]],
        coerce=lambda value: LicenseType(int(value)),
        empty_value=None,
        help_text="Members get the highest of their groups' types and the configuration's default.",
    )


class LinkForm(forms.Form):
    """A link from a user group to an existing or a new user group of a vault."""

    group = forms.ModelChoiceField(
        UserGroup.objects.none(),
        label="Source user group",
        empty_label="Choose a user group",
        error_messages={"required": "Choose the user group whose members should come to the vault."},
    )
    kind = forms.ChoiceField(
        label="Target user group",
        choices=[("existing", "Existing user group"), ("new", "Create new user group")],
        initial="existing",
        widget=forms.RadioSelect,
    )
    target = forms.ModelChoiceField(
        VaultUserGroup.objects.none(),
        label="User group of the vault",
        required=False,
        empty_label="Choose a user group",
    )
    vault = forms.ModelChoiceField(
        Vault.objects.none(), label="Target vault", required=False, empty_label="Choose a vault"
    )
    new_target = forms.CharField(label="Name of the new user group", required=False, max_length=200)
    mode = forms.ChoiceField(
        label="Other members of the target group",
        choices=GroupLink.Mode.choices,
        initial=GroupLink.Mode.REPLACE,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, subscription: Subscription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.data.get("group") or self.initial.get("group")
        offer_groups(self.fields["group"], subscription, chosen=chosen)
        _offer_targets(self.fields["target"], subscription)
        self.fields["vault"].queryset = Vault.objects.filter(subscription=subscription).order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name, sentence in _MISSING.get(data.get("kind", ""), {}).items():
            if name not in self.errors and not data.get(name):
                self.add_error(name, sentence)
        return data

    def target_vault_and_name(self) -> tuple[Vault, str]:
        """Return the vault of a valid form, and the name of its user group, existing or new."""
        if self.cleaned_data["kind"] == "new":
            return self.cleaned_data["vault"], self.cleaned_data["new_target"]
        target: VaultUserGroup = self.cleaned_data["target"]
        return target.vault, target.name


_MISSING = {
    "existing": {"target": "Choose the user group that the members should join."},
    "new": {
        "vault": "Choose the vault in which to create the user group.",
        "new_target": "Enter a name for the new user group.",
    },
}


def offer_groups(field: forms.Field, subscription: Subscription, *, chosen: Any) -> None:
    """Accept any group of the subscription, and offer the first ones by name; a chosen one is always among them."""
    rows = group_queries.user_groups(subscription)
    offered = list(_named(rows)[: group_queries.CHOICE_LIMIT])
    if str(chosen or "").isdecimal() and not any(str(pk) == str(chosen) for pk, _ in offered):
        offered += list(_named(rows.filter(pk=chosen)))
    field.queryset = rows  # type: ignore[attr-defined]
    field.choices = [("", field.empty_label), *offered]  # type: ignore[attr-defined]


def _named(rows: QuerySet[UserGroup]) -> QuerySet[UserGroup, tuple[int, str]]:
    return rows.order_by("display_name_key", "id").values_list("pk", "display_name")


def _offer_targets(field: forms.Field, subscription: Subscription) -> None:
    """Offer the vault user groups that may be a target, under the names of their vaults."""
    rows = group_queries.targets(subscription)
    vaults: dict[str, list[tuple[int, str]]] = {}
    for target in rows[: group_queries.CHOICE_LIMIT]:
        vaults.setdefault(target.vault.name, []).append((target.pk, target.name))
    field.queryset = rows  # type: ignore[attr-defined]
    field.choices = [("", field.empty_label), *vaults.items()]  # type: ignore[attr-defined]
