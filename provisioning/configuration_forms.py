"""Forms that create a configuration, one for each kind, and that change what one trusts."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from provisioning.license_types import LICENSE_TYPE_CHOICES, LicenseType
from provisioning.models import ProvisioningConfiguration
from provisioning.secret_forms import lifetime_field
from provisioning.services import trust
from provisioning.services.assertions import NON_GALLERY_AUDIENCE
from provisioning.services.secrets import LIFETIME
from provisioning.services.trust import NOTHING, Trusted

_Kind = ProvisioningConfiguration.Kind
_LONGEST: Final = 255


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


class NewConfigurationForm(forms.Form):
    """A new configuration; ``form_id`` tells a repeated submission from a new one."""

    kind = _Kind.OTHER
    name = forms.CharField(
        label="Configuration name",
        max_length=200,
        help_text="Unique in the subscription, such as the name of the directory.",
        error_messages={"required": "Enter a name by which you will know this configuration."},
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True}),
    )
    default_license_type = forms.TypedChoiceField(
        label="Default license type",
        choices=LICENSE_TYPE_CHOICES,
        coerce=lambda value: LicenseType(int(value)),
        initial=int(LicenseType.READ_ONLY),
        help_text="Every provisioned user asks for this license first. User groups can give a higher one later.",
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"form_id": uuid4()})

    def trusted(self) -> Trusted:
        """Return what a valid form says about the directory and its issuer."""
        return NOTHING

    def secret_lifetime(self) -> timedelta:
        """Return how long the client secret of a valid form is to live."""
        lifetime: timedelta = self.cleaned_data.get("lifetime", LIFETIME)
        return lifetime


class OtherForm(NewConfigurationForm):
    """A configuration for a provider that is not Entra, or that knows no gallery."""

    lifetime = lifetime_field()


class GalleryForm(NewConfigurationForm):
    """A configuration for Entra's gallery application."""

    kind = _Kind.GALLERY
    lifetime = lifetime_field()
    directory = forms.CharField(
        label="Tenant ID",
        required=False,
        max_length=_LONGEST,
        help_text="Needed only beside a classic configuration of another directory: the ID of the Microsoft Entra "
        "tenant from which this one will provision.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_directory(self) -> str:
        text: str = self.cleaned_data["directory"]
        try:
            return trust.directory_id(text) if text else ""
        except trust.BadDirectory as error:
            raise ValidationError(str(error)) from error

    def trusted(self) -> Trusted:
        return Trusted(directory=self.cleaned_data["directory"])


def _text(label: str, help_text: str, *, required: bool = True, missing: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=_LONGEST,
        help_text=help_text,
        error_messages={"required": missing} if missing else None,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )


class TenantForm(forms.Form):
    """Whose tokens a classic configuration trusts: those that Entra signs for a tenant."""

    issuer = _text(
        "Issuer",
        "The tenant ID of your Microsoft Entra ID: see its overview in the Microsoft Entra admin center.",
        missing="Enter the tenant ID of your Microsoft Entra ID.",
    )
    audience = _text(
        "Audience",
        f"Whom Entra's tokens are for. Empty: {NON_GALLERY_AUDIENCE}, which stands for every application of your own.",
        required=False,
    )
    subject = _text(
        "Subject",
        "Whom Entra's tokens must be about, as their claim “sub” has it. Empty: anybody who gets such a token in the "
        "tenant.",
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Note what is trusted; what cannot be stands beside its field."""
        data: dict[str, Any] = super().clean() or {}
        if "issuer" in data:
            try:
                self.found = self._trusted(data)
            except trust.BadDirectory as error:
                self.add_error("issuer", str(error))
            except trust.BadIssuer as error:
                self.add_error(error.field, str(error))
        return data

    def _trusted(self, data: dict[str, Any]) -> Trusted:
        return trust.of_tenant(data["issuer"], audience=data.get("audience", ""), subject=data.get("subject", ""))

    def trusted(self) -> Trusted:
        """Return what a valid form says."""
        return self.found


class IssuerForm(TenantForm):
    """Whose assertions any other configuration trusts (RFC 7523)."""

    issuer = _text(
        "Issuer",
        "As the tokens name it in “iss”, such as https://login.microsoftonline.com/TENANT-ID/v2.0.",
        missing="Enter the issuer as its tokens name it.",
    )
    subject = _text(
        "Subject",
        "Whom the tokens are about, as “sub” has it; for Entra the object ID of the workload identity.",
        missing="Enter the subject of the tokens: without it, anybody at the issuer gets in.",
    )
    audience = _text(
        "Audience",
        "Whom the tokens are for, as “aud” has it, such as api://APPLICATION-ID/.default.",
        missing="Enter the audience of the tokens.",
    )
    field_order = ("issuer", "subject", "audience")

    def _trusted(self, data: dict[str, Any]) -> Trusted:
        return trust.of_issuer(data["issuer"], subject=data.get("subject", "x"), audience=data.get("audience", "x"))


class ClassicForm(TenantForm, NewConfigurationForm):
    """A configuration for an application of one's own in Entra; it has no client secret."""

    kind = _Kind.CLASSIC
    field_order = ("name", "default_license_type", "issuer", "audience", "subject")


FORMS: Final[dict[str, type[NewConfigurationForm]]] = {
    _Kind.GALLERY: GalleryForm,
    _Kind.OTHER: OtherForm,
    _Kind.CLASSIC: ClassicForm,
}


class BearerTokenForm(forms.Form):
    """A new bearer token; ``form_id`` tells a repeated submission from a new one."""

    lifetime = lifetime_field("The bearer token expires after")
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"form_id": uuid4()})
