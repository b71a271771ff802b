"""Nothing in an account is changed without consent, in an unintended account, or on a role that only tags mark as a
grant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest

from valetkey.exchange import AccessRequest, dump, fingerprint

Run = Callable[..., Any]
READS = ("Get", "List", "Describe")
YES_NO = r"\[y/N\] $"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
STREAMS = ["</dev/null", "2>log", "</dev/null >out 2>log", "2>&1 | cat"]


class Admin:
    """The owner's administrator."""

    def __init__(self, stage: Any, owner: Run) -> None:
        self.home, self.env = stage.owner.home, stage.owner.env
        self.alone, self.run_tty = stage.owner.run, stage.owner.run_tty
        self._owner, self._user = owner, stage.owner.user("admin", ADMIN)
        stage.owner.login(self._user)

    def run(self, *words: str) -> Any:
        """Run a command in this process, without a terminal; `alone` runs it in a child process."""
        return self._owner(*words, as_user=self._user)


@pytest.fixture
def admin(stage: Any, owner: Run) -> Admin:
    return Admin(stage, owner)


@pytest.fixture
def made(stage: Any, admin: Admin) -> dict[str, Any]:
    done = admin.run("grant", "audit", "--to", stage.contractor.account, "--until", "30d", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def writes(stage: Any) -> Callable[[], list[str]]:
    """Returns the write calls in the owner's account since the last call of this function."""
    seen = [0]

    def since() -> list[str]:
        requests = stage.sandbox.control.requests(stage.owner.account)
        new = [request["call"] for request in requests[seen[0] :]]
        seen[0] = len(requests)
        return [call for call in new if not call.split(":")[1].startswith(READS)]

    return since


def role(stage: Any, name: str = "audit") -> Any:
    try:
        return stage.owner.root("iam", "get_role", RoleName=name)["Role"]
    except botocore.exceptions.ClientError:
        return None


def requested(stage: Any, **changes: Any) -> str:
    """Write a contractor's request to the owner's HOME; return its fingerprint."""
    request = AccessRequest(
        account=stage.contractor.account,
        partition="aws",
        external_id="theirs-0123456789abcdef",
        identity="iam-user",
        identity_arn=f"arn:aws:iam::{stage.contractor.account}:user/carol",
        issued=datetime.now(UTC).replace(microsecond=0),
        **changes,
    )
    (stage.owner.home / "request.json").write_text(dump(request))
    return fingerprint(request)


@pytest.mark.parametrize("redirect", STREAMS)
def test_revoke_asks_the_terminal_wherever_its_streams_go(
    stage: Any, admin: Admin, made: Any, writes: Any, redirect: str
) -> None:
    writes()
    # Output through the pipe may reach the terminal after the question.
    question = YES_NO.removesuffix("$") if "|" in redirect else YES_NO
    for no in ("", "n"):
        code, shown = admin.run_tty("revoke", "audit", answers=[(question, no)], redirect=redirect)
        assert "|" in redirect or code == 1, shown
        account, contractor = stage.owner.account, stage.contractor.account
        assert f"Revoke the access of account {contractor} to audit in account {account} for good?" in shown
        assert writes() == []
    code, shown = admin.run_tty("revoke", "audit", "--no-wait", answers=[(question, "y")], redirect=redirect)
    assert code == 0, shown
    assert role(stage) is None


@pytest.mark.parametrize("redirect", STREAMS[:3])
def test_grant_asks_the_terminal_and_shows_there_what_must_be_compared(
    stage: Any, admin: Admin, writes: Any, redirect: str
) -> None:
    mark = requested(stage, policies=("ReadOnlyAccess",))
    writes()
    words = ("grant", "audit", "--request", "request.json")
    until = (r"Until.*\]: $", "2h")
    code, shown = admin.run_tty(*words, answers=[until, (YES_NO, "no")], redirect=redirect)
    assert code == 1, shown
    assert f"after its people read the fingerprint {mark} to you?" in shown
    # The person who answers must see what the policies allow, not a log.
    assert "objects in S3" in shown
    assert writes() == []
    code, shown = admin.run_tty(*words, answers=[until, (YES_NO, "y")], redirect=redirect)
    assert code == 0, shown
    tags = {tag["Key"]: tag["Value"] for tag in role(stage)["Tags"]}
    left = datetime.fromisoformat(tags["valetkey:until"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=55) < left <= timedelta(hours=2)


@pytest.mark.parametrize("words", [("revoke", "audit"), ("grant", "second", "--to", "{}", "--until", "never")])
def test_without_terminal_and_yes_nothing_is_called(
    stage: Any, admin: Admin, made: Any, words: tuple[str, ...]
) -> None:
    before = len(stage.sandbox.control.requests(stage.owner.account))
    done = admin.alone(*(word.format(stage.contractor.account) for word in words))
    assert done.returncode == 2
    assert "no terminal" in done.stderr
    assert "--yes" in done.stderr
    assert "nothing was changed" in done.stderr
    assert len(stage.sandbox.control.requests(stage.owner.account)) == before
    assert role(stage) is not None


@pytest.mark.parametrize("words", [("revoke", "audit"), ("grant", "second", "--to", "{}")])
def test_an_interrupt_at_a_question_says_that_nothing_was_changed(
    stage: Any, admin: Admin, made: Any, writes: Any, words: tuple[str, ...]
) -> None:
    writes()
    shown_words = [word.format(stage.contractor.account) for word in words]
    code, shown = admin.run_tty(*shown_words, answers=[(YES_NO, "^C"), (r"Until.*\]: $", "^C")])
    assert code == 130, shown
    assert "nothing was changed" in shown
    assert writes() == []


def test_yes_with_a_request_needs_what_the_contractor_said(stage: Any, admin: Admin, writes: Any) -> None:
    mark = requested(stage)
    writes()
    words = ("grant", "audit", "--request", "request.json", "--until", "30d", "--yes")
    other = "zoo-zoo-zoo-zoo-zoo-zoo"
    for more, code in (
        ((), 2),
        (("--to", stage.owner.account), 2),
        (("--fingerprint", other), 1),
        (("--fingerprint", other, "--to", stage.contractor.account), 1),
        (("--fingerprint", mark.rpartition("-")[0]), 1),
    ):
        refused = admin.run(*words, *more)
        assert refused.returncode == code, refused.stderr
        assert "do:" in refused.stderr
    assert writes() == []
    assert "--fingerprint WORDS" in admin.run(*words).stderr
    assert admin.run(*words, "--fingerprint", mark.upper()).returncode == 0
    assert admin.run(*words, "--to", stage.contractor.account).returncode == 0
    assert writes()[0] == "iam:CreateRole"
    # A dry run writes nothing and needs neither; a wrong fingerprint fails there too.
    dry = ("grant", "other", "--request", "request.json", "--until", "30d", "--dry-run")
    assert admin.run(*dry).returncode == 0
    assert admin.run(*dry, "--fingerprint", other).returncode == 1
    assert writes() == []


def test_without_a_terminal_an_end_must_be_named(stage: Any, admin: Admin, writes: Any) -> None:
    writes()
    words = ("grant", "audit", "--to", stage.contractor.account)
    for more in (("--yes",), ("--dry-run",)):
        refused = admin.run(*words, *more)
        assert refused.returncode == 2
        assert "--until DATE or --until never is missing" in refused.stderr
    # --yes makes no prompt, also at a terminal.
    code, shown = admin.run_tty(*words, "--yes")
    assert (code, "--until never" in shown) == (2, True), shown
    # The end in a request is only a wish.
    requested(stage, until=datetime.now(UTC).replace(microsecond=0) + timedelta(days=4000))
    refused = admin.run("grant", "audit", "--request", "request.json", *words[2:], "--yes")
    assert refused.returncode == 2
    assert "the request asks for" in refused.stderr
    assert writes() == []
    assert admin.run(*words, "--until", "never", "--yes").returncode == 0
    assert "valetkey:until" not in {tag["Key"] for tag in role(stage)["Tags"]}


def test_at_a_terminal_an_end_is_asked_for(stage: Any, admin: Admin) -> None:
    words = ("grant", "audit", "--to", stage.contractor.account)
    code, shown = admin.run_tty(
        *words, answers=[(r"Until \(a date, 30d, or never\) \[30d\]: $", "never"), (YES_NO, "y")]
    )
    assert code == 0, shown
    assert "valetkey:until" not in {tag["Key"] for tag in role(stage)["Tags"]}


def test_a_role_that_is_not_there_is_said_with_names_like_it(stage: Any, admin: Admin, made: Any, owner: Run) -> None:
    for name, near in (("adit", "audit"), ("AUDIT1", "audit"), ("zebra", "")):
        gone = admin.run("revoke", name, "--yes")
        assert gone.returncode == 1
        assert f"There is no role {name} in account {stage.owner.account}." in gone.stderr
        assert ("did you mean audit?" in gone.stderr) == bool(near)
        assert gone.stdout == ""
    assert json.loads(admin.run("revoke", "adit", "--yes", "--json").stdout)["near"] == ["audit"]
    # Without the permission to list roles, only this is reported.
    reading = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["iam:GetRole", "iam:GetRolePolicy"], "Resource": "*"}],
    }
    gone = owner("revoke", "adit", "--yes", as_user=stage.owner.user("narrow", reading))
    assert (gone.returncode, "did you mean" in gone.stderr) == (1, False)
    assert f"There is no role adit in account {stage.owner.account}." in gone.stderr


OWNERS = {
    "grant": ("grant", "second", "--to", "{}", "--until", "never", "--yes"),
    "dry run": ("grant", "second", "--to", "{}", "--until", "never", "--dry-run"),
    "list": ("list",),
    "show": ("show", "audit"),
    "handoff": ("handoff", "audit"),
    "revoke": ("revoke", "audit", "--yes", "--no-wait"),
    "audit": ("audit",),
}


@pytest.mark.parametrize("case", OWNERS)
@pytest.mark.parametrize("by_env", [True, False])
def test_credentials_of_another_account_call_nothing(
    stage: Any, admin: Admin, made: Any, case: str, by_env: bool
) -> None:
    words = [word.format(stage.contractor.account) for word in OWNERS[case]]
    seen = len(stage.sandbox.control.requests(stage.owner.account))

    def run(account: str) -> Any:
        if by_env:
            admin.env["VALETKEY_EXPECT_ACCOUNT"] = account
            return admin.run(*words)
        return admin.run(*words, "--expect-account", account)

    other = stage.party().account
    refused = run(other)
    assert refused.returncode == 1, refused.stderr
    assert stage.owner.account in refused.stderr
    assert other in refused.stderr
    requests = stage.sandbox.control.requests(stage.owner.account)[seen:]
    assert [request["call"] for request in requests] == ["sts:GetCallerIdentity"]
    wrong = run("" if by_env else "12345")
    assert wrong.returncode == 2, wrong.stderr
    assert "12 digits" in wrong.stderr
    assert len(stage.sandbox.control.requests(stage.owner.account)) == seen + 1
    assert run(stage.owner.account).returncode in (0, 1 if case == "audit" else 0)


def test_the_flag_goes_before_the_environment(stage: Any, admin: Admin) -> None:
    admin.env["VALETKEY_EXPECT_ACCOUNT"] = stage.contractor.account
    assert admin.run("list").returncode == 1
    assert admin.run("list", "--expect-account", stage.owner.account).returncode == 0
    (admin.home / "trust.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": []}))
    files = ("audit", "trust.json", "--owner", stage.owner.account)
    assert admin.run(*files, "--expect-account", stage.owner.account).returncode == 2
    assert "credentials" not in admin.run(*files).stderr


@pytest.fixture
def forged(stage: Any, made: Any) -> str:
    """A production role with the tags of a grant's record."""
    root = stage.owner.root
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    root("iam", "create_role", RoleName="production", AssumeRolePolicyDocument=json.dumps(trust))
    root("iam", "attach_role_policy", RoleName="production", PolicyArn=ADMIN)
    root("iam", "tag_role", RoleName="production", Tags=role(stage)["Tags"])
    return "production"


def test_tags_that_were_forged_delete_no_role(stage: Any, admin: Admin, forged: str, writes: Any) -> None:
    writes()
    for wanted in (["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"], []):
        held = admin.run("revoke", forged, "--yes", "--json")
        assert held.returncode == 1, held.stderr
        assert "tags can be forged" in held.stderr
        assert f"valetkey revoke {forged} --yes --confirm {forged}" in held.stderr
        assert writes() == wanted
        answer = json.loads(held.stdout)
        assert (answer["valetkey"], answer["gone"], answer["trust_closed"]) == ("shut/v1", False, True)
        assert [item["call"] for item in answer["removed"]] == wanted
        assert {"trust policy" if wanted else "record", "managed policy"} <= {e["what"] for e in answer["misfits"]}
    attached = stage.owner.root("iam", "list_attached_role_policies", RoleName=forged)["AttachedPolicies"]
    assert [item["PolicyArn"] for item in attached] == [ADMIN]
    wrong = admin.run("revoke", forged, "--yes", "--confirm", "audit")
    assert (wrong.returncode, writes()) == (2, [])
    done = admin.run("revoke", forged, "--yes", "--no-wait", "--confirm", forged, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gone"] is True
    assert role(stage, forged) is None


@pytest.mark.parametrize(
    ("typed", "redirect"), [("", ""), ("y", "</dev/null 2>log"), ("productio", ""), ("^C", "2>log")]
)
def test_a_person_must_type_the_name_of_a_role_that_does_not_fit(
    stage: Any, admin: Admin, forged: str, redirect: str, typed: str
) -> None:
    asks = r"Type production to delete it for good, or Enter to keep it: $"
    code, shown = admin.run_tty("revoke", forged, answers=[(YES_NO, "y"), (asks, typed)], redirect=redirect)
    assert code == (130 if typed == "^C" else 1), shown
    # The person who answers sees the reason.
    assert "trust policy: recorded" in shown
    log = (admin.home / "log").read_text() if redirect else shown
    assert "denies everything to every session, and its trust policy admits nobody; it was not deleted" in log
    assert role(stage, forged) is not None


def test_a_person_who_types_the_name_deletes_it_and_gets_one_receipt(stage: Any, admin: Admin, forged: str) -> None:
    asks = r"or Enter to keep it: $"
    code, shown = admin.run_tty("revoke", forged, "--no-wait", answers=[(YES_NO, "y"), (asks, forged)])
    assert code == 0, shown
    assert role(stage, forged) is None
    receipt = shown.rpartition("production is revoked")[2]
    for step in ("deny on everything put on the role", "trust policy replaced", "detached", "role deleted"):
        assert step in receipt


@pytest.mark.parametrize("key", ["terms", "session", "contractor", "version"])
def test_who_damages_the_record_does_not_keep_the_owner_from_revoking(
    stage: Any, admin: Admin, made: Any, key: str
) -> None:
    stage.owner.root("iam", "tag_role", RoleName="audit", Tags=[{"Key": f"valetkey:{key}", "Value": "damaged"}])
    held = admin.run("revoke", "audit", "--yes")
    assert held.returncode == 1, held.stderr
    inline = stage.owner.root("iam", "list_role_policies", RoleName="audit")["PolicyNames"]
    assert "valetkey-revoked" in inline
    assert "AdmitNobody" in json.dumps(role(stage)["AssumeRolePolicyDocument"])
    # The text of a tag is not shown as an account.
    code, shown = admin.run_tty("revoke", "audit", answers=[(YES_NO, "n")])
    assert code == 1
    assert ("Revoke the access of everybody to audit" in shown) == (key == "contractor"), shown
    assert admin.run("revoke", "audit", "--yes", "--no-wait", "--confirm", "audit").returncode == 0
    assert role(stage) is None
