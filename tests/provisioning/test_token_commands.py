"""``createconfiguration`` for each kind: what it takes, what it prints (docs/commands.md)."""

import pytest

from provisioning.models import ProvisioningConfiguration
from tests.commandline import manage
from tests.factories import make_subscription
from tests.provisioning.issuing import TENANT

pytestmark = pytest.mark.django_db(transaction=True)
ISSUER = ("--issuer", "https://issuer.example", "--subject", "sync", "--audience", "api://x")


@pytest.fixture
def run(capsys, settings):
    settings.ISSUER_HOSTS = ["issuer.example", "login.microsoftonline.com"]
    make_subscription("Contoso")
    return lambda *words: manage(
        capsys, "createconfiguration", "Contoso", "New", "--default-license", "named", "--json", *words
    )


def made() -> ProvisioningConfiguration:
    return ProvisioningConfiguration.objects.get(name="New")


def test_a_classic_one_prints_its_tenant_url_and_needs_no_place_for_a_secret(run):
    document = run("--kind", "classic", "--issuer", TENANT).document

    assert document == {
        "id": made().public_id,
        "name": "New",
        "kind": "classic",
        "tenant_url": made().tenant_url,
        "issuer": f"https://sts.windows.net/{TENANT}/",
    }
    assert made().directory == TENANT


@pytest.mark.parametrize("kind", ["gallery", "other"])
def test_the_others_can_trust_an_issuer_besides_their_secret(run, kind):
    document = run("--kind", kind, *ISSUER).document

    assert document["client_secret"].startswith("mfms_")
    assert (made().issuer, made().subject, made().audience) == ("https://issuer.example", "sync", "api://x")


def test_the_directory_and_the_lifetime_of_tokens_are_kept(run):
    run("--kind", "gallery", "--directory", TENANT.upper(), "--token-lifetime", "6h")

    assert (made().directory, made().token_lifetime) == (TENANT, 21_600)


def test_a_gallery_one_beside_a_classic_one_needs_another_directory(run, capsys):
    manage(
        capsys,
        *(
            "createconfiguration",
            "Contoso",
            "Old",
            "--default-license",
            "named",
            "--kind",
            "classic",
            "--issuer",
            TENANT,
        ),
    )

    refused = run("--kind", "gallery")

    assert refused.code == 1
    assert "Delete “Old” here" in refused.err
    assert run("--kind", "gallery", "--directory", TENANT.replace("a", "b")).document["kind"] == "gallery"


REFUSED = {
    "no tenant": (("--kind", "classic"), "The tenant ID is missing."),
    "a bad tenant": (("--kind", "classic", "--issuer", "contoso"), "“contoso” is no tenant ID."),
    "a bad directory": (("--kind", "gallery", "--directory", "contoso"), "“contoso” is no tenant ID."),
    "an issuer alone": (("--kind", "other", "--issuer", "https://issuer.example"), "Enter the subject"),
    "a subject alone": (("--kind", "other", "--subject", "x", "--audience", "y"), "begins with https://"),
    "a host": (("--kind", "other", *ISSUER, "--issuer", "https://evil.example"), "MFMANAGE_ISSUER_HOSTS"),
    "too short": (("--kind", "other", "--token-lifetime", "59m"), "60 minutes to 6 hours"),
    "too long": (("--kind", "other", "--token-lifetime", "7h"), "60 minutes to 6 hours"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_said_in_a_sentence(run, words, said):
    answer = run(*words)

    assert answer.code == 1
    assert said in answer.err
    assert not ProvisioningConfiguration.objects.exists()
