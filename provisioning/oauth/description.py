"""The token endpoint in OpenAPI 3.1 (RFC 6749 §2.3.1, §4.4, §5; RFC 7523 §2.2): what it takes, what it answers."""

from typing import Any, Final

from provisioning.oauth.credentials import JWT_BEARER

SCHEME: Final = "clientCredentials"
SCOPE: Final = "scim"
_CLIENT: Final = "client"
_GRANT: Final = "client_credentials"
_ERRORS: Final = (
    *("invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "unauthorized_client"),
    *("invalid_target", "temporarily_unavailable"),
)


def paths(base_url: str) -> dict[str, Any]:
    """Return the token endpoint's address, which is not under a Tenant URL."""
    return {"/oauth/token": {"servers": [{"url": base_url}], "post": _issue()}}


def schemas() -> dict[str, Any]:
    text = {"type": "string"}
    request = {
        "grant_type": {"type": "string", "enum": [_GRANT]},
        "client_id": text,
        "client_secret": text,
        "client_assertion_type": {"type": "string", "enum": [JWT_BEARER]},
        "client_assertion": {"type": "string", "description": "A signed JSON Web Token of the trusted issuer."},
        "scope": {"type": "string", "enum": [SCOPE]},
    }
    token = {
        "access_token": text,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 3600, "maximum": 21600, "description": "Seconds."},
        "scope": {"const": SCOPE},
    }
    error = {"error": {"type": "string", "enum": list(_ERRORS)}, "error_description": text}
    return {
        "TokenRequest": {"type": "object", "properties": request, "required": ["grant_type"]},
        "Token": _closed(token, *token),
        "TokenError": _closed(error, "error"),
    }


def security_schemes(base_url: str) -> dict[str, Any]:
    flow = {"tokenUrl": f"{base_url}/oauth/token", "scopes": {SCOPE: "Provision users and groups"}}
    return {
        SCHEME: {"type": "oauth2", "flows": {"clientCredentials": flow}},
        _CLIENT: {"type": "http", "scheme": "basic", "description": "Client ID and client secret."},
    }


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _issue() -> dict[str, Any]:
    form = {"schema": {"$ref": "#/components/schemas/TokenRequest"}}
    return {
        "operationId": "issueToken",
        "summary": "Get an access token for a client ID and its secret, sent in the header, in the body, or in both; "
        "or for a client ID and an assertion of the issuer that the configuration trusts.",
        "security": [{_CLIENT: []}, {}],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": form}},
        "responses": {
            "200": _answer("A token.", "Token"),
            "400": _answer("The request is not understood, or asks for what is not granted.", "TokenError"),
            "401": _answer("Client ID and secret or assertion are missing or wrong.", "TokenError", "WWW-Authenticate"),
            "429": _answer("Too many attempts have failed within a minute.", "TokenError", "Retry-After"),
            "503": _answer("The keys of the assertion's issuer cannot be read now.", "TokenError", "Retry-After"),
        },
    }


def _answer(description: str, schema: str, *names: str) -> dict[str, Any]:
    """Describe an answer that nobody may keep (RFC 6749 §5.1)."""
    header = {"required": True, "schema": {"type": "string"}}
    uncached = {name: {"required": True, "schema": {"const": "no-store"}} for name in ("Cache-Control",)}
    uncached["Pragma"] = {"required": True, "schema": {"const": "no-cache"}}
    return {
        "description": description,
        "headers": {**uncached, **dict.fromkeys(names, header)},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
