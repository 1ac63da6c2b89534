"""How reports call those they are about."""

from collections.abc import Iterable

from licensing.plans.drift import person
from provisioning.models import LoginAccount


def of_accounts(ids: Iterable[int | None]) -> dict[int, str]:
    """Return how to call these accounts, by id: one statement, or none when there are none."""
    wanted = [pk for pk in ids if pk is not None]
    if not wanted:
        return {}
    rows = LoginAccount.objects.filter(pk__in=wanted).values_list("pk", "full_name", "username")
    return {pk: person(full_name, username) for pk, full_name, username in rows}
