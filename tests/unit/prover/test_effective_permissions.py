"""What policies open after boundary and denies."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valetkey.catalog.actions import expand, level
from valetkey.catalog.outliving_credentials import OUTLIVES
from valetkey.catalog.risky_actions import ESCALATES, HARMLESS, READS
from valetkey.policy import Policy, parse_policy
from valetkey.policy.globs import matches
from valetkey.prover.boxes import Limits
from valetkey.prover.effective_permissions import Opening, open_actions, opening
from valetkey.prover.pattern_pairs import covers, overlap

ROLE = "arn:aws:iam::111111111111:role/partners/auditor"


def _policy(*statements: dict[str, Any], kind: Any = "identity") -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind)


def _allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _deny(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return _allow(action, resource, **more) | {"Effect": "Deny"}


# As every grant carries it: valetkey.trust.self_denies.own_role_deny.
OWN = _policy({"Effect": "Deny", "NotAction": ["iam:Get*", "iam:List*"], "Resource": ROLE})


def _opening(*statements: dict[str, Any], boundary: Policy | None = None) -> Opening:
    return opening([("Test", _policy(*statements))], boundary=boundary, role_arn=ROLE, own_denies=[OWN])


def _escalating(*statements: dict[str, Any], boundary: Policy | None = None) -> set[str]:
    return {escalation.action for escalation in _opening(*statements, boundary=boundary).escalations}


def test_levels_count_each_action_once() -> None:
    result = _opening(
        _allow(["s3:ListBucket", "s3:GetObject"]), _allow(["s3:GetObject", "s3:PutObject", "s3:PutBucketPolicy"])
    )
    assert result.levels == {"List": 1, "Read": 1, "Tagging": 0, "Write": 1, "Permissions management": 1}


def test_reading_data_names_the_actions_and_the_policies() -> None:
    result = opening(
        [("One", _policy(_allow("s3:Get*"))), ("Two", _policy(_allow(["s3:GetObject", "dynamodb:Scan"])))],
        boundary=None,
        role_arn=ROLE,
    )
    objects, items = result.reads_data
    assert "s3:GetObject" in objects.actions
    assert "s3:GetBucketPolicy" not in objects.actions
    assert objects.policies == ("One", "Two")
    assert items.actions == ("dynamodb:Scan",)
    assert items.policies == ("Two",)


@pytest.mark.parametrize(
    "statement",
    [
        _allow(["s3:ListAllMyBuckets", "s3:GetBucketPolicy", "s3:GetBucketTagging"]),
        _allow(["dynamodb:DescribeTable", "dynamodb:ListTables"]),
        _allow(["logs:DescribeLogGroups", "lambda:ListFunctions", "ecr:DescribeImages", "sqs:GetQueueAttributes"]),
        _allow(["iam:Get*", "iam:List*"]),
    ],
)
def test_metadata_is_no_data(statement: dict[str, Any]) -> None:
    assert _opening(statement).reads_data == ()


@pytest.mark.parametrize(
    ("statements", "boundary", "reads"),
    [
        ([_allow("s3:GetObject"), _deny("s3:Get*")], None, False),
        ([_allow("s3:GetObject"), _deny("s3:GetObject", "arn:aws:s3:::secret/*")], None, True),
        (
            [_allow("s3:GetObject", "arn:aws:s3:::secret/*"), _deny("s3:GetObject", "arn:aws:s3:::secret/*")],
            None,
            False,
        ),
        ([_allow("s3:GetObject", "arn:aws:s3:::secret/x"), _deny("s3:*", "arn:aws:s3:::s*")], None, False),
        (
            [_allow("s3:GetObject"), _deny("s3:Get*", Condition={"Bool": {"aws:SecureTransport": "false"}})],
            None,
            True,
        ),
        ([_allow("s3:GetObject")], [_allow("ec2:*")], False),
        ([_allow("s3:GetObject")], [_allow("s3:*", "arn:aws:s3:::public/*")], True),
        ([_allow("s3:GetObject", "arn:aws:s3:::a/*")], [_allow("s3:*", "arn:aws:s3:::b/*")], False),
        ([_allow("s3:GetObject", "arn:aws:s3:::a*")], [_allow("s3:*", "arn:aws:s3:::*b/*")], True),
        ([_allow("s3:GetObject")], [_allow("*"), _deny("s3:GetObject")], False),
        ([_allow("s3:GetObject")], [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], False),
        (
            [_allow("s3:GetObject", "arn:aws:s3:::a/x")],
            [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::a/*"}],
            False,
        ),
        (
            [
                _allow("s3:GetObject", "arn:aws:s3:::a/x"),
                {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b*"},
            ],
            None,
            False,
        ),
        (
            [
                _allow("s3:GetObject", "arn:aws:s3:::a/x"),
                {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*x"},
            ],
            None,
            True,
        ),
        ([_allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*")], [_allow("s3:*", "arn:aws:s3:::b/*")], True),
        ([_allow("s3:GetObject"), _deny("s3:*", "arn:aws:s3:::${aws:username}*")], None, True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], None, True),
    ],
)
def test_boundary_and_denies_cut(
    statements: list[dict[str, Any]], boundary: list[dict[str, Any]] | None, reads: bool
) -> None:
    cut = _policy(*boundary, kind="boundary") if boundary else None
    result = _opening(*statements, boundary=cut)
    assert any("s3:GetObject" in read.actions for read in result.reads_data) is reads


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:UpdateLoginProfile",
        "iam:CreateUser",
        "iam:CreateRole",
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:AddUserToGroup",
        "iam:AttachRolePolicy",
        "iam:AttachUserPolicy",
        "iam:AttachGroupPolicy",
        "iam:PutRolePolicy",
        "iam:PutUserPolicy",
        "iam:PutGroupPolicy",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateSAMLProvider",
        "iam:CreateOpenIDConnectProvider",
        "iam:DeactivateMFADevice",
        "iam:TagRole",
        "iam:PassRole",
        "sts:AssumeRole",
        "sso:CreateAccountAssignment",
        "sso:PutInlinePolicyToPermissionSet",
        "identitystore:CreateGroupMembership",
        "organizations:DetachPolicy",
        "organizations:LeaveOrganization",
        "lambda:UpdateFunctionCode",
        "ssm:SendCommand",
        "ssm:StartSession",
        "cloudformation:UpdateStack",
        "codebuild:StartBuild",
        "eks:CreateAccessEntry",
    ],
)
def test_what_reaches_past_the_role(action: str) -> None:
    assert _escalating(_allow(action)) == {action}
    assert _escalating(_allow(action.lower())) == {action}
    assert _escalating(_allow(action), _deny(action)) == set()
    assert _escalating(_allow(action), boundary=_policy(_allow("s3:*"), kind="boundary")) == set()


@pytest.mark.parametrize(
    "statement",
    [
        _allow("iam:PassRole", "arn:aws:iam::111111111111:role/one"),
        _allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        _allow("sts:AssumeRole", "arn:aws:iam::222222222222:role/next"),
        _allow("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/partners/*"),
        _allow("iam:UpdateAssumeRolePolicy", "arn:aws:iam::111111111111:role/partners/auditor*"),
    ],
)
def test_one_resource_or_one_condition_is_enough(statement: dict[str, Any]) -> None:
    (escalation,) = _opening(statement).escalations
    assert escalation.action == statement["Action"]
    assert escalation.resources == (statement["Resource"],)
    assert escalation.policy == "Test"
    assert escalation.statement == "$.Statement[0]"
    assert escalation.action in str(escalation)


@pytest.mark.parametrize(
    "statement",
    [
        _allow(["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:TagRole"], ROLE),
        _allow("sts:AssumeRole", ROLE),
        _allow(["iam:Get*", "iam:List*", "sts:GetCallerIdentity", "organizations:Describe*"]),
        _allow(["iam:CreateServiceLinkedRole", "iam:CreateAccountAlias"]),
        _allow(["s3:*", "dynamodb:*", "logs:*"]),
    ],
)
def test_what_does_not_reach_past_the_role(statement: dict[str, Any]) -> None:
    assert _escalating(statement) == set()


def test_a_deny_with_a_condition_closes_nothing() -> None:
    dated = _deny("*", Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})
    assert _escalating(_allow("iam:CreateUser"), dated) == {"iam:CreateUser"}


def test_every_pattern_of_the_lists_covers_an_action_that_aws_lists() -> None:
    for table in (READS, ESCALATES):
        for patterns in table.values():
            for pattern in patterns:
                assert expand(pattern), pattern
    escalating = {action for patterns in ESCALATES.values() for pattern in patterns for action in expand(pattern)}
    assert escalating >= HARMLESS
    assert not [action for action in escalating if level(action) in ("Read", "List")]


def test_every_write_of_iam_escalates_or_is_known_as_harmless() -> None:
    listed = {action for patterns in ESCALATES.values() for pattern in patterns for action in expand(pattern)}
    powerful = {item for item in expand("iam:*") if level(item) in ("Write", "Permissions management")}
    assert powerful - listed == _NOT_PRINCIPALS


# Writes of IAM that change no principal and no trust.
_NOT_PRINCIPALS = {
    "iam:AssociateDelegationRequest",
    "iam:ChangePassword",
    "iam:RejectDelegationRequest",
    "iam:SetSTSRegionalEndpointStatus",
    "iam:SetSecurityTokenServicePreferences",
}


def _managed(*names: str) -> list[tuple[str, Policy]]:
    data = pytest.importorskip("moto.iam.aws_managed_policies").aws_managed_policies_data
    documents = json.loads(data)
    return [(name, parse_policy(documents[name]["Document"], "identity")) for name in names]


def test_read_only_access_reads_data_and_cannot_escalate() -> None:
    result = opening(_managed("ReadOnlyAccess"), boundary=None, role_arn=ROLE, own_denies=[OWN])
    actions = {action for read in result.reads_data for action in read.actions}
    assert actions >= {
        "s3:GetObject",
        "dynamodb:GetItem",
        "ssm:GetParameter",
        "sqs:ReceiveMessage",
        "codecommit:GitPull",
    }
    assert actions >= {"logs:FilterLogEvents", "lambda:GetFunction", "ec2:GetPasswordData", "athena:GetQueryResults"}
    assert not actions & {"secretsmanager:GetSecretValue", "kms:Decrypt", "ebs:GetSnapshotBlock"}
    assert result.escalations == ()


def test_the_default_policies_read_next_to_no_data_and_cannot_escalate() -> None:
    result = opening(_managed("SecurityAudit", "ViewOnlyAccess"), boundary=None, role_arn=ROLE, own_denies=[OWN])
    actions = {action for read in result.reads_data for action in read.actions}
    assert {"rds:DownloadDBLogFilePortion", "datapipeline:QueryObjects", "cognito-idp:ListUsers"} <= actions
    assert not actions & {
        "s3:GetObject",
        "dynamodb:Scan",
        "ssm:GetParameter",
        "logs:GetLogEvents",
        "lambda:GetFunction",
    }
    assert len(actions) < 20
    assert result.escalations == ()


@pytest.mark.parametrize("name", ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AWSLambda_FullAccess"])
def test_powerful_policies_escalate_until_a_boundary_cuts_them(name: str) -> None:
    (policy,) = _managed(name)
    assert opening([policy], boundary=None, role_arn=ROLE, own_denies=[OWN]).escalations
    boundary = _policy(_allow(["s3:*", "logs:*", "iam:Get*", "iam:List*"]), kind="boundary")
    assert opening([policy], boundary=boundary, role_arn=ROLE, own_denies=[OWN]).escalations == ()


PATTERN = st.text("ab*?:", max_size=7)


@given(PATTERN, PATTERN)
def test_overlap_and_cover_against_every_short_text(one: str, other: str) -> None:
    texts = ["".join(item) for length in range(6) for item in itertools.product("ab:", repeat=length)]
    mine, theirs = ({text for text in texts if matches(pattern, text)} for pattern in (one, other))
    if mine & theirs:
        assert overlap(one, other)
    if covers(one, other):
        assert theirs <= mine


@pytest.mark.parametrize(("one", "other"), [("a*c", "a?d"), ("a", "b"), ("a?", "a"), ("*a", "*b"), ("ab*", "b*")])
def test_patterns_that_share_nothing_do_not_overlap(one: str, other: str) -> None:
    assert not overlap(one, other)
    assert not overlap(other, one)


def test_where_aws_documents_nothing_it_is_open() -> None:
    """An empty NotAction or NotResource: an Allow with it may open everything, a Deny with it may close nothing."""
    empty = {"Effect": "Allow", "NotAction": [], "Resource": "*"}
    assert "iam:PassRole" in _escalating(empty)
    assert "iam:PassRole" in _escalating({"Effect": "Allow", "Action": "iam:PassRole", "NotResource": []})
    bounded = _policy(empty, kind="boundary")
    assert "iam:PassRole" in _escalating(_allow("iam:*"), boundary=bounded)
    for deny in ({"NotAction": [], "Resource": "*"}, {"Action": "*", "NotResource": []}):
        assert "iam:PassRole" in _escalating(_allow("iam:*"), {"Effect": "Deny", **deny})
    assert _escalating({"Effect": "Allow", "Action": [], "Resource": "*"}) == set()


def _wildcards(count: int, effect: str, tag: str, kind: Any = "identity") -> Policy:
    resources = [f"arn:aws:s3:::*{tag}{number}*b*/x*y{number}*" for number in range(count)]
    return _policy({"Effect": effect, "Action": "s3:*", "Resource": resources}, kind=kind)


def test_wildcards_that_multiply_end_in_an_answer_that_says_so() -> None:
    """95 KB of policy took 270 s."""
    many = [("Allows", _wildcards(900, "Allow", "a")), ("Denies", _wildcards(900, "Deny", "c"))]
    boundary = _wildcards(900, "Allow", "b", "boundary")
    began, budget = time.process_time(), Limits(steps=20_000)
    result = opening(many, boundary=boundary, role_arn=ROLE, limits=budget)
    assert time.process_time() - began < 10
    assert "more than 20,000 steps" in result.undecided
    assert any("s3:GetObject" in read.actions for read in result.reads_data)  # what was not looked at is called open
    few = [("Allows", _wildcards(40, "Allow", "a")), ("Denies", _wildcards(40, "Deny", "c"))]
    assert opening(few, boundary=_wildcards(40, "Allow", "b", "boundary"), role_arn=ROLE).undecided == ""


def test_actions_that_multiply_end_too() -> None:
    def many(effect: str, sign: str, kind: Any = "identity") -> Policy:
        statements = [
            {"Effect": effect, "Action": f"*:*{sign}*{number}", "Resource": f"arn:aws:s3:::{number}"}
            for number in range(400)
        ]
        return _policy(*statements, kind=kind)

    result = opening([("a", many("Allow", "e"))], boundary=many("Allow", "a", "boundary"), role_arn=ROLE)
    assert "steps" in result.undecided
    assert result.levels["Write"] > 1000


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(("Allow", "Deny")), st.sampled_from(("s3:*", "iam:P*", "*")), PATTERN), max_size=5
    ),
    st.lists(PATTERN, max_size=3),
    st.integers(0, 60),
)
def test_less_work_never_closes_anything(given_: list[tuple[str, str, str]], bounds: list[str], steps: int) -> None:
    statements = [
        {"Effect": effect, "Action": action, "Resource": f"arn:aws:s3:::{on}"} for effect, action, on in given_
    ]
    within = [f"arn:aws:s3:::{bound}" for bound in bounds]
    boundary = _policy(_allow("*", within), kind="boundary") if bounds else None
    policies = [("p", _policy(*statements))] if statements else []
    whole = opening(policies, boundary=boundary, role_arn=ROLE)
    part = opening(policies, boundary=boundary, role_arn=ROLE, limits=Limits(steps=steps))
    assert not whole.undecided
    assert all(part.levels[item] >= whole.levels[item] for item in whole.levels)
    mine = {action for read in part.reads_data for action in read.actions}
    assert mine >= {action for read in whole.reads_data for action in read.actions}
    assert {escalation.action for escalation in part.escalations} >= {
        escalation.action for escalation in whole.escalations
    }
    if not part.undecided:
        assert part == whole


def test_data_is_named_with_its_resources_and_conditions() -> None:
    bucket = "arn:aws:s3:::logs/*"
    result = _opening(
        _allow("s3:GetObject", bucket, Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
        _allow("dynamodb:GetItem", "*"),
        _allow("dynamodb:Scan", bucket, Condition={"Bool": {"aws:SecureTransport": "true"}}),
    )
    objects, items = result.reads_data
    assert (objects.actions, objects.resources, objects.conditions) == (
        ("s3:GetObject",),
        ((bucket,),),
        ("aws:SourceVpc",),
    )
    assert items.conditions == ()  # one of them is open without a condition
    assert dict(zip(items.actions, items.resources, strict=True))["dynamodb:GetItem"] == ("*",)


BUCKET, OTHER = "arn:aws:s3:::bucket", "arn:aws:s3:::other"


@pytest.mark.parametrize(
    ("statements", "bound", "resources"),
    [
        ([_allow("s3:GetObject", [f"{BUCKET}/a", f"{OTHER}/a"])], None, (f"{BUCKET}/a", f"{OTHER}/a")),
        ([_allow("s3:GetObject", [f"{BUCKET}/a"] * 2)], None, (f"{BUCKET}/a",)),
        ([_allow("s3:GetObject", [f"{BUCKET}/*", f"{OTHER}/*"])], [f"{BUCKET}/*"], (f"{BUCKET}/*",)),
        ([_allow("s3:GetObject", f"{BUCKET}/*")], [f"{BUCKET}/a", f"{BUCKET}/b"], (f"{BUCKET}/a", f"{BUCKET}/b")),
        ([_allow("s3:GetObject", f"{BUCKET}/a*")], [f"{BUCKET}/*b"], (f"{BUCKET}/a*",)),
        ([_allow("s3:GetObject", f"{BUCKET}/a")], [f"{BUCKET}/b"], ()),
        ([_allow("s3:GetObject", f"{BUCKET}/a")], [], ()),
        ([_allow("s3:GetObject", f"{BUCKET}/${{aws:username}}/*")], None, (f"{BUCKET}/*/*",)),
        ([_allow("s3:GetObject"), _deny("s3:GetObject", f"{BUCKET}/*")], None, ("*",)),
        ([_allow("s3:GetObject", f"{BUCKET}/a"), _deny("s3:GetObject", f"{BUCKET}/*")], None, ()),
        ([_allow("s3:GetObject", f"{BUCKET}/*"), _deny("s3:GetObject", f"{BUCKET}/a")], None, (f"{BUCKET}/*",)),
        # The object whose name is a star, and no other.
        ([_allow("s3:GetObject", f"{BUCKET}/*"), _deny("s3:GetObject", f"{BUCKET}/${{*}}")], None, (f"{BUCKET}/*",)),
        ([_allow("s3:GetObject", [f"{BUCKET}/a", f"{OTHER}/a"]), _deny("s3:*", f"{BUCKET}/*")], None, (f"{OTHER}/a",)),
        (
            [_allow("s3:GetObject", f"{BUCKET}/a"), {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{OTHER}/*"}],
            None,
            (),
        ),
        (
            [_allow("s3:GetObject", f"{OTHER}/a"), {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{OTHER}/*"}],
            None,
            (f"{OTHER}/a",),
        ),
        ([_allow("s3:GetObject"), {"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"}], None, ()),
        ([_allow("s3:GetObject"), {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}], None, ("*",)),
        ([{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BUCKET}/*"}], None, ("*",)),
        ([{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BUCKET}/*"}], [f"{BUCKET}/a"], ()),
        (
            [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BUCKET}/*"}],
            [f"{OTHER}/a"],
            (f"{OTHER}/a",),
        ),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": f"{BUCKET}/a"}], None, (f"{BUCKET}/a",)),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": f"{BUCKET}/a"}], None, ()),
    ],
)
def test_what_is_left_of_an_allow(statements: Any, bound: list[str] | None, resources: tuple[str, ...]) -> None:
    boundary = None if bound is None else _policy(_allow("s3:*", bound), kind="boundary")
    reads = [read for read in _opening(*statements, boundary=boundary).reads_data if "s3:GetObject" in read.actions]
    open_, undecided = open_actions([("Test", _policy(*statements))], boundary=boundary)
    assert undecided == ""
    assert ("s3:getobject" in open_) is bool(resources)
    if not resources:
        assert reads == []
        return
    (objects,) = reads
    assert dict(zip(objects.actions, objects.resources, strict=True))["s3:GetObject"] == resources


def test_every_open_action_by_its_name() -> None:
    policies = [
        ("a", _policy(_allow(["s3:GetObject", "iam:PassRole"]), _deny("iam:*"))),
        ("b", _policy(_allow("sts:*"))),
    ]
    open_, undecided = open_actions(policies, boundary=None)
    assert open_ == {"s3:getobject", *(item.lower() for item in expand("sts:*"))}
    assert undecided == ""
    short, why = open_actions(policies, boundary=None, limits=Limits(steps=0))
    assert short == {item.lower() for item in expand("*")}
    assert why == "it takes more than 0 steps"
    part, why = open_actions(policies, boundary=None, limits=Limits(steps=80))
    assert part >= open_
    assert why == "it takes more than 80 steps"


@pytest.mark.parametrize(
    ("statements", "kinds"),
    [
        ([_allow("*")], True),
        ([_allow("s3:ListBucket")], False),
        ([_allow("*"), _deny("*")], False),
    ],
)
def test_what_outlives_a_deny(statements: Any, kinds: bool) -> None:
    result = _opening(*statements).outlives
    assert bool(result) is kinds
    for item in result:
        assert item.actions == item.kind.actions
        assert item.policies == ("Test",)


def test_a_kind_needs_all_that_it_needs() -> None:
    for kind in OUTLIVES:
        result = [item.kind for item in _opening(_allow([*kind.actions[:1], *kind.needs])).outlives]
        assert kind in result
        if kind.needs:
            assert kind not in [item.kind for item in _opening(_allow([*kind.actions, *kind.needs[1:]])).outlives]


def test_an_escalation_in_words() -> None:
    (escalation,) = _opening(_allow("iam:PassRole", [f"{ROLE}x", f"{ROLE}y"])).escalations
    assert str(escalation) == f"iam:PassRole on {ROLE}x, {ROLE}y {escalation.way} (Test, $.Statement[0])"
