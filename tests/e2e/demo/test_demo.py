"""`valetkey demo`: the whole story works, and a failure would be reported."""

import re
import subprocess
import sys

import pytest

from valetkey.sandbox import story

pytestmark = pytest.mark.slow


@pytest.mark.timeout(120)
def test_the_whole_story_holds():
    done = subprocess.run(
        [sys.executable, "-m", "valetkey", "demo", "--verbose"], capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for step in story.STEPS:
        assert step.what in done.stdout
    assert "FAIL" not in done.stdout
    # The refusals come from AWS (the emulator), as its request log shows.
    assert "sts:AssumeRole 403" in done.stdout
    assert "iam:CreateUser 403" in done.stdout
    # The trails of both sides show the owner which person it was.
    assert "carol, named by both sides, with MFA" in done.stdout
    assert "by 1 person" in done.stdout
    assert re.search(r"cli +carol +yes", done.stdout)
    # One MFA session served the CLI, boto3, exec and the console.
    assert done.stdout.count("sts:GetSessionToken 200") == 1
    assert "signed in as arn:aws:sts::111111111111:assumed-role/" in done.stdout


@pytest.mark.timeout(60)
def test_a_step_that_goes_otherwise_is_told():
    steps = (
        story.Step(
            "owner", "is admitted where a refusal is due", (*story.AWS, "sts", "get-caller-identity"), "refused"
        ),
        story.Step("owner", "fails where success is due", (*story.AWS, "iam", "get-role", "--role-name", "none")),
        story.Step("owner", "fails otherwise than refused", (*story.AWS, "iam", "get-role"), "refused"),
        story.Step("owner", "does not say it", (*story.AWS, "sts", "get-caller-identity"), show="(never said)"),
    )
    with story.furnished() as (control, owner, contractor):
        told = list(story.tell(control, owner, contractor, steps=steps))
    assert [result.ok for result in told] == [False] * 4
    assert [result.happened.split(":")[0] for result in told] == [
        "was admitted",
        "failed with 255",
        "failed, but not as a refusal",
        "did not print what is expected",
    ]
