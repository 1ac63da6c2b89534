"""The commands of docs/commands.md that create and decide: their documents, their refusals, their exit codes."""

import re
import stat
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.color import color_style

from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, GroupLink, ProvisioningConfiguration, Subscription, UserGroup, Vault
from provisioning.services.peppers import digest
from tests.commandline import manage
from tests.factories import make_account, make_configuration, make_group, make_subscription, make_vault

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]
OURS = {"mfmanage", "provisioning", "licensing", "scim"}


@pytest.fixture
def run(capsys):
    return lambda *words: manage(capsys, *words)


@pytest.fixture
def legal():
    configuration = make_configuration(make_subscription("Contoso"), "Entra")
    make_vault(configuration.subscription, "Projects")
    return make_group(configuration, "Legal", members=[make_account(configuration)])


def test_the_page_of_commands_names_exactly_the_commands_there_are():
    page = (ROOT / "docs" / "commands.md").read_text()
    documented = set(re.findall(r"^### `(\w+)", page, re.MULTILINE))

    assert documented == {name for name, app in get_commands().items() if app in OURS}


def test_a_subscription_with_pools_and_an_admin(run):
    words = ["createsubscription", "Contoso", "--license", "named=20", "--license", "read-only=25"]

    answer = run(*words, "--admin", "ann@contoso.example", "--json")

    document = answer.document
    assert answer.code == 0
    assert document["name"] == "Contoso"
    assert document["licenses"] == {"named": 20, "concurrent": 0, "read-only": 25}
    assert document["admin"]["email"] == "ann@contoso.example"
    subscription = Subscription.objects.get(number=document["id"])
    admin = subscription.accounts.get()
    assert admin.user.check_password(document["admin"]["password"])
    assert admin.get_role_display() == "Subscription admin"


def test_a_person_who_has_a_sign_in_keeps_their_password(run):
    run("createsubscription", "Contoso", "--admin", "ann@contoso.example", "--password", "a password of hers")

    answer = run("createsubscription", "Fabrikam", "--admin", "Ann@contoso.example", "--json")

    assert answer.document["admin"]["password"] is None


REFUSALS = [
    (["createsubscription", "CONTOSO"], 1, "A subscription named “CONTOSO” exists already."),
    (["createsubscription", "New", "--license", "named=-1"], 1, "not between 0 and 10,000,000"),
    (["createsubscription", "New", "--license", "gold=1"], 1, "'gold' is not a license type; use one of named"),
    (["createsubscription", "New", "--admin", "nobody"], 1, "'nobody' is not an e-mail address."),
    (["createsubscription", "New", "--edition", "pro"], 2, "invalid choice: 'pro'"),
    (["setlicenses", "Contoso", "named=10000001"], 1, "not between 0 and 10,000,000"),
    (["setlicenses", "Fabrikam", "named=1"], 1, "There is no subscription “Fabrikam”. There is “Contoso”."),
    (["createvault", "Contoso", "projects"], 1, "a vault named “projects” already"),
    (["createvault", "Contoso", "New", "--agent-url", "nonsense"], 2, "“nonsense” is not an http or https address."),
    (["createvault", "Contoso", "New", "--agent-url", "http://vaults.example"], 2, "Write the address with https://"),
    (["createconfiguration", "Contoso", "entra", "--kind", "gallery", "--default-license", "named", "--json"], 1,
     "A configuration named “entra” exists already."),
    (["createconfiguration", "Contoso", "New", "--kind", "classic", "--default-license", "named", "--json"], 1,
     "The tenant ID is missing"),
    (["createconfiguration", "Contoso", "New", "--kind", "gallery", "--default-license", "gold"], 2, "invalid choice"),
    (["createconfiguration", "Contoso", "New", "--kind", "gallery", "--default-license", "named"], 2,
     "The secret is printed once: use --json, --secret-file FILE, or a terminal."),
    (["setgrouplicense", "Entra", "Sales", "named"], 1, "There is no user group “Sales”. There is “Legal”."),
    (["setgrouplicense", "Okta", "Legal", "named"], 1, "There is no configuration “Okta”."),
    (["linkgroup", "Entra", "Legal", "Contracts", "L"], 1, "There is no vault “Contracts”. There is “Projects”."),
    (["linkgroup", "Entra", "Legal", "Projects", "L"], 1, "“Projects” has no user group “L”."),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "sentence"), REFUSALS, ids=[" ".join(words) for words, *_ in REFUSALS])
def test_what_cannot_be_done_is_said_in_a_line_and_changes_nothing(run, legal, words, code, sentence):
    deeds = AuditEntry.objects.count()

    answer = run(*words)

    assert answer.code == code
    assert sentence in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
    assert AuditEntry.objects.count() == deeds


def test_a_vault(run):
    make_subscription("Contoso")

    words = ["createvault", "Contoso", "Projects", "--agent-url", "http://127.0.0.1:8100"]
    document = run(*words, "--user-synchronization", "on", "--json").document

    vault = Vault.objects.get(pk=document["id"])
    assert document["guid"] == f"{{{vault.guid}}}".upper()
    assert (vault.name, vault.agent_url, vault.user_synchronization) == ("Projects", document["agent_url"], True)


CREATE = ["createconfiguration", "Contoso", "Entra", "--kind", "gallery", "--default-license", "read-only"]


def test_a_configuration_prints_what_entra_needs(run):
    make_subscription("Contoso")

    document = run(*CREATE, "--json").document

    configuration = ProvisioningConfiguration.objects.get()
    assert configuration.default_license_type == LicenseType.READ_ONLY
    assert document["tenant_url"].endswith(f"/scim/v2/{document['id']}")
    assert document["token_endpoint"].endswith("/oauth/token")
    assert document["client_id"] == configuration.application.client_id
    assert digest(document["client_secret"]) == configuration.secrets.get().digest


def test_the_secret_may_go_to_a_file_of_its_own(run, tmp_path):
    make_subscription("Contoso")
    file = tmp_path / "secret"

    answer = run(*CREATE, "--json", "--secret-file", str(file))

    assert "client_secret" not in answer.document
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert digest(file.read_text()) == ProvisioningConfiguration.objects.get().secrets.get().digest


def test_a_secret_file_that_cannot_be_written_leaves_no_configuration(run, tmp_path):
    make_subscription("Contoso")
    (tmp_path / "secret").touch()

    answer = run(*CREATE, "--secret-file", str(tmp_path / "secret"))

    assert (answer.code, "exists already" in answer.err) == (1, True)
    assert not ProvisioningConfiguration.objects.exists()


def test_a_configuration_is_refused_while_vaults_synchronize_their_users(run):
    subscription = make_subscription("Contoso")
    make_vault(subscription, "Projects", user_synchronization=True)
    make_vault(subscription, "Contracts", user_synchronization=True)

    answer = run(*CREATE, "--json")

    assert answer.code == 1
    assert "User synchronization is on in Contracts, Projects." in answer.err


def test_a_configuration_is_refused_for_the_classic_edition(run):
    make_subscription("Contoso", edition="classic_cloud")

    answer = run(*CREATE, "--json")

    assert (answer.code, "Classic cloud edition" in answer.err) == (1, True)


def test_the_license_type_of_a_group(run, legal):
    document = run("setgrouplicense", "Entra", "legal", "named", "--json").document

    assert document == {"group": "Legal", "license_type": "named"}
    assert UserGroup.objects.get().license_type == LicenseType.NAMED


def test_a_link_to_a_new_group_of_a_vault(run, legal):
    answer = run("linkgroup", "Entra", "Legal", "Projects", "Lawyers", "--create", "--mode", "merge", "--json")

    link = GroupLink.objects.get()
    assert answer.document == {
        "id": link.pk, "group": "Legal", "vault": "Projects", "vault_group": "Lawyers", "mode": "merge"
    }  # fmt: skip
    again = run("linkgroup", "Entra", "Legal", "Projects", "lawyers")
    assert (again.code, "gets its members from “Legal” already" in again.err) == (1, True)


PREVIEW = {"gain", "lose", "wait", "removed_members", "created_vault_users", "accounts"}


@pytest.mark.parametrize(
    "words", [["setgrouplicense", "Entra", "Legal", "named"], ["linkgroup", "Entra", "Legal", "Projects", "New"]]
)
def test_a_preview_changes_nothing(run, legal, words):
    answer = run(*words, "--dry-run", "--json")

    assert answer.document.keys() >= PREVIEW
    assert UserGroup.objects.get().license_type is None
    assert not GroupLink.objects.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["createsubscription", "Fabrikam", "--license", "named=5", "--admin", "ann@fabrikam.example"],
        ["setlicenses", "Contoso", "named=5"],
        ["createvault", "Contoso", "Contracts"],
        ["createconfiguration", "Contoso", "Okta", "--kind", "other", "--default-license", "named"],
    ],
    ids=lambda words: words[0],
)
def test_a_dry_run_checks_everything_and_keeps_nothing(run, legal, words):
    before = (Subscription.objects.count(), Vault.objects.count(), ProvisioningConfiguration.objects.count())
    deeds = AuditEntry.objects.count()

    answer = run(*words, "--dry-run", "--json")

    assert (answer.code, answer.err) == (0, "")
    assert "mfms_" not in answer.out
    assert answer.document.get("admin", {}).get("password") is None
    assert AuditEntry.objects.count() == deeds
    assert (
        Subscription.objects.count(),
        Vault.objects.count(),
        ProvisioningConfiguration.objects.count(),
    ) == before
    assert run(*words, "--json").code == 0
    assert run(*words, "--dry-run").code == (0 if words[0] == "setlicenses" else 1)


def test_colors_are_left_out_on_request(monkeypatch):
    command = load_command_class("provisioning", "createvault")
    assert command.style.ERROR("x") == color_style().ERROR("x")

    monkeypatch.setenv("NO_COLOR", "1")

    assert load_command_class("provisioning", "createvault").style.ERROR("x") == "x"
