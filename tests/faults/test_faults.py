"""A short run of the harness: processes die, and the vault ends as wanted."""

import pytest

from licensing.models import Ending
from tests.faults.harness import Harness, Plan

pytestmark = pytest.mark.processes
PLAN = Plan(users=60, vault_kills=3, worker_kills=2, restores=1)


def test_vault_server_and_worker_are_killed_and_a_backup_is_restored(transactional_db, child_environment, tmp_path):
    report = Harness(PLAN, tmp_path, child_environment).run()

    assert report.complaints == []
    assert report.unexplained == 0
    assert report.kills["vault server"] == PLAN.vault_kills
    assert report.kills["worker"] >= PLAN.worker_kills
    assert report.kills["restores"] == PLAN.restores
    assert report.shown_after
    assert {state for state, _ in report.samples} == {Ending.READY, Ending.RETRYING}
    assert report.vault_users > PLAN.users // 2
