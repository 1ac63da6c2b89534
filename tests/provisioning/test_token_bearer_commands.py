"""The commands of bearer tokens do what the portal does (docs/commands.md)."""

import io
import stat
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from provisioning.models import AuditEntry, BearerToken, ProvisioningConfiguration
from provisioning.services import bearer_tokens, tokens
from provisioning.services.peppers import digest
from tests.commandline import manage
from tests.factories import make_configuration, make_subscription

pytestmark = pytest.mark.django_db(transaction=True)
ISSUE, LIST, REVOKE = "issuebearertoken", "listbearertokens", "revokebearertoken"


@pytest.fixture
def okta():
    kind = ProvisioningConfiguration.Kind.OTHER
    return make_configuration(make_subscription("Contoso"), "Okta", kind=kind, at=timezone.now())


@pytest.fixture
def run(capsys, okta):
    return lambda *words: manage(capsys, *words)


def live():
    return [one.last_four for one in bearer_tokens.live(ProvisioningConfiguration.objects.get(), at=timezone.now())]


def test_issuing_prints_what_the_provider_needs_and_is_a_deed_of_the_operator(run, okta):
    document = run(ISSUE, "Okta", "--expires-in", "90d", "--json").document

    made = BearerToken.objects.get()
    assert document == {
        "id": okta.public_id,
        "name": "Okta",
        "kind": "other",
        "tenant_url": okta.tenant_url,
        "bearer_token": document["bearer_token"],
        "token_expires_at": made.expires_at.isoformat(),
    }
    assert digest(document["bearer_token"]) == made.digest
    assert made.expires_at - made.created_at == timedelta(days=90)
    entry = AuditEntry.objects.get(action="create bearer token")
    assert (entry.actor_kind, entry.actor_name, entry.target) == ("operator", f"manage.py {ISSUE}", "Okta")


def test_a_token_goes_to_a_file_or_to_a_terminal_and_nowhere_else(run, tmp_path, monkeypatch):
    assert run(ISSUE, "Okta").code == 2
    assert "bearer_token" not in run(ISSUE, "Okta", "--dry-run", "--json").document
    assert live() == []

    answer = run(ISSUE, "Okta", "--json", "--secret-file", str(tmp_path / "token"))

    assert "bearer_token" not in answer.document
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert digest((tmp_path / "token").read_text()) == BearerToken.objects.get().digest
    monkeypatch.setattr("provisioning.management.credentials.may_print_secret", lambda _options: True)
    assert "\nBearer token: mfmt_" in run(ISSUE, "Okta").out


def test_a_file_that_is_there_is_left_alone_and_no_token_made(run, tmp_path):
    (tmp_path / "token").write_text("mine")

    answer = run(ISSUE, "Okta", "--secret-file", str(tmp_path / "token"))

    assert (answer.code, "exists already" in answer.err, live()) == (1, True, [])
    assert (tmp_path / "token").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["Okta", "--expires-in", "731d"], 1, "two years at most"),
        (["Okta", "--expires-in", "soon"], 2, "not a duration"),
        (["Nobody"], 1, "There is no configuration “Nobody”."),
        (["Entra"], 1, "which has no bearer tokens"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(run, okta, words, code, said):
    make_configuration(okta.subscription, "Entra")

    answer = run(ISSUE, *words, "--json")

    assert (answer.code, answer.out, said in answer.err) == (code, "", True)
    assert not BearerToken.objects.exists()


def test_a_third_token_and_a_deleted_configuration_are_refused(run):
    for _ in range(bearer_tokens.MOST):
        assert run(ISSUE, "Okta", "--json").code == 0
    assert "has two valid bearer tokens already" in run(ISSUE, "Okta", "--json").err

    run("deleteconfiguration", "Okta", "--yes")

    assert "is deleted. Undo that" in run(ISSUE, "Okta", "--json").err
    assert run(LIST, "Okta", "--json").document["tokens"] == []


def test_they_are_listed_by_their_last_four_characters_with_their_last_use(run, okta):
    nothing = run(LIST, "Okta")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "Okta has no valid bearer token.\n")
    first = run(ISSUE, "Okta", "--json").document["bearer_token"]
    run(ISSUE, "Okta", "--json")
    now = timezone.now()
    tokens.authenticate(token=first, public_id=okta.public_id, at=now)

    document, lines = run(LIST, "Okta", "--json").document, run(LIST, "Okta").out.splitlines()

    assert (document["id"], document["name"]) == (okta.public_id, "Okta")
    new, old = document["tokens"]
    assert [new["last_four"], old["last_four"]] == live()
    assert old.keys() == {"last_four", "created_at", "expires_at", "last_used_at"}
    assert (datetime.fromisoformat(old["last_used_at"]), new["last_used_at"]) == (now, None)
    assert lines[0].startswith(f"{new['last_four']}: created ")
    assert lines[0].endswith("not used yet")
    assert lines[1].endswith(f"last used {old['last_used_at']}")


def test_revoking_needs_a_name_while_there_are_two_and_ends_nothing_else(run, okta):
    for _ in range(bearer_tokens.MOST):
        run(ISSUE, "Okta", "--json")
    new, old = live()

    unclear = run(REVOKE, "Okta", "--yes")
    assert unclear.code == 1
    assert f"Name the token with --token, by its last four characters: {new}, {old}." in unclear.err
    answer = run(REVOKE, "Okta", "--token", new, "--yes", "--json")

    assert answer.document == {"id": okta.public_id, "name": "Okta", "revoked": new, "left": [old]}
    assert live() == [old]
    assert "None is left: issuebearertoken makes a new one." in run(REVOKE, "Okta", "--yes").out
    assert "has no valid bearer token, so there is nothing to revoke" in run(REVOKE, "Okta", "--yes").err
    assert okta.secrets.get().is_live(timezone.now())
    revocations = AuditEntry.objects.filter(action="revoke bearer token")
    assert {one.actor_name for one in revocations} == {f"manage.py {REVOKE}"}


def test_a_dry_run_and_who_does_not_say_yes_revoke_nothing(run, monkeypatch):
    run(ISSUE, "Okta", "--json")
    before = live()
    assert run(REVOKE, "Okta", "--dry-run", "--json").document["revoked"] == before[0]
    monkeypatch.setattr("sys.stdin", io.StringIO())

    answer = run(REVOKE, "Okta")

    assert (answer.code, "--yes" in answer.err, live()) == (1, True, before)
