"""`exec --all` and `--profile`: one command for several customers with one prompt. `customers` makes no prompt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

Make = Callable[..., Any]
CLI = (sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--query", "Account", "--output", "text")


@pytest.fixture
def it(way: Make, stage: Any) -> Any:
    """Three customers; the profile of the third has a wrong ExternalId."""
    it = way()
    it.others = {}
    for name in ("globex", "initech"):
        it.others[name] = stage.party(name)
        it.role("Ops", owner=it.others[name])
        it.save(name, role="Ops", owner=it.others[name])
    it.save("initech", role="Ops", owner=it.others["initech"], external_id="wrong")
    return it


def test_every_customer_one_question_and_a_failure_does_not_stop_the_rest(it: Any) -> None:
    code, shown = it.person.run_tty("exec", "--all", "--", *CLI, code=it.user.code)
    lines = [line.strip() for line in shown.splitlines()]
    assert f"acme    | {it.owner.account}" in lines
    assert f"globex  | {it.others['globex'].account}" in lines
    assert any(line.startswith("initech | valetkey: AWS refused") for line in lines), shown
    assert "valetkey: 1 of 3 failed: initech (not started)" in lines
    assert code == 125
    assert (it.asked("sts:GetSessionToken"), shown.count("MFA code for")) == (1, 1)
    done = it.person.run("exec", "--profile", "globex,acme", "--", "sh", "-c", "echo $AWS_ACCOUNT_ID; echo e >&2; cat")
    assert sorted(done.stdout.splitlines()) == [
        f"acme   | {it.owner.account}",
        f"globex | {it.others['globex'].account}",
    ]
    assert sorted(done.stderr.splitlines()) == ["acme   | e", "globex | e"]
    assert done.returncode == 0


def test_the_exit_code_tells_and_the_output_is_labelled_line_by_line(it: Any) -> None:
    it.first()
    script = f'test $AWS_ACCOUNT_ID = {it.owner.account} || exit 3; printf "a\\n\\033[31mb\\rc\\377\\nno end"'
    done = it.person.run("exec", "--profile", "acme", "--profile", "globex", "--", "sh", "-c", script)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["acme   | a", "acme   | c\ufffd", "acme   | no end"]
    assert done.stderr == "valetkey: 1 of 2 failed: globex (3)\n"


def test_they_run_at_the_same_time_as_many_as_asked_for(it: Any) -> None:
    it.first()
    folder = it.person.home / "meeting"
    folder.mkdir()
    # Each waits until the other one runs.
    script = (
        f"touch {folder}/$AWS_ACCOUNT_ID; "
        f"for i in $(seq 300); do set -- {folder}/*; test $# = 2 && exit 0; sleep 0.1; done; exit 9"
    )
    words = ("exec", "--profile", "acme,globex", "--jobs")
    assert it.person.run(*words, "2", "--", "sh", "-c", script).returncode == 0
    for item in folder.iterdir():
        item.unlink()
    alone = f"mkdir {folder}/alone || exit 9; sleep 0.3; rmdir {folder}/alone"
    assert it.person.run(*words, "1", "--", "sh", "-c", alone).returncode == 0


def test_a_signal_reaches_all_and_nothing_more_is_begun(it: Any) -> None:
    it.first()
    script = "trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.05; done"
    child = subprocess.Popen(
        [sys.executable, "-m", "valetkey", "exec", "--all", "--jobs", "1", "--", "sh", "-c", script],
        env=it.person.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout
    assert child.stdout.readline() == "acme    | ready\n"
    os.kill(child.pid, signal.SIGTERM)
    out, err = child.communicate(timeout=50)
    assert out == "acme    | bye\n"
    assert "3 of 3 failed: acme (4), globex (not begun), initech (not begun)" in err
    assert child.returncode == 128 + signal.SIGTERM


def test_a_pipe_held_open_by_what_a_command_left_behind_holds_nobody_up(it: Any) -> None:
    it.first()
    begun = time.monotonic()
    done = it.person.run("exec", "--profile", "acme", "--", "sh", "-c", "sleep 50 & echo done")
    assert (done.stdout, done.returncode) == ("acme | done\n", 0)
    assert time.monotonic() - begun < 40


def test_wrong_use_is_told_before_anything_runs(it: Any) -> None:
    for words in (
        ("exec", "--profile", "acme,nobody", "--", "true"),
        ("exec", "--all", "--profile", "acme", "--", "true"),
        ("exec", "--all"),
        ("exec", "--all", "--jobs", "0", "--", "true"),
        ("exec",),
    ):
        done = it.person.run(*words)
        assert done.returncode == 125, words
        assert "do:" in done.stderr, words
    assert it.asked("sts:GetCallerIdentity") == 0
    it.first()
    done = it.person.run("exec", "--profile", "acme", "--", "no-such-command-here")
    assert done.returncode == 125
    assert "no-such-command-here cannot be executed" in done.stderr


def test_each_can_have_a_server(it: Any) -> None:
    it.first()
    done = it.person.run("exec", "--profile", "acme,globex", "--server", "--", *CLI)
    assert sorted(line.split("| ")[1] for line in done.stdout.splitlines()) == sorted(
        [it.owner.account, it.others["globex"].account]
    ), done.stderr


def test_customers_are_listed_without_asking_anybody(it: Any) -> None:
    it.first()
    it.save("globex", role="Ops", owner=it.others["globex"], until=datetime.now(UTC) - timedelta(days=1))
    it.save("initech", role="Ops", owner=it.others["initech"], until=datetime(2100, 1, 2, 3, 4, tzinfo=UTC))
    (it.person.home / ".config/valetkey/profiles/broken.json").write_text("{")
    (it.person.home / ".config/valetkey/profiles/broken.json").chmod(0o600)
    before = len(it.stage.sandbox.control.requests(it.person.account))
    it.person.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    done = it.person.run("customers", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    acme, globex, initech = result["customers"]
    assert acme == {
        "name": "acme",
        "customer": None,
        "account": it.owner.account,
        "partition": "aws",
        "role_arn": it.profile.role_arn,
        "region": "us-east-1",
        "session_until": acme["session_until"],
        "until": None,
        "ended": False,
        "origin": "handoff",
        "unknown": [],
    }
    left = datetime.fromisoformat(acme["session_until"]) - datetime.now(UTC)
    assert timedelta(minutes=57) < left <= timedelta(minutes=61)
    # Its recorded end has passed; only AWS ends the access.
    assert (globex["ended"], globex["session_until"]) == (True, None)
    assert (initech["until"], initech["session_until"]) == ("2100-01-02T03:04:00Z", None)
    assert [item["name"] for item in result["damaged"]] == ["broken"]
    table = it.person.run("customers")
    assert "2100-01-02 03:04 UTC" in table.stdout
    assert "min left" in table.stdout
    assert "ended 20" in table.stdout
    assert "broken" in table.stderr
    assert len(it.stage.sandbox.control.requests(it.person.account)) == before


def test_with_all_a_grant_that_has_ended_is_tried_and_left_out_when_aws_says_so_too(it: Any) -> None:
    """The owner may have changed the end since the handoff: AWS decides."""
    it.first()
    it.save("globex", role="Ops", owner=it.others["globex"], until=datetime.now(UTC) - timedelta(days=1))
    it.save("initech", role="Ops", owner=it.others["initech"])
    done = it.person.run("exec", "--all", "--", *CLI)
    assert done.returncode == 0, done.stderr
    assert f"globex  | {it.others['globex'].account}" in done.stdout
    assert "warning: according to the handoff, the grant globex ended on" in done.stderr
    it.save("globex", role="Ops", owner=it.others["globex"], until=datetime.now(UTC), external_id="taken-back")
    done = it.person.run("exec", "--all", "--", *CLI)
    assert done.returncode == 0, done.stderr
    assert (
        "globex: left out: AWS refused to let you assume the role, and according to the handoff, the grant globex"
    ) in done.stderr
    assert "globex  |" not in done.stdout + done.stderr
    # With --profile it is a failure.
    done = it.person.run("exec", "--profile", "globex", "--", "true")
    assert done.returncode == 125
