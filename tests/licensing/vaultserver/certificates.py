"""A certificate authority for the tests, and the PEM files that it signs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and of its key."""

    certificate: str
    key: str


class Authority:
    """Signs certificates for 127.0.0.1; ``file`` is its own certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        signed = _builder(name, name, self._key.public_key(), is_authority=True).sign(self._key, SHA256())
        self.file = _write(folder / f"{name}.pem", signed.public_bytes(Encoding.PEM))

    def issue(self, name: str) -> Pair:
        """Make a certificate with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _builder(name, self._name, key.public_key(), is_authority=False).sign(self._key, SHA256())
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(
            _write(self._folder / f"{name}-of-{self._name}.pem", signed.public_bytes(Encoding.PEM)),
            _write(self._folder / f"{name}-of-{self._name}.key", plain),
        )


def _builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey, *, is_authority: bool) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(_name(issuer), _name(name), key, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)
