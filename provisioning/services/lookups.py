"""Find what an operator names at the command line; what is not there is said in a sentence."""

from typing import Any, Never

from django.db.models import Q, QuerySet

from provisioning.models import LoginAccount, ProvisioningConfiguration, Subscription, UserGroup, Vault


class NotThere(Exception):
    """Nothing, or more than one thing, has that name."""


def subscription(name: str) -> Subscription:
    """Return the subscription of that name or number. Raises ``NotThere``."""
    found = Subscription.objects.filter(Q(name__iexact=name) | Q(number=name)).first()
    return found or _missing("subscription", name, Subscription.objects.values_list("name", flat=True))


def configuration(name: str) -> ProvisioningConfiguration:
    """Return the configuration of that name, client ID or Tenant URL. Raises ``NotThere``."""
    rows = ProvisioningConfiguration.objects.select_related("subscription", "application")
    tail = name.rstrip("/").rpartition("/")[2]
    found = list(rows.filter(Q(name__iexact=name) | Q(application__client_id=name) | Q(public_id=tail))[:2])
    if len(found) > 1:
        raise NotThere(
            f"Several subscriptions have a configuration “{name}”; give its client ID or Tenant URL instead."
        )
    return found[0] if found else _missing("configuration", name, rows.values_list("name", flat=True))


def group(owner: ProvisioningConfiguration, name: str) -> UserGroup:
    """Return the group of that name that came through the configuration. Raises ``NotThere``."""
    rows = UserGroup.objects.filter(configuration=owner, deleted_at__isnull=True)
    found = rows.filter(display_name_key=name.casefold()).first()
    return found or _missing("user group", name, rows.values_list("display_name", flat=True))


def vault(owner: Subscription, name: str) -> Vault:
    """Return the vault of that name. Raises ``NotThere``."""
    rows = Vault.objects.filter(subscription=owner)
    return rows.filter(name__iexact=name).first() or _missing("vault", name, rows.values_list("name", flat=True))


def account(username: str, owner: Subscription | None = None) -> LoginAccount:
    """Return the account of that username; without ``owner``, in whichever subscription. Raises ``NotThere``."""
    rows = LoginAccount.objects.select_related("subscription", "configuration")
    if owner is not None:
        rows = rows.filter(subscription=owner)
    found = list(rows.filter(username_key=username.casefold())[:2])
    if len(found) > 1:
        raise NotThere(f"Several subscriptions have a user “{username}”; name one with --subscription.")
    if not found:
        raise NotThere(f"There is no user “{username}”.")
    return found[0]


def _missing(kind: str, name: str, known: QuerySet[Any, str]) -> Never:
    names = ", ".join(f"“{one}”" for one in known.order_by("pk")[:10])
    raise NotThere(f"There is no {kind} “{name}”. " + (f"There is {names}." if names else "There is none yet."))
