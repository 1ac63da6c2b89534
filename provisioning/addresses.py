"""The addresses of the portal's pages; each page of a subscription has its number in front, so it can be bookmarked."""

from typing import Any

from django.urls import reverse

from provisioning.models import Subscription


def address(subscription: Subscription, name: str, **kwargs: Any) -> str:
    """Return the address of the page ``name`` in the subscription; raises ``NoReverseMatch`` when there is none."""
    return reverse(name, kwargs={"number": subscription.number, **kwargs})
