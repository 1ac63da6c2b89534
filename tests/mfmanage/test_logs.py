"""Log lines carry the request's id and never a local variable."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

SCRIPT = """
import logging, logging.config, structlog
from mfmanage import logs

logging.config.dictConfig(logs.configure(level="INFO", as_json={as_json}))

def fail():
    secret = "mfms_" + "hidden"
    raise RuntimeError("it went wrong")

with structlog.contextvars.bound_contextvars(request_id="r-1"):
    structlog.get_logger("ours").info("it happened", count=2)
    try:
        fail()
    except RuntimeError:
        logging.getLogger("django.request").exception("Internal Server Error: /")
"""


def lines(*, as_json: bool) -> str:
    script = SCRIPT.format(as_json=as_json)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr


def test_production_writes_one_json_object_a_line_whoever_logs():
    ours, djangos = (json.loads(line) for line in lines(as_json=True).splitlines())

    assert (ours["event"], ours["count"], ours["request_id"], ours["level"]) == ("it happened", 2, "r-1", "info")
    assert (djangos["event"], djangos["request_id"]) == ("Internal Server Error: /", "r-1")
    assert "RuntimeError: it went wrong" in djangos["exception"]


def test_a_traceback_shows_no_local_variable():
    for as_json in (True, False):
        text = lines(as_json=as_json)

        assert "it went wrong" in text
        assert "mfms_hidden" not in text
