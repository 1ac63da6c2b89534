"""``manage.py entra``: what it prints and with which code it ends."""

import json
import os
import pty
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.entra.builders import directory, group, user
from tests.entra.scim_server import Service

COUNTS = ["created", "updated", "disabled", "deleted", "skipped", "failed", "requests", "writes", "seconds"]
ADDED = ["staged", "kind", "at", "quarantine", "reason"]


@pytest.fixture
def arguments(service: Service, tmp_path: Path) -> list[str]:
    (tmp_path / "secret").write_text(f"{service.secret}\n")
    write(tmp_path, directory(user("anna"), user("bert"), group("Legal", "anna")))
    return [
        "entra", "run", "--tenant-url", f"{service.address}/scim", "--token-endpoint", f"{service.address}/token",
        "--client-id", "the client", "--client-secret-file", str(tmp_path / "secret"),
        "--directory", str(tmp_path / "directory.json"),
    ]  # fmt: skip


def write(folder: Path, document: dict[str, Any]) -> None:
    (folder / "directory.json").write_text(json.dumps(document))


def call(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as refused:
        call(*arguments)
    return refused.value.returncode, str(refused.value)


def test_json_is_a_line_an_object_and_a_line_of_counts(service, arguments):
    *lines, last = map(json.loads, call(*arguments, "--json", "--cycles", "2").splitlines())

    assert [line["object"] for line in lines] == ["anna@contoso.com", "bert@contoso.com", "Legal"]
    assert [(line["action"], line["status"]) for line in lines] == [("Create", "Success")] * 3
    assert lines[0]["steps"][0] == {
        "step": "import",
        "status": "Success",
        "detail": "Read from the source directory.",
        "code": "",
    }
    assert [step["step"] for step in lines[0]["steps"]] == ["import", "scope", "match", "action"]
    assert [list(cycle) for cycle in last["cycles"]] == [COUNTS + ADDED] * 2
    assert [cycle["created"] for cycle in last["cycles"]] == [3, 0]
    assert [cycle["writes"] for cycle in last["cycles"]] == [4, 0]


def test_people_get_a_line_an_object_and_a_table(service, arguments):
    lines = call(*arguments).splitlines()

    assert lines[0].split() == ["1", "Success", "Create", "User", "anna@contoso.com"]
    assert lines[-2].split() == [*COUNTS, "staged"]
    assert lines[-1].split()[:8] == ["3", "0", "0", "0", "0", "0", "9", "4"]


def test_a_failed_object_ends_with_code_4_and_its_reason_in_the_output(service, arguments, capsys):
    service.fail("POST", "/Users", 409)
    out = StringIO()

    with pytest.raises(CommandError) as failed:
        call_command(*arguments, stdout=out)

    assert (failed.value.returncode, str(failed.value)) == (4, "1 of 3 objects failed.")
    assert "action: EntryConflict. The service answered 409: Made to fail." in out.getvalue()


def test_a_state_file_carries_a_run_over_to_the_next(service, arguments, tmp_path):
    state = ["--state", str(tmp_path / "state.json"), "--json"]
    call(*arguments, *state)
    write(tmp_path, directory(user("bert"), group("Legal")))

    last = json.loads(call(*arguments, *state).splitlines()[-1])

    assert last["cycles"][0]["deleted"] == 1
    assert [user["userName"] for user in service.resources["Users"].values()] == ["bert@contoso.com"]


@pytest.mark.parametrize(
    ("options", "op"), [([], "Add"), (["--style", "aadOptscim062020"], "add"), (["--style", "default"], "Add")]
)
def test_the_style_is_chosen_by_an_option(service, arguments, options, op):
    call(*arguments, *options)

    assert service.patches("Groups")[0][0]["op"] == op


def test_the_style_is_chosen_by_the_flag_in_the_tenant_url(service, arguments):
    arguments[3] += "/?aadOptscim062020"

    call(*arguments)

    assert service.patches("Groups")[0][0]["op"] == "add"


def test_the_credentials_can_go_in_the_header(service, arguments):
    call(*arguments, "--credentials-in", "header")

    assert service.token_requests[0].headers["Authorization"].startswith("Basic ")


def test_a_wrong_secret_is_one_line_and_code_1(service, arguments, tmp_path):
    (tmp_path / "secret").write_text("wrong")

    assert refusal(*arguments) == (
        1,
        "The token endpoint refused the client (invalid_client). Check the client ID and the client secret.",
    )


def test_a_failed_connection_test_is_code_1(service, arguments):
    service.fail("GET", "/Users", 404)

    assert refusal(*arguments) == (
        1,
        "The connection test failed at /Users. The service answered 404: Made to fail.",
    )


@pytest.mark.parametrize("missing", ["secret", "directory.json"])
def test_a_file_that_is_not_there_is_named_with_code_1(service, arguments, tmp_path, missing):
    (tmp_path / missing).unlink()

    code, sentence = refusal(*arguments)

    assert code == 1
    assert str(tmp_path / missing) in sentence
    assert sentence.endswith("No such file or directory.")


def test_a_broken_state_file_is_named_with_code_1(service, arguments, tmp_path):
    (tmp_path / "state.json").write_text("[]")

    code, sentence = refusal(*arguments, "--state", str(tmp_path / "state.json"))

    assert (code, sentence) == (1, f"{tmp_path}/state.json is not a state file of the simulator.")


@pytest.mark.parametrize(
    "wrong",
    [["--style", "validator"], ["--cycles", "-1"], ["--cycles", "two"], ["--tenant-url", "ftp://x"], ["--nothing"]],
)
def test_wrong_usage_is_refused_before_anything_is_asked(service, arguments, wrong):
    with pytest.raises(CommandError):
        call(*arguments, *wrong)

    assert service.token_requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["--restart", "Everything"],
        ["--parallel", "0"],
        ["--match", "title"],
        ["--mapping", "other"],
        ["--faults", "fire"],
        ["--deletion-threshold", "few"],
    ],
)
def test_wrong_options_of_a_job_are_wrong_usage(service, arguments, wrong):
    code, sentence = refusal(*arguments, *wrong)

    assert (code, service.token_requests) == (2 if wrong[0] in {"--match", "--faults"} else 1, [])
    assert wrong[1] in sentence or wrong[0] in sentence


def test_a_restart_looks_at_everything_again(service, arguments, tmp_path):
    state = ["--state", str(tmp_path / "state.json"), "--json"]
    call(*arguments, *state)

    assert len(call(*arguments, *state).splitlines()) == 1
    assert len(call(*arguments, *state, "--restart", "default").splitlines()) == 4
    assert len(call(*arguments, *state, "--restart", "Watermark,Escrows").splitlines()) == 4


def test_the_options_of_a_job_reach_it(service, arguments, tmp_path):
    write(tmp_path, directory(user("anna", city="Espoo", appRoles=["Admin"]), user("bert")))

    call(*arguments, "--mapping", "generic", "--roles", "single", "--match", "externalId,userName", "--parallel", "2")

    anna = service.user("anna@contoso.com")
    assert (anna["addresses"][0]["locality"], anna["roles"][0]["value"]) == ("Espoo", "Admin")
    assert any("externalId" in request.target for request in service.requests)


def test_held_back_removals_are_shown_and_can_be_allowed(service, arguments, tmp_path):
    careful = ["--state", str(tmp_path / "state.json"), "--deletion-threshold", "1"]
    call(*arguments, *careful)
    write(tmp_path, directory())

    shown = call(*arguments, *careful)
    assert shown.count("Skipped  StagedDelete") == 3
    assert shown.endswith("In quarantine: StagedDelete. 3 removals wait to be allowed.\n")
    assert len(service.resources["Users"]) == 2

    call(*arguments, *careful, "--allow-deletes")
    assert service.resources == {"Users": {}, "Groups": {}}


def test_faults_are_made_on_purpose(service, arguments):
    code, _ = refusal(*arguments, "--faults", "503=1", "--fault-seed", "3")

    assert (code, service.requests) == (1, [])


def test_on_demand_shows_the_four_steps(service, arguments):
    arguments[1] = "ondemand"

    shown = call(*arguments, "--user", "anna@contoso.com")

    assert shown.splitlines() == [
        "User anna@contoso.com: Create, Success",
        "  1. Import from the source",
        "     Success: Read from the source directory.",
        "  2. Determine if in scope",
        "     Success: In scope: the application is assigned.",
        "  3. Match between source and target",
        "     Success: Nothing has the userName 'anna@contoso.com'.",
        "  4. Perform action",
        f"     Success: User {service.user('anna@contoso.com')['id']} was created.",
    ]


def test_on_demand_prints_a_line_an_object_for_programs_and_keeps_the_state(service, arguments, tmp_path):
    arguments[1] = "ondemand"

    lines = call(*arguments, "--group", "Legal", "--json", "--state", str(tmp_path / "state.json")).splitlines()

    assert [(one["object"], one["action"]) for one in map(json.loads, lines)] == [
        ("anna@contoso.com", "Create"),
        ("Legal", "Create"),
    ]
    assert list(json.loads((tmp_path / "state.json").read_text())["users"]) == ["anna"]


def test_on_demand_ends_with_the_codes_of_a_run(service, arguments):
    arguments[1] = "ondemand"
    service.fail("POST", "/Users", 409)

    assert refusal(*arguments, "--user", "anna@contoso.com") == (4, "1 of 1 objects failed.")
    assert refusal(*arguments, "--user", "nobody") == (1, "There is no user 'nobody'.")
    assert refusal(*arguments, "--user", "anna@contoso.com", "--member", "x")[0] == 2
    assert refusal(*arguments, "--group", "Legal", *["--member", "anna@contoso.com"] * 6)[0] == 2


def test_generate_prints_a_directory_or_writes_it_to_a_file(tmp_path):
    printed = call("entra", "generate", "--users", "5", "--groups", "2", "--seed", "3")
    call("entra", "generate", "--users", "5", "--groups", "2", "--seed", "3", "--output", str(tmp_path / "d.json"))

    assert (tmp_path / "d.json").read_text() == printed
    assert [len(json.loads(printed)[key]) for key in ("users", "groups", "changes")] == [5, 2, 1]


def test_a_file_that_cannot_be_written_is_named_with_code_1(tmp_path):
    code, sentence = refusal("entra", "generate", "--users", "1", "--groups", "1", "--output", str(tmp_path))

    assert (code, sentence) == (1, f"{tmp_path}: Is a directory.")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["generate", "--users", "1", "--groups", "1", "--output", "/"], 1, "/: Is a directory."),
        ([], 2, "the following arguments are required: run|ondemand|generate"),
    ],
)
def test_the_process_ends_with_the_code_and_a_line_on_standard_error(arguments, code, line, settings):
    ended = subprocess.run(
        [sys.executable, "manage.py", "entra", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (code, "")
    assert line in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


@pytest.mark.processes
def test_an_interrupted_run_ends_with_130_and_keeps_what_it_knows(service, arguments, tmp_path, settings):
    write(tmp_path, directory(*(user(f"user{number}") for number in range(2000))))
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments, "--json", "--state", str(tmp_path / "state.json")],
        cwd=settings.BASE_DIR,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()

    assert (process.returncode, errors) == (130, "")
    kept = json.loads((tmp_path / "state.json").read_text())
    assert first["id"] in kept["users"]
    assert (kept["watermark"], len(kept["users"]) < 2000) == (0, True)


@pytest.mark.processes
@pytest.mark.parametrize(("options", "shown"), [([], True), (["--quiet"], False)])
def test_a_progress_bar_shows_on_a_terminal_and_only_beside_the_data(service, arguments, settings, options, shown):
    terminal, end = pty.openpty()

    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json", *options],
        cwd=settings.BASE_DIR,
        env={**os.environ, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
        check=True,
    )
    os.write(end, b"end")
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)
    os.close(end)

    assert ("Cycle 1" in seen, "3/3" in seen) == (shown, shown)
    assert len([json.loads(line) for line in ended.stdout.splitlines()]) == 4
