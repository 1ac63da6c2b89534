"""A thousand secrets and tokens of a run are in no log, database, Redis, mail, page, task or traceback.

What makes, uses, mistakes and revokes them is the real code with DEBUG logs on, every statement with its values among
them. ``tests.security.canaries`` says in which encodings they are looked for.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from celery.signals import before_task_publish
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.utils import timezone

from provisioning.services import tokens
from tests.contoso import make_contoso
from tests.factories import PASSWORD, make_admin, make_credentials, make_subscription
from tests.security.canaries import Canaries, base64_of_pair, encodings

CONFIGURATIONS = 170
TOKENS_EACH = 5
JSON = "application/scim+json"
BROKEN = "Something breaks while a secret is at hand."


@pytest.fixture
def surfaces(db) -> Iterator[dict[str, Callable[[], str]]]:
    """Everything that is looked through, by name, as text."""
    lines, tasks = StringIO(), []
    with debug_logs(lines):

        def published(headers=None, body=None, **_):
            tasks.append(f"{headers} {body}")

        before_task_publish.connect(published)
        connection.force_debug_cursor = True
        yield {
            "logs": lines.getvalue,
            "database": database,
            "cache and queue": kept_in_redis if django_settings.REDIS_URL else kept_in_process,
            "mails": lambda: "\n".join(message.message().as_string() for message in mail.outbox),
            "tasks": lambda: "\n".join(tasks),
        }
        connection.force_debug_cursor = False
        before_task_publish.disconnect(published)


@contextmanager
def debug_logs(lines: StringIO) -> Iterator[None]:
    """Write all logs at DEBUG into ``lines``, in the product's own format."""
    own = logging.StreamHandler(lines)
    own.setFormatter(next(one.formatter for one in logging.getLogger().handlers if type(one) is logging.StreamHandler))
    root, quiet = logging.getLogger(), [logging.getLogger(name) for name in ("django", "kombu.connection", "httpx")]
    levels = [one.level for one in (root, *quiet)]
    root.addHandler(own)
    for one in (root, *quiet):
        one.setLevel(logging.DEBUG)
    yield
    root.removeHandler(own)
    for one, level in zip((root, *quiet), levels, strict=True):
        one.setLevel(level)


def database() -> str:
    """Return every row of every table as text; binary columns are hexadecimal."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [repr([bytes(one).hex() if isinstance(one, memoryview) else one for one in row]) for row in cursor]
    return "\n".join(rows)


def kept_in_redis() -> str:
    import redis

    server = redis.Redis.from_url(django_settings.REDIS_URL)
    return "\n".join(f"{key!r} {server.dump(key)!r}" for key in server.scan_iter())


def kept_in_process() -> str:
    return repr(vars(caches["default"]))


class Run:
    """What identity providers and admins do with their secrets, rightly and wrongly."""

    def __init__(self) -> None:
        self.canaries, self.machine = Canaries(), Client(raise_request_exception=False)
        self.contoso = make_contoso()
        self.admin = make_admin(self.contoso.subscription, "root@contoso.example")
        self.subscription = make_subscription()

    def make(self, configurations: int) -> None:
        """Make secrets and tokens, and use each once."""
        for number in range(configurations):
            credentials = make_credentials(self.subscription, at=timezone.now())
            secret = self.canaries.add("client secret", credentials.client_secret)
            client_id = credentials.configuration.client_id
            self.canaries.add("header", base64_of_pair(client_id, secret))
            for _ in range(TOKENS_EACH):
                self.use(credentials, secret, by_header=number % 2 == 0)

    def use(self, credentials, secret: str, *, by_header: bool) -> None:
        """Get a token, and call the service with it."""
        configuration = credentials.configuration
        form = {"grant_type": "client_credentials", "scope": "scim"}
        pair = {"client_id": configuration.client_id, "client_secret": secret}
        header = {"authorization": f"Basic {base64_of_pair(configuration.client_id, secret)}"} if by_header else {}
        answer = self.machine.post("/oauth/token", form if by_header else form | pair, headers=header)
        token = self.canaries.add("token", answer.json()["access_token"])
        self.scim(configuration, token, "/Users?filter=userName eq %22nobody%22", 200)

    def scim(self, configuration, token: str, path: str, status: int) -> None:
        url = f"/scim/v2/{configuration.public_id}{path}"
        answer = self.machine.get(url, headers={"authorization": f"Bearer {token}", "accept": JSON})
        assert answer.status_code == status, answer.content

    def mistake(self) -> None:
        """Send secrets and tokens to where they do not belong."""
        wrong, other = [make_credentials(self.subscription, at=timezone.now()) for _ in range(2)]
        secret = self.canaries.add("client secret", wrong.client_secret)
        self.canaries.add("client secret", other.client_secret)
        form = {"grant_type": "client_credentials", "client_id": other.configuration.client_id}
        assert self.machine.post("/oauth/token", form | {"client_secret": secret}).status_code == 401
        assert self.machine.post("/oauth/token", form | {"client_secret": secret, "grant_type": "x"}).status_code == 400
        assert self.machine.post(f"/oauth/token?client_secret={secret}", form).status_code == 400
        self.scim(wrong.configuration, secret, "/Users", 401)
        self.scim(wrong.configuration, next(iter(self.canaries.names)), "/Users", 401)
        self.machine.put(f"/scim/v2/{wrong.configuration.public_id}/Users/{secret}", "{", content_type=JSON)

    def break_down(self, monkeypatch) -> None:
        """Let the code fail while it has a secret or a token in its hands."""
        credentials = make_credentials(self.subscription, at=timezone.now())
        secret = self.canaries.add("client secret", credentials.client_secret)
        pair = {"client_id": credentials.configuration.client_id, "client_secret": secret}
        form = {"grant_type": "client_credentials", **pair}
        token = self.canaries.add("token", self.machine.post("/oauth/token", form).json()["access_token"])

        def broken(*_arguments, **_options):
            raise RuntimeError(BROKEN)

        with monkeypatch.context() as patches:
            patches.setattr("provisioning.oauth.validator.record_use", broken)
            assert self.machine.post("/oauth/token", form).status_code == 500
        with monkeypatch.context() as patches:
            patches.setattr(tokens, "record_contact", broken)
            self.scim(credentials.configuration, token, "/Users", 500)

    def look_around(self) -> str:
        """Sign in, make a configuration in the browser, and return all pages but the one that shows its secret."""
        browser = Client(raise_request_exception=False)
        browser.post("/account/login/", {"login": self.admin.email, "password": PASSWORD})
        create = self.contoso.url("provisioning/configurations/create/")
        [form_id] = re.findall(r'name="form_id" value="([^"]+)"', browser.get(create).content.decode())
        form = {"kind": "gallery", "name": "By hand", "default_license_type": "1", "form_id": form_id}
        shown = browser.post(create, form)
        [secret] = set(re.findall(r"mfms_[\w-]{49}", shown.content.decode()))
        self.canaries.add("client secret", secret)
        return "\n".join(browser.get(url).content.decode() for url in self.contoso.pages())


@pytest.mark.processes
def test_a_thousand_secrets_and_tokens_are_nowhere_but_in_their_answer(surfaces, monkeypatch):
    run = Run()
    run.make(CONFIGURATIONS)
    run.mistake()
    run.break_down(monkeypatch)
    pages = run.look_around()

    assert len(run.canaries) > 1_000
    assert surfaces["logs"]().count(BROKEN) >= 2
    assert "provisioning_clientsecret" in surfaces["logs"]()
    texts = {"pages": pages, **{name: text() for name, text in surfaces.items()}}
    assert {name: found for name, text in texts.items() if (found := run.canaries.found_in(text))} == {}


def test_control_the_logs_of_a_library_that_tells_tokens_are_found_out(surfaces):
    library = logging.getLogger("oauthlib")
    level = library.level
    library.setLevel(logging.DEBUG)
    run = Run()
    run.make(1)
    library.setLevel(level)

    assert run.canaries.found_in(surfaces["logs"]()) == {("token", "raw")}


def test_a_secret_in_an_address_is_not_in_the_line_that_tells_of_it(surfaces):
    run = Run()
    run.mistake()

    lines = surfaces["logs"]().replace(r"\u2026", "…")  # as text, or as JSON
    assert re.search(r"/Users/mfms_…(\"| \[django\.request\])", lines)
    assert run.canaries.found_in(surfaces["logs"]()) == set()


def test_a_secret_is_found_in_every_encoding_wherever_it_begins():
    canaries = Canaries()
    secret = canaries.add("client secret", "mfms_" + "Zq3-x_9Tk2LmN0pQrS7uVwXyZa1bC4dE5fG6hI8jK-o_abcdef")
    body = secret.removeprefix("mfms_")

    for encoding, text in encodings(body):
        assert canaries.found_in(f"before {text} after"), encoding
    assert canaries.found_in(f"mfms_ …{secret[-4:]} {'a' * 300}") == set()
