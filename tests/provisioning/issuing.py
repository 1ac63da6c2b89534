"""An issuer of tokens with a real HTTP server on this machine: metadata, keys that can change, and faults."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests import http_server
from tests.http_server import Answer, json_answer

TENANT = "aaaabbbb-0000-4ccc-9111-dddd2222eeee"


@cache
def rsa_key(number: int = 0, size: int = 2048) -> rsa.RSAPrivateKey:
    """Return a private key; each is made once a run, for that takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """Return the public half as a JSON Web Key."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


class Issuer:
    """What the server answers. ``asked`` are the paths that were asked for; ``faults`` go before the rest."""

    def __init__(self) -> None:
        self.keys: list[Any] = [public(rsa_key(), "one")]
        self.asked: list[str] = []
        self.faults: dict[str, Callable[[], Answer]] = {}
        self.base = ""

    @property
    def name(self) -> str:
        """The issuer of an identity provider other than Entra."""
        return f"{self.base}/realm"

    def answer(self, path: str) -> Answer:
        self.asked.append(path)
        if path in self.faults:
            return self.faults[path]()
        if path == "/keys":
            return json_answer({"keys": self.keys})
        if path.endswith("/.well-known/openid-configuration"):
            own = path.removesuffix("/.well-known/openid-configuration")
            return json_answer({"issuer": self._named(own), "jwks_uri": f"{self.base}/keys"})
        return 404, {}, b""

    def _named(self, path: str) -> str:
        """Return the issuer whose metadata that path has; this server also stands in for Entra's authority."""
        if path == "/realm":
            return self.name
        tenant = path.strip("/").removesuffix("/v2.0")
        return (
            f"https://login.microsoftonline.com/{tenant}/v2.0"
            if path.endswith("/v2.0")
            else f"https://sts.windows.net/{tenant}/"
        )


@contextmanager
def serving() -> Iterator[Issuer]:
    """Serve an issuer until the block ends."""
    issuer = Issuer()
    with http_server.serving(lambda asked: issuer.answer(asked.path)) as issuer.base:
        yield issuer


def signed(claims: dict[str, Any], *, key: Any = None, algorithm: str = "RS256", kid: str | None = "one") -> str:
    """Return a token; claims that are None are left out."""
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, rsa_key() if key is None else key, algorithm, headers={"kid": kid} if kid else None)


def claims(issuer: str, *, audience: Any, subject: str | None = "sync-fabric", **more: Any) -> dict[str, Any]:
    """Return the claims of a token that is valid for an hour from now."""
    now = int(time.time())
    return {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "nbf": now, "exp": now + 3600, **more}
