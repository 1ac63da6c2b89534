"""Problems of vaults: when people are told, who, and that the end is told to whom the beginning was."""

from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from licensing import tasks
from licensing.models import Ending, VaultStatus
from licensing.plans.incidents import PATIENCE, VaultHealth, incident
from licensing.services import due, incidents
from licensing.vaultserver import admin as vault_admin
from licensing.vaultserver.faults import Faults
from mfmanage.celery import app
from provisioning.models import LoginAccount, Notification, NotificationMail, TrustedPerson, Vault
from provisioning.notification_kinds import VAULT_INCIDENT
from provisioning.services.mails import LEASE, send_due
from provisioning.services.trusted_persons import add_trusted_person
from tests.factories import ACTOR, NOON, make_admin, make_subscription, make_vault
from tests.licensing.people import DAY, MINUTE
from tests.mailserver import MailServer

DOWN = "The vault agent did not answer in time."
Role = LoginAccount.Role
pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    return make_subscription("Contoso")


@pytest.fixture
def vault(subscription):
    vault = make_vault(subscription, "Contracts")
    due.know_vaults()
    return vault


@pytest.fixture
def admin(subscription):
    return make_admin(subscription, "root@contoso.example")


def trust(subscription, email, vault=None):
    return add_trusted_person(subscription=subscription, vault=vault, name="Tina", email=email, actor=ACTOR, at=NOON)


def fail(vault, state=Ending.RETRYING, reason=DOWN):
    VaultStatus.objects.filter(vault=vault).update(state=state, reason=reason)


def heal(vault):
    fail(vault, Ending.READY, "")


def look(now):
    """One round of the periodic task."""
    incidents.look(now)
    return send_due(now)


def told(mailoutbox):
    """Take the mails of the outbox."""
    mails = sorted((mail.to[0], mail.subject) for mail in mailoutbox)
    mailoutbox.clear()
    return mails


@pytest.mark.parametrize(
    ("facts", "wait"),
    [
        ({}, PATIENCE),
        ({"user_synchronization": True}, timedelta(0)),
        ({"is_gone": True}, timedelta(0)),
    ],
)
def test_what_only_a_person_can_have_done_is_told_at_once(facts, wait):
    health = {"name": "Contracts", "reason": DOWN, "user_synchronization": False, "is_gone": False} | facts

    found = incident(VaultHealth(**health))

    assert found.wait == wait
    assert found.sentence == f"Vault “Contracts”: {DOWN}"


def test_a_vault_that_is_well_is_no_incident_and_a_reason_of_many_lines_is_one():
    health = {"name": "Contracts", "user_synchronization": False, "is_gone": False}

    assert incident(VaultHealth(reason="", **health)) is None
    assert incident(VaultHealth(reason="Out of\n order.", **health)).sentence == "Vault “Contracts”: Out of order."


@pytest.mark.parametrize("state", [Ending.RETRYING, Ending.STALLED])
def test_trusted_persons_and_admins_are_told_after_ten_minutes_and_when_it_is_over(
    state, subscription, vault, admin, mailoutbox
):
    trust(subscription, "own@partner.example", vault)
    trust(subscription, "all@partner.example")
    trust(subscription, "other@partner.example", make_vault(subscription, "Archive"))
    trust(make_subscription("Fabrikam"), "fabrikam@partner.example")
    fail(vault, state)

    for minute in range(10):
        look(NOON + minute * MINUTE)
    assert told(mailoutbox) == []
    look(NOON + 10 * MINUTE)
    look(NOON + 11 * MINUTE)

    everybody = ["all@partner.example", "own@partner.example", "root@contoso.example"]
    assert told(mailoutbox) == [(to, f"Contoso: Vault “Contracts”: {DOWN}") for to in everybody]
    heal(vault)
    look(NOON + 12 * MINUTE)
    look(NOON + DAY)
    assert told(mailoutbox) == [(to, f"Contoso: Over: Vault “Contracts”: {DOWN}") for to in everybody]
    assert not NotificationMail.objects.exists()


def test_what_is_over_within_ten_minutes_is_not_told_and_the_time_counts_anew(vault, admin, mailoutbox):
    for start in (0, 9, 18):
        fail(vault)
        look(NOON + start * MINUTE)
        look(NOON + (start + 8) * MINUTE)
        heal(vault)
        look(NOON + (start + 8) * MINUTE)

    assert told(mailoutbox) == []
    assert set(Notification.objects.values_list("told_at", flat=True)) == {None}


def test_one_that_gets_worse_is_told_at_once(vault, admin, mailoutbox):
    fail(vault)
    look(NOON)
    Vault.objects.update(user_synchronization=True)
    fail(vault, Ending.STALLED, "User synchronization is on.")

    look(NOON + MINUTE)

    assert told(mailoutbox) == [("root@contoso.example", "Contoso: Vault “Contracts”: User synchronization is on.")]


def test_one_that_turns_less_urgent_is_not_put_off(vault, admin, mailoutbox):
    fail(vault)
    look(NOON)
    fail(vault, Ending.STALLED, "Refused.")
    look(NOON + 9 * MINUTE)

    look(NOON + 10 * MINUTE)

    assert told(mailoutbox) == [("root@contoso.example", "Contoso: Vault “Contracts”: Refused.")]


def test_a_real_vault_whose_synchronization_is_turned_on_is_told_until_it_is_off(world, mailoutbox):
    trust(world.subscription, "own@partner.example", world.vault)
    world.sweep()
    vault_admin.change_vault(world.server, world.guid, user_synchronization=True)
    world.sweep(NOON + 6 * MINUTE)

    look(NOON + 6 * MINUTE)
    ((_, begun),) = told(mailoutbox)
    vault_admin.change_vault(world.server, world.guid, user_synchronization=False)
    world.sweep(NOON + 9 * MINUTE)
    look(NOON + 9 * MINUTE)
    ((_, over),) = told(mailoutbox)

    assert "User synchronization is on in vault “Contracts”" in begun
    assert over == begun.replace(": Vault", ": Over: Vault")


def test_a_real_vault_that_is_gone_from_its_server_is_told_at_once_and_one_that_is_down_later(world, mailoutbox):
    trust(world.subscription, "own@partner.example", world.vault)
    world.sweep()
    world.server.faults.put(Faults(down=True))
    for minute in (6, 8, 12, 16):
        assert told(mailoutbox) == []
        world.sweep(NOON + minute * MINUTE)
        look(NOON + minute * MINUTE)
    assert [subject for _, subject in told(mailoutbox)] == [
        f"{world.subscription.name}: Vault “Contracts”: The vault server is switched off."
    ]
    world.server.faults.clear()
    world.sweep(NOON + 60 * MINUTE)
    look(NOON + 60 * MINUTE)
    assert "Over" in told(mailoutbox)[0][1]

    vault_admin.delete_vault(world.server, world.guid)
    world.sweep(NOON + 120 * MINUTE)
    look(NOON + 120 * MINUTE)

    ((_, subject),) = told(mailoutbox)
    assert "is gone from its server" in subject


def test_an_address_is_told_once_whatever_it_is_to_the_vault(subscription, vault, admin, mailoutbox):
    for one in (None, vault):
        trust(subscription, "ROOT@contoso.example", one)
        trust(subscription, "tina@partner.example", one)
    fail(vault)
    look(NOON)

    look(NOON + 10 * MINUTE)

    assert [to for to, _ in told(mailoutbox)] == ["root@contoso.example", "tina@partner.example"]


def test_the_mail_of_a_trusted_person_says_why_and_whom_to_ask(subscription, vault, mailoutbox):
    subscription.contact_email = "it@contoso.example"
    subscription.save()
    trust(subscription, "tina@partner.example", vault)
    trust(subscription, "uwe@partner.example")
    fail(vault)
    look(NOON)
    look(NOON + 10 * MINUTE)

    bodies = {mail.to[0]: mail.body for mail in mailoutbox}
    assert f"Vault “Contracts”: {DOWN}\nSince: 12 May 2026, 12:00" in bodies["tina@partner.example"]
    assert "You get this as a trusted person of the vault “Contracts” of Contoso." in bodies["tina@partner.example"]
    assert "You get this as a trusted person of all vaults of Contoso." in bodies["uwe@partner.example"]
    assert "ask the admins of Contoso: it@contoso.example." in bodies["uwe@partner.example"]
    assert "settings/notifications" not in bodies["uwe@partner.example"]
    mailoutbox.clear()
    heal(vault)
    look(NOON + 20 * MINUTE)
    body = mailoutbox[0].body
    assert "Since: 12 May 2026, 12:00 · until: 12 May 2026, 12:20 (UTC)" in body
    assert "What to do" not in body


def test_an_admin_who_chose_otherwise_is_not_told_and_an_access_admin_only_by_choice(subscription, vault, mailoutbox):
    make_admin(subscription, "access@contoso.example", role=Role.ACCESS_ADMIN)
    quiet = make_admin(subscription, "quiet@contoso.example")
    quiet.notification_choices.create(kind=VAULT_INCIDENT.name, is_wanted=False)
    fail(vault)
    look(NOON)

    look(NOON + 10 * MINUTE)

    assert told(mailoutbox) == []


def test_a_vault_that_is_removed_ends_its_incident(subscription, vault, admin, mailoutbox):
    fail(vault)
    look(NOON)
    look(NOON + 10 * MINUTE)
    told(mailoutbox)

    vault.delete()
    look(NOON + 11 * MINUTE)

    assert [subject for _, subject in told(mailoutbox)] == [f"Contoso: Over: Vault “Contracts”: {DOWN}"]
    assert Notification.objects.get().ended_at == NOON + 11 * MINUTE


def smtp(settings, port):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5


def test_over_smtp_who_could_not_be_told_hears_of_the_end_and_home_counts_both(subscription, vault, admin, settings):
    trust(subscription, "tina@partner.example", vault)
    trust(subscription, "uwe@partner.example")
    refused = {"tina@partner.example": "451 later", "uwe@partner.example": "451 later"}
    fail(vault)
    with MailServer(refused=refused) as server:
        smtp(settings, server.port)
        look(NOON)
        assert look(NOON + 10 * MINUTE) == 1
        assert {mail.problem for mail in NotificationMail.objects.all()} == {"451 later"}
        heal(vault)
        server.refused.clear()
        assert look(NOON + 11 * MINUTE) == 3

    subjects = {mail.recipients[0]: [] for mail in server.mails}
    for mail in server.mails:
        subjects[mail.recipients[0]].append("Over" in mail.message["Subject"])
    assert subjects == {
        "root@contoso.example": [False, True],
        "tina@partner.example": [True],
        "uwe@partner.example": [True],
    }
    assert not NotificationMail.objects.exists()


def test_what_ends_while_its_mail_is_on_its_way_is_told_after_it(subscription, vault, mailoutbox, monkeypatch):
    trust(subscription, "tina@partner.example", vault)
    fail(vault)
    look(NOON)
    send = EmailBackend.send_messages

    def end_meanwhile(backend, messages):
        heal(vault)
        incidents.look(NOON + 10 * MINUTE)
        return send(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", end_meanwhile)
    look(NOON + 10 * MINUTE)
    look(NOON + 10 * MINUTE + LEASE)

    assert ["Over" in mail.subject for mail in mailoutbox] == [False, True]
    assert not NotificationMail.objects.exists()


def test_telling_nobody_twice_is_held_by_the_database(subscription, vault, admin):
    person = trust(subscription, "tina@partner.example")
    fail(vault)
    incidents.look(NOON)
    one = Notification.objects.get()
    for people in ({}, {"account": admin, "trusted_person": person}):
        with pytest.raises(IntegrityError), transaction.atomic():
            NotificationMail.objects.create(notification=one, due_at=NOON, **people)
    NotificationMail.objects.create(notification=one, trusted_person=person, due_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        NotificationMail.objects.create(notification=one, trusted_person=person, due_at=NOON)


def test_one_who_is_trusted_no_more_gets_nothing_that_was_on_its_way(subscription, vault, settings):
    trust(subscription, "tina@partner.example", vault)
    fail(vault)
    with MailServer(refused={"tina@partner.example": "451 later"}) as server:
        smtp(settings, server.port)
        look(NOON)
        look(NOON + 10 * MINUTE)
    TrustedPerson.objects.all().delete()

    assert not NotificationMail.objects.exists()


def test_looking_costs_two_statements_for_many_vaults_as_for_one(subscription, vault):
    fail(vault)
    look(NOON)
    for _ in range(5):
        make_vault(subscription)
    due.know_vaults()
    VaultStatus.objects.update(state=Ending.RETRYING, reason=DOWN)
    look(NOON)

    with CaptureQueriesContext(connection) as captured:
        incidents.look(NOON + MINUTE)

    assert len(captured) == 2
    assert Notification.objects.filter(kind=VAULT_INCIDENT.name).count() == 6


def test_the_task_looks_at_vaults_too(vault, admin, monkeypatch, mailoutbox):
    monkeypatch.setitem(app.conf, "task_always_eager", True)
    Vault.objects.update(user_synchronization=True)
    fail(vault, Ending.STALLED, "User synchronization is on.")

    tasks.look_at_pools()

    assert told(mailoutbox) == [("root@contoso.example", "Contoso: Vault “Contracts”: User synchronization is on.")]
