"""The commands of secrets and of a configuration's life do what the portal does (docs/commands.md)."""

import io
import stat
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from provisioning.models import AuditEntry, ClientSecret
from provisioning.services import rotation
from provisioning.services.peppers import digest
from tests.commandline import manage
from tests.factories import make_configuration, make_subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def entra():
    return make_configuration(make_subscription("Contoso"), "Entra", at=timezone.now())


@pytest.fixture
def run(capsys, entra):
    return lambda *words: manage(capsys, *words)


def live():
    return [secret.last_four for secret in rotation.live(ClientSecret.objects.first().configuration, at=timezone.now())]


def test_rotating_prints_what_the_provider_needs_and_until_when_the_old_one_works(run, entra):
    document = run("rotatesecret", "Entra", "--overlap", "2h", "--expires-in", "90d", "--json").document

    new, old = ClientSecret.objects.order_by("-pk")
    assert digest(document["client_secret"]) == new.digest
    assert document.keys() == {
        *("id", "name", "kind", "tenant_url", "token_endpoint", "client_id", "client_secret", "secret_expires_at"),
        "old_secret_works_until",
    }
    assert datetime.fromisoformat(document["secret_expires_at"]) == new.expires_at
    assert datetime.fromisoformat(document["old_secret_works_until"]) == old.retires_at
    assert new.expires_at - new.created_at == timedelta(days=90)
    assert old.retires_at - new.created_at == timedelta(hours=2)
    entry = AuditEntry.objects.get(action="start rotation of client secret")
    assert (entry.actor_kind, entry.target) == ("operator", "Entra")


def test_an_old_one_that_expires_within_the_overlap_is_not_said_to_work_longer(run):
    expires_at = timezone.now() + timedelta(minutes=30)
    ClientSecret.objects.update(expires_at=expires_at)

    answer = run("rotatesecret", "Entra", "--overlap", "2h", "--json")

    assert datetime.fromisoformat(answer.document["old_secret_works_until"]) == expires_at
    assert f"The old secret works until {expires_at.isoformat()}." in answer.err
    assert ClientSecret.objects.order_by("pk")[0].retires_at == expires_at
    entry = AuditEntry.objects.get(action="start rotation of client secret")
    assert entry.changes["old_secret_lives_until"] == [None, expires_at.isoformat()]


def test_by_default_the_old_one_works_for_an_hour_and_the_new_one_for_a_year(run):
    run("rotatesecret", "Entra", "--json")

    new, old = ClientSecret.objects.order_by("-pk")
    assert (old.retires_at - new.created_at, new.expires_at - new.created_at) == (
        timedelta(hours=1),
        timedelta(days=365),
    )


def test_completing_and_cancelling_leave_one(run):
    first = live()
    run("rotatesecret", "Entra", "--json")
    assert run("rotatesecret", "Entra", "--cancel", "--json").document["secret"] == first[0]
    assert live() == first
    run("rotatesecret", "Entra", "--json")
    second = live()[0]

    assert run("rotatesecret", "Entra", "--complete", "--json").document["secret"] == second
    assert live() == [second]
    again = run("rotatesecret", "Entra", "--complete")
    assert (again.code, "is being replaced now" in again.err) == (1, True)


def test_without_overlap_the_old_one_ends_at_once(run):
    run("rotatesecret", "Entra", "--overlap", "0", "--json")

    assert len(live()) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--overlap", "25h"], 1, "24 hours at most"),
        (["--overlap", "soon"], 2, "not a duration"),
        (["--expires-in", "731d"], 1, "two years at most"),
        (["--expires-in", "0"], 1, "longer than 0 and two years at most"),
        (["--complete", "--cancel"], 2, "not allowed with"),
        (["--complete", "--secret-file", "x"], 2, "leave --secret-file out"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line_and_changes_nothing(run, words, code, said):
    before = live()

    answer = run("rotatesecret", "Entra", "--json", *words)

    assert (answer.code, answer.out, said in answer.err) == (code, "", True)
    assert live() == before


def test_a_third_secret_is_refused(run):
    run("rotatesecret", "Entra", "--json")

    answer = run("rotatesecret", "Entra", "--json")

    assert (answer.code, "Complete or cancel the rotation" in answer.err) == (1, True)


def test_a_secret_goes_to_a_file_or_to_a_terminal_and_nowhere_else(run, tmp_path):
    assert run("rotatesecret", "Entra").code == 2
    assert "client_secret" not in run("rotatesecret", "Entra", "--dry-run", "--json").document
    assert len(live()) == 1

    answer = run("rotatesecret", "Entra", "--json", "--secret-file", str(tmp_path / "secret"))

    assert "client_secret" not in answer.document
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert digest((tmp_path / "secret").read_text()) == ClientSecret.objects.latest("pk").digest


def test_revoking_needs_a_name_while_there_are_two(run):
    run("rotatesecret", "Entra", "--json")
    new, old = live()

    unclear = run("revokesecret", "Entra", "--yes")
    assert (unclear.code, f"{new}, {old}" in unclear.err) == (1, True)
    answer = run("revokesecret", "Entra", "--secret", new, "--yes", "--json")

    assert (answer.document["revoked"], answer.document["left"]) == (new, [old])
    assert live() == [old]
    assert ClientSecret.objects.get(last_four=old).retires_at is None
    assert run("revokesecret", "Entra", "--yes", "--json").document["left"] == []
    assert "nothing to revoke" in run("revokesecret", "Entra", "--yes").err


def test_a_dry_run_revokes_nothing(run, entra):
    before = live()
    for words in (["revokesecret"], ["disconnectconfiguration"], ["pauseconfiguration"]):
        assert run(*words, "Entra", "--dry-run", "--json").code == 0

    entra.refresh_from_db()
    assert (live(), entra.paused_at, entra.access_epoch) == (before, None, 0)


@pytest.mark.parametrize("command", ["revokesecret", "disconnectconfiguration"])
def test_without_a_terminal_an_operator_must_say_yes(run, command, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    answer = run(command, "Entra")

    assert (answer.code, "--yes" in answer.err) == (1, True)
    assert len(live()) == 1


@pytest.mark.parametrize(("command", "asked"), [("revokesecret", "secret"), ("disconnectconfiguration", "name")])
@pytest.mark.parametrize("is_right", [True, False])
def test_at_a_terminal_it_is_typed(run, command, asked, is_right, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    right = "Entra" if asked == "name" else live()[0]
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda: right if is_right else "something else")

    assert run(command, "Entra").code == (0 if is_right else 1)

    assert len(live()) == (0 if is_right else 1)


def test_pausing_disconnecting_resuming_and_connecting_again(run, entra):
    assert run("pauseconfiguration", "Entra", "--json").document["paused_at"]
    assert run("pauseconfiguration", "Entra").code == 0
    assert AuditEntry.objects.filter(action="pause configuration").count() == 1, "the second time was no deed"
    assert run("resumeconfiguration", "Entra", "--json").document["paused_at"] is None
    assert run("disconnectconfiguration", "Entra", "--yes", "--json").document["revoked_secrets"] == 1
    assert live() == []

    document = run("rotatesecret", "Entra", "--json").document

    assert document["old_secret_works_until"] is None
    assert len(live()) == 1
    assert AuditEntry.objects.filter(action="create client secret").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["rotatesecret", "--json"],
        ["rotatesecret", "--complete"],
        ["pauseconfiguration"],
        ["resumeconfiguration"],
        ["disconnectconfiguration", "--yes"],
    ],
)
def test_a_deleted_one_is_refused_with_what_to_do(run, words):
    run("deleteconfiguration", "Entra", "--yes")

    answer = run(words[0], "Entra", *words[1:])

    assert (answer.code, "is deleted. Undo that" in answer.err) == (1, True)
