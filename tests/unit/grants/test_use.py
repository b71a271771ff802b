"""What a role used, by IAM's report; what is proposed from it; and two sets of permissions compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.grants.effects import NOW, ROLE, allow, deny, document, effective
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.whole_errors import refuse, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.grants.compared import Compared, compare
from valetkey.grants.effective import ROLE_ASSUMPTIONS, Effective, Named, UnreadPolicy, of_policy, read_effective
from valetkey.grants.from_use import MOST_INLINE, Proposal, UsedActions, propose
from valetkey.grants.grant import Grant
from valetkey.grants.last_accessed import NOTES, read_use
from valetkey.grants.plan import plan
from valetkey.grants.role import read_role
from valetkey.grants.waiting import Waiting
from valetkey.policy import parse_policy
from valetkey.policy.statements import Policy
from valetkey.prover.comparison import Within

# -- IAM's report


class Report:
    """IAM, which has the report ready after some looks and gives it page by page."""

    def __init__(self, *pages: dict[str, Any], looks: int = 0) -> None:
        self.pages, self.looks = pages, looks
        self.calls: list[Call] = []

    def __call__(self, call: Call, /) -> dict[str, Any]:
        self.calls.append(call)
        if call.operation == "generate_service_last_accessed_details":
            return {"JobId": "a-job"}
        if self.looks:
            self.looks -= 1
            return {"JobStatus": "IN_PROGRESS"}
        return self.pages[int(call.params.get("Marker", 0))]


def page(*services: dict[str, Any], marker: int | None = None, **more: Any) -> dict[str, Any]:
    truncated = {"IsTruncated": True, "Marker": str(marker)} if marker is not None else {"IsTruncated": False}
    return {"JobStatus": "COMPLETED", "ServicesLastAccessed": [*services], **truncated, **more}


def used(service: str, *tracked: Any, when: datetime | None = NOW) -> dict[str, Any]:
    return {"ServiceNamespace": service, "LastAuthenticated": when, "TrackedActionsLastAccessed": [*tracked]}


def test_a_report_is_asked_for_waited_for_and_read(waiting: Waiting) -> None:
    listing = {"ActionName": "ListUsers", "LastAccessedTime": NOW}
    report = Report(
        page(used("EC2"), used("sqs", when=None), marker=1),
        page(marker=2),
        page(
            used("iam", listing, {"ActionName": "IAM:GetRole", "LastAccessedTime": NOW}, {"ActionName": "ListRoles"}),
            used("sns", {"ActionName": "Publish"}),
        ),
        looks=3,
    )
    assert read_use(report, ROLE, waiting=waiting) == UsedActions(
        source="IAM's service last accessed information",
        actions=frozenset({"iam:listusers", "iam:getrole"}),
        services=frozenset({"ec2"}),
        tracked={
            "iam": frozenset({"iam:listusers", "iam:getrole", "iam:listroles"}),
            "sns": frozenset({"sns:publish"}),
        },
        notes=NOTES,
    )
    first, *rest = report.calls
    arn = {"Arn": ROLE, "Granularity": "ACTION_LEVEL"}
    assert first == Call("iam", "generate_service_last_accessed_details", arn)
    about = {"JobId": "a-job", "MaxItems": 1000}
    looks = [{**about}] * 4 + [{**about, "Marker": "1"}, {**about, "Marker": "2"}]
    assert [call.params for call in rest] == looks
    assert waiting.clock() > 0


def test_what_the_report_does_not_show_is_said() -> None:
    assert NOTES == (
        "IAM counts denied attempts as use: one that an SCP or a resource's policy refused looks like a success here.",
        "IAM's record reaches 400 days back. Actions that it does not track stay where their service was used.",
    )


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (Report(page(), looks=10**6), "is not ready"),
        (Report({"JobStatus": "FAILED", "Error": {"Message": "too busy"}}), "failed: too busy"),
        (Report({"JobStatus": "FAILED"}), "failed: no reason"),
        (Report({"JobStatus": "FAILED", "Error": {}}), "failed: no reason"),
    ],
)
def test_a_report_that_does_not_come_is_told(waiting: Waiting, report: Report, why: str) -> None:
    with pytest.raises(ValetkeyError) as refused:
        read_use(report, ROLE, waiting=waiting)
    assert whole_error(refused) == (
        f"IAM's report of the services that the role used {why}",
        "try again later, or name a trail: --from SOURCE",
        ROLE,
        3,
    )


def test_pages_that_never_end_are_told(waiting: Waiting) -> None:
    with pytest.raises(CallError) as refused:
        read_use(Report(page(marker=1), page(marker=1)), ROLE, waiting=waiting)
    assert whole_error(refused) == (
        "iam:GetServiceLastAccessedDetails failed: Garbled: its pages never end",
        "check what answers in AWS's place",
        "iam:GetServiceLastAccessedDetails",
        3,
    )


def test_a_report_without_services_is_no_use(waiting: Waiting) -> None:
    actions = read_use(Report({"JobStatus": "COMPLETED"}), ROLE, waiting=waiting)
    assert (actions.actions, actions.services, actions.tracked) == (frozenset(), frozenset(), {})


@pytest.mark.parametrize(
    ("action", "keeps"),
    [
        ("ec2:x", True),
        ("sqs:x", False),
        ("iam:listusers", True),
        ("iam:listroles", False),
        ("iam:passrole", True),
    ],
)
def test_an_action_stays_where_it_may_have_been_used(action: str, keeps: bool) -> None:
    use = UsedActions(
        "x", frozenset({"iam:listusers"}), frozenset({"ec2"}), {"iam": frozenset({"iam:listusers", "iam:listroles"})}
    )
    assert use.keeps(action) is keeps
    assert (UsedActions("x", frozenset()).services, UsedActions("x", frozenset()).tracked) == (frozenset(), {})


# -- proposals


def proposed(of: Effective, **use: Any) -> Proposal:
    return propose(of, UsedActions("x", **{"actions": frozenset(), **use}))


@pytest.mark.parametrize(
    ("statements", "use", "result"),
    [
        # A pattern of a service that was used, not known by which action, stays as it is.
        (
            [allow(["ec2:Describe*", "ec2:RunInstances", "s3:*"])],
            {"services": frozenset({"ec2"})},
            [["ec2:Describe*", "ec2:RunInstances"]],
        ),
        # Of a pattern of services the actions of the used one stay.
        ([allow(["*:DescribeRegions"])], {"services": frozenset({"ec2"})}, [["ec2:DescribeRegions"]]),
        ([allow(["e?2:DescribeRegions"])], {"services": frozenset({"ec2"})}, [["ec2:DescribeRegions"]]),
        ([allow(["s3:GetObject"])], {"services": frozenset({"ec2"})}, None),
        # What the source would know of and has not seen goes.
        (
            [allow(["sts:*"])],
            {
                "actions": frozenset({"sts:assumerole"}),
                "tracked": {"sts": frozenset({"sts:assumerole", "sts:gettokeninfo"})},
            },
            "sts",
        ),
        ([allow(["s3:GetObject"])], {"actions": frozenset({"s3:getobject", "s3:putobject"})}, [["s3:GetObject"]]),
        ([allow(["new:*"])], {"actions": frozenset({"new:thing"})}, [["new:thing"]]),
        # Each statement keeps what it allows.
        (
            [allow("s3:*", "arn:aws:s3:::a/*"), allow("s3:Get*", "arn:aws:s3:::b/*")],
            {"actions": frozenset({"s3:getobject", "s3:putobject"})},
            [["s3:GetObject", "s3:PutObject"], ["s3:GetObject"]],
        ),
    ],
)
def test_what_stays_of_each_statement(statements: list[Any], use: dict[str, Any], result: Any) -> None:
    proposal = proposed(effective(*statements), **use)
    kept = [item["Action"] for item in proposal.document["Statement"] if item["Effect"] == "Allow"]
    if result == "sts":
        assert "sts:AssumeRole" in kept[0]
        assert "sts:GetCallerIdentity" in kept[0]
        assert "sts:*" not in kept[0]
    else:
        assert kept == (result or [])
    assert proposal.smaller.holds


def test_an_allow_of_all_but_some_keeps_what_was_used() -> None:
    of = effective({"Effect": "Allow", "NotAction": ["s3:*"], "Resource": "*"})
    proposal = proposed(of, actions=frozenset({"ec2:runinstances", "s3:getobject"}), services=frozenset({"sts"}))
    (statement, *_) = proposal.document["Statement"]
    assert "NotAction" not in statement
    assert {"ec2:RunInstances", "sts:AssumeRole"} <= set(statement["Action"])
    assert not [item for item in statement["Action"] if item.startswith("s3:")]


def test_a_proposal_is_told_whole() -> None:
    of = effective(allow(["s3:GetObject", "s3:PutObject", "ec2:DescribeRegions"]), deny("s3:Delete*"))
    use = UsedActions("x", frozenset({"s3:getobject", "iam:passrole", "sqs:sendmessage"}), frozenset({"ec2"}))
    proposal = propose(of, use)
    assert proposal.document == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["ec2:DescribeRegions", "s3:GetObject"], "Resource": ["*"]},
            {"Effect": "Deny", "Action": ["s3:Delete*"], "Resource": ["*"]},
        ],
    }
    assert (proposal.use, proposal.used, proposal.kept_unseen) == (use, ("s3:getobject",), 1)
    assert proposal.lost == {"s3": {"write": ("s3:PutObject",)}}
    assert proposal.not_allowed == ("iam:passrole", "sqs:sendmessage")
    assert (proposal.smaller.holds, proposal.rest.holds) == (True, False)
    assert proposal.characters == 181
    assert MOST_INLINE == 10_240


def test_the_length_is_as_aws_counts_it() -> None:
    proposal = proposed(effective(allow("s3:*")))
    assert proposal.document == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
    assert proposal.characters == len(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
    )


# -- compared


def test_a_comparison_is_told_whole() -> None:
    one = effective(allow(["s3:GetObject", "ec2:RunInstances"]))
    result = compare(one, of_policy("x", document(allow(["s3:GetObject", "s3:PutObject"]))))
    assert (result.one, result.other, result.unread) == ("audit", "x", ())
    assert result.only_one == {"ec2": {"write": ("ec2:RunInstances",)}}
    assert result.only_other == {"s3": {"write": ("s3:PutObject",)}}
    assert [counterexample.request.action for counterexample in result.one_within.beyond] == ["ec2:RunInstances"]
    assert [counterexample.request.action for counterexample in result.other_within.beyond] == ["s3:PutObject"]
    assert result.relation == "neither"


def test_what_was_not_read_of_either_side_leaves_it_unknown() -> None:
    hidden = UnreadPolicy("A", "iam:GetPolicy: AccessDenied", boundary=False)
    one, other = effective(allow("s3:*")), replace(of_policy("x", document(allow("s3:*"))), unread=(hidden,))
    assert compare(one, other).unread == ("x: A (iam:GetPolicy: AccessDenied)",)
    assert compare(one, other).relation == "unknown"
    assert compare(replace(one, unread=(hidden,)), of_policy("y", document())).unread[0].startswith("audit: A")


@pytest.mark.parametrize(
    ("mine", "theirs", "relation"),
    [
        ("holds", "holds", "the same"),
        ("holds", "beyond", "less"),
        ("beyond", "holds", "more"),
        ("beyond", "beyond", "neither"),
        ("open", "holds", "unknown"),
        ("holds", "open", "unknown"),
        ("open", "beyond", "unknown"),
        ("beyond", "open", "unknown"),
        ("open", "open", "unknown"),
    ],
)
def test_the_relation_is_what_is_proved_both_ways(mine: str, theirs: str, relation: str) -> None:
    """What neither holds nor is refuted is not known."""
    wider = compare(effective(allow("s3:GetObject")), of_policy("x", document(allow("s3:Get*"))))
    beyond = wider.other_within
    ways: dict[str, Within] = {"holds": wider.one_within, "beyond": beyond, "open": Within((), (("s3:x", "why"),))}
    assert [ways[item].holds for item in ("holds", "beyond", "open")] == [True, False, False]
    assert Compared("a", "b", {}, {}, ways[mine], ways[theirs], ()).relation == relation
    assert Compared("a", "b", {}, {}, ways[mine], ways[theirs], ("c",)).relation == "unknown"


# -- what a role may do


def policy(given: Any) -> Policy:
    return parse_policy(given, kind="identity")


def test_every_policy_of_a_role_is_read(iam: FakeIam, grant: Grant) -> None:
    for call in plan(grant, None):
        iam(call)
    role = read_role(iam, "audit")
    assert role is not None
    result = read_effective(role, iam)
    assert (result.name, result.role_arn, result.unread, result.whole) == ("audit", grant.role_arn, (), True)
    assert [item.name for item in result.policies] == [
        "SecurityAudit",
        "ViewOnlyAccess",
        "valetkey-own-role",
        "valetkey-until",
        "policy-more",
    ]
    assert result.policies[0] == Named("SecurityAudit", policy(ALLOW_ALL_READS), ALLOW_ALL_READS)
    limit = Named("ReadOnlyAccess", parse_policy(ALLOW_ALL_READS, kind="boundary"), ALLOW_ALL_READS)
    assert result.boundary == limit
    assert result.sides.identity == tuple(item.policy for item in result.policies)
    assert result.sides.boundary == limit.policy
    assert [owner.name for owner in result.owners()] == ["SecurityAudit", "ViewOnlyAccess", "policy-more"]
    assert result.without_own() == replace(result, policies=result.owners())
    assert read_effective(replace(role, boundary=None), iam).sides.boundary is None


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity"])
def test_a_policy_that_is_not_shown_or_not_read_is_named(iam: FakeIam, grant: Grant, code: str) -> None:
    for call in plan(grant, None):
        iam(call)
    role = read_role(iam, "audit")
    assert role is not None
    iam.before = refuse(code, "get_policy_version", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    iam.policies["arn:aws:iam::aws:policy/ReadOnlyAccess"] = "nonsense"
    result = read_effective(replace(role, inline={"odd": {"Statement": "x"}}), iam)
    hidden, odd, limit = result.unread
    assert hidden == UnreadPolicy("SecurityAudit", f"iam:GetPolicyVersion: {code}", boundary=False)
    assert (odd.name, odd.boundary, limit) == (
        "odd",
        False,
        UnreadPolicy("ReadOnlyAccess", "it is not a JSON object", boundary=True),
    )
    assert (result.whole, result.boundary, [item.name for item in result.policies]) == (False, None, ["ViewOnlyAccess"])
    assert str(hidden) == f"SecurityAudit (iam:GetPolicyVersion: {code})"
    iam.before = refuse("Unreachable", "get_policy_version")
    with pytest.raises(CallError, match="Unreachable"):
        read_effective(role, iam)


def test_one_policy_by_itself() -> None:
    given = document(allow("s3:*"))
    assert of_policy("x.json", given) == Effective("x.json", "", (Named("x.json", policy(given), given),), None)
    with pytest.raises(PolicyError):
        of_policy("x.json", {"Statement": "x"})
    assert len(ROLE_ASSUMPTIONS) == 4
