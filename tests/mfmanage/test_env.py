"""The environment is read loudly: a value is understood, or one line names the variable."""

import os
import re
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mfmanage import env

ROOT = Path(__file__).parents[2]


@pytest.fixture
def variable(monkeypatch):
    def set_variable(name: str, value: str) -> None:
        monkeypatch.setenv(f"MFMANAGE_{name}", value)

    return set_variable


def test_the_settings_page_names_exactly_the_variables_that_are_read():
    page = (ROOT / "docs" / "settings.md").read_text()

    assert set(re.findall(r"^\| `MFMANAGE_(\w+)`", page, re.MULTILINE)) == env.VARIABLES


def test_a_variable_that_is_not_listed_cannot_be_read():
    with pytest.raises(KeyError):
        env.text("NOT_LISTED", "")


def test_a_value_may_come_from_a_file(variable, tmp_path):
    (tmp_path / "address").write_text("https://manage.example.com\n")
    variable("BASE_URL_FILE", str(tmp_path / "address"))

    assert env.address("BASE_URL", "http://127.0.0.1") == "https://manage.example.com"


def test_a_file_that_cannot_be_read_is_named(variable, tmp_path):
    variable("PEPPER_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_PEPPER_FILE cannot be read"):
        env.text("PEPPER", "")


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("On", True), ("1", True), ("no", False), ("0", False)])
def test_a_flag_is_a_yes_or_a_no(variable, word, value):
    variable("DEBUG", word)

    assert env.flag("DEBUG", default=not value) is value


def test_a_duration_is_understood_or_refused_by_name(variable):
    assert env.duration("LOG_RETENTION", "90d") == timedelta(days=90)
    variable("LOG_RETENTION", "12h")
    assert env.duration("LOG_RETENTION", "90d") == timedelta(hours=12)
    variable("LOG_RETENTION", "for ever")
    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_LOG_RETENTION: 'for ever' is not a duration"):
        env.duration("LOG_RETENTION", "90d")


def test_a_number_is_whole_and_large_enough(variable):
    variable("SCIM_RATE", "250")

    assert env.number("SCIM_RATE", 100, least=0) == 250
    assert env.number("SCIM_BURST", 400, least=1) == 400


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "", "٣"])
def test_another_number_is_refused(variable, value):
    variable("SCIM_BURST", value)

    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_SCIM_BURST must be a whole number of 1 or more"):
        env.number("SCIM_BURST", 400, least=1)


def test_a_flag_of_another_word_is_refused(variable):
    variable("DEBUG", "perhaps")

    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_DEBUG must be yes or no, not 'perhaps'"):
        env.flag("DEBUG", default=False)


@pytest.mark.parametrize("value", ["manage.example.com", "ftp://manage.example.com", "https://"])
def test_an_address_that_is_none_is_refused(variable, value):
    variable("BASE_URL", value)

    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_BASE_URL must be like"):
        env.address("BASE_URL", "http://127.0.0.1")


@pytest.mark.parametrize("value", ["mysql://a/b", "nonsense", "postgres://a:b@c:port/d"])
def test_a_database_of_another_kind_is_refused(variable, value):
    variable("DATABASE_URL", value)

    with pytest.raises(ImproperlyConfigured, match="MFMANAGE_DATABASE_URL"):
        env.database("sqlite:///x")


def test_an_embedded_installation_makes_its_secret_once_and_keeps_it_to_itself(tmp_path, monkeypatch):
    monkeypatch.delenv("MFMANAGE_PEPPER", raising=False)

    made = env.secret("PEPPER", data_dir=tmp_path, embedded=True)

    assert env.secret("PEPPER", data_dir=tmp_path, embedded=True) == made
    assert stat.S_IMODE((tmp_path / "pepper").stat().st_mode) == 0o600


@pytest.mark.parametrize("value", ["", "too short"])
def test_production_has_no_default_secret(variable, tmp_path, value):
    variable("PEPPER", value)

    with pytest.raises(ImproperlyConfigured, match="Set MFMANAGE_PEPPER"):
        env.secret("PEPPER", data_dir=tmp_path, embedded=False)


def test_a_command_with_a_bad_setting_prints_one_line_and_fails():
    answer = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check"],
        env={**os.environ, "MFMANAGE_DEBUG": "perhaps"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (1, "MFMANAGE_DEBUG must be yes or no, not 'perhaps'.\n")


def test_agents_are_called_as_usual_when_nothing_is_said_of_tls():
    assert env.tls("VAULT_AGENT") is None


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("CA", None, r"MFMANAGE_VAULT_AGENT_CA: .*No such file"),
        ("CA", "no certificate", r"MFMANAGE_VAULT_AGENT_CA: .*PEM form"),
        ("CERTIFICATE", None, r"MFMANAGE_VAULT_AGENT_CERTIFICATE: .*No such file"),
        ("CERTIFICATE", "no certificate", r"MFMANAGE_VAULT_AGENT_CERTIFICATE: .*PEM form"),
        ("KEY", "a key alone", "Set MFMANAGE_VAULT_AGENT_CERTIFICATE, too"),
    ],
)
def test_tls_files_that_cannot_be_used_are_named_at_the_start(variable, tmp_path, name, content, named):
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    variable(f"VAULT_AGENT_{name}", str(file))

    with pytest.raises(ImproperlyConfigured, match=named):
        env.tls("VAULT_AGENT")
