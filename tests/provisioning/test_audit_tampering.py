"""Whatever is done to an audit log past the product is found: by its chain, by its head, or by the exported heads."""

import json
from dataclasses import asdict
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from provisioning.models import AuditEntry, AuditHead
from provisioning.services import audit, audit_heads, audit_verification
from provisioning.services.audit_verification import unverified, verify, verify_heads
from tests.audit_log import unguarded
from tests.factories import ACTOR, NOON, make_subscription

pytestmark = pytest.mark.django_db
TABLE = "provisioning_auditentry"
FIELDS = "at, actor_kind, actor_name, actor_role, address, request_id, action, target, changes, key_version, digest"


@pytest.fixture
def log():
    """A subscription with twelve entries: its creation is the first."""
    subscription = make_subscription()
    with audit.recorded_last():
        for number in range(2, 13):
            audit.record(subscription_id=subscription.pk, actor=ACTOR, action="try", target=f"deed {number}", at=NOON)
    return subscription


def tamper(log, *statements, **more):
    """Write to the database as somebody who may switch its triggers off, but does not know the pepper."""
    with transaction.atomic(), unguarded(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(t=TABLE, f=FIELDS, id=log.pk, **more))


def told(log):
    return [(one.number, one.what) for one in verify(log).differences]


OF = "WHERE subscription_id = {id} AND number"
COPY = "INSERT INTO {t} (subscription_id, number, {f}) SELECT {id}, %d, {f} FROM {t} " + OF + " = %d"
TAMPERS = {
    "edited": ([f"UPDATE {{t}} SET target = 'another' {OF} = 5"], [(5, "Entry 5 is not what was written there.")]),
    "edited, with the digest of another entry": (
        [f"UPDATE {{t}} SET digest = (SELECT digest FROM {{t}} {OF} = 4) {OF} = 5"],
        [(5, "Entry 5 is not what was written there."), (6, "Entry 6 is not what was written there.")],
    ),
    "moved in time": (
        [f"UPDATE {{t}} SET at = '2020-01-01 00:00:00+00:00' {OF} = 12"],
        [(12, "Entry 12 is not what was written there.")],
    ),
    "the key renamed": (
        [f"UPDATE {{t}} SET key_version = 'x' {OF} = 5"],
        [(5, "Entry 5 is under a key that is not here; name its pepper in MFMANAGE_PEPPER_PREVIOUS.")],
    ),
    "the first deleted": ([f"DELETE FROM {{t}} {OF} = 1"], [(1, "Entry 1 is missing.")]),
    "some deleted": (
        [f"DELETE FROM {{t}} {OF} IN (5, 6, 9)"],
        [(5, "Entries 5 to 6 are missing."), (9, "Entry 9 is missing.")],
    ),
    "deleted, and the gap closed": (
        [
            f"DELETE FROM {{t}} {OF} = 11",
            f"UPDATE {{t}} SET number = 11 {OF} = 12",
            "UPDATE provisioning_audithead SET number = 11 WHERE subscription_id = {id}",
        ],
        [(11, "Entry 11 is not what was written there.")],
    ),
    "all deleted": ([f"DELETE FROM {{t}} {OF} > 0"], [(1, "Entries 1 to 12 are missing.")]),
    "inserted at the end": (
        [COPY % (13, 12)],
        [(13, "Entries stand after entry 12, where the log ends.")],
    ),
    "inserted at the end, and the head moved": (
        [
            COPY % (13, 12),
            "UPDATE provisioning_audithead SET number = 13 WHERE subscription_id = {id}",
        ],
        [(13, "Entry 13 is not what was written there.")],
    ),
    "inserted before the first": (
        [COPY % (0, 1)],
        [(0, "There is an entry 0 too many.")],
    ),
    "inserted in the middle": (
        [
            f"UPDATE {{t}} SET number = 112 - number {OF} > 5",
            f"UPDATE {{t}} SET number = 113 - number {OF} > 12",
            COPY % (6, 5),
            "UPDATE provisioning_audithead SET number = 13 WHERE subscription_id = {id}",
        ],
        [(number, f"Entry {number} is not what was written there.") for number in range(6, 14)],
    ),
    "two swapped": (
        [
            f"UPDATE {{t}} SET number = 100 {OF} = 5",
            f"UPDATE {{t}} SET number = 5 {OF} = 6",
            f"UPDATE {{t}} SET number = 6 {OF} = 100",
        ],
        [(number, f"Entry {number} is not what was written there.") for number in (5, 6, 7)],
    ),
    "the tail cut": ([f"DELETE FROM {{t}} {OF} > 10"], [(11, "Entries 11 to 12 are missing.")]),
    "the head's digest changed": (
        ["UPDATE provisioning_audithead SET digest = 'x' WHERE subscription_id = {id}"],
        [(12, "The head of the chain does not fit entry 12.")],
    ),
    "the head deleted": (
        ["DELETE FROM provisioning_audithead WHERE subscription_id = {id}"],
        [(0, "The head of the chain is missing.")],
    ),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_it_is_found_and_told_where(name, log):
    statements, differences = TAMPERS[name]
    assert told(log) == []

    tamper(log, *statements)

    assert told(log) == differences


def test_an_entry_of_another_subscription_in_its_place_is_found(log):
    other = make_subscription()
    audit.record(subscription_id=other.pk, actor=ACTOR, action="try", target="deed 2", at=NOON)

    tamper(
        log,
        "DELETE FROM {t} WHERE number = 2 AND subscription_id = {id}",
        "UPDATE {t} SET subscription_id = {id} WHERE subscription_id = {other} AND number = 2",
        other=other.pk,
    )

    assert told(log) == [(number, f"Entry {number} is not what was written there.") for number in (2, 3)]
    assert told(other) == [(2, "Entry 2 is missing.")]


def test_a_cut_with_the_head_moved_back_shows_only_against_the_exported_heads(log):
    exported = list(audit_heads.heads(NOON))

    tamper(
        log,
        f"DELETE FROM {{t}} {OF} > 10",
        f"UPDATE provisioning_audithead SET number = 10, digest = (SELECT digest FROM {{t}} {OF} = 10) {OF} = 12",
    )

    assert told(log) == []
    [found] = verify_heads(exported)[log.pk].differences
    assert (found.subscription, found.number) == (log.number, 12)
    assert found.what == f"The log ended with entry 12 on {NOON.isoformat()}, and now there is no such entry."


def test_after_such_a_cut_new_entries_do_not_hide_it(log):
    exported = list(audit_heads.heads(NOON))
    tamper(
        log,
        "DELETE FROM {t} WHERE subscription_id = {id} AND number > 10",
        "DELETE FROM provisioning_audithead WHERE subscription_id = {id}",
    )

    for number in range(3):
        audit.record(subscription_id=log.pk, actor=ACTOR, action="try", target=f"new {number}", at=NOON)

    assert told(log) == []
    [found] = verify_heads(exported)[log.pk].differences
    assert found.what == f"Entry 12 is not the one with which the log ended on {NOON.isoformat()}."


def test_exported_heads_of_one_subscription_are_told_apart(log):
    other = make_subscription()
    exported = list(audit_heads.heads(NOON))
    tamper(log, "DELETE FROM {t} WHERE subscription_id = {id} AND number = 12")

    assert verify_heads(exported, other)[other.pk].differences == []
    assert [verify_heads(exported, one)[one.pk].entries for one in (log, other)] == [1, 1]
    assert {pk: result.count for pk, result in verify_heads(exported).items()} == {log.pk: 1, other.pk: 0}


def test_the_walk_goes_page_by_page_and_misses_nothing_between_pages(log, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(audit_verification, "_PAGE", 5)

    with django_assert_num_queries(1 + 4):  # the head; 5, 5, 2 entries, and nothing more
        assert verify(log).entries == 12
    tamper(log, f"DELETE FROM {{t}} {OF} IN (5, 6)", f"UPDATE {{t}} SET target = '' {OF} = 11")

    assert [number for number, _ in told(log)] == [5, 11]


def test_of_very_many_differences_the_first_are_told_and_all_are_counted(log, monkeypatch):
    monkeypatch.setattr(audit_verification, "_TOLD", 3)
    tamper(log, "UPDATE {t} SET target = '' WHERE subscription_id = {id}")

    result = verify(log)

    assert (result.count, len(result.differences)) == (12, 3)


def test_a_page_of_entries_knows_which_of_them_do_not_follow(log):
    def page():
        rows = AuditEntry.objects.filter(subscription=log, number__in=[3, 5, 6, 9, 12])
        return unverified(list(rows))

    assert page() == set()
    tamper(log, f"UPDATE {{t}} SET target = '' {OF} = 6", f"DELETE FROM {{t}} {OF} = 8")

    assert page() == {6, 9}
    assert unverified([]) == set()


def test_what_was_appended_while_the_log_is_read_is_left_to_the_next_time(log, monkeypatch):
    pages = audit_verification._pages

    def interrupted(rows):
        audit.record(subscription_id=log.pk, actor=ACTOR, action="try", target="meanwhile", at=NOON)
        return pages(rows)

    monkeypatch.setattr(audit_verification, "_pages", interrupted)

    assert (told(log), verify(log).entries) == ([], 13)


@pytest.fixture
def command(settings, tmp_path, capsys):
    """Run ``auditverify`` and return its exit code and what it printed."""
    settings.AUDIT_HEADS = tmp_path / "heads" / "all.jsonl"

    def run(*arguments):
        out, code = StringIO(), 0
        try:
            call_command("auditverify", *arguments, stdout=out)
        except SystemExit as end:
            code = end.code
        return code, out.getvalue()

    return run


def test_the_command_says_that_all_is_as_it_was_and_exits_with_0(log, command):
    audit_heads.export(NOON)

    code, out = command()

    assert code == 0
    assert f"{log.number}: 12 entries, as they were written.\n" in out
    assert "Exported heads: 1, as they were written.\n" in out


def test_the_command_tells_the_differences_and_exits_with_3(log, command):
    audit_heads.export(NOON)
    tamper(
        log,
        f"DELETE FROM {{t}} {OF} = 12",
        "UPDATE provisioning_audithead SET number = 11 WHERE subscription_id = {id}",
    )

    code, out = command("--json")

    document = json.loads(out)
    assert code == 3
    assert (document["entries"], document["heads"], document["differences"]) == (11, 1, 2)
    assert document["subscriptions"] == [{"subscription": log.number, "entries": 11, "differences": 1}]
    assert [one["number"] for one in document["found"]] == [11, 12]


def test_the_command_takes_one_subscription_and_a_copy_of_the_heads(log, command, tmp_path):
    other = make_subscription()
    copy = tmp_path / "copy.jsonl"
    copy.write_text("".join(f"{line}\n" for line in audit_heads.lines(audit_heads.heads(NOON))))
    tamper(log, f"UPDATE {{t}} SET target = '' {OF} = 3")

    assert command("--subscription", other.number, "--heads", str(copy))[0] == 0
    assert command("--subscription", log.number, "--heads", str(copy))[0] == 3


def test_the_command_notes_when_it_was_and_what_came_of_it(log, command):
    tamper(log, f"UPDATE {{t}} SET target = '' {OF} = 3")

    command("--quiet")

    head = AuditHead.objects.get(pk=log.pk)
    assert head.verified_at is not None
    assert (head.verified_number, head.differences) == (12, 1)


def test_auditheads_prints_what_the_file_would_hold(log, capsys):
    call_command("auditheads")

    [line] = capsys.readouterr().out.splitlines()
    [head] = audit_heads.heads(NOON)
    assert {**json.loads(line), "at": head.at} == asdict(head)
