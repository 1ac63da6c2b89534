"""The OpenAPI 3.1 description of the SCIM service and the token endpoint, written from the table that drives them."""

from typing import Any

from provisioning.oauth import description as oauth
from scim.discovery import Capabilities
from scim.openapi import messages, parts
from scim.openapi.paths import paths

_ABOUT = """\
SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) for identity providers. A Tenant URL is the address of one provisioning
configuration's service; the portal shows it. Values are described as the RFCs have them; what common providers send
otherwise is understood, too. Names of attributes and of addresses may have any letter case.
"""


def describe(base_url: str, capabilities: Capabilities) -> dict[str, Any]:
    """Return the document; ``base_url`` is the installation's address, without a slash at its end."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "mfmanage SCIM service", "version": "2.0", "description": _ABOUT},
        "servers": [_tenant_url(base_url)],
        "security": [{oauth.SCHEME: [oauth.SCOPE]}],
        "paths": {**paths(), **oauth.paths(base_url)},
        "components": {
            "schemas": {**messages.schemas(capabilities), **oauth.schemas()},
            "parameters": parts.parameters(capabilities),
            "headers": parts.headers(),
            "responses": parts.responses(),
            "securitySchemes": oauth.security_schemes(base_url),
        },
    }


def _tenant_url(base_url: str) -> dict[str, Any]:
    variable = {"default": "CONFIGURATION", "description": "The last part of the Tenant URL."}
    return {"url": f"{base_url}/scim/v2/{{configuration}}", "variables": {"configuration": variable}}
