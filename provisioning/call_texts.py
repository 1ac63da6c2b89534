"""What the provisioning log says of a call in words that people know: what changed, why it failed, what to do.

Plain Python. Values are shown by an allow-list, the attributes of RFC 7643 §4 and of our own extension: what an
identity provider sends beyond them is named, but its value is not shown, because it could be a secret.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

INFO: Final = "urn:ietf:params:scim:schemas:extension:info:2.0:User"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NOT_SHOWN: Final = "changed; the value is not shown"
_LONGEST: Final = 200
_LABELS: Final[Mapping[str, str]] = {
    "userName": "Username",
    "externalId": "External ID",
    "displayName": "Display name",
    "nickName": "Nickname",
    "profileUrl": "Profile page",
    "title": "Job title",
    "userType": "User type",
    "preferredLanguage": "Preferred language",
    "locale": "Locale",
    "timezone": "Time zone",
    "active": "Enabled",
    "emails": "Email addresses",
    "phoneNumbers": "Phone numbers",
    "ims": "Messaging addresses",
    "photos": "Photos",
    "addresses": "Addresses",
    "entitlements": "Entitlements",
    "roles": "Roles at the identity provider",
    "x509Certificates": "Certificates",
    "members": "Members",
}
_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "name": {
        "formatted": "Full name",
        "givenName": "Given name",
        "familyName": "Family name",
        "middleName": "Middle name",
        "honorificPrefix": "Title before the name",
        "honorificSuffix": "Title after the name",
    },
    INFO: {"info1": "Additional information 1", "info2": "Additional information 2"},
    ENTERPRISE: {
        "employeeNumber": "Employee number",
        "costCenter": "Cost center",
        "organization": "Organization",
        "division": "Division",
        "department": "Department",
        "manager": "Manager",
    },
}
_ADDRESS: Final = ("streetAddress", "postalCode", "locality", "region", "country")
_ADVICE: Final[Mapping[int, str]] = {
    400: "The identity provider sent something that cannot be kept. Compare its attribute mappings with the reason "
    "above, correct the mapping or the user there, then provision on demand or wait for the next cycle.",
    403: "The configuration is paused, so its calls are refused. Resume it: the identity provider tries again itself.",
    404: "The identity provider remembers a user or group that is not here any more. It will look for it by name and "
    "create it again by itself. Nothing needs to be done unless this repeats in every cycle.",
    409: "Another user or group has this name or external ID. Rename one of the two, or remove the one that is not "
    "needed. If the other is a manual account of the same person, turn on adoption in the configuration's settings.",
    412: "Somebody else changed the user or group in the meantime. The identity provider reads it and tries again.",
    413: "The call was larger than the service accepts. Let the identity provider send fewer members in one call.",
    429: "More calls came than the service takes in a second. The identity provider tries again by itself.",
    500: "This is a fault of the service, not of the identity provider, which will try again by itself. "
    "If it repeats, give the request ID to the operator of this installation.",
}
_OTHERWISE: Final = (
    "The identity provider asked in a way that this service does not offer. Check that its app provisions by SCIM 2.0 "
    "and that the Tenant URL is exactly the one of the configuration."
)


REFUSALS: Final[Mapping[str, str]] = {
    "wrong_secret": "The identity provider used a wrong client secret. Paste the client secret of this configuration "
    "into it again, whole and without blanks. If nobody has stored it, replace it under Credentials: a secret is shown "
    "once.",
    "expired_secret": "The identity provider used a client secret that has expired. Give it one that is valid.",
    "revoked_secret": "The identity provider used a client secret that was revoked. Give it one that is valid.",
    "other_tenant_url": "The identity provider came with this configuration's token to another Tenant URL. "
    "Copy the Tenant URL from this page into it.",
    "untrusted_token": "The identity provider came with a token that is not trusted. Compare its issuer, audience and "
    "subject with those under Issuer.",
    "issuer_silent": "The identity provider's token could not be verified: the keys of its issuer cannot be read. "
    "Check that this server reaches the issuer.",
    "expired_token": "The identity provider used a bearer token that has expired. Give it one that is valid.",
    "revoked_token": "The identity provider used a bearer token that was revoked. Give it one that is valid.",
}
"""Why an identity provider was turned away at the door, and what to do, by ``ProvisioningConfiguration.Refusal``."""


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute with its old and its new value as texts; an empty text is no value."""

    label: str
    old: str = ""
    new: str = ""


def advice(status: int) -> str:
    """Return what a person should do about a call that was refused with this HTTP status."""
    return _ADVICE[500] if status >= 500 else _ADVICE.get(status, _OTHERWISE)  # noqa: PLR2004


def changes(changed: Mapping[str, Any]) -> list[Change]:
    """Return what changed, from ``{attribute: [old, new]}`` of a SCIM document, ordered by label."""
    return sorted(
        (one for name, pair in shown(changed).items() for one in _change(name, pair)), key=lambda one: one.label
    )


def shown(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{attribute: [old, new]}`` with the values that may be shown, as they are; ``schemas`` says no more."""
    return {
        name: pair if name in _LABELS or name in _PARTS else [None, NOT_SHOWN]
        for name, pair in changed.items()
        if name != "schemas"
    }


def changed_words(changed: Mapping[str, Any]) -> str:
    """Return the labels of what changed, in a row."""
    return ", ".join(dict.fromkeys(one.label for one in changes(changed)))


def _change(name: str, pair: Any) -> Iterator[Change]:
    old, new = pair if isinstance(pair, list) and len(pair) == 2 else (None, pair)  # noqa: PLR2004
    if name in _PARTS:
        before, after = (value if isinstance(value, dict) else {} for value in (old, new))
        for part in before.keys() | after.keys():
            if before.get(part) != after.get(part):
                yield _one(_PARTS[name].get(part), part, before.get(part), after.get(part))
    else:
        yield _one(_LABELS.get(name), name, old, new)


def _one(label: str | None, name: str, old: Any, new: Any) -> Change:
    return Change(label, _text(old), _text(new)) if label else Change(_short(name), "", NOT_SHOWN)


def _short(name: str) -> str:
    """Return an attribute's name; of a whole schema, the part that says whose it is."""
    parts = name.split(":")
    return f"Extension “{parts[-3]}”" if name.lower().startswith("urn:") and len(parts) > 3 else name  # noqa: PLR2004


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case list():
            return "\n".join(filter(None, map(_text, value)))
        case dict():
            return _labelled(value)
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _labelled(value: Mapping[str, Any]) -> str:
    """Return the value of a complex attribute, with what it is for in brackets."""
    known = next((value[key] for key in ("value", "formatted", "displayName", "display") if value.get(key)), None)
    text = _text(known) or ", ".join(_text(value[part]) for part in _ADDRESS if value.get(part))
    named = value.get("displayName") or value.get("display")
    notes = [_text(named)] if named and named != known else []
    notes += [_text(value["type"])] if value.get("type") else []
    notes += ["primary"] if value.get("primary") is True else []
    return f"{text} ({', '.join(notes)})" if notes else text
