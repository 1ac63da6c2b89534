"""TLS and client certificates: the contract's second way to say who asks."""

import ssl
from pathlib import Path

import pytest

from licensing.clients.agent import AgentRefused, AgentUnavailable
from licensing.clients.http import HttpVaultAgent
from licensing.services.agents import agent_at
from licensing.vaultserver import admin
from licensing.vaultserver.app import Application
from licensing.vaultserver.faults import Faults
from licensing.vaultserver.serving import TlsUnusable, listen, server_tls, serving
from mfmanage import env
from tests.licensing.vaultserver.certificates import Authority
from tests.licensing.vaultserver.conftest import TOKEN
from tests.licensing.vaultserver.people import key, put_people, user, wish


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ours")


@pytest.fixture
def served(server, authority):
    """Serve by TLS, to who shows a certificate of the authority that is named."""

    def serve(*, client_authority=None):
        own = authority.issue("server")
        tls = server_tls(own.certificate, own.key, client_authority=client_authority)
        return serving(Application(server, token=TOKEN), listener, tls=tls)

    with listen("127.0.0.1", 0) as listener:
        yield serve


@pytest.fixture
def installed(monkeypatch):
    """What an installation with these files calls vault agents with."""

    def install(**files):
        for name, path in files.items():
            monkeypatch.setenv(f"MFMANAGE_VAULT_AGENT_{name}", path)
        return env.tls("VAULT_AGENT")

    return install


def test_a_trusted_client_certificate_is_enough(served, authority, installed):
    own = authority.issue("portal")
    tls = installed(CA=authority.file, CERTIFICATE=own.certificate, KEY=own.key)

    with served(client_authority=authority.file) as url, HttpVaultAgent(url, verify=tls) as agent:
        assert url.startswith("https://")
        assert agent.list_vaults() == ()


def test_who_shows_no_certificate_or_one_of_another_authority_gets_no_answer(served, authority, installed, tmp_path):
    stranger = Authority(tmp_path, "theirs").issue("portal")

    with served(client_authority=authority.file) as url:
        for files in ({}, {"CERTIFICATE": stranger.certificate, "KEY": stranger.key}):
            tls = installed(CA=authority.file, **files)
            with HttpVaultAgent(url, token=TOKEN, verify=tls) as agent, pytest.raises(AgentUnavailable):
                agent.list_vaults()


def test_an_agent_of_another_authority_is_not_trusted(served, installed, tmp_path):
    tls = installed(CA=Authority(tmp_path, "theirs").file)

    with (
        served() as url,
        HttpVaultAgent(url, token=TOKEN, verify=tls) as agent,
        pytest.raises(AgentUnavailable, match="certificate verify failed"),
    ):
        agent.list_vaults()


def test_tls_alone_asks_for_the_token(served, authority, installed):
    tls = installed(CA=authority.file)

    with served() as url:
        with HttpVaultAgent(url, token=TOKEN, verify=tls) as agent:
            assert agent.list_vaults() == ()
        with HttpVaultAgent(url, token="wrong", verify=tls) as agent, pytest.raises(AgentRefused) as refusal:
            agent.list_vaults()
    assert refusal.value.code == "unauthorized"


def test_a_reset_after_the_effect_comes_through_tls_too(server, served, authority, installed):
    vault, again = admin.create_vault(server, name="Contracts").guid, key()

    with served() as url, HttpVaultAgent(url, token=TOKEN, verify=installed(CA=authority.file)) as agent:
        (anna,) = put_people(agent, vault, "anna")
        server.faults.put(Faults(reset=1))
        with pytest.raises(AgentUnavailable):
            agent.put_vault_users(vault, [wish(anna, enabled=False)], idempotency_key=again)
        server.faults.clear()

        assert not user(agent, vault, anna).enabled


def test_the_portal_calls_agents_with_what_is_set(served, authority, installed, settings):
    own = authority.issue("portal")
    settings.VAULT_AGENT_TOKEN = "none-that-the-agent-knows"
    settings.VAULT_AGENT_TLS = installed(CA=authority.file, CERTIFICATE=own.certificate, KEY=own.key)

    with served(client_authority=authority.file) as url:
        assert agent_at(url).list_vaults() == ()


@pytest.mark.parametrize("files", [("missing", "key"), ("certificate", "missing"), ("key", "certificate")])
def test_a_server_with_files_that_cannot_be_used_does_not_start(authority, tmp_path, files):
    own = authority.issue("server")
    named = {"certificate": own.certificate, "key": own.key, "missing": str(tmp_path / "missing")}

    with pytest.raises(TlsUnusable, match="cannot be used"):
        server_tls(*(named[name] for name in files))


def test_a_certificate_and_its_key_may_be_one_file(authority, installed, tmp_path):
    own = authority.issue("portal")
    both = tmp_path / "both.pem"
    both.write_text(Path(own.certificate).read_text() + Path(own.key).read_text())

    assert isinstance(installed(CERTIFICATE=str(both)), ssl.SSLContext)
