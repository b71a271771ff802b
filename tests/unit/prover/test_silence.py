"""Where AWS documents nothing: no proof rests on that, and `who` gives two bounds."""

from __future__ import annotations

from typing import Any

import pytest
from tests.referee import solve
from tests.unit.policy.silent import BOB, ROLE, TRUSTS, allow

from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.evaluation import could_allow
from valetkey.policy.origin import Origin
from valetkey.prover import Counterexample, Proof, Unknown, prove, who
from valetkey.prover.access_regions import Bounds
from valetkey.prover.references import never, read_only

NOBODY = parse_policy({"Version": "2012-10-17", "Statement": []}, kind="trust")


@pytest.mark.parametrize("name", TRUSTS)
def test_who_and_prove_do_not_decide_what_hangs_on_the_form(name: str) -> None:
    case = TRUSTS[name]
    policy = parse_policy(case.document, kind="trust")
    result = who(policy, origin=Origin.SENT, resource=ROLE)
    if case.form == "several-in-variable":
        assert isinstance(result, Unknown)  # which kinds of values there are is not decided at all
        return
    assert isinstance(result, Bounds)
    assert "AWS does not document" in result.reason
    assert case.statements[-1].get("Condition") is None or "Condition" in result.reason
    assert len(result.least.regions) <= len(result.most.regions)
    for region in result.least.regions:
        assert decide(region.witness, trust=policy).allowed
    for region in result.most.regions:
        assert could_allow(region.witness, trust=policy)
    answer = prove(policy, within=NOBODY, resource=ROLE)
    if result.least.regions:
        assert isinstance(answer, Counterexample)
        assert decide(answer.request, trust=policy).allowed
    else:
        assert isinstance(answer, Unknown)
        assert answer.reason == result.reason
    # Held against itself it is the same guess twice; the prover does not know that, and proves nothing by it.
    assert not isinstance(prove(policy, within=policy, resource=ROLE), Counterexample)


@pytest.mark.parametrize("name", TRUSTS)
def test_cvc5_proves_nothing_by_it_either(name: str) -> None:
    pytest.importorskip("cvc5")
    policy = parse_policy(TRUSTS[name].document, kind="trust")
    answer = solve(policy, NOBODY, resource=ROLE, seconds=20)
    assert answer.verdict != "holds"
    if answer.verdict == "violated":
        assert answer.request is not None
        assert decide(answer.request, trust=policy).allowed


@pytest.mark.parametrize("name", TRUSTS)
def test_what_is_certain_stays_certain(name: str) -> None:
    """Another statement lets everybody in: that is a counterexample whatever AWS does with the form."""
    case = TRUSTS[name]
    open_ = [*case.statements, allow(Principal={"AWS": "333333333333"})]
    deny = [statement for statement in case.statements if statement["Effect"] == "Deny"]
    policy = parse_policy({"Version": "2012-10-17", "Statement": open_ if not deny else [allow()]}, kind="trust")
    answer = prove(policy, within=NOBODY, resource=ROLE)
    if case.form == "several-in-variable" and not deny:
        assert isinstance(answer, Unknown)
    else:
        assert isinstance(answer, Counterexample)


def test_a_form_without_a_consequence_does_not_matter() -> None:
    """A Deny that may or may not match what nobody is let in for; an Allow of what is allowed anyway."""
    empty = {"StringNotEquals": {"aws:PrincipalAccount": []}}
    doubled = parse_policy({"Version": "2012-10-17", "Statement": [allow(), allow(empty)]}, kind="trust")
    assert not isinstance(who(doubled, origin=Origin.SENT, resource=ROLE), Unknown)
    plain = parse_policy({"Version": "2012-10-17", "Statement": [allow()]}, kind="trust")
    assert isinstance(prove(doubled, within=plain, resource=ROLE), Proof)
    assert isinstance(prove(plain, within=doubled, resource=ROLE), Proof)
    narrowed = [allow(), {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": empty}]
    denied = parse_policy({"Version": "2012-10-17", "Statement": narrowed}, kind="trust")
    assert isinstance(prove(denied, within=plain, resource=ROLE), Proof | Unknown)
    assert isinstance(prove(plain, within=denied, resource=ROLE), Unknown)


def test_the_reference_is_read_narrowly() -> None:
    open_ = parse_policy({"Version": "2012-10-17", "Statement": [allow()]}, kind="trust")
    for case in TRUSTS.values():
        if case.form == "several-in-variable":
            continue
        reference = parse_policy(case.document, kind="trust")
        answer = prove(open_, within=reference, resource=ROLE)
        assert not isinstance(answer, Proof)
        if isinstance(answer, Counterexample):
            assert not could_allow(answer.request, trust=reference)


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": [], "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "NotResource": []},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringNotEquals": {"aws:x": []}}},
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*", "Condition": {"Bool": {"aws:x": "${aws:y}"}}},
    ],
)
def test_permissions_that_rest_on_a_form_are_not_proved_away(statement: dict[str, Any]) -> None:
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="identity")
    for reference in (never("iam:*"), read_only()):
        answer = prove(policy, within=reference)
        assert isinstance(answer, Unknown)
        assert "AWS does not document" in answer.reason


def test_a_deny_that_rests_on_a_form_takes_nothing_away_for_certain() -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for deny in (
        {"Action": "iam:*", "Resource": "*", "Condition": {"StringEquals": {"aws:x": []}}},
        {"NotAction": [], "Resource": "*"},
        {"Action": "*", "NotResource": []},
    ):
        policy = parse_policy(
            {"Version": "2012-10-17", "Statement": [everything, {"Effect": "Deny", **deny}]}, "identity"
        )
        assert isinstance(prove(policy, within=never("iam:*")), Unknown)


def test_an_empty_principal_has_no_effect() -> None:
    asked = Request(BOB, "sts:AssumeRole", ROLE)
    for principal in ({}, {"AWS": []}):
        empty = parse_policy({"Statement": [allow(Principal=principal)]}, kind="trust")
        assert isinstance(prove(empty, within=NOBODY, resource=ROLE), Proof)
        both = parse_policy(
            {"Statement": [allow(), {"Effect": "Deny", "Principal": principal, "Action": "*"}]}, kind="trust"
        )
        assert decide(asked, trust=both).allowed


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_an_empty_not_action_bounds_who_is_admitted(effect: str) -> None:
    statement = {"Effect": effect, "Principal": "*", "NotAction": []}
    policy = parse_policy({"Statement": [statement, *([allow()] if effect == "Deny" else [])]}, kind="trust")
    result = who(policy, origin=Origin.SENT, resource=ROLE)
    assert isinstance(result, Bounds)
    assert result.least.regions == ()
    assert result.most.regions
    assert "statement 1: $.Statement[0].NotAction is an empty list" in result.reason


def test_what_is_admitted_either_way_is_in_both_bounds() -> None:
    policy = parse_policy(
        {"Statement": [allow(), allow({"StringNotEquals": {"aws:x": []}}, Principal={"AWS": "333333333333"})]},
        kind="trust",
    )
    result = who(policy, origin=Origin.SENT, resource=ROLE)
    assert isinstance(result, Bounds)
    assert [item.party.name for item in result.least.regions] == ["222222222222"]
    assert [item.party.name for item in result.most.regions] == ["222222222222", "333333333333"]
    for region in result.least.regions:
        assert decide(region.witness, trust=policy).allowed
    assert not decide(result.most.regions[1].witness, trust=policy).allowed
