"""Findings name who gets in: the whole account only where all of it does, else its principals; services on behalf of
whom they act."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.audit.roles import AUDITOR, BY_ID, OWN, ROOT, SISTER, A, B, allow, deny, run, trust

from valetkey.audit import Scope
from valetkey.policy import Origin, parse_policy
from valetkey.prover import Reach, who

ID = "AROAABCDEFGHIJKLMNOPQ"
SOURCE = "aws:SourceAccount"


def _texts(text: str, check: str, **more: Any) -> list[str]:
    return [finding.text for finding in run(text, **more).findings if finding.check == check]


def test_a_named_role_gets_in_and_not_its_account() -> None:
    (text,) = _texts(trust(allow(AUDITOR)), "T1")
    assert text == f"role/auditor of account {A} gets in through statement 1 without ExternalId and without MFA"
    (unknown,) = _texts(trust(allow(AUDITOR)), "T20")
    assert unknown == f"role/auditor of account {A} is in no record and no list of known accounts"
    (whole,) = _texts(trust(allow(ROOT)), "T1")
    assert whole.startswith(f"account {A} gets in")
    (both,) = _texts(trust(allow(AUDITOR), allow(ROOT, BY_ID)), "T1")  # without an id, the role alone
    assert both.startswith(f"role/auditor of account {A} gets in through statement 1 ")


def test_principals_of_a_condition_are_named_as_spelt() -> None:
    pattern = f"arn:aws:iam::{A}:role/team-*"
    (text,) = _texts(trust(allow(ROOT, {"ArnLike": {"aws:PrincipalArn": pattern}})), "T1")
    assert text.startswith(f"role/team-* of account {A} gets in")


def test_a_name_that_everybody_can_give_a_role_is_said() -> None:
    text = trust(allow({"AWS": "*"}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}))
    (result,) = _texts(text, "T4", scope=Scope())
    assert result == "anybody with an AWS account who calls as role/deploy gets in through statement 1"


def test_many_principals_are_counted() -> None:
    names = [f"arn:aws:iam::{A}:user/u{n}" for n in range(5)]
    (text,) = _texts(trust(allow(names)), "T1")
    assert text.startswith(f"user/u0, user/u1, user/u2 and 2 more of account {A} gets in")


@pytest.mark.parametrize("value", [f"{ID}:*", f"{ID}:session", "AIDAABCDEFGHIJKLMNOPQ"])
def test_a_unique_id_in_a_condition_is_one_principal(value: str) -> None:
    answer = run(trust(allow({"AWS": "*"}, {"StringLike": {"aws:userid": value}})))
    (outsider,) = answer.roles[0].outsiders
    assert (outsider.kind, outsider.name) == ("unique id", value.split(":")[0])
    assert answer.roles[0].exposure == "unguarded"
    assert {finding.check for finding in answer.failing("medium")} == {"T1"}
    guarded = run(trust(allow("*", {"StringLike": {"aws:userid": value}, **BY_ID})))
    assert guarded.roles[0].exposure == "guarded"


@pytest.mark.parametrize("value", ["AROA*", "AROAABCDEFGHIJKLMNO*", "*:session"])
def test_a_part_of_a_unique_id_is_anybody(value: str) -> None:
    answer = run(trust(allow({"AWS": "*"}, {"StringLike": {"aws:userid": value}})))
    assert "anybody" in {outsider.kind for outsider in answer.roles[0].outsiders}


def test_a_unique_id_beside_everybody_is_not_said_twice() -> None:
    everybody = trust(allow("*"), allow(ROOT, {"StringLike": {"aws:userid": f"{ID}:*"}}))
    assert [outsider.kind for outsider in run(everybody).roles[0].outsiders if outsider.kind != "account"] == [
        "anybody"
    ]
    others = {"StringNotEquals": {"sts:ExternalId": "vk-7f3c9d21"}, "StringNotLike": {"aws:userid": f"{ID}:*"}}
    spared = trust(allow("*"), deny(others))
    kinds = {outsider.kind for outsider in run(spared).roles[0].outsiders}
    assert kinds >= {"anybody", "unique id"}  # the role needs no ExternalId, everybody else does


def test_who_names_the_unique_id_as_well() -> None:
    policy = parse_policy(trust(allow("*", {"StringLike": {"aws:userid": f"{ID}:*"}})), "trust")
    reach = who(policy, origin=Origin.SENT, resource=f"arn:aws:iam::{OWN}:role/r")
    assert isinstance(reach, Reach)
    assert {region.party.kind for region in reach.regions} == {"account", "unique id"}
    assert {region.callers for region in reach.regions} == {(ID,)}
    assert not any(region.everybody for region in reach.regions)


@pytest.mark.parametrize("key", [SOURCE, "aws:SourceArn", "aws:SourceOrgID"])
def test_a_key_of_services_lets_nobody_else_in(key: str) -> None:
    value = {SOURCE: OWN, "aws:SourceArn": f"arn:aws:s3:::{OWN}-logs", "aws:SourceOrgID": "o-ourown1234"}[key]
    answer = run(trust(allow({"AWS": "*"}, {"StringEquals": {key: value}})))
    assert (answer.roles[0].exposure, answer.roles[0].outsiders, answer.findings) == ("internal", (), ())
    named = run(trust(allow(ROOT, {"StringEquals": {key: value}})))
    assert named.roles[0].exposure == "unreachable"
    for_anybody = run(trust(allow("*", {"StringEqualsIfExists": {key: value}})))
    assert for_anybody.roles[0].exposure == "unguarded"


def test_a_service_on_behalf_of_another_account_is_said() -> None:
    def of(condition: Any) -> str:
        return trust(allow({"Service": "config.amazonaws.com"}, condition))

    (text,) = _texts(of({"StringEquals": {SOURCE: A}}), "T20")
    assert text.startswith(f"config.amazonaws.com gets in through statement 1 on behalf of resources of account {A}, ")
    (text,) = _texts(of({"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{B}:*"}}), "T20")
    assert f"account {B}" in text
    assert run(of({"StringEquals": {SOURCE: A}})).roles[0].exposure == "internal"
    for ours in ({"StringEquals": {SOURCE: OWN}}, {"StringEquals": {SOURCE: SISTER}}, None):
        assert not run(of(ours), scope=Scope(own=frozenset({SISTER}))).findings
