"""Read the environment, in this one place.

Each value comes from ``MFMANAGE_NAME``, or from the file that ``MFMANAGE_NAME_FILE`` names. Everything that can be
set is documented in ``docs/settings.md``; a test compares that page with ``VARIABLES``.
"""

import os
import secrets
import ssl
import stat
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

from provisioning import durations

PREFIX: Final = "MFMANAGE_"
SECRET_LENGTH: Final = 32
"""The least length of a secret, in characters."""
VARIABLES: Final = frozenset(
    {
        "ALLOWED_HOSTS",
        "AUDIT_HEADS",
        "BASE_URL",
        "DATABASE_URL",
        "DATA_DIR",
        "DEBUG",
        "ENTRA_AUTHORITY",
        "ISSUER_HOSTS",
        "LOG_LEVEL",
        "LOG_RETENTION",
        "MAIL",
        "MAIL_FROM",
        "PEPPER",
        "PEPPER_PREVIOUS",
        "REDIS_URL",
        "SCIM_BURST",
        "SCIM_RATE",
        "SECRET_KEY",
        "SECURITY_CONTACT",
        "TOKEN_FAILURES",
        "TRUSTED_PROXIES",
        "VAULT_AGENT_CA",
        "VAULT_AGENT_CERTIFICATE",
        "VAULT_AGENT_HOSTS",
        "VAULT_AGENT_KEY",
        "VAULT_AGENT_TOKEN",
        "WORKER_SLOTS",
    }
)
_BACKENDS: Final = "django.core.mail.backends"
_MAIL_BACKENDS: Final = {"off": "dummy", "console": "console"}
_MAIL_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}

_env = environ.FileAwareEnv()
_env.prefix = PREFIX
_env.ENVIRON = FileAwareMapping(cache=False)


def text(name: str, default: str) -> str:
    """Return a text. Raises ``ImproperlyConfigured`` when the file that should hold it cannot be read."""
    if name not in VARIABLES:
        raise KeyError(name)
    try:
        return str(_env.str(name, default=default)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{PREFIX}{name}_FILE cannot be read: {error}.") from error


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or no. Raises ``ImproperlyConfigured`` for any other word."""
    word = text(name, "yes" if default else "no").lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{PREFIX}{name} must be yes or no, not {word!r}.")


def number(name: str, default: int, *, least: int) -> int:
    """Return a whole number. Raises ``ImproperlyConfigured`` for anything else, and below ``least``."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdecimal() and int(value) >= least):
        raise ImproperlyConfigured(f"{PREFIX}{name} must be a whole number of {least} or more, not {value!r}.")
    return int(value)


def words(name: str, default: str) -> list[str]:
    """Return a comma-separated list without blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def address(name: str, default: str) -> str:
    """Return an http(s) address without a trailing slash. Raises ``ImproperlyConfigured`` for anything else."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ImproperlyConfigured(f"{PREFIX}{name} must be like https://manage.example.com, not {value!r}.")
    return value


def duration(name: str, default: str) -> timedelta:
    """Return a duration such as ``90d``. Raises ``ImproperlyConfigured`` for anything else."""
    try:
        return durations.parse(text(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{PREFIX}{name}: {error}") from error


def tls(name: str) -> ssl.SSLContext | None:
    """Return how to call servers of one kind by TLS: by an own authority, with a client certificate; None: as usual.

    The files are named by ``MFMANAGE_NAME_CA``, ``…_CERTIFICATE`` and ``…_KEY`` (default: in the certificate's file).
    Raises ``ImproperlyConfigured`` when one cannot be used.
    """
    authority, certificate, key = (text(f"{name}_{part}", "") for part in ("CA", "CERTIFICATE", "KEY"))
    if key and not certificate:
        raise ImproperlyConfigured(f"Set {PREFIX}{name}_CERTIFICATE, too, or leave {PREFIX}{name}_KEY out.")
    if not authority and not certificate:
        return None
    context = _trusting(authority, variable=f"{PREFIX}{name}_CA")
    if certificate:
        _show_certificate(context, certificate, key or certificate, variable=f"{PREFIX}{name}_CERTIFICATE")
    return context


def _trusting(authority: str, *, variable: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{variable}: {authority} is no file of certificates in PEM form: {error}."
        ) from error


def _show_certificate(context: ssl.SSLContext, certificate: str, key: str, *, variable: str) -> None:
    try:
        # Without a password, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise ImproperlyConfigured(
            f"{variable}: {certificate} and {key} are no certificate and key in PEM form, without a password: {error}."
        ) from error


def database(default: str) -> dict[str, Any]:
    """Return Django's settings of the database that ``MFMANAGE_DATABASE_URL`` names (``postgres://`` or ``sqlite://``)."""
    value = text("DATABASE_URL", default)
    if not value.startswith(("postgres://", "postgresql://", "sqlite://")):
        raise ImproperlyConfigured(f"{PREFIX}DATABASE_URL must start with postgres:// or sqlite://.")
    try:
        parsed: dict[str, Any] = environ.Env.db_url_config(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{PREFIX}DATABASE_URL cannot be understood: {error}.") from error
    return parsed


def mail(default: str) -> dict[str, Any]:
    """Return Django's settings of mail, as ``MFMANAGE_MAIL`` says: ``off``, ``console``, ``file:/FOLDER`` or a server.

    A server is ``smtp://USER:PASSWORD@HOST:PORT``, ``smtp+tls://…`` (STARTTLS) or ``smtp+ssl://…``. Raises
    ``ImproperlyConfigured`` for anything else, without its text: that may hold a password.
    """
    value = text("MAIL", default)
    scheme, _, rest = value.partition(":")
    if value in _MAIL_BACKENDS:
        return {"EMAIL_BACKEND": f"{_BACKENDS}.{_MAIL_BACKENDS[value]}.EmailBackend"}
    if scheme == "file" and rest.startswith("/"):
        return {"EMAIL_BACKEND": f"{_BACKENDS}.filebased.EmailBackend", "EMAIL_FILE_PATH": rest}
    parsed = _mail_server(value) if value.startswith(tuple(f"{one}://" for one in _MAIL_PORTS)) else {}
    if not parsed.get("EMAIL_HOST"):
        raise ImproperlyConfigured(
            f"{PREFIX}MAIL must be off, console, file:/FOLDER, or like smtp+tls://USER:PASSWORD@mail.example.com:587. "
            "Percent-encode special characters of the user and the password."
        )
    return {**parsed, "EMAIL_PORT": parsed["EMAIL_PORT"] or _MAIL_PORTS[scheme]}


def _mail_server(value: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = environ.Env.email_url_config(value)
    except ValueError:
        return {}
    return parsed


def sender(name: str, default: str) -> str:
    """Return a sender such as ``Licenses <noreply@example.com>``. Raises ``ImproperlyConfigured`` for anything else."""
    value = text(name, "") or default
    local, _, host = parseaddr(value)[1].rpartition("@")
    if not local or not host or not value.isprintable():
        raise ImproperlyConfigured(f"{PREFIX}{name} must be like Licenses <noreply@example.com>, not {value!r}.")
    return value


def contact(name: str) -> str:
    """Return where to report what is found (RFC 9116 §2.5.3), or an empty text. Raises ``ImproperlyConfigured``."""
    value = text(name, "")
    given = f"mailto:{value}" if "@" in value and ":" not in value else value
    if given and not (given.isascii() and given.isprintable() and given.startswith(("https://", "mailto:"))):
        raise ImproperlyConfigured(
            f"{PREFIX}{name} must be like security@example.com or https://example.com/security, not {value!r}."
        )
    return given


def secret(name: str, *, data_dir: Path, embedded: bool) -> str:
    """Return a secret. An embedded installation makes its own on first use and keeps it in ``data_dir`` (mode 0600).

    Production has no default: raises ``ImproperlyConfigured`` when the secret is unset or shorter than 32 characters.
    """
    given = text(name, "")
    if not given and embedded:
        given = _own_secret(data_dir / name.lower())
    if len(given) < SECRET_LENGTH:
        raise ImproperlyConfigured(
            f"Set {PREFIX}{name} or {PREFIX}{name}_FILE to {SECRET_LENGTH} or more random characters."
        )
    return given


def former_secrets(name: str) -> list[str]:
    """Return secrets that were replaced, separated by white space. Raises ``ImproperlyConfigured`` for a short one."""
    given = text(name, "").split()
    if any(len(one) < SECRET_LENGTH for one in given):
        raise ImproperlyConfigured(
            f"{PREFIX}{name} holds secrets of {SECRET_LENGTH} or more characters, with white space between them."
        )
    return given


def _own_secret(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        return file.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(made := secrets.token_urlsafe(48))
    return made
