import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandParser
from django.utils import timezone

from provisioning.actor import operator
from provisioning.commandline import Deed, Refused
from provisioning.services import sign_ins


class Command(Deed):
    """Stands in for Django's command of that name, after which mailed links would still open."""

    help = "Give somebody who signs in another password; all their sessions end, and mailed links open nothing."
    refusals = (sign_ins.NobodySignsIn,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="the username or email of the sign-in")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask before the transaction begins: nobody waits for who types."""
        sign_ins.user_of(options["user"])
        super().handle(*args, **options, password=_password())

    def perform(self, options: dict[str, Any]) -> None:
        user, password = sign_ins.user_of(options["user"]), options["password"]
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Refused(" ".join(error.messages)) from error
        sign_ins.set_password(user=user, password=password, actor=operator("changepassword"), at=timezone.now())
        name = user.get_username()
        self.emit({"user": name}, [f"{name} has another password. All sessions are ended."], options)


def _password() -> str:
    """Return what is typed twice at a terminal; without one, the line that comes in. Raises ``Refused``."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("New password, again: ") != password:
        raise Refused("The passwords are not the same. Nothing was changed.")
    return password
