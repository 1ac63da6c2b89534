"""``export licenses``: every account with its license, and why it has it or waits."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from licensing.services import license_rows
from licensing.services.license_rows import LicenseRow
from mfmanage.exporting import kinds


def _rows(options: dict[str, Any]) -> Iterator[LicenseRow]:
    subscriptions, now = kinds.subscriptions(options), timezone.now()
    kinds.note("licenses", subscriptions)
    return (row for subscription in subscriptions for row in license_rows.rows(subscription, now))


LICENSES = kinds.Kind(
    help="Every account with its license, and why it has it or waits; by username.",
    add_arguments=kinds.add_subscription,
    titles=license_rows.TITLES,
    rows=_rows,
    cells=license_rows.cells,
    document=license_rows.document,
)
