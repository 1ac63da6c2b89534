"""Mail that could not be sent, in words: Home shows it, because mail cannot tell it."""

from provisioning.addresses import address
from provisioning.fragments import Notice
from provisioning.models import NotificationMail, Subscription
from provisioning.permissions import Permission


def unsent(subscription: Subscription) -> list[Notice]:
    """Return a notice when people lack mail, with what the mail server said last."""
    mails = NotificationMail.objects.filter(notification__subscription=subscription).exclude(problem="")
    rows = mails.order_by("pk").values_list("account_id", "trusted_person_id", "problem")
    problems = {(account, trusted): problem for account, trusted, problem in rows}
    if not problems:
        return []
    people = "1 person" if len(problems) == 1 else f"{len(problems):,} people"
    text = f"Mail to {people} cannot be sent and is tried again: {list(problems.values())[-1]}"
    return [Notice(text, address(subscription, "notifications"), "problem", Permission.SEE_LICENSES)]
