"""Which other machines this server calls."""

import pytest

from provisioning.hosts import is_named, is_safe


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.com", "http://169.254.169.254/latest", "ftp://127.0.0.1", "file:///etc/passwd", "https://"),
        *("http://localhost.example.com", "https://user@example.com", "//example.com", "", "https://example.com:0"),
        *("https://[::1", "https://example.com:99999"),
    ],
)
def test_other_machines_are_called_by_https_only_and_by_no_user(address):
    assert not is_safe(address)


@pytest.mark.parametrize(
    "address", ["https://example.com/x", "http://127.0.0.1:1", "http://localhost", "http://[::1]:1"]
)
def test_https_and_this_machine_are_safe(address):
    assert is_safe(address)


@pytest.mark.parametrize(
    ("hosts", "address", "named"),
    [
        (["*"], "http://anywhere.example", True),
        ([], "http://anywhere.example", False),
        (["vaults.example:8443"], "https://Vaults.example:8443/agent", True),
        (["vaults.example:8443"], "https://vaults.example", False),
        (["vaults.example"], "https://vaults.example.attacker.example", False),
        (["vaults.example"], "https://vaults.example@attacker.example", False),
    ],
)
def test_hosts_are_named_with_their_ports(hosts, address, named):
    assert is_named(address, hosts) is named
