"""For any trust policy: the audit misses no caller that gets in, and every listed caller gets in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audit.roles import ALICE, AUDITOR, ID, NOW, OTHER, OWN, ROOT, A, B, trust

from valetkey.audit import Scope
from valetkey.audit.subjects import TrustVerdict
from valetkey.audit.trusts import judge
from valetkey.policy import Origin, Request, decide, parse_policy

EXT, MFA, AGE, IP = "sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:SourceIp"
NOW_TEXT = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
RANK = {"internal": 0, "unreachable": 0, "guarded": 1, "unguarded": 2}

PRINCIPALS = (ROOT, A, ALICE, AUDITOR, OTHER, "*", f"arn:aws:iam::{OWN}:root", [ROOT, OTHER], [OWN, ALICE])
TESTS: tuple[tuple[str, str, Any], ...] = (
    ("StringEquals", EXT, ID),
    ("StringEquals", EXT, [ID, "another-id"]),
    ("StringEqualsIfExists", EXT, ID),
    ("StringNotEquals", EXT, ID),
    ("StringLike", EXT, "*"),
    ("StringLike", EXT, ID[:6] + "*"),
    ("ForAllValues:StringEquals", EXT, ID),
    ("Null", EXT, "true"),
    ("Null", EXT, "false"),
    ("Bool", MFA, "true"),
    ("Bool", MFA, "false"),
    ("BoolIfExists", MFA, "true"),
    ("BoolIfExists", MFA, "false"),
    ("Null", MFA, "true"),
    ("NumericLessThan", AGE, "3600"),
    ("NumericLessThanIfExists", AGE, "3600"),
    ("IpAddress", IP, "192.0.2.0/24"),
    ("NotIpAddress", IP, "192.0.2.0/24"),
    ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:user/*"),
    ("StringNotEquals", "aws:PrincipalAccount", OWN),
    ("StringEquals", "aws:PrincipalAccount", [OWN, B]),
    ("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z"),
    ("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"),
)

conditions = st.lists(st.sampled_from(TESTS), max_size=3, unique_by=lambda item: item[:2]).map(
    lambda tests: {
        operator: {key: value for other, key, value in tests if other == operator} for operator, _, _ in tests
    }
)
actions = st.sampled_from(["sts:AssumeRole", "sts:*", ["sts:AssumeRole", "sts:TagSession"], "sts:TagSession"])


def statements(effects: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda effect, principal, action, condition: {
            "Effect": effect,
            "Principal": {"AWS": principal},
            "Action": action,
            **({"Condition": condition} if condition else {}),
        },
        st.sampled_from(effects),
        st.sampled_from(PRINCIPALS),
        actions,
        conditions,
    )


policies = st.lists(statements(("Allow", "Allow", "Deny")), min_size=1, max_size=4)
callers = st.sampled_from(
    [ALICE, f"arn:aws:iam::{A}:user/bob", f"arn:aws:sts::{A}:assumed-role/auditor/s", f"arn:aws:iam::{B}:user/alice"]
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A possible request: MFA has an age, and only users have both."""
    who = draw(callers)
    keys = {"aws:CurrentTime": NOW_TEXT, IP: draw(st.sampled_from(["192.0.2.7", "198.51.100.1", "2001:db8::1"]))}
    if draw(st.booleans()):
        keys[EXT] = draw(st.sampled_from([ID, "another-id", "some-other-id"]))
    if ":user/" in who and draw(st.booleans()):
        keys[MFA] = draw(st.sampled_from(["true", "false"]))
        if keys[MFA] == "true":
            keys[AGE] = draw(st.sampled_from(["60", "7200"]))
    return Request(principal=who, action="sts:AssumeRole", resource=f"arn:aws:iam::{OWN}:role/audited", context=keys)


def judged(*parts: dict[str, Any]) -> TrustVerdict:
    return judge(trust(*parts), origin=Origin.RETURNED, account=OWN, partition="aws", scope=Scope(), now=NOW)


@given(policies, st.lists(requests(), min_size=1, max_size=20))
def test_nobody_who_gets_in_is_overlooked(parts: list[dict[str, Any]], asked: list[Request]) -> None:
    verdict = judged(*parts)
    policy = parse_policy(trust(*parts), "trust")
    for request in asked:
        if not decide(request, trust=policy).allowed:
            continue
        assert verdict.exposure in ("guarded", "unguarded"), request
        if EXT not in request.context and request.context.get(MFA) != "true":
            assert verdict.exposure == "unguarded", request
        names = {outsider.name for outsider in verdict.found.outsiders}
        assert request.caller.account in names or "" in names


@given(policies)
def test_whatever_is_shown_gets_in(parts: list[dict[str, Any]]) -> None:
    verdict = judged(*parts)
    policy = parse_policy(trust(*parts), "trust")
    shown = [way.witness for item in verdict.found.outsiders for way in item.ways]
    shown += [hit.witness for _, hit in verdict.hits if hit.witness is not None]
    for request in shown:
        assert decide(request, trust=policy).allowed, request
    for outsider in verdict.found.outsiders:
        for way in outsider.ways:
            sent = {key.lower(): value for key, value in way.witness.context.items()}
            assert "sts:externalid" in sent or not way.external_ids
            assert sent.get("aws:multifactorauthpresent") == "true" or not way.mfa
            # The plainest request of a way: values that are not required are omitted if possible.
            if outsider.kind == "account" and not way.guarded:
                assert verdict.exposure == "unguarded"


@given(policies, statements(("Allow",)), statements(("Deny",)))
def test_an_allow_opens_and_a_deny_closes(
    parts: list[dict[str, Any]], allow: dict[str, Any], deny: dict[str, Any]
) -> None:
    before = RANK[judged(*parts).exposure]
    assert RANK[judged(*parts, allow).exposure] >= before
    assert RANK[judged(*parts, deny).exposure] <= before


@given(policies)
def test_the_order_of_statements_does_not_matter(parts: list[dict[str, Any]]) -> None:
    one, other = judged(*parts), judged(*reversed(parts))
    assert one.exposure == other.exposure
    assert {outsider.name for outsider in one.found.outsiders} == {outsider.name for outsider in other.found.outsiders}
