"""``manage.py openapi``: print the OpenAPI description of the SCIM service and the token endpoint."""

import json
from typing import Any

from django.conf import settings

from provisioning.commandline import DataCommand
from scim.discovery import Capabilities
from scim.openapi.document import describe


class Command(DataCommand):
    help = "Print the OpenAPI 3.1 description of the SCIM service and the token endpoint."

    def handle(self, *_args: Any, **options: Any) -> None:
        document = describe(settings.BASE_URL, Capabilities())
        self.emit(document, [json.dumps(document, indent=2)], options)
