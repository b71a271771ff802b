"""The complete live run on the sandbox: its outcomes. It leaves nothing behind, and writes no secret and no id."""

from __future__ import annotations

import json
import pathlib
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import botocore.client
import pexpect
import pytest
from tools.live import __main__ as live
from tools.live import replay, steps_console, steps_entry
from tools.live.cleanup import PREFIX, ROOT
from tools.live.world import Attempt, World

from valetkey.sandbox.mfa import code_of

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
HERE = pathlib.Path(__file__).parents[3]
PAGE = HERE / "docs" / "live-run.md"
KIND = {
    "refusals": "bare",
    "duration_signs_in": False,
    "username_in_sessions": True,
    "sts_minutes": 5,
    "trust_policy_size": 2048,
}
UNKIND = {
    "refusals": "ids",
    "duration_signs_in": True,
    "username_in_sessions": False,
    "sts_minutes": 15,
    "trust_policy_size": 4096,
}
DELAY = 9.0


def policy(side: str) -> dict[str, Any]:
    """The policy for one side from the docs page."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    result: dict[str, Any] = json.loads(blocks[("owner", "contractor").index(side)])
    return result


class Machine:
    """A computer with a profile for each account; the users have exactly the permissions on the docs page."""

    def __init__(self, stage: Any) -> None:
        self.stage, self.control = stage, stage.sandbox.control
        self.owner, self.contractor = stage.owner.account, stage.contractor.account
        self.env, self.home = stage.contractor.env, stage.contractor.home
        self.admin = stage.owner.user("olivia-of-the-owner", policy("owner"))
        self.person = stage.contractor.user("carol-of-the-contractor", policy("contractor"), mfa=True)
        stage.contractor.login(self.admin, "owner")
        stage.contractor.login(self.person, "contractor")
        self.output = self.home / "result.json"

    def words(self, *more: str) -> list[str]:
        names = ["--owner", "owner", "--contractor", "contractor"]
        return [*names, "--sandbox", "-o", str(self.output), *more]

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "tools.live", *self.words(*more)]

    def run(self, *more: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*more),
            env=self.env,
            cwd=HERE,
            input=given,
            capture_output=True,
            text=True,
            timeout=55,
            start_new_session=True,
        )

    def start(self, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*more),
            env=self.env,
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def there(self) -> set[str]:
        """The roles of the owner and users of the contractor under the path of all runs."""
        roles = self.stage.owner.root("iam", "list_roles", PathPrefix=ROOT)["Roles"]
        users = self.stage.contractor.root("iam", "list_users", PathPrefix=ROOT)["Users"]
        return {role["RoleName"] for role in roles} | {user["UserName"] for user in users}

    def everybody(self) -> tuple[int, int]:
        return (
            len(self.stage.owner.root("iam", "list_roles")["Roles"]),
            len(self.stage.contractor.root("iam", "list_users")["Users"]),
        )

    def result(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.output.read_text())
        return value

    def outcomes(self) -> dict[str, dict[str, Any]]:
        return {step["name"]: step["outcome"] for step in self.result()["steps"] if step["state"] == "done"}


@pytest.fixture
def machine(stage: Any) -> Machine:
    return Machine(stage)


class Watch:
    """Collects every secret and id that the run receives or sends, and its output."""

    def __init__(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: set[str] = {machine.admin.secret_access_key, machine.person.secret_access_key}
        self.ids: set[str] = {machine.owner, machine.contractor, machine.person.name, machine.admin.name}
        call, post = botocore.client.BaseClient._make_api_call, steps_console.post_form

        def watched(client: Any, operation: str, params: dict[str, Any]) -> Any:
            self.seen |= {params[key] for key in ("TokenCode",) if key in params}
            self.ids |= {params[key] for key in ("ExternalId",) if key in params}
            answer = call(client, operation, params)
            keys = answer.get("Credentials") or answer.get("AccessKey") or {}
            self.seen |= {keys[key] for key in ("SecretAccessKey", "SessionToken") if key in keys}
            self.ids |= {keys["AccessKeyId"]} if keys else set()
            self.ids.add(answer["ResponseMetadata"].get("RequestId", machine.owner))
            return answer

        def posted(url: str, form: bytes) -> tuple[int, bytes]:
            status, body = post(url, form)
            if status == 200:
                self.seen.add(json.loads(body)["SigninToken"])
            return status, body

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", watched)
        monkeypatch.setattr(steps_console, "post_form", posted)


@pytest.mark.parametrize("settings", [KIND, UNKIND], ids=["kind", "unkind"])
def test_the_whole_run(
    settings: dict[str, Any], machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.control.vary(machine.contractor, **settings)
    machine.control.vary(machine.owner, **settings)
    unkind = settings is UNKIND
    if unkind:
        machine.control.propagation(machine.owner, seconds=DELAY, seed=3)
    before = machine.everybody()
    for name, value in machine.env.items():
        monkeypatch.setenv(name, value)
    watch = Watch(machine, monkeypatch)
    started = time.monotonic()
    code = live.main(machine.words("--yes"))
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert time.monotonic() - started < 55  # it does not hang
    # Nothing is left, including changes that IAM shows with a delay.
    machine.control.shift(machine.owner, 60)
    assert machine.there() == set()
    assert machine.everybody() == before

    written = machine.output.read_text()
    assert len(watch.seen) > 30
    for secret in watch.seen:
        assert secret not in written
        assert secret not in shown.err + shown.out
    for id_ in watch.ids:
        assert id_ not in written
    assert not re.search(r"\bA(?:IDA|ROA|SIA|KIA)[A-Z0-9]{12}|\b[0-9]{12}\b", written)

    result = machine.result()
    assert result["finished"]
    assert result["left"] == 0
    states = {step["name"]: (step["state"], step["why"]) for step in result["steps"]}
    assert {name for name, (state, _) in states.items() if state == "skipped"} == {"aws-login", "scoped-credentials"}
    assert states["scoped-credentials"][1].startswith("not in this SDK")
    _outcomes(machine.outcomes(), unkind=unkind)

    # The outcomes match the settings of the sandbox.
    answer = replay.settings(written)
    assert answer.variants == settings
    assert answer.delay is not None
    assert 1 < answer.delay <= DELAY + 1 if unkind else answer.delay < 1


def _outcomes(result: dict[str, Any], *, unkind: bool) -> None:
    named = {
        "refusal-no-own-policy": ("identity-based policy", False),
        "refusal-own-deny": ("identity-based policy", True),
        "refusal-wrong-external-id": ("role trust policy", False),
        "refusal-no-mfa": ("role trust policy", False),
        "refusal-absent-role": ("role trust policy", False),
        "refusal-ended": ("role trust policy", False),
        "refusal-closed": ("role trust policy", True),
    }
    for name, reason in named.items():
        refusal = result[name]
        assert (refusal["ok"], refusal["code"]) == (False, "AccessDenied"), name
        assert (refusal["policy"], refusal["explicit"]) == (reason if unkind else (None, None)), name
    session = result["name-people-session"]
    assert session["role_without_the_rule"] == {"ok": True}
    assert session["let_in"] is not unkind
    assert session["another_name"]["ok"] is False
    assert result["name-people-direct"]["let_in"]
    assert result["extras-one-code"] == {"extras_strict": {"ok": True}, "extras": {"ok": True}}

    revoked = result["revoke-under-calls"]
    assert revoked["get_caller_identity_under_deny"]
    # With random delays the deny may end before the permission does: a separate test covers this.
    assert unkind or revoked["successes_after_the_deny_was_removed"] == 0
    for call in ("iam", "s3"):
        assert revoked["deny"][call]["first_refusal"] <= DELAY + 1
        assert revoked["deny"][call]["refusal"]["explicit"]
    assert revoked["codes_after_deletion"]["iam"][-1] == "InvalidClientTokenId"
    assert revoked["codes_once_it_lets_in"]["iam"] == ["InvalidClientTokenId"]
    assert revoked["seconds_until_the_new_role_lets_in"] is not None

    assert all(item["accepted"] and item["shown_as_meant"] for item in result["closed-trusts"].values())
    pinned = result["pin-and-ids"]
    assert pinned["by_arn"]["shown_as_meant"]
    assert pinned["by_unique_id"]["shown_as_meant"]
    assert pinned["principal_after_deletion"].startswith("<AIDA-")
    large = result["trust-2100"]
    assert (large["quota"], large["without_white_space"]["ok"]) == ((4096, True) if unkind else (2048, False))

    console = result["console-federation"]
    for where in ("regional", "global"):
        assert {name: item[where]["token"] for name, item in console.items()} == {
            "mfa_session": True,
            "mfa_session_with_duration": unkind,
            "mfa_session_asking_for_session_duration": False,
            "key_with_duration": True,
            "key_asking_for_session_duration": True,
        }
    clock = result["clock-off"]
    assert {name: (item["sts"]["ok"], item["iam"]["ok"]) for name, item in clock.items()} == {
        "right": (True, True),
        "6_minutes_behind": (unkind, False),
        "6_minutes_ahead": (unkind, False),
        "16_minutes_behind": (False, False),
        "16_minutes_ahead": (False, False),
    }
    trails = result["trails"]
    assert trails["refused_in_the_owners_trail"] == 0
    assert trails["refused_in_the_contractors_trail"] >= 7
    assert trails["joined_by_shared_event_id"] == trails["owner_events"] > 7
    assert trails["owner_sees_ids_of_kind"] == ["AIDA"]
    assert (trails["serial_number_with_a_code"], trails["serial_number_with_an_mfa_session"]) == ("yes", "no")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_in_the_middle_everything_is_removed(number: int, machine: Machine) -> None:
    """The signal arrives during a CreateRole that AWS has performed but not yet responded to."""
    machine.control.propagation(machine.owner, seconds=DELAY, seed=5)
    machine.control.fault(kind="hang", service="iam", operation="CreateRole", account=machine.owner, nth=4)
    running = machine.start("--yes")
    machine.control.held(machine.owner, timeout=40)
    running.send_signal(number)
    _, err = running.communicate(timeout=40)
    assert running.returncode == 130, err
    assert "everything that was made is removed" in err
    machine.control.shift(machine.owner, 60)
    assert machine.there() == set()
    result = machine.result()
    assert not result["finished"]
    assert [step["state"] for step in result["steps"]] == ["done"] * len(result["steps"])


def test_what_a_crash_leaves_is_removed_by_clean(machine: Machine) -> None:
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    for name, path in ((f"{PREFIX}of-somebody", "/"), ("another-tool", ROOT), ("keep", "/valetkey-lively/")):
        machine.stage.owner.root("iam", "create_role", RoleName=name, Path=path, AssumeRolePolicyDocument=trust)
    machine.control.fault(kind="hang", service="iam", operation="CreateRole", account=machine.owner, nth=3)
    running = machine.start("--yes")
    machine.control.held(machine.owner, timeout=40)
    running.kill()
    running.communicate(timeout=10)
    left = machine.there() - {"another-tool"}
    assert any("-bare" in item for item in left)
    assert any("-plain" in item for item in left)
    refused = machine.run("--clean")
    assert (refused.returncode, machine.there()) == (2, {*left, "another-tool"})
    ran = machine.run("--clean", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert machine.there() == {"another-tool"}
    names = {role["RoleName"] for role in machine.stage.owner.root("iam", "list_roles")["Roles"]}
    assert names == {f"{PREFIX}of-somebody", "another-tool", "keep"}


def test_what_cannot_be_removed_is_named(machine: Machine) -> None:
    rule = {"kind": "deny", "service": "iam", "operation": "DeleteUser", "account": machine.contractor, "times": None}
    machine.control.fault(rule)
    ran = machine.run("--yes", "--only", "refusal-no-own-policy")
    assert ran.returncode == 3, ran.stderr
    assert re.search(r"left: user valetkey-live-\w+-bare: AccessDenied", ran.stderr)
    assert machine.result()["left"] == 1
    machine.control.clear(machine.contractor)
    assert machine.run("--clean", "--yes").returncode == 0
    assert machine.there() == set()


def test_a_step_that_fails_says_so_and_the_run_goes_on(machine: Machine) -> None:
    rule = {"kind": "deny", "service": "iam", "operation": "UpdateAssumeRolePolicy", "account": machine.owner}
    machine.control.fault({**rule, "times": None})
    ran = machine.run("--yes", "--only", "refusal-ended", "--only", "refusal-absent-role", "--only", "trust-2100")
    assert ran.returncode == 1, ran.stderr
    states = {step["name"]: (step["state"], step["why"][:11]) for step in machine.result()["steps"]}
    assert states == {
        "refusal-absent-role": ("done", ""),
        "refusal-ended": ("failed", "ClientError"),
        "trust-2100": ("done", ""),
    }
    assert machine.there() == set()


def test_what_works_while_changes_arrive_out_of_order_is_counted(machine: Machine) -> None:
    """The deny takes effect after 6 s. At the end, it is removed at once, and the permission 9 s later."""
    # create the role, its policy, the deny, the closed trust; remove the policy, remove the deny
    delays = [(0, 0), (0, 0), (6, 0), (0, 0), (9, 0), (0, 0)]
    machine.control.propagation(machine.owner, delays=delays)
    ran = machine.run("--yes", "--only", "revoke-under-calls")
    assert ran.returncode == 0, ran.stderr
    result = machine.outcomes()["revoke-under-calls"]
    assert 6 <= result["deny"]["iam"]["first_refusal"] < 7
    assert 5 < result["deny"]["s3"]["last_success"] < 6.5
    assert result["seconds_until_the_closed_trust_holds"] < 1
    assert result["successes_after_the_deny_was_removed"] > 20
    assert 6 <= (replay.settings(machine.output.read_text()).delay or 0) < 7


def test_two_profiles_of_one_account_are_refused(machine: Machine) -> None:
    before = machine.everybody()
    machine.stage.contractor.login(machine.stage.contractor.user("admin", ADMIN), "owner")
    ran = machine.run("--yes")
    assert ran.returncode == 2
    assert f"are both of account {machine.contractor}: name two accounts" in ran.stderr
    assert machine.there() == set()
    assert machine.everybody() == (before[0], before[1] + 1)
    assert not machine.output.exists()


def test_the_contractor_has_to_be_a_user(machine: Machine) -> None:
    root = SimpleNamespace(access_key_id=machine.contractor, secret_access_key="root")
    machine.stage.contractor.login(root, "contractor")
    ran = machine.run("--yes")
    assert ran.returncode == 2
    assert "has to be an IAM user" in ran.stderr
    assert machine.there() == set()


def test_it_asks_before_it_starts(machine: Machine) -> None:
    ran = machine.run("--only", "refusal-absent-role")
    assert ran.returncode == 2
    assert "say --yes" in ran.stderr
    for account in (machine.owner, machine.contractor):
        assert account in ran.stderr
    assert "Cost: nothing" in ran.stderr
    assert "CloudTrail show these calls" in ran.stderr
    for answer, code in (("n", 2), ("", 2), ("y", 0)):
        child = pexpect.spawn(
            sys.executable,
            machine.command("--only", "refusal-absent-role")[1:],
            env=machine.env,
            cwd=str(HERE),
            encoding="utf-8",
            timeout=40,
        )
        child.expect(r"Start\? \[y/N\] ")
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code, child.before
    assert machine.output.exists()


def test_codes_are_computed_from_a_seed_on_stdin(machine: Machine) -> None:
    root, clock = machine.stage.contractor.root, machine.control.now(machine.contractor)
    root("iam", "deactivate_mfa_device", UserName=machine.person.name, SerialNumber=machine.person.mfa_serial)
    device = root("iam", "create_virtual_mfa_device", VirtualMFADeviceName="another")["VirtualMFADevice"]
    seed, step = device["Base32StringSeed"].decode(), int(clock) // 30
    root(
        "iam",
        "enable_mfa_device",
        UserName=machine.person.name,
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=code_of(seed, step - 1),
        AuthenticationCode2=code_of(seed, step),
    )
    ran = machine.run("--yes", "--only", "name-people-direct", "--totp-seed-stdin", given=f"{seed}\n")
    assert ran.returncode == 0, ran.stderr
    assert machine.outcomes()["name-people-direct"]["let_in"]
    assert seed not in ran.stderr + ran.stdout + machine.output.read_text()
    ran = machine.run("--yes", "--totp-seed-stdin", given="not base32!\n")
    assert ran.returncode == 2
    assert "not base32!" not in ran.stderr
    # The seed of another device: the run does not retry forever.
    two = ("--only", "refusal-no-mfa", "--only", "name-people-direct")
    ran = machine.run("--yes", "--totp-seed-stdin", *two, given="A" * 32)
    assert ran.returncode == 1
    states = {item["name"]: (item["state"], item["why"]) for item in machine.result()["steps"]}
    assert states["refusal-no-mfa"][0] == "failed"
    assert states["name-people-direct"] == ("skipped", "three codes in a row were refused: is it the right device?")
    assert machine.there() == set()


@pytest.mark.parametrize("renews", [False, True])
def test_scoped_credentials_where_the_sdk_has_them(
    renews: bool, machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sandbox does not support the call: the session itself, or a new one, replaces the response."""

    def scope(world: World, session: Any) -> Attempt:
        keys = session.get_credentials()
        if renews and world.name("scoped") in session.client("sts").get_caller_identity()["Arn"]:
            return world.enter("scoped")
        pair = {"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key, "SessionToken": keys.token}
        return Attempt({"Credentials": pair})

    monkeypatch.setattr(steps_entry, "_scope", scope)
    for name, value in machine.env.items():
        monkeypatch.setenv(name, value)
    code = live.main(machine.words("--yes", "--only", "scoped-credentials"))
    assert code == 0, capsys.readouterr().err
    result = machine.outcomes()["scoped-credentials"]
    assert result["enters_a_role_that_asks_for_mfa"] == {"ok": True}
    assert result["older_session_refused"]
    assert result["scoped_session_under_that_deny"]["ok"] is renews
    assert machine.there() == set()


def test_another_endpoint_than_aws_is_named(machine: Machine) -> None:
    words = [item for item in machine.command("--yes") if item != "--sandbox"]
    ran = subprocess.run(words, env=machine.env, cwd=HERE, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2
    assert "AWS_ENDPOINT_URL is set" in ran.stderr


def test_profiles_of_aws_login_are_tried_where_they_are_named(machine: Machine) -> None:
    """A session with MFA and one without represent the two ways to sign in."""
    sts = machine.stage.contractor.client("sts", machine.person)
    with_mfa = sts.get_session_token(SerialNumber=machine.person.mfa_serial, TokenCode=machine.person.code())
    without = sts.get_session_token()
    with (machine.home / ".aws" / "credentials").open("a") as file:
        for name, keys in (("by-code", with_mfa["Credentials"]), ("by-passkey", without["Credentials"])):
            file.write(
                f"[{name}]\naws_access_key_id = {keys['AccessKeyId']}\naws_secret_access_key = "
                f"{keys['SecretAccessKey']}\naws_session_token = {keys['SessionToken']}\n"
            )
    named = ("--login-totp", "by-code", "--login-passkey", "by-passkey")
    ran = machine.run("--yes", "--only", "aws-login", *named)
    assert ran.returncode == 0, ran.stderr
    result = machine.outcomes()["aws-login"]
    assert result["totp"]["default_duration"] == {"ok": True}
    assert result["totp"]["two_hours"]["code"] == "ValidationError"
    assert result["passkey"]["default_duration"]["code"] == "AccessDenied"


def test_the_outcomes_are_replayed_into_a_sandbox(machine: Machine) -> None:
    machine.control.vary(machine.contractor, refusals="reasons", username_in_sessions=False)
    ran = machine.run("--yes", "--only", "refusal-no-mfa", "--only", "name-people-session")
    assert ran.returncode == 0, ran.stderr
    control, account = machine.control, machine.stage.party().account
    assert control.vary(account)["refusals"] == "bare"
    replay.apply(replay.settings(machine.output.read_text()), control, account)
    now = control.vary(account)
    assert (now["refusals"], now["username_in_sessions"]) == ("reasons", False)
    printed = subprocess.run(
        [sys.executable, "-m", "tools.live", "--replay", str(machine.output)],
        cwd=HERE,
        env=machine.env,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout == "refusals = reasons\nusername_in_sessions = False\n"
