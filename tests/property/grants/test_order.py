"""For every order in which the latest calls take effect: a revocation never allows more, and a grant never allows more
than when it is complete.

A model of IAM without valetkey's evaluator: a policy is a set of allowed and a set of denied actions, out of three.
Calls before the last wait have taken effect; of those after it, any subset has.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.grants.test_life import OWNER, grants
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call
from valetkey.grants.grant import OWN_ROLE, REVOKED, Grant
from valetkey.grants.plan import Order, plan, target
from valetkey.grants.revoke import plan_revoke
from valetkey.grants.role import read_role
from valetkey.grants.taken import HeldPolicies, kind
from valetkey.grants.waiting import Settle
from valetkey.trust.writing import closed_trust

ACTIONS = frozenset({"s3:GetObject", "ec2:RunInstances", "iam:PutRolePolicy"})
"""The last one changes the role itself; the grant's own deny covers it."""
SETS = st.frozensets(st.sampled_from(sorted(ACTIONS)))


def document(allows: Iterable[str], denies: Iterable[str]) -> dict[str, Any]:
    statements = [
        {"Effect": effect, "Action": sorted(actions), "Resource": "*"}
        for effect, actions in (("Allow", allows), ("Deny", denies))
        if actions
    ]
    return {"Version": "2012-10-17", "Statement": statements}


Policies = Mapping[str, tuple[frozenset[str], frozenset[str]]]
"""By name or ARN: the allowed and the denied actions."""


def can(policies: Policies) -> frozenset[str]:
    allowed = frozenset[str]().union(*(allows for allows, _ in policies.values()))
    return allowed - frozenset[str]().union(*(denies for _, denies in policies.values()))


def after(policies: Policies, calls: Iterable[Call], known: Policies) -> Policies:
    """The policies after these calls have taken effect."""
    result = dict(policies)
    for call in calls:
        if call.operation in ("put_role_policy", "attach_role_policy"):
            result[target(call)] = known[target(call)]
        elif call.operation in ("delete_role_policy", "detach_role_policy"):
            result.pop(target(call), None)
        elif call.operation == "delete_role":
            return {}
    return result


def moments(steps: Iterable[Call | Settle]) -> Iterator[tuple[Call, ...]]:
    """Every set of calls that may have taken effect at some moment."""
    sure: list[Call] = []
    flying: list[Call] = []
    for step in steps:
        if isinstance(step, Settle):
            sure, flying = [*sure, *flying], []
            continue
        flying.append(step)
        for size in range(len(flying) + 1):
            for some in itertools.combinations(flying, size):
                yield (*sure, *some)


@st.composite
def carried(draw: st.DrawFn, mixed: int) -> tuple[Grant, dict[str, tuple[frozenset[str], frozenset[str]]]]:
    """A grant with up to two managed and two inline policies, at most `mixed` of which also deny."""
    grant = draw(grants())
    names = [*grant.managed[:2], *(f"policy-{item}" for item in draw(st.sampled_from(["", "a", "ab"])))]
    held = {}
    for number, name in enumerate(names):
        denies = draw(SETS) if number < mixed else frozenset()
        held[name] = (draw(SETS) | ({"s3:GetObject"} if not denies else set()), denies)
    inline = tuple((name, document(*held[name])) for name in names if name.startswith("policy-"))
    return replace(grant, managed=tuple(grant.managed[:2]), inline=inline), held


def known_with(grant: Grant, held: Mapping[str, tuple[frozenset[str], frozenset[str]]]) -> Policies:
    own = {name: (frozenset[str](), frozenset[str]()) for name in grant.denies}
    own[OWN_ROLE] = (frozenset(), frozenset({"iam:PutRolePolicy"}))
    return {**held, **own, REVOKED: (frozenset(), ACTIONS)}


@settings(max_examples=60, deadline=None)
@given(carried(mixed=4))
def test_a_revocation_gives_no_more_in_any_order(given_: Any) -> None:
    grant, held = given_
    known = known_with(grant, held)
    iam = FakeIam(OWNER)
    for call in plan(grant, None):
        iam(call)
    role = read_role(iam, "audit")
    assert role is not None
    documents = {arn: document(*held[arn]) for arn in grant.managed}
    steps = plan_revoke(role, closed=closed_trust(), held=HeldPolicies({}, documents, None, ()))
    before = {name: known[name] for name in (*role.managed, *role.inline)}
    for calls in moments(steps):
        now = can(after(before, calls, known))
        assert now <= can(before)
        if Settle() in steps and any(
            call.operation == "delete_role_policy" and target(call) == REVOKED for call in calls
        ):
            assert not now


@settings(max_examples=60, deadline=None)
@given(carried(mixed=1))
def test_a_grant_that_is_waited_for_gives_no_more_in_any_order(given_: Any) -> None:
    grant, held = given_
    known = known_with(grant, held)
    order = Order({name: kind(document(*item)) for name, item in held.items()}, frozenset({1, 2}))
    calls = plan(grant, None)
    whole = can(after({}, calls, known))
    for some in moments(order.steps(grant, calls)):
        assert can(after({}, some, known)) <= whole | mixed_alone(held)


def mixed_alone(held: Policies) -> frozenset[str]:
    """The actions of policies that both allow and deny, if there are several: one of them takes effect before another
    whose Deny covers it."""
    both = [item for item in held.values() if item[0] and item[1]]
    return frozenset[str]().union(*(allows for allows, _ in both)) if len(both) > 1 else frozenset()
