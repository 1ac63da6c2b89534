from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from licensing.services import pools, previews
from provisioning.actor import operator
from provisioning.commandline import Deed
from provisioning.services import lookups


class Command(Deed):
    help = "Change how many licenses a subscription has purchased. Nobody loses a license by it."
    refusals = (lookups.NotThere, pools.BadPurchase)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("subscription", metavar="SUBSCRIPTION")
        parser.add_argument("licenses", metavar="TYPE=NUMBER", nargs="+", help="named=120, read-only=50, …")

    def perform(self, options: dict[str, Any]) -> None:
        subscription = lookups.subscription(options["subscription"])
        purchases = pools.parse_purchases(options["licenses"])
        if options["dry_run"]:
            preview = previews.purchased(subscription=subscription, purchases=purchases, at=timezone.now())
            self.emit(preview, previews.lines(preview), options)
            return
        purchased = pools.set_purchased(
            subscription=subscription, purchases=purchases, actor=operator("setlicenses"), at=timezone.now()
        )
        licenses = {license_type.slug: number for license_type, number in purchased.items()}
        words = ", ".join(f"{slug} {number}" for slug, number in licenses.items())
        self.emit(
            {"subscription": subscription.name, "licenses": licenses}, [f"{subscription.name}: {words}."], options
        )
