"""T21 by what is read, on what and when; AWS's own policies in templates; permissions that are not decided."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.audit.roles import ADMIN, BOTH, LOOK, OWN, ROOT, allow, checks, role, run, trust

from valetkey.audit import Audit, Finding
from valetkey.audit.permissions import _WELL_KNOWN
from valetkey.policy.lenient import parse_lenient
from valetkey.prover.effective_permissions import opening


def _run(statements: Any = None, attached: tuple[str, ...] = (), **more: Any) -> Audit:
    inline = {"does": json.dumps({"Statement": statements})} if statements else {}
    return run(role(trust(allow(ROOT, BOTH)), inline=inline, attached=attached, **more))


def _t21(*statements: Any) -> Finding:
    (result,) = (finding for finding in _run(list(statements)).findings if finding.check == "T21")
    return result


def _may(action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


NAMED = [
    "arn:aws:s3:::my-cloudtrail-logs/AWSLogs/*",
    "arn:aws:s3:::my-cloudtrail-logs/*",
    f"arn:aws:dynamodb:*:{OWN}:table/orders",
    f"arn:aws:secretsmanager:eu-west-1:{OWN}:secret:vendor-??????",
    f"arn:aws:logs:*:{OWN}:log-group:/aws/vendor:*",
    f"arn:aws:sqs:*:{OWN}:inbox",
]
WIDE = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::*/AWSLogs/*",
    "arn:aws:s3:::prod-*/*",
    f"arn:aws:dynamodb:*:{OWN}:table/*",
    f"arn:aws:secretsmanager:*:{OWN}:secret:*",
    f"arn:aws:sqs:*:{OWN}:*",
]
ACTIONS = ["s3:GetObject", "dynamodb:Scan", "secretsmanager:GetSecretValue", "logs:GetLogEvents", "sqs:ReceiveMessage"]


@pytest.mark.parametrize("resource", NAMED)
def test_one_thing_that_is_named_is_low(resource: str) -> None:
    finding = _t21(_may(ACTIONS, resource))
    assert finding.severity == "low"
    assert resource in finding.text


@pytest.mark.parametrize("resource", WIDE)
def test_whatever_is_there_is_medium(resource: str) -> None:
    finding = _t21(_may(ACTIONS, resource))
    assert finding.severity == "medium"
    assert resource in finding.text


def test_many_named_things_are_not_low_and_one_wide_thing_decides() -> None:
    buckets = [f"arn:aws:s3:::bucket-{number}/*" for number in range(9)]
    finding = _t21(_may("s3:GetObject", buckets))
    assert finding.severity == "medium"
    assert "bucket-0/*" in finding.text
    assert "and 6 more" in finding.text
    assert _t21(_may("s3:GetObject", buckets[0]), _may("dynamodb:Scan", "*")).severity == "medium"
    assert _t21(_may("s3:GetObject", buckets[0]), _may("rds:DownloadDBLogFilePortion", "*")).severity == "low"


def test_conditions_are_named() -> None:
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-0abc1234"}}
    assert "if aws:SourceVpc fits" in _t21(_may("s3:GetObject", "*", Condition=condition)).text


@pytest.mark.parametrize("name", ["SecurityAudit", "job-function/ViewOnlyAccess"])
def test_the_default_policies_are_known_in_templates(name: str) -> None:
    answer = _run(attached=(f"arn:aws:iam::aws:policy/{name}",))
    powers = answer.roles[0].powers
    assert powers is not None
    assert powers.unread == ()
    assert [finding.severity for finding in answer.findings if finding.check == "T21"] == ["low"]
    documents = json.loads(pytest.importorskip("moto.iam.aws_managed_policies").aws_managed_policies_data)
    texts = (_WELL_KNOWN[name], json.dumps(documents[name.rpartition("/")[2]]["Document"]))
    reads = []
    for text in texts:
        policy = parse_lenient(text, "identity").policy
        assert policy is not None
        result = opening([(name, policy)], boundary=None, role_arn=f"arn:aws:iam::{OWN}:role/partner")
        assert (result.escalations, result.outlives) == ((), ())
        reads.append({action for read in result.reads_data for action in read.actions})
    assert reads[0] == reads[1]


def test_permissions_that_are_too_many_to_look_at_are_not_decided_and_fail() -> None:
    wild = [f"arn:aws:s3:::*a{number}*b*" for number in range(500)]
    denied = [f"arn:aws:s3:::*c{number}*d*" for number in range(500)]
    statements = [_may("s3:*", wild), {**_may("s3:*", denied), "Effect": "Deny"}]
    answer = _run(statements)
    (unknown,) = (finding for finding in answer.failing("critical"))
    assert unknown.check == "unknown"
    assert "steps" in unknown.text
    assert answer.roles[0].exposure == "guarded"  # that much is proved
    powers = answer.roles[0].powers
    assert powers is not None
    assert any("steps" in item for item in powers.unread)


def test_policies_of_the_same_name_all_count() -> None:
    """An inline policy, one of AWS's and one of the account's may have the same name."""
    mine, theirs = f"arn:aws:iam::{OWN}:policy/SecurityAudit", "arn:aws:iam::aws:policy/SecurityAudit"
    for attached in ((mine, theirs), (theirs, mine)):
        made = role(trust(allow(ROOT, BOTH)), attached=attached, inline={"SecurityAudit": LOOK})
        assert "T22" in checks(run(made, policies={mine: ADMIN}))
    made = role(trust(allow(ROOT, BOTH)), attached=(mine,), inline={"SecurityAudit": ADMIN})
    assert "T22" in checks(run(made, policies={mine: LOOK}))


END = {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}


@pytest.mark.parametrize(("element", "ends"), [("Resource", True), ("NotResource", False)])
def test_only_a_deny_of_everything_ends_the_permissions(element: str, ends: bool) -> None:
    last = {"Effect": "Deny", "Action": "*", element: "*", "Condition": END}
    dated = trust(allow(ROOT, {**BOTH, "DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}))
    inline = {"look": LOOK, "last": json.dumps({"Version": "2012-10-17", "Statement": [last]})}
    assert ("T15" not in checks(run(role(dated, inline=inline)))) is ends


def test_a_deny_of_all_but_the_role_itself_is_not_about_the_role_alone() -> None:
    only = {"Effect": "Deny", "Action": "*", "NotResource": f"arn:aws:iam::{OWN}:role/partner"}
    inline = {
        "may": json.dumps({"Statement": [_may("s3:GetObject", "arn:aws:s3:::a/*")]}),
        "only": json.dumps({"Statement": [only]}),
    }
    assert not any(finding.check == "T21" for finding in run(role(trust(allow(ROOT, BOTH)), inline=inline)).findings)


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (
            "newservice:DoEverything",
            "AWS does not list newservice:DoEverything: what it allows is unknown (does)",
        ),
        (["iam:PutRolePolicyV2", "s3:GetObject"], "AWS does not list iam:PutRolePolicyV2: "),
        (["new:A", "new:B*", "new:C", "new:D", "new:D"], "AWS does not list new:A, new:B*, new:C and 1 more: "),
    ],
)
def test_what_an_action_opens_that_aws_does_not_list_is_not_known(actions: Any, said: str) -> None:
    (judged,) = _run([_may(actions, "*")]).roles
    assert judged.powers is not None
    (unlisted,) = judged.powers.unlisted
    assert unlisted.startswith(said)
    assert f"actions: {unlisted}" in judged.unknown


@pytest.mark.parametrize(
    "statement",
    [_may(["iam:List*", "*", "S3:getobject"], "*"), {"Effect": "Deny", "Action": "new:A", "Resource": "*"}],
)
def test_actions_that_aws_lists_or_that_are_denied_are_known(statement: Any) -> None:
    (judged,) = _run([statement]).roles
    assert judged.powers is not None
    assert judged.powers.unlisted == ()
