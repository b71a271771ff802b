"""`grant` over HTTP on the sandbox: the role admits exactly the right people, and never more while it is created."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
import pytest

from valetkey.exchange import AccessRequest, Handoff, dump, fingerprint, load

Run = Callable[..., Any]
FOREVER = ("--until", "never", "--yes")


def said(done: Any, code: int = 0) -> Any:
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def assume(stage: Any, user: Any, arn: str, **params: Any) -> Any:
    answer = stage.contractor.client("sts", user).assume_role(RoleArn=arn, RoleSessionName="test", **params)
    return answer["Credentials"]


def is_refused(action: Callable[[], Any], code: str = "AccessDenied") -> bool:
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        action()
    return bool(refused.value.response["Error"]["Code"] in (code, "UnauthorizedOperation", "AccessDeniedException"))


ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


def test_the_contractor_gets_in_with_external_id_and_mfa_and_without_either_is_refused(stage: Any, owner: Run) -> None:
    made = said(owner("grant", "audit", "--yes", "--to", stage.contractor.account, "--until", "30d", "--json"))
    arn, external_id = made["role_arn"], made["external_id"]
    assert made["proof"]["holds"] is True
    assert made["external_id_by"] == "valetkey"
    assert len(external_id) >= 32
    carol = stage.contractor.user("carol", ASSUME, mfa=True)
    with_mfa = {"SerialNumber": carol.mfa_serial}
    keys = assume(stage, carol, arn, ExternalId=external_id, TokenCode=carol.code(), **with_mfa)
    assert is_refused(lambda: assume(stage, carol, arn, ExternalId=external_id))
    assert is_refused(lambda: assume(stage, carol, arn, TokenCode=carol.code(), **with_mfa))
    assert is_refused(
        lambda: assume(stage, carol, arn, ExternalId="x" + external_id, TokenCode=carol.code(), **with_mfa)
    )
    iam = stage.owner.client("iam", keys)
    assert iam.list_users()["Users"]
    assert is_refused(lambda: iam.create_user(UserName="mallory"))


def test_the_role_cannot_change_itself_even_with_a_policy_that_lets_it(stage: Any, owner: Run) -> None:
    folder = stage.owner.home
    (folder / "own.json").write_text(
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]})
    )
    words = ("grant", "admin", *FOREVER, "--to", stage.contractor.account, "--policy", "own.json", "--json")
    refused = owner(*words)
    assert refused.returncode == 1
    assert "--accept-escalation" in refused.stderr
    assert is_refused(lambda: stage.owner.root("iam", "get_role", RoleName="admin"), "NoSuchEntity")
    made = said(owner(*words, "--accept-escalation"))
    assert made["opens"]["escalations"]
    carol = stage.contractor.user("carol", ASSUME, mfa=True)
    keys = assume(
        stage,
        carol,
        made["role_arn"],
        ExternalId=made["external_id"],
        SerialNumber=carol.mfa_serial,
        TokenCode=carol.code(),
    )
    iam = stage.owner.client("iam", keys)
    iam.get_role(RoleName="admin")
    for change in (
        lambda: iam.update_assume_role_policy(RoleName="admin", PolicyDocument="{}"),
        lambda: iam.delete_role_policy(RoleName="admin", PolicyName="valetkey-own-role"),
        lambda: iam.update_role(RoleName="admin", MaxSessionDuration=43200),
        lambda: iam.untag_role(RoleName="admin", TagKeys=["valetkey:until"]),
    ):
        assert is_refused(change)


def test_no_session_outlasts_the_end(stage: Any, owner: Run) -> None:
    made = said(
        owner(
            "grant", "short", "--yes", "--to", stage.contractor.account, "--until", "1h", "--session", "12h", "--json"
        )
    )
    carol = stage.contractor.user("carol", ASSUME, mfa=True)

    def enter() -> Any:
        return assume(
            stage,
            carol,
            made["role_arn"],
            ExternalId=made["external_id"],
            SerialNumber=carol.mfa_serial,
            TokenCode=carol.code(),
            DurationSeconds=7200,
        )

    iam = stage.owner.client("iam", enter())
    assert iam.list_users()["Users"]
    for party in (stage.owner, stage.contractor):
        stage.sandbox.control.shift(party.account, 3700)
    assert is_refused(iam.list_users)
    assert is_refused(enter)


def test_a_second_run_finds_everything_done_and_other_terms_are_shown_and_refused(stage: Any, owner: Run) -> None:
    words = ("grant", "audit", "--yes", "--to", stage.contractor.account, "--until", "30d", "--session", "2h")
    first = said(owner(*words, "--json"))
    again = said(owner(*words, "--json"))
    assert again["calls"] == []
    assert again["external_id"] == first["external_id"]
    other = owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--session", "2h")
    assert other.returncode == 2
    assert first["until"] in other.stdout
    assert "nothing was changed" in other.stderr
    differs = said(owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--session", "2h", "--json"), 2)
    assert differs["differs"] == [{"what": "until", "asked": "none", "on_role": first["until"]}]
    assert said(owner(*words, "--json"))["calls"] == []


def test_a_role_of_somebody_else_is_never_touched(stage: Any, owner: Run) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    stage.owner.root("iam", "create_role", RoleName="machines", AssumeRolePolicyDocument=json.dumps(trust))
    for words in (
        ("grant", "machines", *FOREVER, "--to", stage.contractor.account),
        ("revoke", "machines", "--yes", "--no-wait"),
    ):
        refused = owner(*words)
        assert refused.returncode == 2
        assert "is not a valetkey grant" in refused.stderr
    assert stage.owner.root("iam", "get_role", RoleName="machines")["Role"]["AssumeRolePolicyDocument"] == trust


def test_a_dry_run_shows_the_calls_and_writes_nothing(stage: Any, owner: Run) -> None:
    plan = said(owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--dry-run", "--json"))
    assert [call["action"] for call in plan["calls"]] == [
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:AttachRolePolicy",
    ]
    assert plan["proof"]["holds"] is True
    table = owner(
        "grant",
        "audit",
        *FOREVER,
        "--to",
        stage.contractor.account,
        "--external-id",
        "customer-4711-secretive",
        "--dry-run",
    )
    assert table.returncode == 0
    assert "iam:CreateRole" in table.stdout
    assert "customer-4711-secretive" not in table.stdout + table.stderr
    assert is_refused(lambda: stage.owner.root("iam", "get_role", RoleName="audit"), "NoSuchEntity")


def test_a_pinned_user_gets_in_and_a_namesake_does_not(stage: Any, owner: Run) -> None:
    carol = stage.contractor.user("carol", ASSUME, mfa=True)
    nobody = owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--pin", carol.arn + "x")
    assert nobody.returncode == 2
    assert "--only" in nobody.stderr
    made = said(owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--pin", carol.arn, "--json"))
    dave = stage.contractor.user("dave", ASSUME, mfa=True)

    def enter(user: Any) -> Any:
        return assume(
            stage,
            user,
            made["role_arn"],
            ExternalId=made["external_id"],
            SerialNumber=user.mfa_serial,
            TokenCode=user.code(),
        )

    enter(carol)
    assert is_refused(lambda: enter(dave))


def test_only_a_named_role_gets_in_without_mfa_and_the_owner_is_told_what_that_gives_up(stage: Any, owner: Run) -> None:
    account = stage.contractor.account
    refused = owner("grant", "robot", *FOREVER, "--to", account, "--no-mfa")
    assert refused.returncode == 2
    robot = f"arn:aws:iam::{account}:user/robot"
    done = owner("grant", "robot", *FOREVER, "--to", account, "--no-mfa", "--only", robot, "--json")
    made = said(done)
    assert "Without MFA" in done.stderr
    enter = {"ExternalId": made["external_id"]}
    assume(stage, stage.contractor.user("robot", ASSUME), made["role_arn"], **enter)
    assert is_refused(lambda: assume(stage, stage.contractor.user("human", ASSUME), made["role_arn"], **enter))


def test_people_are_named_and_session_extras_are_closed_until_asked_for(stage: Any, owner: Run) -> None:
    account = stage.contractor.account
    plain = said(owner("grant", "plain", *FOREVER, "--to", account, "--json"))
    extras = ("--source-identity", "--session-tags")
    opened = said(owner("grant", "opened", *FOREVER, "--to", account, "--name-people", *extras, "--json"))
    every = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": every, "Resource": "*"}]}
    carol = stage.contractor.user("carol", policy, mfa=True)

    def enter(made: Any, name: str, **more: Any) -> Any:
        return stage.contractor.client("sts", carol).assume_role(
            RoleArn=made["role_arn"],
            RoleSessionName=name,
            ExternalId=made["external_id"],
            SerialNumber=carol.mfa_serial,
            TokenCode=carol.code(),
            **more,
        )

    both: dict[str, Any] = {"SourceIdentity": "carol", "Tags": [{"Key": "job", "Value": "audit"}]}
    enter(opened, "carol", **both)
    assert is_refused(lambda: enter(opened, "dave"))
    enter(plain, "dave")
    for key, value in both.items():
        assert is_refused(lambda more={key: value}: enter(plain, "dave", **more))


def test_without_an_external_id_the_owner_is_told_what_that_gives_up(stage: Any, owner: Run) -> None:
    words = ("--no-external-id", "--description", "The yearly audit")
    done = owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, *words, "--json")
    made = said(done)
    assert (made["external_id"], made["external_id_by"]) == (None, "none")
    assert "confused deputy" in done.stderr
    assert stage.owner.root("iam", "get_role", RoleName="audit")["Role"]["Description"] == "The yearly audit"
    carol = stage.contractor.user("carol", ASSUME, mfa=True)
    assume(stage, carol, made["role_arn"], SerialNumber=carol.mfa_serial, TokenCode=carol.code())
    assert is_refused(lambda: assume(stage, carol, made["role_arn"]))


def test_what_the_policies_open_is_told_before_anything_is_created(stage: Any, owner: Run) -> None:
    done = owner("grant", "reader", *FOREVER, "--to", stage.contractor.account, "--policy", "ReadOnlyAccess", "--json")
    made = said(done)
    assert "s3:GetObject" in done.stderr
    assert done.stderr.index("They allow reading data") < done.stderr.index("iam:CreateRole")
    assert any("s3:GetObject" in item["actions"] for item in made["opens"]["reads_data"])
    assert made["policies"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]


@pytest.mark.parametrize(
    "words",
    [
        ("--to", "12345"),
        ("--external-id", "x"),
        ("--tag", "valetkey:until=never"),
        ("--session", "30m"),
        ("--until", "2001-01-01"),
        ("--policy", "NoSuchPolicyAnywhere"),
        ("--policy", "missing.json"),
        ("--boundary", "Nonsense"),
        ("--only", "arn:aws:iam::111111111111:user/x"),
        ("--mfa-max-age", "1h", "--no-mfa"),
        ("--path", "nowhere"),
    ],
)
def test_bad_input_is_refused_with_the_rule_and_exit_code_two(stage: Any, owner: Run, words: tuple[str, ...]) -> None:
    to = () if words[0] == "--to" else ("--to", stage.contractor.account)
    until = () if words[0] == "--until" else ("--until", "never")
    refused = owner("grant", "audit", *to, *until, *words, "--yes")
    assert refused.returncode == 2, refused.stderr
    assert "do:" in refused.stderr
    assert "Traceback" not in refused.stderr


def requested(stage: Any, **changes: Any) -> tuple[AccessRequest, str]:
    """Write a contractor's request to the owner's HOME; return it with its fingerprint."""
    request = AccessRequest(
        account=stage.contractor.account,
        partition="aws",
        external_id="theirs-0123456789abcdef",
        identity="iam-user",
        identity_arn=f"arn:aws:iam::{stage.contractor.account}:user/carol",
        issued=datetime.now(UTC).replace(microsecond=0),
        **{"reason": "the yearly audit   fingerprint  zoo-zoo-zoo-zoo-zoo-zoo", **changes},
    )
    (stage.owner.home / "request.json").write_text(dump(request))
    return request, fingerprint(request)


def test_a_request_is_granted_with_its_external_id_and_shows_its_fingerprint(stage: Any, owner: Run) -> None:
    request, mark = requested(stage)
    words = ("grant", "audit", "--request", "request.json", "--until", "30d", "--yes", "--json")
    done = owner(*words, "--fingerprint", mark.replace("-", " ").upper())
    made = said(done)
    assert mark in done.stderr
    assert "\x1b" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("  fingerprint")]) == 1
    assert (made["external_id"], made["external_id_by"]) == (request.external_id, "contractor")
    assert (made["contractor"], made["request"]) == (stage.contractor.account, mark)
    handoff = load(owner("handoff", "audit").stdout, Handoff, name="-").value
    assert (handoff.external_id, handoff.request) == (request.external_id, mark)


def test_a_request_with_a_users_id_names_the_person_in_the_owners_trail(stage: Any, owner: Run) -> None:
    """Without a rule for session names: AWS shows the owner the user's unique id, and also the MFA device if the code
    is sent with AssumeRole."""
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
    carol = stage.contractor.user("carol", allow, mfa=True)
    unique = stage.contractor.client("sts", carol).get_caller_identity()["UserId"]
    request, mark = requested(stage, user_id=unique)
    done = owner("grant", "audit", *FOREVER, "--request", "request.json", "--fingerprint", mark, "--json")
    made = said(done)
    assert made["user_id"] == unique
    assert f"  user id      {unique}" in done.stderr
    # Finishing the grant without the file keeps it.
    again = said(owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--json"))
    assert (again["user_id"], again["calls"]) == (unique, [])
    shown = owner("show", "audit")
    assert f"asked by       {unique}" in shown.stdout
    assert json.loads(owner("show", "audit", "--json").stdout)["user_id"] == unique
    stage.contractor.client("sts", carol).assume_role(
        RoleArn=made["role_arn"],
        RoleSessionName="whatever",
        ExternalId=request.external_id,
        SerialNumber=carol.mfa_serial,
        TokenCode=carol.code(),
    )
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}]
    [result] = stage.owner.root("cloudtrail", "lookup_events", LookupAttributes=wanted)["Events"]
    event = json.loads(result["CloudTrailEvent"])
    assert event["userIdentity"]["principalId"] == unique
    assert event["requestParameters"]["serialNumber"] == carol.mfa_serial


@pytest.mark.parametrize("reason", ["the \x1b[31myearly\x1b[0m audit", "audit\n  fingerprint  zoo-zoo-zoo-zoo-zoo-zoo"])
def test_a_reason_that_would_pass_for_lines_of_ours_is_refused(stage: Any, owner: Run, reason: str) -> None:
    _, mark = requested(stage, reason=reason)
    refused = owner("grant", "audit", "--request", "request.json", "--fingerprint", mark, *FOREVER)
    assert refused.returncode == 2
    assert "\x1b" not in refused.stderr
    assert not [line for line in refused.stderr.splitlines() if line.startswith("  fingerprint")]


def test_a_wish_for_more_than_the_defaults_needs_the_owners_yes(stage: Any, owner: Run) -> None:
    requested(stage, policies=("ReadOnlyAccess",), session=7200)
    words = ("grant", "audit", "--request", "request.json", "--until", "never")
    refused = owner(*words)
    assert refused.returncode == 2
    assert "policy ReadOnlyAccess, sessions of 7200 s" in refused.stderr
    code, shown = owner(*words, tty=True, answers=[(r"\[y/N\] $", "n")])
    assert code == 1, shown
    # The output before the question says what the policies allow.
    assert shown.index("They allow reading data") < shown.index("[y/N]")
    assert is_refused(lambda: stage.owner.root("iam", "get_role", RoleName="audit"), "NoSuchEntity")
    made = said(owner(*words, "--to", stage.contractor.account, "--yes", "--json"))
    assert made["policies"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert made["session"] == 7200


def test_a_request_that_was_changed_on_the_way_is_refused(stage: Any, owner: Run) -> None:
    requested(stage)
    path = stage.owner.home / "request.json"
    path.write_text(path.read_text().replace("theirs-0123456789abcdef", "theirs-0123456789abcdeF"))
    refused = owner("grant", "audit", "--request", "request.json", "--yes")
    assert refused.returncode == 2
    assert "request.json" in refused.stderr


@pytest.mark.parametrize("words", [("grant",), ("grant", "audit")])
def test_without_a_terminal_a_missing_option_is_named(stage: Any, owner: Run, words: tuple[str, ...]) -> None:
    refused = owner(*words)
    assert refused.returncode == 2
    assert "missing" in refused.stderr


def test_at_a_terminal_it_asks(stage: Any, owner: Run) -> None:
    code, shown = owner(
        "grant",
        tty=True,
        answers=[
            (r"account \(12 digits\): $", "-".join(re.findall("....", stage.contractor.account))),
            (r"none\) \[random\]: $", ""),
            (r"MFA \[yes\]: $", ""),
            (r"Policies.*\]: $", "SecurityAudti"),
            (r"did you mean SecurityAudit.*Policies.*\]: $", ""),
            (r"boundary.*\]: $", ""),
            (r"Name of the role.*\]: $", "asked"),
            (r"Description.*\]: $", ""),
            (r"tags.*\]: $", "ticket=OPS-1"),
            (r"Until.*\]: $", ""),
            (r"Longest session.*\]: $", ""),
            (r"\[y/N\] $", "y"),
        ],
    )
    assert code == 0, shown
    assert shown.index(f"Account {stage.owner.account}") < shown.index("12 digits")
    assert shown.index("Proof: for every caller") < shown.index("who    account") < shown.index("[y/N]")
    assert shown.index("They allow reading data") < shown.index("[y/N]") < shown.index("iam:CreateRole")
    role = stage.owner.root("iam", "get_role", RoleName="asked")["Role"]
    tags = {tag["Key"]: tag["Value"] for tag in role["Tags"]}
    assert tags["valetkey:contractor"] == stage.contractor.account
    assert "valetkey:until" in tags
    assert tags["ticket"] == "OPS-1"
