"""`credential-process` as used by SDKs and people: one code for many processes and customers, no wrong credentials."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pexpect

Make = Callable[..., Any]
READ_ONLY = "arn:aws:iam::aws:policy/SecurityAudit"
CLOSED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}

WHO = "import boto3, json; print(json.dumps(boto3.client('sts').get_caller_identity()))"


def test_the_answer_is_what_sdks_read(way: Make) -> None:
    it = way()
    answer = it.first()
    assert list(answer) == ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId"]
    assert answer["Version"] == 1
    assert answer["AccountId"] == it.owner.account
    left = datetime.fromisoformat(answer["Expiration"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(minutes=61)
    # Again, without a terminal: the same response, without a call to AWS.
    again = it.person.run("credential-process", "acme")
    assert (again.returncode, json.loads(again.stdout)) == (0, answer)
    assert again.stderr == ""
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 1)


def test_boto3_gets_in_through_the_profile(way: Make) -> None:
    it = way()
    it.aws_profile()
    it.first()
    done = it.python(WHO, AWS_PROFILE="acme")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"] == f"arn:aws:sts::{it.owner.account}:assumed-role/Audit/ann"
    # The role's policies deny other calls; they are not made with the person's own keys.
    done = it.python("import boto3; boto3.client('iam').create_user(UserName='x')", AWS_PROFILE="acme")
    assert "AccessDenied" in done.stderr
    assert "assumed-role/Audit/ann" in done.stderr


def test_an_sdk_shows_what_to_do_when_nobody_can_be_asked(way: Make) -> None:
    it = way()
    it.aws_profile()
    begun = time.monotonic()
    done = it.python(WHO, AWS_PROFILE="acme")
    assert time.monotonic() - begun < 20
    assert "valetkey login acme" in done.stderr
    assert it.asked("sts:GetSessionToken") == 0
    alone = it.person.run("credential-process", "acme", input="123456\n")
    assert (alone.returncode, alone.stdout) == (3, "")


def test_ten_at_once_are_one_prompt_and_one_session(way: Make) -> None:
    it = way()
    folder = it.person.home
    script = (
        "for i in 0 1 2 3 4 5 6 7 8 9; do "
        f'"{sys.executable}" -m valetkey credential-process acme >out$i 2>err$i & done; wait; echo all-done'
    )
    child = pexpect.spawn("/bin/sh", ["-c", script], env=it.person.env, cwd=str(folder), timeout=50, encoding="utf-8")
    child.expect(r"MFA code for [^\r\n]*: ")
    time.sleep(1)  # the others queue behind the process with the prompt
    child.sendline(it.user.code())
    child.expect("all-done")
    assert "MFA code" not in child.before
    child.close()
    answers = [json.loads((folder / f"out{n}").read_text()) for n in range(10)]
    assert all(answer == answers[0] for answer in answers)
    assert all((folder / f"err{n}").read_text() == "" for n in range(10))
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 1)


def test_a_dismissed_prompt_ends_all_who_wait(way: Make) -> None:
    it = way()
    folder = it.person.home
    script = (
        "for i in 0 1 2 3 4; do "
        f'"{sys.executable}" -m valetkey credential-process acme >out$i 2>err$i; echo $? >code$i & done; '
        "wait; echo all-done"
    ).replace("; echo $?", " || echo $?")
    child = pexpect.spawn("/bin/sh", ["-c", script], env=it.person.env, cwd=str(folder), timeout=50, encoding="utf-8")
    child.expect(r"MFA code for [^\r\n]*: ")
    time.sleep(1)
    child.sendline("")
    child.expect("all-done")
    assert "MFA code" not in child.before
    child.close()
    assert [(folder / f"code{n}").read_text() for n in range(5)] == ["3\n"] * 5
    assert it.asked("sts:GetSessionToken") == 0


def test_one_code_serves_the_next_customer(way: Make, stage: Any) -> None:
    it = way()
    second = stage.party("second")
    it.role("Ops", owner=second)
    it.save("globex", role="Ops", owner=second)
    it.first()
    done = it.person.run("credential-process", "globex")
    assert json.loads(done.stdout)["AccountId"] == second.account
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 2)


def test_a_wrong_code_is_asked_for_once_more(way: Make) -> None:
    it = way()
    codes = iter(["000000", it.user.code()])
    code, shown = it.person.run_tty("credential-process", "acme", code=lambda: next(codes))
    assert code == 0, shown
    assert "wait for the next one" in shown
    assert it.asked("sts:GetSessionToken") == 2


def test_what_is_no_code_does_not_reach_aws(way: Make) -> None:
    it = way()
    codes = iter(["hello", "1234567", it.user.code()])
    code, shown = it.person.run_tty("credential-process", "acme", code=lambda: next(codes))
    assert code == 0, shown
    assert shown.count("a code is 6 digits") == 2
    assert it.asked("sts:GetSessionToken") == 1


def test_killed_between_prompt_and_store(way: Make) -> None:
    it = way()
    control = it.stage.sandbox.control
    # At the prompt.
    child = _on_terminal(it)
    child.expect("MFA code for")
    child.kill(signal.SIGKILL)
    child.wait()
    # After AWS's response, before it is stored.
    control.fault(kind="hang", service="sts", operation="GetSessionToken", account=it.person.account)
    child = _on_terminal(it)
    child.expect(r"MFA code for [^\r\n]*: ")
    child.sendline(it.user.code())
    control.held(it.person.account)
    child.kill(signal.SIGKILL)
    child.wait()
    control.clear(it.person.account)
    answer = it.first()
    assert answer["AccountId"] == it.owner.account
    left = [item.name for item in (it.person.home / ".cache/valetkey/sessions").iterdir()]
    assert not [item for item in left if item.startswith(".")]


def test_who_waits_asks_when_the_one_who_asked_is_killed(way: Make) -> None:
    it = way()
    first, second = (_on_terminal(it) for _ in range(2))
    child, other = (
        (first, second) if first.expect(["MFA code for", pexpect.TIMEOUT], timeout=15) == 0 else (second, first)
    )
    other.expect(pexpect.TIMEOUT, timeout=1)
    child.kill(signal.SIGKILL)
    child.wait()
    other.expect(r"MFA code for [^\r\n]*: ")
    other.sendline(it.user.code())
    other.expect(r'"AccountId": "(\d+)"')
    assert other.match.group(1) == it.owner.account


def test_the_same_role_from_two_identities_is_two_sessions(way: Make) -> None:
    it = way()
    bob = it.person.user("bob", mfa=True)
    it.allow(bob, it.profile.role_arn)
    it.person.login(bob, "bob")
    it.save("as-bob", source_profile="bob", mfa_serial=bob.mfa_serial, user_name="bob")
    mine = it.first()
    code, shown = it.person.run_tty("credential-process", "as-bob", code=bob.code)
    assert code == 0, shown
    theirs = json.loads(shown[shown.index("{") :])
    assert theirs["AccessKeyId"] != mine["AccessKeyId"]
    sts = it.person.client("sts", theirs)
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/Audit/bob")
    # Changed base keys of a profile are another identity too.
    it.person.login(bob)
    assert json.loads(it.person.run("credential-process", "as-bob").stdout) == theirs
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 3
    assert done.stdout == ""


def test_an_edited_profile_is_not_answered_from_the_cache(way: Make) -> None:
    it = way()
    old = it.first()
    it.role("Other")
    it.save(role="Other")
    new = json.loads(it.person.run("credential-process", "acme").stdout)
    assert new["AccessKeyId"] != old["AccessKeyId"]
    assert it.person.client("sts", new).get_caller_identity()["Arn"].endswith(":assumed-role/Other/ann")


def test_a_role_made_anew_under_the_same_name_is_entered_after_accepting_again(way: Make) -> None:
    it = way()
    old = it.first()
    it.owner.root("iam", "detach_role_policy", RoleName="Audit", PolicyArn=READ_ONLY)
    it.owner.root("iam", "delete_role", RoleName="Audit")
    it.role("Audit")
    it.save()
    new = json.loads(it.person.run("credential-process", "acme").stdout)
    assert new["AccessKeyId"] != old["AccessKeyId"]
    assert it.asked("sts:GetSessionToken") == 1


def test_the_recorded_end_cuts_off_nothing_that_the_owner_has_extended(way: Make) -> None:
    it = way()
    it.first()
    it.save(until=datetime.now(UTC) - timedelta(seconds=1))
    # With a cached session, a new one and the stored response: AWS still allows it.
    for _ in range(2):
        assert it.person.run("credential-process", "acme").returncode == 0
    done = it.person.run("exec", "acme", "--", "true")
    assert done.returncode == 0
    assert "warning: according to the handoff, the grant acme ended on" in done.stderr
    assert it.person.run("terraform", "acme").returncode == 0
    # When AWS denies too, the record explains why.
    it.owner.root("iam", "update_assume_role_policy", RoleName="Audit", PolicyDocument=json.dumps(CLOSED))
    it.save(until=datetime.now(UTC) - timedelta(seconds=1))
    done = it.person.run("credential-process", "acme")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "AWS refused to let you assume the role, and according to the handoff, the grant acme ended on"
    ) in done.stderr


def test_an_mfa_session_that_expired_at_aws_is_asked_for_anew(way: Make) -> None:
    it = way()
    it.first()
    it.role("Other")
    it.save("other", role="Other")
    it.stage.sandbox.control.shift(it.person.account, 13 * 3600)
    answer = it.first("other")
    assert answer["AccountId"] == it.owner.account
    assert it.asked("sts:GetSessionToken") == 2


def test_a_refused_role_names_the_doctor_and_a_wrong_account_itself(way: Make, stage: Any) -> None:
    it = way()
    it.save(external_id="wrong")
    code, shown = it.person.run_tty("credential-process", "acme", code=it.user.code)
    assert code == 3
    assert "valetkey doctor acme --probe" in shown
    stranger = stage.party("stranger")
    eve = stranger.user("eve", mfa=True)
    it.allow(eve, it.profile.role_arn, stranger)
    it.person.login(eve)
    it.save(mfa_serial=eve.mfa_serial)
    code, shown = it.person.run_tty("credential-process", "acme", code=eve.code)
    assert code == 3
    assert f"of account {stranger.account}; the role trusts {it.person.account}" in shown


def test_nobody_else_can_read_what_is_kept_and_the_code_is_nowhere(way: Make) -> None:
    it = way()
    codes: list[str] = []

    def code() -> str:
        codes.append(it.user.code())
        return codes[-1]

    assert it.person.run_tty("credential-process", "acme", code=code)[0] == 0
    kept = list((it.person.home / ".cache/valetkey").rglob("*"))
    assert kept
    for item in kept:
        assert item.stat().st_mode & 0o077 == 0, item
        if item.is_file():
            assert it.user.secret_access_key not in item.read_text()
            assert f'"{codes[0]}"' not in item.read_text()


def test_a_linked_cache_is_refused_and_says_so(way: Make, tmp_path: pathlib.Path) -> None:
    it = way()
    (it.person.home / ".cache").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (it.person.home / ".cache/valetkey").symlink_to(tmp_path / "elsewhere")
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 2
    assert "symbolic link" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert it.asked("sts:GetSessionToken") == 0


def test_a_base_that_is_the_profile_itself_does_not_run_in_circles(way: Make) -> None:
    it = way()
    it.aws_profile()
    config = it.person.home / ".aws/config"
    config.write_text(config.read_text() + f"[profile circle]\ncredential_process = {_process('acme')}\n")
    it.save(source_profile="circle")
    begun = time.monotonic()
    done = it.person.run("credential-process", "acme")
    assert time.monotonic() - begun < 20
    assert done.returncode == 3
    assert "comes from acme itself" in done.stderr
    # AWS_PROFILE with the profile's name causes no recursion: it is not read.
    it.save()
    answer = it.first()
    it.person.env["AWS_PROFILE"] = "acme"
    os.utime(config)
    again = it.person.run("credential-process", "acme")
    assert json.loads(again.stdout) == answer


def _process(name: str) -> str:
    return f'"{sys.executable}" -m valetkey credential-process {name}'


def _on_terminal(it: Any) -> pexpect.spawn:
    words = ["-m", "valetkey", "credential-process", "acme"]
    home = str(it.person.home)
    return pexpect.spawn(sys.executable, words, env=it.person.env, cwd=home, encoding="utf-8", timeout=40)
