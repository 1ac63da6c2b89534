from typing import Any

from django.core.management import CommandParser
from django.db.models import Q
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed, Refused
from provisioning.models import User
from provisioning.services import sign_ins


class Command(Deed):
    help = "Remove the second factor of somebody who has lost phone and recovery codes; all their sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="the username or email of the sign-in")

    def perform(self, options: dict[str, Any]) -> None:
        name = options["user"]
        user = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).first()
        if user is None:
            raise Refused(f"Nobody signs in as “{name}”. Name the username or email that the page of the user shows.")
        removed = sign_ins.remove_factor(user=user, actor=operator("removefactor"), at=timezone.now())
        told = "has no second factor any more" if removed else "had no second factor"
        self.emit({"user": user.get_username(), "removed": removed}, [f"{user.get_username()} {told}."], options)
