from typing import Any

from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed
from provisioning.services import sign_ins


class Command(Deed):
    help = "Remove the second factor of somebody who has lost phone and recovery codes; all their sessions end."
    refusals = (sign_ins.NobodySignsIn,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="the username or email of the sign-in")

    def perform(self, options: dict[str, Any]) -> None:
        user = sign_ins.user_of(options["user"])
        removed = sign_ins.remove_factor(user=user, actor=operator("removefactor"), at=timezone.now())
        told = "has no second factor any more" if removed else "had no second factor"
        self.emit({"user": user.get_username(), "removed": removed}, [f"{user.get_username()} {told}."], options)
