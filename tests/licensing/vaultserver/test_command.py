"""``manage.py vaultserver`` as a process."""

import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from licensing.clients.http import HttpVaultAgent
from licensing.vaultserver.serving import listen
from tests.licensing.vaultserver.certificates import Authority
from tests.licensing.vaultserver.people import account, key

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).parents[3]
TOKEN = "token-of-the-command-test"
THE_INSTALLATIONS_TOKEN = "the-installations-own-token-0123456789"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return str(file)


def command(*options):
    # A database that cannot be opened: the command must not need it.
    environment = {**os.environ, "MFMANAGE_DATABASE_URL": "sqlite:////nowhere/x.sqlite3"}
    environment["MFMANAGE_VAULT_AGENT_TOKEN"] = THE_INSTALLATIONS_TOKEN
    return subprocess.Popen(
        [sys.executable, "manage.py", "vaultserver", *options],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("sent", "code", "token"), [(signal.SIGTERM, 0, TOKEN), (signal.SIGINT, 130, THE_INSTALLATIONS_TOKEN)]
)
def test_it_says_where_it_listens_and_stops_when_told(token_file, tmp_path, sent, code, token):
    data = str(tmp_path / "vaults.sqlite3")
    named = ["--token-file", token_file] if token == TOKEN else []
    with command("--port", "0", "--json", "--data", data, *named) as process:
        document = json.loads(process.stdout.readline())
        with HttpVaultAgent(document["url"], token=token) as agent:
            assert agent.list_vaults() == ()
        process.send_signal(sent)

        assert process.wait(5) == code
        assert process.stderr.read() == ""
    assert document["data"] == data


def test_a_killed_server_comes_back_at_once_with_everything_it_answered(token_file, tmp_path):
    options = ["--token-file", token_file, "--data", str(tmp_path / "vaults.sqlite3")]
    guid = "c840be1a-5b47-4ac0-8ef7-835c166c8e24"
    with command("--port", "0", *options) as process:
        url = process.stdout.readline().split()[-1]
        with HttpVaultAgent(url, token=TOKEN) as agent:
            agent.create_vault(guid, name="Contracts", idempotency_key=key())
            agent.put_login_accounts(guid, [account("anna")], idempotency_key=key())
            process.kill()

    with command("--port", url.rpartition(":")[2], *options) as process:
        assert process.stdout.readline().split()[-1] == url
        with HttpVaultAgent(url, token=TOKEN) as agent:
            assert [one.username for one in agent.list_login_accounts(guid).items] == ["anna"]
        process.terminate()


def test_it_serves_by_tls_to_who_shows_a_certificate(token_file, tmp_path):
    authority = Authority(tmp_path, "ours")
    own, portal = authority.issue("server"), authority.issue("portal")
    options = ["--tls-certificate", own.certificate, "--tls-key", own.key, "--client-ca", authority.file]
    trusting = ssl.create_default_context(cafile=authority.file)
    trusting.load_cert_chain(portal.certificate, portal.key)
    with command("--port", "0", "--json", "--token-file", token_file, *options) as process:
        url = json.loads(process.stdout.readline())["url"]
        with HttpVaultAgent(url, verify=trusting) as agent:
            assert agent.list_vaults() == ()
        process.terminate()

        assert (url.partition(":")[0], process.wait(5), process.stderr.read()) == ("https", 0, "")


def test_a_port_in_use_is_one_line(token_file):
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(CommandError) as refusal:
            call_command("vaultserver", "--port", port, "--token-file", token_file)

    assert str(refusal.value) == f"Cannot listen at 127.0.0.1:{port}: Address already in use."
    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (
            ["--faults", "slow=1"],
            2,
            "'slow' is not a fault; use down, latency, error, drop, reset, duplicate, garbage, refuse.",
        ),
        (["--token-file", "/nowhere/token"], 1, "/nowhere/token cannot be read"),
        (["--token-file", os.devnull], 2, "is empty; it must hold the bearer token."),
        (
            ["--data", "/nowhere/vaults"],
            1,
            "/nowhere/vaults cannot be used as data file: unable to open database file.",
        ),
        (["--tls-key", "/nowhere/key"], 2, "Give --tls-certificate, too."),
        (["--client-ca", "/nowhere/ca"], 2, "Give --tls-certificate, too."),
        (["--tls-certificate", "/nowhere/tls"], 1, "/nowhere/tls cannot be used as certificate, key and authority"),
        (["--host", "no.such.host.invalid"], 1, "Cannot listen at no.such.host.invalid:0"),
    ],
)
def test_a_wrong_option_is_one_clear_line(options, code, line):
    with pytest.raises(CommandError) as refusal:
        call_command("vaultserver", "--port", "0", *options)

    assert refusal.value.returncode == code
    assert line in str(refusal.value)
