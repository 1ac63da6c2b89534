from typing import Any

from django.utils import timezone

from provisioning.commandline import DataCommand
from provisioning.services import audit_heads


class Command(DataCommand):
    help = "Print where the audit log of each subscription ends, one JSON document a line, to be kept elsewhere."

    def handle(self, *_args: Any, **_options: Any) -> None:
        for line in audit_heads.lines(audit_heads.heads(timezone.now())):
            self.stdout.write(line)
