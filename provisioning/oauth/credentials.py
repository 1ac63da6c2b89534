"""What a client shows at the token endpoint: a secret (RFC 6749 §2.3.1) or an assertion (RFC 7521 §4.2)."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Credentials(NamedTuple):
    """A client ID with a secret or an assertion; the other one is empty, and all is where nothing makes sense."""

    client_id: str = ""
    secret: str = ""
    assertion: str = ""


NONE: Final = Credentials()


def credentials(body: Mapping[str, str], authorization: str) -> Credentials:
    """Return what was shown; ``NONE`` when nothing was, when header and body disagree, and for two ways at once."""
    secrets = {pair for pair in (_from_header(authorization), _from_body(body)) if pair is not None}
    asserted = bool(body.get("client_assertion") or body.get("client_assertion_type"))
    if len(secrets) + asserted != 1:
        return NONE
    shown = _from_assertion(body) if asserted else Credentials(*secrets.pop())
    return NONE if any("\0" in text for text in shown) else shown


def client_id(body: Mapping[str, str], authorization: str) -> str:
    """Return the client ID that an attempt is counted for, whatever else is wrong with it."""
    from_header = _from_header(authorization)
    return from_header[0] if from_header and from_header[0] else body.get("client_id", "")


def _from_body(body: Mapping[str, str]) -> tuple[str, str] | None:
    found = body.get("client_id", ""), body.get("client_secret", "")
    return found if all(found) else None


def _from_assertion(body: Mapping[str, str]) -> Credentials:
    """RFC 7523 §2.2; the subject is not the client's own name, so the client ID must be sent, as Entra does."""
    found = body.get("client_id", ""), body.get("client_assertion", "")
    if body.get("client_assertion_type") != JWT_BEARER or not all(found):
        return NONE
    return Credentials(client_id=found[0], assertion=found[1])


def _from_header(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(secret)
