"""Once a day the ends of all audit logs go outside the database, and all logs are checked."""

import json
import stat

import pytest
from celery import current_app
from django.conf import settings as product
from structlog.testing import capture_logs

from provisioning.models import AuditEntry, AuditHead
from provisioning.services import audit_heads
from provisioning.tasks import audit
from tests.factories import NOON, make_subscription, make_vault
from tests.provisioning.test_audit_tampering import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(settings, tmp_path):
    settings.AUDIT_HEADS = tmp_path / "heads" / "all.jsonl"
    return settings.AUDIT_HEADS


def test_the_file_gets_a_line_for_each_subscription_behind_what_it_has(file):
    one, other = make_subscription(), make_subscription()
    audit_heads.export(NOON)
    make_vault(one)

    assert audit_heads.export(NOON) == 2

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["subscription"], line["number"]) for line in lines] == [
        (one.number, 1),
        (other.number, 1),
        (one.number, 2),
        (other.number, 1),
    ]
    newest = AuditEntry.objects.get(subscription=one, number=2)
    assert (lines[2]["digest"], lines[2]["at"]) == (newest.digest, NOON.isoformat())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_written_is_read_again(file):
    make_subscription()
    audit_heads.export(NOON)

    assert list(audit_heads.read(file)) == list(audit_heads.heads(NOON))


def test_a_line_that_a_killed_worker_left_torn_is_taken_away(file):
    make_subscription()
    audit_heads.export(NOON)
    whole = file.read_text()
    file.write_text(whole + whole[:30])

    audit_heads.export(NOON)

    assert file.read_text() == whole * 2


@pytest.mark.parametrize(
    "text",
    [
        "nonsense\n",
        "{}\n",
        "[]\n",
        "7\n",
        '{"at": "", "subscription": "", "subscription_id": "1", "number": 1, "digest": ""}\n',
    ],
)
def test_a_file_of_something_else_is_refused_by_its_line(text, file):
    file.parent.mkdir()
    file.write_text(text)

    with pytest.raises(audit_heads.HeadsUnreadable, match="line 1: this is no exported head"):
        list(audit_heads.read(file))


def test_a_file_that_is_not_there_is_refused(file):
    with pytest.raises(audit_heads.HeadsUnreadable, match="No such file"):
        list(audit_heads.read(file))


def test_the_daily_task_exports_and_logs_the_heads_and_notes_the_check(file):
    subscription = make_subscription()

    with capture_logs() as logs:
        audit()

    [entry] = [one for one in logs if one["event"] == "audit head"]
    assert (entry["subscription"], entry["number"]) == (subscription.number, 1)
    assert len(file.read_text().splitlines()) == 1
    head = AuditHead.objects.get(pk=subscription.pk)
    assert (head.verified_number, head.differences) == (1, 0)


def test_the_daily_task_says_what_differs_as_an_error(file):
    subscription = make_subscription()
    audit()
    tamper(
        subscription,
        "DELETE FROM {t} WHERE subscription_id = {id}",
        "UPDATE provisioning_audithead SET number = 0, digest = '' WHERE subscription_id = {id}",
    )

    with capture_logs() as logs:
        audit()

    [error] = [one for one in logs if one["log_level"] == "error"]
    assert error["what"].startswith("The log ended with entry 1 on ")


def test_logs_are_checked_even_when_the_heads_cannot_be_written(file):
    subscription = make_subscription()
    file.parent.write_text("a file where the folder should be")

    with pytest.raises(OSError, match="exists"):
        audit()

    assert AuditHead.objects.get(pk=subscription.pk).verified_at is not None


def test_the_task_runs_once_a_day():
    entry = product.CELERY_BEAT_SCHEDULE["audit"]

    assert entry["task"] == audit.name
    assert audit.name in current_app.tasks
    assert len(entry["schedule"].hour) == len(entry["schedule"].minute) == 1
