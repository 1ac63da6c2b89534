"""``export users``: every internal user, in the words of the file that can be imported again."""

from collections.abc import Iterator
from typing import Any

from mfmanage.exporting import kinds
from provisioning.queries import accounts, user_files
from provisioning.user_rows import TITLES, Cells


def _rows(options: dict[str, Any]) -> Iterator[Cells]:
    subscriptions = kinds.subscriptions(options)
    kinds.note("users", subscriptions)
    everybody = (accounts.internal_users(subscription, accounts.Wanted()) for subscription in subscriptions)
    return (row for people in everybody for row in user_files.rows(people))


def _document(row: Cells) -> dict[str, Any]:
    return row._asdict()


USERS = kinds.Kind(
    help="Every internal user, with the columns of the file that the portal imports.",
    add_arguments=kinds.add_subscription,
    titles=TITLES,
    rows=_rows,
    cells=tuple,
    document=_document,
)
