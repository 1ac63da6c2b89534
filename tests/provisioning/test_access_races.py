"""64 clients call SCIM and the token endpoint while access ends: nothing is accepted once that has returned.

What counts is what is there: a write that is committed later than the return was accepted later, whenever it was sent.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_validators import OAuth2Validator

from provisioning.models import LoginAccount, ProvisioningConfiguration, ProvisioningLogEntry
from provisioning.oauth import validator
from provisioning.services import access, accounts, calls, configurations, deletion, rotation
from scim.schema import GROUP, USER
from tests.factories import ACTOR, make_credentials
from tests.scim.scenarios import MESSAGES

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

CLIENTS = 64
SCIM_CLIENTS = 48
WRITERS = 8
REFUSED = {400, 401, 403, 429}
KINDS = {"token", "create", "rename", "read"}


def now() -> dict[str, Any]:
    return {"actor": ACTOR, "at": timezone.now()}


def revoke_the_secret(configuration: ProvisioningConfiguration) -> None:
    rotation.revoke_secret(configuration=configuration, secret_id=configuration.secrets.get().pk, **now())


DEEDS: dict[str, Callable[[ProvisioningConfiguration], Any]] = {
    "pause": lambda configuration: configurations.pause_configuration(configuration=configuration, **now()),
    "disconnect": lambda configuration: configurations.disconnect_configuration(configuration=configuration, **now()),
    "delete": lambda configuration: deletion.delete_configuration(configuration=configuration, **now()),
    "revoke": revoke_the_secret,
}


@dataclass
class Front:
    """A configuration as its identity provider knows it, and what it was answered: when sent, what, which status."""

    credentials: configurations.Credentials = field(default_factory=lambda: make_credentials(at=timezone.now()))
    answers: list[tuple[float, str, int]] = field(default_factory=list)

    @property
    def configuration(self) -> ProvisioningConfiguration:
        return self.credentials.configuration

    def ask_for_a_token(self) -> Any:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.configuration.client_id,
            "client_secret": self.credentials.client_secret,
        }
        return self.note("token", lambda: Client().post("/oauth/token", form))

    def create(self, token: str, name: str) -> Any:
        return self.send("create", "POST", "/Users", token, {"schemas": [USER.schema.urn], "userName": name})

    def make_group(self, token: str, name: str) -> str:
        body = {"schemas": [GROUP.schema.urn], "displayName": name}
        return str(self.send("group", "POST", "/Groups", token, body).json()["id"])

    def rename(self, token: str, group: str, name: str) -> Any:
        operation = {"op": "replace", "path": "displayName", "value": name}
        body = {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": [operation]}
        return self.send("rename", "PATCH", f"/Groups/{group}", token, body)

    def read(self, token: str) -> Any:
        return self.send("read", "GET", "/Users", token, None)

    def send(self, what: str, method: str, path: str, token: str, body: Any) -> Any:
        address, content = f"/scim/v2/{self.configuration.public_id}{path}", json.dumps(body) if body else ""
        headers, kind = {"authorization": f"Bearer {token}"}, "application/scim+json"
        return self.note(what, lambda: Client().generic(method, address, content, content_type=kind, headers=headers))

    def accepted(self) -> set[str]:
        """Return which kinds of calls have been let in."""
        return {what for _, what, status in self.answers if status < 400}

    def note(self, what: str, call: Callable[[], Any]) -> Any:
        sent, answer = time.perf_counter(), call()
        self.answers.append((sent, what, answer.status_code))
        return answer


def written() -> tuple[int, int]:
    """Return what calls have done: accounts, and rows of success in the log."""
    return LoginAccount.objects.count(), ProvisioningLogEntry.objects.filter(is_success=True).count()


@contextmanager
def hammered(front: Front, token: str, group: str) -> Iterator[None]:
    """Have 64 clients call, from before the block until after it; each sends its last call after the block."""
    over, running = threading.Event(), threading.Barrier(CLIENTS + 1)

    def client(number: int) -> None:
        try:
            connection.ensure_connection()
            running.wait(timeout=60)
            is_last, turn = False, 0
            while not is_last:
                is_last, turn = over.is_set(), turn + 1
                if number >= SCIM_CLIENTS:
                    front.ask_for_a_token()
                elif number % 4 == 0:
                    front.read(token)
                elif number % 4 == 1:
                    front.rename(token, group, f"group-{number}-{turn}")
                else:
                    front.create(token, f"user-{number}-{turn}")
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(client, number) for number in range(CLIENTS)]
        try:
            running.wait(timeout=60)
            yield
        finally:
            over.set()
        for one in clients:
            one.result()


@pytest.mark.parametrize("name", DEEDS)
def test_while_64_clients_call_nothing_is_accepted_once_access_has_ended(name):
    front = Front()
    token = front.ask_for_a_token().json()["access_token"]
    group = front.make_group(token, "Legal")

    with hammered(front, token, group):
        deadline = time.perf_counter() + 30
        while not front.accepted() >= KINDS and time.perf_counter() < deadline:
            time.sleep(0.05)
        DEEDS[name](front.configuration)
        returned, then = time.perf_counter(), written()

    assert written() == then, "no write came later"
    assert front.accepted() >= KINDS, "the clients were let in before"
    late = [status for sent, _, status in front.answers if sent > returned]
    assert len(late) >= CLIENTS
    assert set(late) <= REFUSED
    assert {status for _, _, status in front.answers} <= {200, 201, 204, 404} | REFUSED, "and no call failed"
    if name != "pause":
        assert not AccessToken.objects.exists(), "no token outlives it"


@dataclass
class Held:
    """Calls that were let in, and wait until ``go`` before they write."""

    arrived: threading.Barrier
    go: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        self.arrived.wait(timeout=30)
        assert self.go.wait(timeout=30)


def writes_after(front: Front, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], Any]) -> list[int]:
    """Let writers in, hold them before their statement, do ``deed``, let them go on; return what they were answered."""
    token, held = front.ask_for_a_token().json()["access_token"], Held(threading.Barrier(WRITERS + 1))
    carry_out = calls.carry_out

    def carry_out_late(*statements: Any) -> Any:
        held.wait()
        return carry_out(*statements)

    monkeypatch.setattr(accounts, "carry_out", carry_out_late)

    def write(number: int) -> int:
        try:
            return int(front.create(token, f"user-{number}").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as threads:
        calls_on_their_way = [threads.submit(write, number) for number in range(WRITERS)]
        held.arrived.wait(timeout=30)
        deed()
        held.go.set()
        return [one.result() for one in calls_on_their_way]


@pytest.mark.parametrize("name", DEEDS)
def test_a_write_that_was_let_in_before_is_refused_when_it_comes_after(name, monkeypatch):
    front = Front()

    statuses = writes_after(front, monkeypatch, lambda: DEEDS[name](front.configuration))

    assert statuses == [401] * WRITERS
    assert not LoginAccount.objects.exists()
    assert ProvisioningLogEntry.objects.filter(status=401, is_success=False).count() == WRITERS


def test_control_without_the_gate_writes_are_accepted_after_access_has_ended(monkeypatch):
    front = Front()
    monkeypatch.setattr(
        calls, "gate", lambda: "SELECT id FROM provisioning_provisioningconfiguration WHERE id = %s AND %s >= 0"
    )

    statuses = writes_after(front, monkeypatch, lambda: DEEDS["disconnect"](front.configuration))

    assert statuses == [201] * WRITERS
    assert LoginAccount.objects.count() == WRITERS


def pausing_meanwhile(front: Front, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Begin a write's statement while a pause holds its lock, so that it must wait and read the row anew."""
    token, is_locked, go = front.ask_for_a_token().json()["access_token"], threading.Event(), threading.Event()
    end_calls = access.end_calls

    def end_calls_late(found: ProvisioningConfiguration) -> None:
        end_calls(found)
        is_locked.set()
        go.wait(timeout=30)

    monkeypatch.setattr(access, "end_calls", end_calls_late)

    def closing(deed: Callable[[], Any]) -> Any:
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        pausing = threads.submit(closing, lambda: DEEDS["pause"](front.configuration))
        assert is_locked.wait(timeout=30)
        writing = threads.submit(closing, lambda: front.create(token, "late").status_code)
        time.sleep(0.3)
        go.set()
        pausing.result()
        return [writing.result()]


def test_a_write_that_meets_the_lock_waits_and_is_refused(monkeypatch):
    assert pausing_meanwhile(Front(), monkeypatch) == [401]
    assert not LoginAccount.objects.exists()


def test_control_with_a_plain_update_the_write_passes_by_it(monkeypatch):
    monkeypatch.setattr(
        access, "locked", lambda found: ProvisioningConfiguration.objects.select_related("application").get(pk=found.pk)
    )

    assert pausing_meanwhile(Front(), monkeypatch) == [201]
    assert LoginAccount.objects.count() == 1


def token_issued_meanwhile(front: Front, monkeypatch: pytest.MonkeyPatch) -> int:
    """Disconnect between the moment at which a token's secret was found good and the one at which it is stored."""
    save = OAuth2Validator.save_bearer_token

    def save_late(*args: Any, **kwargs: Any) -> None:
        DEEDS["disconnect"](front.configuration)
        save(*args, **kwargs)

    monkeypatch.setattr(OAuth2Validator, "save_bearer_token", save_late)
    return int(front.ask_for_a_token().status_code)


def test_a_token_that_is_stored_after_the_revocation_is_not_given_out_and_goes(monkeypatch):
    assert token_issued_meanwhile(Front(), monkeypatch) == 401
    assert not AccessToken.objects.exists()


def test_control_without_the_second_look_the_token_outlives_the_revocation(monkeypatch):
    monkeypatch.setattr(validator, "record_use", lambda **_: True)

    assert token_issued_meanwhile(Front(), monkeypatch) == 200
    assert AccessToken.objects.exists()
