"""What a trust policy means for outsiders, shape by shape; most of them are misjudged by some scanner."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.audit.roles import (
    ALICE,
    AUD,
    AUDITOR,
    BOTH,
    BY_ID,
    BY_MFA,
    BY_SAML,
    EKS,
    GITHUB,
    ID,
    OTHER,
    OWN,
    ROOT,
    SAML,
    SISTER,
    SUB,
    WEB,
    A,
    B,
    allow,
    deny,
    role,
    run,
    trust,
)

from valetkey.audit import Scope
from valetkey.policy import Origin, decide, parse_policy

US = Scope(own=frozenset({SISTER}), org_id="o-ourown1234")
MFA, EXT = "aws:MultiFactorAuthPresent", "sts:ExternalId"
ORG = "aws:PrincipalOrgID"
GONE = "AROAEXAMPLEGONE12345"


def _web(provider: str, condition: Any = None) -> Any:
    return allow({"Federated": provider}, condition, WEB)


SHAPES: dict[str, tuple[str, list[Any]]] = {
    # Ours.
    "own account": ("internal", [allow(f"arn:aws:iam::{OWN}:root")]),
    "own role": ("internal", [allow(f"arn:aws:iam::{OWN}:role/deploy")]),
    "own account by its number": ("internal", [allow(OWN)]),
    "another account of ours": ("internal", [allow(f"arn:aws:iam::{SISTER}:root")]),
    "a service": ("internal", [allow({"Service": "ec2.amazonaws.com"})]),
    "a service and the own account": ("internal", [allow({"Service": "ec2.amazonaws.com", "AWS": OWN})]),
    "our organisation": ("internal", [allow("*", {"StringEquals": {ORG: "o-ourown1234"}})]),
    "our organisation by path": (
        "internal",
        [allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-ourown1234/r-ab12/ou-*"}})],
    ),
    "our organisation, whatever it is called": (
        "internal",
        [allow("*", {"StringEquals": {ORG: "${aws:ResourceOrgID}"}})],
    ),
    "our organisation, whenever a path is there": (
        "internal",
        [
            allow(
                "*",
                {
                    "ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-ourown1234/*"},
                    "Null": {"aws:PrincipalOrgPaths": "false"},
                },
            )
        ],
    ),
    "the role's own account, whichever it is": (
        "internal",
        [allow("*", {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}})],
    ),
    "an account of our organisation": ("internal", [allow(ROOT, {"StringEquals": {ORG: "o-ourown1234"}})]),
    "our SAML provider": (
        "internal",
        [allow({"Federated": SAML}, {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}, BY_SAML)],
    ),
    "our cluster's issuer": (
        "internal",
        [_web(EKS, {"StringEquals": {EKS.split("oidc-provider/")[1] + ":sub": "system:serviceaccount:a:b"}})],
    ),
    "nobody of ours any more": (
        "internal",
        [allow(OWN, {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})],
    ),
    # Guarded.
    "id and MFA": ("guarded", [allow(ROOT, BOTH)]),
    "id": ("guarded", [allow(ROOT, BY_ID)]),
    "MFA": ("guarded", [allow(ROOT, BY_MFA)]),
    "MFA of a recent hour": ("guarded", [allow(ROOT, {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}})]),
    "id in lower case": ("guarded", [allow(ROOT, {"stringequals": {"STS:externalid": ID}})]),
    "one of two ids": ("guarded", [allow(ROOT, {"StringEquals": {EXT: [ID, "another-id-of-20-chars"]}})]),
    "id like a prefix": ("guarded", [allow("arn:aws:iam::324880187172:root", {"StringLike": {EXT: "ourname@*"}})]),
    "bare account number": ("guarded", [allow(A, BY_ID)]),
    "statement alone": ("guarded", []),
    "id by a Deny": ("guarded", [allow(ROOT), deny({"StringNotEquals": {EXT: ID}})]),
    "MFA by a Deny": ("guarded", [allow(ROOT), deny({"BoolIfExists": {MFA: "false"}})]),
    "another organisation with id": ("guarded", [allow("*", {"StringEquals": {ORG: "o-partner999", EXT: ID}})]),
    "GitHub, one repository": (
        "guarded",
        [_web(GITHUB, {"StringEquals": {**AUD, SUB: "repo:acme/site:ref:refs/heads/main"}})],
    ),
    "GitHub, a workflow and who calls it": (
        "guarded",
        [_web(GITHUB, {"StringEquals": {SUB: "job_workflow_ref:acme/f/w.yml@refs/heads/main:repository_owner:acme"}})],
    ),
    "GitHub, one organisation": ("guarded", [_web(GITHUB, {"StringLike": {SUB: "repo:acme/*"}})]),
    "anybody from one network, with id": (
        "guarded",
        [allow("*", {**BY_ID, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})],
    ),
    "anybody out of one VPC, with id": (
        "guarded",
        [allow("*", {"StringEquals": {EXT: ID, "aws:SourceVpc": "vpc-0abc1234"}})],
    ),
    "everybody, tied to one account": ("guarded", [allow("*", {"StringEquals": {"aws:PrincipalAccount": A, EXT: ID}})]),
    # Unguarded.
    "bare": ("unguarded", [allow(ROOT)]),
    "bare role": ("unguarded", [allow(AUDITOR)]),
    "bare, empty condition": ("unguarded", [allow(ROOT, {})]),
    "BoolIfExists": ("unguarded", [allow(ROOT, {"BoolIfExists": {MFA: "true"}})]),
    "Bool false": ("unguarded", [allow(ROOT, {"Bool": {MFA: "false"}})]),
    "Deny Bool false": ("unguarded", [allow(ROOT), deny({"Bool": {MFA: "false"}})]),
    "Null MFA": ("unguarded", [allow(ROOT, {"Null": {MFA: "false"}})]),
    "age if exists": ("unguarded", [allow(ROOT, {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}})]),
    "id like anything": ("unguarded", [allow(ROOT, {"StringLike": {EXT: "*"}})]),
    "id of two characters at least": ("unguarded", [allow(ROOT, {"StringLike": {EXT: "??*"}})]),
    "id if exists": ("unguarded", [allow(ROOT, {"StringEqualsIfExists": {EXT: ID}})]),
    "not that id": ("unguarded", [allow(ROOT, {"StringNotEquals": {EXT: ID}})]),
    "ForAllValues id": ("unguarded", [allow(ROOT, {"ForAllValues:StringEquals": {EXT: ID}})]),
    "some id": ("unguarded", [allow(ROOT, {"Null": {EXT: "false"}})]),
    "second door": ("unguarded", [allow(ROOT, BOTH), allow([ROOT])]),
    "second outsider": ("unguarded", [allow(ROOT, BOTH), allow(OTHER)]),
    "Deny about somebody else": ("unguarded", [allow(ROOT), deny({"StringNotEquals": {EXT: ID}}, {"AWS": OTHER})]),
    "everybody": ("unguarded", [allow("*")]),
    "everybody under AWS": ("unguarded", [allow({"AWS": ["*"]})]),
    "everybody in a list": ("unguarded", [allow([f"arn:aws:iam::{OWN}:root", "*"])]),
    "everybody with id": ("unguarded", [allow("*", BY_ID)]),
    "everybody with MFA": ("unguarded", [allow("*", BY_MFA)]),
    "everybody with id and MFA": ("unguarded", [allow("*", BOTH)]),
    "everybody, organisation if exists": ("unguarded", [allow("*", {"StringEqualsIfExists": {ORG: "o-ourown1234"}})]),
    "everybody, ForAllValues organisation": (
        "unguarded",
        [allow("*", {"ForAllValues:StringEquals": {ORG: "o-ourown1234"}})],
    ),
    "everybody from one network": ("unguarded", [allow("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})]),
    "everybody from everywhere": (
        "unguarded",
        [allow("*", {**BY_ID, "IpAddress": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}})],
    ),
    "everybody from everywhere, in two halves": (
        "unguarded",
        [allow("*", {**BY_ID, "IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}})],
    ),
    "everybody from half of all addresses": (
        "unguarded",
        [allow("*", {**BY_ID, "IpAddress": {"aws:SourceIp": "0.0.0.0/1"}})],
    ),
    "everybody from the allocated part of IPv6": (
        "unguarded",
        [allow("*", {**BY_ID, "IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2000::/3"]}})],
    ),
    "everybody from a large network": ("guarded", [allow("*", {**BY_ID, "IpAddress": {"aws:SourceIp": "17.0.0.0/8"}})]),
    "everybody through an endpoint that is not named in full": (
        "unguarded",
        [allow("*", {**BY_ID, "StringLike": {"aws:SourceVpce": "vpce-0*"}})],
    ),
    "everybody out of a VPC of one account": (
        "guarded",
        [allow("*", {**BY_ID, "ArnLike": {"aws:SourceVpcArn": f"arn:aws:ec2:*:{A}:vpc/*"}})],
    ),
    "everybody out of a VPC of accounts that begin alike": (
        "unguarded",
        [allow("*", {**BY_ID, "ArnLike": {"aws:SourceVpcArn": "arn:aws:*:*:1*:vpc/vpc-0*"}})],
    ),
    "everybody from an address that anybody can have": (
        "unguarded",
        [allow("*", {**BY_ID, "IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}})],
    ),
    "everybody out of any VPC": ("unguarded", [allow("*", {**BY_ID, "StringLike": {"aws:SourceVpc": "vpc-*"}})]),
    "everybody out of anybody's VPC": (
        "unguarded",
        [allow("*", {**BY_ID, "ArnLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:*:vpc/*"}})],
    ),
    "our organisation or none, by path": (
        "unguarded",
        [
            allow(
                "*",
                {
                    "ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-ourown1234/*"},
                    "Null": {"aws:PrincipalTag/team": "false"},
                },
            )
        ],
    ),
    "another organisation by path": (
        "unguarded",
        [allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-partner999/*"}})],
    ),
    "every organisation by path": (
        "unguarded",
        [allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-ourown1234/*", "o-*"]}})],
    ),
    "another organisation": ("unguarded", [allow("*", {"StringEquals": {ORG: "o-partner999"}})]),
    "sts:*": ("unguarded", [allow(ROOT, None, "sts:*")]),
    "every action": ("unguarded", [allow(ROOT, None, "*")]),
    "assumerole in lower case": ("unguarded", [allow(ROOT, None, "sts:assumerole")]),
    "principal ARN like the account": (
        "unguarded",
        [allow("*", {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::*{OWN}*"}})],
    ),
    "a session": ("unguarded", [allow(f"arn:aws:sts::{A}:assumed-role/auditor/x")]),
    "GitHub, audience only": ("unguarded", [_web(GITHUB, {"StringEquals": AUD})]),
    "GitHub, a workflow that everybody may call": (
        "unguarded",
        [_web(GITHUB, {"StringLike": {SUB: "job_workflow_ref:acme/flows/.github/workflows/deploy.yml@*"}})],
    ),
    "GitHub, spelt otherwise": ("unguarded", [_web(GITHUB.replace("token.actions", "Token.Actions"), None)]),
    "GitHub, any repository": ("unguarded", [_web(GITHUB, {"StringLike": {SUB: "repo:*"}})]),
    "GitHub, organisations that begin so": ("unguarded", [_web(GITHUB, {"StringLike": {SUB: "repo:acme*"}})]),
    "GitHub, ForAllValues": ("unguarded", [_web(GITHUB, {"ForAllValues:StringLike": {SUB: "repo:acme/*"}})]),
    "not a Deny of mine": (
        "unguarded",
        [{"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}],
    ),
    "any provider": ("unguarded", [_web("*")]),
    "everybody's web identity": ("unguarded", [allow("*", None, WEB)]),
    "an id out of the caller's tag": ("unguarded", [allow(ROOT, {"StringEquals": {EXT: "${aws:PrincipalTag/id}"}})]),
    # Nobody.
    "over": ("unreachable", [allow(ROOT, {"DateLessThan": {"aws:CurrentTime": "2026-11-27T11:59:59Z"}})]),
    "id with a blank": ("unreachable", [allow(ROOT, {"StringEquals": {EXT: "our company"}})]),
    "id of one character": ("unreachable", [allow(ROOT, {"StringEquals": {EXT: "x"}})]),
    "deleted": ("unreachable", [allow(GONE)]),
    "closed": ("unreachable", [deny(None)]),
    "denied": ("unreachable", [allow(ROOT, BOTH), {**deny({}), "Condition": {}}]),
    "another partition": ("unreachable", [allow(f"arn:aws-cn:iam::{A}:root")]),
    # Not decided.
    "no JSON": ("unknown", ["{"]),
}
SHAPES["statement alone"] = ("guarded", [])


def _text(name: str) -> str:
    statements = SHAPES[name][1]
    if name == "statement alone":
        return json.dumps({"Version": "2012-10-17", "Statement": allow(ROOT, BY_ID)})
    if name == "closed":
        return trust({key: value for key, value in statements[0].items() if key != "Condition"})
    return statements[0] if isinstance(statements[0], str) else trust(*statements)


@pytest.mark.parametrize("name", SHAPES)
def test_exposure(name: str) -> None:
    answer = run(_text(name), scope=US)
    assert answer.roles[0].exposure == SHAPES[name][0], answer.roles[0]


@pytest.mark.parametrize(
    "name", [name for name, (exposure, _) in SHAPES.items() if exposure in ("guarded", "unguarded")]
)
def test_every_witness_gets_in(name: str) -> None:
    """The evaluator lets each one in that the audit shows, on the document as it is."""
    answer = run(_text(name), scope=US)
    shown = [way.witness for outsider in answer.roles[0].outsiders for way in outsider.ways]
    shown += [finding.witness for finding in answer.findings if finding.witness is not None]
    assert shown
    if name in ("not a Deny of mine", "any provider"):
        return  # the evaluator does not read what AWS refuses
    policy = parse_policy(_text(name), "trust")
    for request in shown:
        assert decide(request, trust=policy).allowed, request


def test_who_the_outsiders_are_and_what_binds_them() -> None:
    until = "2026-12-31T18:00:00Z"
    text = trust(
        allow(
            ROOT, {**BOTH, "DateLessThan": {"aws:CurrentTime": until}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
        ),
        allow(f"arn:aws:iam::{B}:user/bob", BY_MFA),
        allow({"Service": "ec2.amazonaws.com", "AWS": OWN}),
    )
    outsiders = {outsider.name: outsider for outsider in run(text).roles[0].outsiders}
    assert set(outsiders) == {A, B}
    first, second = outsiders[A], outsiders[B]
    assert (first.kind, first.partition, first.external_ids, first.mfa, first.until) == (
        "account",
        "aws",
        (ID,),
        True,
        until,
    )
    assert first.sources == ("aws:sourceip 192.0.2.0/24",)
    assert first.ways[0].everybody
    assert (second.external_ids, second.mfa, second.until, second.sources) == ((), True, None, ())
    assert second.ways[0].callers == (f"arn:aws:iam::{B}:user/bob",)
    assert not second.ways[0].everybody
    assert first.witness.principal.split(":")[4] == A


@pytest.mark.parametrize(
    ("condition", "until"),
    [
        ({"DateLessThan": {"aws:CurrentTime": "2026-12-31T18:00:00Z"}}, "2026-12-31T18:00:00Z"),
        ({"DateLessThanEquals": {"aws:CurrentTime": "2026-12-31"}}, "2026-12-31T00:00:00Z"),
        ({"DateLessThan": {"aws:EpochTime": "1893456000"}}, "2030-01-01T00:00:00Z"),
        (
            {"DateLessThan": {"aws:CurrentTime": ["2026-12-31T18:00:00Z", "2027-12-31T18:00:00Z"]}},
            "2027-12-31T18:00:00Z",
        ),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-12-31T18:00:00Z"}}, None),
        ({"DateLessThanIfExists": {"aws:CurrentTime": "2026-12-31T18:00:00Z"}}, "2026-12-31T18:00:00Z"),
    ],
)
def test_the_end(condition: Any, until: str | None) -> None:
    outsider = run(trust(allow(ROOT, {**BOTH, **condition}))).roles[0].outsiders[0]
    assert outsider.until == until


def test_what_binds_is_what_binds_on_every_way() -> None:
    outsider = run(trust(allow(ROOT, BY_ID), allow(ALICE, BY_MFA))).roles[0].outsiders[0]
    assert outsider.guarded
    assert not outsider.external_ids
    assert not outsider.mfa


def test_own_providers_are_noted() -> None:
    answer = run(trust(allow({"Federated": SAML}, None, BY_SAML), allow({"Federated": EKS}, None, WEB)))
    assert answer.roles[0].exposure == "internal"
    assert [note.split(":")[0] for note in answer.roles[0].notes] == [
        "own SAML provider corp",
        "OIDC issuer oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF serves one tenant, taken for the owner's",
    ]


def test_a_provider_of_another_account_is_an_outsider() -> None:
    answer = run(trust(allow({"Federated": SAML.replace(OWN, B)}, None, BY_SAML)))
    assert answer.roles[0].exposure == "unguarded"
    assert answer.roles[0].outsiders[0].kind == "provider"


def test_a_trust_that_is_not_known_is_unknown_and_fails() -> None:
    from valetkey.account.values import UnknownPart

    answer = run(role(None, unknown=(UnknownPart("trust", "!Ref Partner has no default", "app.yaml: $.Resources.R"),)))
    assert answer.roles[0].exposure == "unknown"
    assert "!Ref Partner has no default" in answer.roles[0].reason
    assert [finding.check for finding in answer.failing("critical")] == ["unknown"]


def test_the_same_document_is_judged_once() -> None:
    from valetkey.audit import audit
    from valetkey.prover import who

    asked = []

    def counting(policy: Any, **more: Any) -> Any:
        asked.append(policy)
        return who(policy, **more)

    from tests.unit.audit.roles import NOW, account

    roles = [role(trust(allow(ROOT, BOTH)), f"r{n}") for n in range(5)]
    answer = audit(account(*roles), scope=Scope(), now=NOW, who=counting)
    assert len(asked) == 1
    assert {item.exposure for item in answer.roles} == {"guarded"}
    assert {item.role for item in answer.findings} == {item.arn for item in roles}
    for finding in answer.findings:
        assert finding.witness is None or finding.witness.resource == finding.role


def test_a_prover_that_fails_makes_one_role_unknown_and_no_more() -> None:
    from tests.unit.audit.roles import NOW, account

    from valetkey.audit import audit
    from valetkey.prover import who
    from valetkey.prover.proof import InternalError

    def failing(policy: Any, **more: Any) -> Any:
        if policy.statements[0].sid == "bad":
            raise InternalError("a witness is not admitted")
        return who(policy, **more)

    there = account(role(trust(allow(ROOT, BOTH, Sid="bad")), "a"), role(trust(allow(ROOT, BOTH)), "b"))
    answer = audit(there, scope=Scope(), now=NOW, who=failing)
    assert [item.exposure for item in answer.roles] == ["unknown", "guarded"]
    assert "a witness is not admitted" in answer.roles[0].reason
    assert [finding.check for finding in answer.failing("critical")] == ["unknown"]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (allow("arn:aws-cn:iam::222222222222:root"), "account"),
        (allow("AROAEXAMPLEGONE12345"), "unique id"),
        (allow("*", {"StringEquals": {ORG: "o-stranger12"}}), "organisation"),
        (allow({"Federated": f"arn:aws-cn:iam::{A}:saml-provider/corp"}, action=BY_SAML), "provider"),
        (allow("*"), "anybody"),
    ],
)
def test_an_outsider_is_of_the_role_s_partition(statement: dict[str, Any], kind: str) -> None:
    arn = f"arn:aws-cn:iam::{OWN}:role/partner"
    outsiders = run(role(trust(statement), arn=arn, partition="aws-cn", origin=Origin.SENT)).roles[0].outsiders
    assert {(outsider.kind, outsider.partition) for outsider in outsiders} == {(kind, "aws-cn")}
