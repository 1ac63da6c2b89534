"""``setlicenses``, ``reconcile`` and ``explain`` as a script sees them (5-operations §5.1)."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from licensing.vaultserver import admin
from licensing.vaultserver.faults import Faults
from provisioning.models import AuditEntry, Subscription
from tests.factories import make_account, make_configuration, make_group, make_link, make_subscription
from tests.licensing.people import NAMED, READ_ONLY, disable, has, pool, reconcile

pytestmark = pytest.mark.django_db


def run(capsys, *words):
    """Return exit code and what was printed."""
    code = 0
    try:
        call_command(*words)
    except CommandError as error:
        code = error.returncode
    except SystemExit as error:
        code = error.code
    return code, capsys.readouterr().out


def run_json(capsys, *words):
    code, printed = run(capsys, *words, "--json")
    return code, json.loads(printed)


@pytest.fixture
def linked(world):
    ann, bob = (make_account(world.configuration, f"{name}@contoso.example") for name in ("ann", "bob"))
    make_link(make_group(world.configuration, "Legal", members=[ann, bob]), world.vault, "Lawyers")
    return ann, bob


def test_setlicenses_changes_the_named_types_only(capsys):
    subscription = make_subscription()

    code, document = run_json(capsys, "setlicenses", subscription.name, "named=120", "read-only=5")
    assert (code, document["licenses"]) == (0, {"named": 120, "concurrent": 0, "read-only": 5})
    code, document = run_json(capsys, "setlicenses", subscription.number, "read-only=6")

    assert document["licenses"] == {"named": 120, "concurrent": 0, "read-only": 6}
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor_name, entry.changes) == ("manage.py setlicenses", {"read-only": [5, 6]})


def test_setlicenses_with_dry_run_says_who_would_get_a_license_and_changes_nothing(capsys):
    subscription = make_subscription()
    configuration = make_configuration(subscription, default_license_type=NAMED)
    for name in ("ann", "bob"):
        make_account(configuration, name)
    reconcile(subscription)

    _, document = run_json(capsys, "setlicenses", subscription.name, "named=1", "--dry-run")

    assert document == {
        "gain": 1,
        "lose": 0,
        "wait": 0,
        "removed_members": 0,
        "created_vault_users": 0,
        "accounts": [{"username": "ann", "effect": "No license → Named"}],
    }
    assert set(subscription.license_pools.values_list("purchased", flat=True)) == {0}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("named=-1", "Named: -1 is not between 0 and 10,000,000 licenses."),
        ("named=10000001", "Named: 10,000,001 is not between 0 and 10,000,000 licenses."),
        ("named", "does not say how many"),
        ("named=many", "does not say how many"),
        ("premium=1", "'premium' is not a license type"),
        ("none=1", "No license is nothing that can be purchased."),
    ],
)
def test_setlicenses_refuses_nonsense_with_a_sentence(words, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("setlicenses", make_subscription().name, words)


def test_setlicenses_names_the_subscriptions_there_are():
    make_subscription("Contoso")

    with pytest.raises(CommandError, match="There is no subscription “Fabrikam”"):
        call_command("setlicenses", "Fabrikam", "named=1")


def test_reconcile_brings_everything_in_line_and_says_so(capsys, linked, world):
    code, document = run_json(capsys, "reconcile")

    assert code == 0
    assert document == {
        "accounts": 2,
        "granted": 2,
        "released": 0,
        "waiting": 0,
        "vault_users": {"created": 2, "updated": 0, "enabled": 0, "disabled": 0},
        "differences": 0,
    }
    assert len(world.members("Lawyers")) == 2


def test_reconcile_takes_one_subscription_only(capsys, linked, world):
    other = make_subscription()

    _, document = run_json(capsys, "reconcile", "--subscription", other.name)
    assert document["accounts"] == 0

    _, document = run_json(capsys, "reconcile", "--subscription", world.subscription.name)
    assert document["accounts"] == 2


def test_reconcile_repairs_what_was_changed_behind_our_back(capsys, linked, world):
    run(capsys, "reconcile")
    admin.delete_user(world.server, world.guid, "ann@contoso.example")

    code, document = run_json(capsys, "reconcile")

    assert (code, document["vault_users"]["created"]) == (0, 1)
    assert world.users() == {"ann@contoso.example": True, "bob@contoso.example": True}


def test_check_finds_differences_and_changes_nothing(capsys, linked, world):
    assert run_json(capsys, "reconcile", "--check")[0] == 3
    run(capsys, "reconcile")
    assert run_json(capsys, "reconcile", "--check")[:1] == (0,)

    admin.delete_user(world.server, world.guid, "ann@contoso.example")
    revision = world.server.get_vault(world.guid).revision
    code, document = run_json(capsys, "reconcile", "--check")

    assert (code, document["differences"]) == (3, 2)
    assert world.server.get_vault(world.guid).revision == revision


def test_reconcile_says_which_vault_could_not_be_brought_in_line(capsys, linked, world):
    world.server.faults.general = Faults(down=True)

    with pytest.raises(CommandError, match="1 vault") as refused:
        call_command("reconcile")

    assert refused.value.returncode == 4
    assert "Vault “Contracts”: The vault server is switched off." in capsys.readouterr().err
    assert has(linked[0]) == READ_ONLY


def test_explain_tells_license_groups_vaults_and_what_is_pending(capsys, linked, world):
    code, document = run_json(capsys, "explain", "ANN@contoso.example")
    assert (code, document["license"]["why"]) == (0, "Not yet looked at")
    assert document["pending"] == ["A change of the account or its groups is about to be looked at."]

    run(capsys, "reconcile")
    _, document = run_json(capsys, "explain", "ann@contoso.example")

    assert document["state"] == "enabled"
    assert document["groups"] == ["Legal"]
    assert document["vaults"] == [
        {"vault": "Contracts", "state": "enabled", "groups": ["Lawyers"], "why": "Linked from group Legal"}
    ]
    assert document["license"]["granted"] == document["license"]["wanted"] == "read-only"
    assert document["pending"] == []


def test_explain_tells_the_place_of_who_waits(capsys, linked, world):
    call_command("setlicenses", world.subscription.name, "read-only=1")
    run(capsys, "reconcile")

    _, document = run_json(capsys, "explain", "bob@contoso.example", "--subscription", world.subscription.name)

    assert document["license"] == {
        "wanted": "read-only",
        "granted": "none",
        "waiting": True,
        "place": 1,
        "why": "Waits for Read only, place 1 of 1, has no license meanwhile",
    }
    code, printed = run(capsys, "explain", "bob@contoso.example")
    assert (code, "License: Waits for Read only" in printed) == (0, True)


def test_explain_tells_until_when_a_disabled_account_keeps_its_license(capsys, linked, world):
    run(capsys, "reconcile")
    disable(linked[0], at=timezone.now())
    run(capsys, "reconcile")

    _, document = run_json(capsys, "explain", "ann@contoso.example")

    day = timezone.now() + timedelta(days=7)
    assert document["license"]["why"].startswith(f"Read only until {day.day} {day:%B}")
    assert document["vaults"][0] == {
        "vault": "Contracts",
        "state": "disabled",
        "groups": [],
        "why": "No link gives access to this vault any more",
    }


def test_explain_says_that_there_is_no_such_user():
    with pytest.raises(CommandError, match="There is no user “nobody”"):
        call_command("explain", "nobody")


def test_reconcile_releases_by_policy(capsys, linked, world):
    run(capsys, "reconcile")
    Subscription.objects.filter(pk=world.subscription.pk).update(release_policy="at_once")
    disable(linked[0])

    _, document = run_json(capsys, "reconcile")

    assert (document["released"], document["vault_users"]["disabled"]) == (1, 1)
    assert pool(world.subscription, READ_ONLY).granted == 1
