"""The log keeps what the setting says and no more; removing the rest is done in batches, daily, and by a command."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken

from licensing import embedded
from provisioning import durations, tasks
from provisioning.models import CallCount, ProvisioningLogEntry
from provisioning.services import pruning
from provisioning.services.calls import record_failure
from provisioning.services.pruning import Pruned, count_prunable, prune_log
from tests.commandline import manage
from tests.factories import NOON, make_call, make_configuration

pytestmark = pytest.mark.django_db


def fill(configuration, *ages, now=NOON):
    for age in ages:
        record_failure(make_call(configuration, at=now - age), status=409, detail="")
        CallCount.objects.create(configuration=configuration, minute=now - age, calls=1)


def left():
    return ProvisioningLogEntry.objects.count(), CallCount.objects.count()


DAY = timedelta(days=1)


def test_what_is_older_goes_and_the_rest_stays_in_every_subscription():
    for configuration in (make_configuration(), make_configuration()):
        fill(configuration, 91 * DAY, 90 * DAY, 89 * DAY)

    pruned = prune_log(before=NOON - 90 * DAY)

    assert pruned == Pruned(log_entries=2, call_counts=2)
    assert left() == (4, 4)


def test_counting_removes_nothing():
    fill(make_configuration(), 91 * DAY, DAY)

    assert count_prunable(before=NOON - 90 * DAY) == Pruned(log_entries=1, call_counts=1)
    assert left() == (2, 2)


def test_many_rows_are_removed_in_batches(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(pruning, "_BATCH", 2)
    fill(make_configuration(), *(number * DAY for number in range(1, 6)))

    with django_assert_num_queries(2 + 4 + 3 + 1):  # who there is, four looks and three batches, the counts
        prune_log(before=NOON)

    assert left() == (0, 0)


def test_the_task_keeps_what_the_setting_says():
    now = timezone.now()
    fill(make_configuration(), settings.LOG_RETENTION + timedelta(minutes=1), settings.LOG_RETENTION - DAY, now=now)

    tasks.prune(a_keyword_of_a_newer_version=1)

    assert settings.LOG_RETENTION == 90 * DAY
    assert left() == (1, 1)


def test_access_tokens_go_a_day_after_they_have_expired_and_the_others_stay():
    application, now = make_configuration().application, timezone.now()
    for hours in (-25, -23, 1):
        AccessToken.objects.create(application=application, token=f"{hours}", expires=now + timedelta(hours=hours))
    kept = list(AccessToken.objects.filter(expires__gt=now - DAY).values_list("pk", flat=True))

    tasks.prune()

    assert sorted(AccessToken.objects.values_list("pk", flat=True)) == sorted(kept)
    assert len(kept) == 2


def test_beat_prunes_once_a_day():
    entry = settings.CELERY_BEAT_SCHEDULE["prune"]

    assert entry["task"] == tasks.prune.name
    assert len(entry["schedule"].hour) == len(entry["schedule"].minute) == 1


def test_the_embedded_worker_prunes_at_once_and_then_daily(monkeypatch):
    called = []
    monkeypatch.setattr(embedded.tasks.record_days, "apply_async", lambda: None)
    monkeypatch.setattr(embedded.prune, "apply_async", lambda: called.append(1))
    sweeper = embedded.Sweeper()

    for hours in (0, 1, 23, 24, 47, 48):
        sweeper.call_periodic(NOON + timedelta(hours=hours))

    assert len(called) == 3


@pytest.mark.parametrize(
    ("text", "minutes"), [("30m", 30), ("12h", 720), ("90d", 129_600), (" 1D ", 1_440), ("999999m", 999_999)]
)
def test_durations(text, minutes):
    assert durations.parse(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5h", "1w", "1d 2h", "1000000d", "٣d"])
def test_what_is_no_duration_is_refused_with_the_words_that_are(text):
    with pytest.raises(ValueError, match="write it like 30m, 12h or 90d"):
        durations.parse(text)


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_it_removed(capsys):
    fill(make_configuration(), 91 * DAY, 8 * DAY, DAY, now=timezone.now())

    tried = manage(capsys, "prunelogs", "--older-than", "7d", "--dry-run", "--json")
    assert (tried.document["log_entries"], tried.document["call_counts"], left()) == (2, 2, (3, 3))
    usual = manage(capsys, "prunelogs", "--json")
    assert (usual.document["log_entries"], left()) == (1, (2, 2))
    done = manage(capsys, "prunelogs", "--older-than", "7d")

    assert done.out.startswith("1 calls and 1 counts from before ")
    assert left() == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_duration_that_is_none_is_a_usage_error(capsys):
    answer = manage(capsys, "prunelogs", "--older-than", "soon")

    assert answer.code == 2
    assert "write it like 30m, 12h or 90d" in answer.err
