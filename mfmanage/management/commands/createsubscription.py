from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from licensing.services import pools
from provisioning.actor import operator
from provisioning.commandline import Deed, Refused
from provisioning.models import LoginAccount, Subscription
from provisioning.services import subscriptions


class Command(Deed):
    help = "Create a subscription with its license pools and its first Subscription admin."
    refusals = (subscriptions.SubscriptionNameTaken, pools.BadPurchase)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--edition", choices=Subscription.Edition.values, default=Subscription.Edition.CLOUD)
        parser.add_argument("--license", action="append", default=[], metavar="TYPE=NUMBER", help="named=100, …")
        parser.add_argument("--admin", metavar="EMAIL", help="the first Subscription admin")
        parser.add_argument("--password", metavar="PASSWORD", help="the admin's; made up when not given")

    def perform(self, options: dict[str, Any]) -> None:
        actor, now = operator("createsubscription"), timezone.now()
        purchases = pools.parse_purchases(options["license"])
        subscription = subscriptions.create_subscription(
            name=options["name"], edition=options["edition"], actor=actor, at=now
        )
        purchased = pools.set_purchased(subscription=subscription, purchases=purchases, actor=actor, at=now)
        admin = self._admin(subscription, options) if options["admin"] else None
        document = {
            "id": subscription.number,
            "name": subscription.name,
            "licenses": {license_type.slug: number for license_type, number in purchased.items()},
            "admin": admin,
        }
        self.emit(document, _lines(document), options)

    def _admin(self, subscription: Subscription, options: dict[str, Any]) -> dict[str, str | None]:
        try:
            validate_email(options["admin"])
        except ValidationError as error:
            raise Refused(f"{options['admin']!r} is not an e-mail address.") from error
        admin = subscriptions.add_admin(
            subscription=subscription,
            email=options["admin"],
            password=options["password"],
            role=LoginAccount.Role.SUBSCRIPTION_ADMIN,
            actor=operator("createsubscription"),
            at=timezone.now(),
        )
        return {"email": admin.account.email, "password": None if options["dry_run"] else admin.password}


def _lines(document: dict[str, Any]) -> list[str]:
    licenses = ", ".join(f"{slug} {number}" for slug, number in document["licenses"].items())
    lines = [f"Subscription {document['name']} ({document['id']}): {licenses}."]
    if admin := document["admin"]:
        password = f", password {admin['password']}" if admin["password"] else " (an existing sign-in)"
        lines.append(f"Subscription admin {admin['email']}{password}.")
    return lines
