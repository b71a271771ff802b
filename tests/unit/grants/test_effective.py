"""What a role may do as one policy, in counts, compared, and cut down to what was used; each claim proved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.grants.effects import END, NOW, ROLE, allow, deny, document, effective
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants.compared import compare
from valetkey.grants.consolidated import consolidate, kind_of, summary
from valetkey.grants.effective import of_policy, read_effective
from valetkey.grants.from_use import UsedActions, propose
from valetkey.grants.grant import Grant
from valetkey.grants.last_accessed import read_use
from valetkey.grants.plan import plan
from valetkey.grants.role import read_role
from valetkey.grants.waiting import Waiting
from valetkey.policy import parse_policy
from valetkey.prover.comparison import within
from valetkey.prover.specialized import Sides

OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}


@pytest.mark.parametrize(
    ("statements", "boundary"),
    [
        ([allow(["s3:Get*", "s3:GetObject"]), allow("ec2:Describe*")], None),
        ([allow("s3:*", "arn:aws:s3:::data/*", OFFICE), deny("s3:Put*")], document(allow(["s3:*", "ec2:*"]))),
        ([allow(["s3:*", "iam:Get*"])], document(allow("s3:GetObject", "arn:aws:s3:::data/*"), allow("iam:GetRole"))),
        ([{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}], document(allow(["s3:GetObject", "iam:Get*"]))),
        ([allow("*")], document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})),
        (
            [allow("s3:GetObject", "arn:aws:s3:::a*")],
            document(allow("s3:*", ["arn:aws:s3:::ab/*", "arn:aws:s3:::b/*"], OFFICE)),
        ),
        ([allow("s3:Get*")], document(allow("ec2:*"))),
    ],
)
def test_one_policy_says_exactly_the_same(statements: list[Any], boundary: Any) -> None:
    result = consolidate(effective(*statements, boundary=boundary))
    assert result.covers.holds, result.covers
    assert result.exact.holds, result.exact


def test_what_one_policy_cannot_say_is_wider_and_said_so() -> None:
    other = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
    result = consolidate(effective(allow("s3:*", "*", OFFICE), boundary=document(allow("s3:*", "*", other))))
    assert result.covers.holds
    assert not result.exact.holds
    assert result.exact.beyond


def test_one_policy_joins_what_has_the_same_resources_and_names_an_action_once() -> None:
    result = consolidate(effective(allow(["s3:Get*", "s3:GetObject"]), allow("ec2:Describe*"), own=False))
    assert result.document["Statement"] == [
        {"Effect": "Allow", "Action": ["ec2:Describe*", "s3:Get*"], "Resource": ["*"]}
    ]


def test_the_summary_tells_data_from_what_describes_it() -> None:
    assert [kind_of(item) for item in ("s3:GetObject", "s3:GetBucketPolicy", "s3:ListBucket", "s3:PutObject")] == [
        "read data", "read metadata", "list", "write",
    ]  # fmt: skip
    assert [kind_of(item) for item in ("s3:PutBucketPolicy", "ec2:CreateTags", "sqs:AddPermission")] == [
        "permissions", "write", "permissions",
    ]  # fmt: skip
    of = effective(allow(["s3:GetObject", "s3:PutObject"]), allow("iam:CreateUser"), boundary=document(allow("s3:*")))
    result = summary(of, now=NOW)
    assert result.services == {"s3": {"read data": ("s3:GetObject",), "write": ("s3:PutObject",)}}
    assert result.counts() == {"list": 0, "read metadata": 0, "read data": 1, "write": 1, "permissions": 0}
    assert summary(of, now=END + timedelta(seconds=1)).services == {}


@pytest.mark.parametrize(
    ("mine", "theirs", "relation"),
    [
        ([allow("s3:Get*")], [allow(["s3:GetObject", "s3:Get*"])], "the same"),
        ([allow("s3:GetObject")], [allow("s3:Get*")], "less"),
        ([allow("s3:Get*")], [allow("s3:GetObject")], "more"),
        ([allow("s3:GetObject")], [allow("s3:PutObject")], "neither"),
        ([allow("s3:GetObject", "arn:aws:s3:::a/*")], [allow("s3:GetObject")], "less"),
        ([allow("s3:GetObject", "*", OFFICE)], [allow("s3:GetObject"), deny("s3:*", "*", OFFICE)], "neither"),
        ([allow("*"), deny("iam:*")], [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "the same"),
    ],
)
def test_two_sets_of_permissions_are_compared_both_ways(mine: list[Any], theirs: list[Any], relation: str) -> None:
    result = compare(effective(*mine), of_policy("other.json", document(*theirs)))
    assert result.relation == relation
    mirrored = {"less": "more", "more": "less"}
    assert compare(effective(*theirs), of_policy("x", document(*mine))).relation == mirrored.get(relation, relation)


def test_a_comparison_names_actions_and_shows_a_request() -> None:
    result = compare(effective(allow(["s3:Get*", "ec2:RunInstances"])), of_policy("x", document(allow("s3:Get*"))))
    assert result.only_one == {"ec2": {"write": ("ec2:RunInstances",)}}
    assert result.only_other == {}
    assert [counterexample.request.action for counterexample in result.one_within.beyond] == ["ec2:RunInstances"]


def test_many_patterns_on_both_sides_are_compared_all_the_same() -> None:
    many = [f"arn:aws:apigateway:*::/apis/*/{name}/*" for name in "abcdefghijklmnopqrstuvwxyz"]
    many += [f"arn:aws:apigateway:*::/{name}/*" for name in "abcdefghijklmnopqrstuvwxyz"]
    one = Sides((parse_policy(document(allow("apigateway:GET", many)), kind="identity"),))
    wide = Sides((parse_policy(document(allow("apigateway:*")), kind="identity"),))
    more = Sides((parse_policy(document(allow(["apigateway:GET", "apigateway:PUT"], many)), kind="identity"),))
    assert within(one, wide, caller=ROLE).holds
    assert within(one, more, caller=ROLE).holds
    result = within(wide, one, caller=ROLE)
    assert not result.holds
    assert {counterexample.request.action for counterexample in result.beyond} >= {"apigateway:GET"}


USED = UsedActions("a trail", frozenset({"s3:getobject", "iam:listusers", "ec2:runinstances"}))


def test_a_proposal_keeps_what_was_used_with_its_resources_and_conditions() -> None:
    of = effective(
        allow("s3:*", "arn:aws:s3:::data/*", OFFICE),
        allow(["iam:Get*", "iam:List*"]),
        {"Effect": "Allow", "NotAction": ["ec2:*", "s3:*", "iam:*"], "Resource": "*"},
        deny("s3:*", "arn:aws:s3:::data/secret/*"),
    )
    proposal = propose(of, USED)
    assert proposal.document["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/*"], "Condition": {
            "IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}
        }},
        {"Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::data/secret/*"]},
    ]  # fmt: skip
    assert proposal.used == ("iam:listusers", "s3:getobject")
    assert proposal.smaller.holds
    assert not proposal.rest.holds
    assert "s3:PutObject" in proposal.lost["s3"]["write"]
    # Used some time, or allowed by something else: never in a proposal of these policies.
    assert proposal.not_allowed == ("ec2:runinstances",)


def test_a_call_that_the_policies_deny_is_no_use() -> None:
    of = effective(allow("s3:*"), deny("s3:PutObject"))
    proposal = propose(of, UsedActions("IAM", frozenset({"s3:putobject", "s3:getobject", "iam:createuser"})))
    assert proposal.used == ("s3:getobject",)
    assert proposal.not_allowed == ("iam:createuser", "s3:putobject")
    assert proposal.smaller.holds


def test_nothing_used_is_a_policy_that_allows_nothing() -> None:
    proposal = propose(effective(allow("s3:*")), UsedActions("IAM", frozenset()))
    assert proposal.document["Statement"] == [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
    assert proposal.used == ()
    assert proposal.smaller.holds


def test_all_used_loses_nothing() -> None:
    of = effective(allow(["s3:GetObject", "iam:ListUsers"]))
    proposal = propose(of, USED)
    assert proposal.rest.holds
    assert proposal.lost == {}


def test_what_the_source_does_not_tell_apart_stays() -> None:
    of = effective(allow(["ec2:Describe*", "s3:List*", "s3:GetObject", "sqs:*"]), allow("iam:*"))
    use = UsedActions(
        "IAM",
        frozenset({"s3:listbucket"}),
        services=frozenset({"ec2"}),
        tracked={"s3": frozenset({"s3:listbucket", "s3:listallmybuckets"})},
    )
    actions = propose(of, use).document["Statement"][0]["Action"]
    assert "ec2:Describe*" in actions
    assert {"s3:ListBucket", "s3:GetObject"} <= set(actions)  # GetObject is a data event: IAM does not track it
    assert "s3:ListAllMyBuckets" not in actions
    assert not [action for action in actions if action.startswith(("sqs:", "iam:"))]
    everything = propose(effective(allow("*")), use)
    assert "ec2:RunInstances" in everything.document["Statement"][0]["Action"]
    assert everything.smaller.holds


class Advisor(FakeIam):
    """IAM with a report of what was used: a page for each service, in progress when it is first asked for."""

    services: tuple[dict[str, Any], ...] = ()
    status = "COMPLETED"
    waits = 2

    def _generate_service_last_accessed_details(self, call: Call, Arn: str, Granularity: str) -> dict[str, Any]:
        assert (Arn, Granularity) == (ROLE, "ACTION_LEVEL")
        return {"JobId": "a-job"}

    def _get_service_last_accessed_details(
        self, call: Call, JobId: str, MaxItems: int, Marker: str = "0"
    ) -> dict[str, Any]:
        assert JobId == "a-job"
        if self.waits:
            self.waits -= 1
            return {"JobStatus": "IN_PROGRESS"}
        at = int(Marker)
        more = at < len(self.services)
        return {
            "JobStatus": self.status,
            "ServicesLastAccessed": self.services[at : at + 1],
            "IsTruncated": more,
            **({"Marker": str(at + 1)} if more else {}),
        }


def test_service_last_accessed_is_read_to_the_end(waiting: Waiting) -> None:
    iam = Advisor("111111111111")
    iam.services = (
        {"ServiceNamespace": "ec2", "LastAuthenticated": NOW},
        {"ServiceNamespace": "sqs", "TotalAuthenticatedEntities": 0},
        {
            "ServiceNamespace": "iam",
            "LastAuthenticated": NOW,
            "TrackedActionsLastAccessed": [
                {"ActionName": "ListUsers", "LastAccessedTime": NOW},
                {"ActionName": "iam:ListRoles"},
            ],
        },
    )
    use = read_use(iam, ROLE, waiting=waiting)
    assert use.actions == {"iam:listusers"}
    assert use.services == {"ec2"}
    assert use.tracked == {"iam": {"iam:listusers", "iam:listroles"}}
    assert [use.keeps(item) for item in ("ec2:x", "sqs:x", "iam:listusers", "iam:listroles", "iam:passrole")] == [
        True, False, True, False, True,
    ]  # fmt: skip
    assert any("denied" in note for note in use.notes)


@pytest.mark.parametrize(("waits", "status"), [(10_000, "COMPLETED"), (0, "FAILED")])
def test_a_report_that_does_not_come_is_no_use_of_nothing(waiting: Waiting, waits: int, status: str) -> None:
    iam = Advisor("111111111111")
    iam.waits, iam.status = waits, status
    with pytest.raises(ValetkeyError) as error:
        read_use(iam, ROLE, waiting=waiting)
    assert error.value.exit_code == 3


def test_every_document_of_the_role_is_read_and_what_is_refused_is_named(iam: FakeIam, grant: Grant) -> None:
    for call in plan(grant, None):
        iam(call)
    role = read_role(iam, "audit")
    assert role is not None
    result = read_effective(role, iam)
    assert result.whole
    names = {policy.name for policy in result.policies}
    assert names == {"SecurityAudit", "ViewOnlyAccess", "policy-more", "valetkey-own-role", "valetkey-until"}
    assert {owner.name for owner in result.owners()} == {"SecurityAudit", "ViewOnlyAccess", "policy-more"}
    assert result.boundary is not None

    def refuse(call: Call) -> None:
        if call.operation == "get_policy" and call.params["PolicyArn"].endswith("/ReadOnlyAccess"):
            raise CallError(call, "AccessDenied", "not authorized")

    iam.before = refuse
    iam.policies["arn:aws:iam::aws:policy/SecurityAudit"] = {"Version": "2012-10-17", "Statement": {"Effect": "x"}}
    hidden = read_effective(role, iam)
    assert [(policy.name, policy.boundary) for policy in hidden.unread] == [
        ("SecurityAudit", False),
        ("ReadOnlyAccess", True),
    ]

    def fail(call: Call) -> None:
        raise CallError(call, "Unreachable", "no answer")

    iam.before = fail
    with pytest.raises(CallError):
        read_effective(replace(role, inline={}), iam)
