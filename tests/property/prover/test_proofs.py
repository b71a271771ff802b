"""Properties of every proof, for any documents."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.prover.proving import ARN, BUCKET, ID, IP, MFA, NAME, OWNER, STRANGER, TAG, THEM, ask, policy

from valetkey.policy import Origin, Request, decide, parse_policy
from valetkey.prover import Counterexample, Proof, Unknown, who
from valetkey.prover.proof import Limits

SMALL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS = ["ab", "a*", "*b", "?b*", "*", "AB", "a${*}", "${aws:username}"]
CONDITIONS = st.one_of(
    st.tuples(
        st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]),
        st.sampled_from([ID, NAME, TAG]),
        st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2),
    ),
    st.tuples(st.sampled_from(["Bool", "Null"]), st.sampled_from([MFA]), st.sampled_from([["true"], ["false"]])),
    st.tuples(
        st.sampled_from(["IpAddress", "NotIpAddress"]), st.just(IP), st.sampled_from([["10.0.0.0/8"], ["0.0.0.0/0"]])
    ),
    st.tuples(
        st.sampled_from(["DateLessThan", "DateGreaterThanEquals"]),
        st.sampled_from(["aws:CurrentTime", "aws:EpochTime"]),
        st.sampled_from([["2026-01-01T00:00:00Z"], ["1767225601"]]),
    ),
    st.tuples(
        st.sampled_from(["ArnLike", "ArnNotLike", "StringLike"]),
        st.just(ARN),
        st.sampled_from([[f"arn:aws:iam::{THEM}:user/*"], ["arn:aws:iam::*:role/w*"], [f"*{THEM}*"]]),
    ),
    st.tuples(
        st.sampled_from(["ForAllValues:StringLike", "ForAnyValue:StringLike"]),
        st.just("aws:TagKeys"),
        st.sampled_from([["a*"], ["team"]]),
    ),
)
PRINCIPALS = st.sampled_from(
    [
        "*",
        {"AWS": THEM},
        {"AWS": [OWNER, THEM]},
        {"AWS": f"arn:aws:iam::{THEM}:user/bob"},
        {"AWS": [f"arn:aws:iam::{OWNER}:role/worker", f"arn:aws:sts::{THEM}:assumed-role/worker/one"]},
        {"Service": "ec2.amazonaws.com"},
        {"AWS": "AIDA1234567890123456"},
    ]
)


@st.composite
def statement(draw: Any, effect: str | None = None) -> dict[str, Any]:
    block: dict[str, dict[str, Any]] = {}
    for operator, key, values in draw(st.lists(CONDITIONS, max_size=2)):
        suffix = draw(st.sampled_from(["", "", "IfExists"])) if operator != "Null" else ""
        block.setdefault(operator + suffix, {})[key] = values
    made = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Principal": draw(PRINCIPALS),
        "Action": draw(st.sampled_from(["sts:AssumeRole", "sts:*", ["sts:AssumeRole", "sts:TagSession"]])),
    }
    return made | ({"Condition": block} if block else {})


trusts = st.lists(statement(), min_size=1, max_size=3)


def read(statements: list[dict[str, Any]]) -> Any:
    return parse_policy({"Version": "2012-10-17", "Statement": statements}, kind="trust")


def holds(left: Any, within: Any) -> bool | None:
    result = ask(left, within, limits=Limits(seconds=5))
    return None if isinstance(result, Unknown) else isinstance(result, Proof)


@SMALL
@given(trusts)
def test_a_policy_is_within_itself(statements: list[dict[str, Any]]) -> None:
    assert holds(read(statements), read(statements)) is not False


@SMALL
@given(trusts, statement("Allow"), statement("Deny"))
def test_an_allow_never_takes_away_and_a_deny_never_gives(
    statements: list[dict[str, Any]], allow: dict[str, Any], deny: dict[str, Any]
) -> None:
    policy = read(statements)
    assert holds(policy, read([*statements, allow])) is not False
    assert holds(read([*statements, deny]), policy) is not False


@SMALL
@given(trusts, trusts, st.randoms(use_true_random=False))
def test_the_order_of_statements_and_values_does_not_matter(left: Any, right: Any, random: Any) -> None:
    def shuffled(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        made = []
        for item in random.sample(statements, len(statements)):
            block = item.get("Condition", {})
            turned = {
                operator: {key: values[::-1] for key, values in keys.items()}
                for operator, keys in reversed(block.items())
            }
            made.append(item | ({"Condition": turned} if turned else {}))
        return made

    first, second = holds(read(left), read(right)), holds(read(shuffled(left)), read(shuffled(right)))
    assert first is second


@SMALL
@given(trusts, trusts)
def test_names_do_not_matter(left: Any, right: Any) -> None:
    """Renaming the accounts in both documents does not change the answer."""

    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(THEM, "474747474747").replace("worker", "walker").replace("bob", "rob")
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if isinstance(value, dict):
            return {renamed(key): renamed(item) for key, item in value.items()}
        return value

    assert holds(read(left), read(right)) is holds(read(renamed(left)), read(renamed(right)))


@SMALL
@given(trusts, trusts, st.data())
def test_what_is_proved_no_request_refutes(left: Any, right: Any, data: Any) -> None:
    mine, other = read(left), read(right)
    if holds(mine, other) is not True:
        return
    for _ in range(10):
        context = data.draw(
            st.fixed_dictionaries(
                {"aws:CurrentTime": st.just("2026-01-01T00:00:00Z"), "aws:EpochTime": st.just("1767225600")},
                optional={
                    ID: st.sampled_from(["ab", "a*", "AB", "xb", "a-long-one"]),
                    NAME: st.sampled_from(["ab", "AB", "bob"]),
                    TAG: st.sampled_from(["ab", "b", ""]),
                    MFA: st.sampled_from(["true", "false"]),
                    IP: st.sampled_from(["10.0.0.1", "192.0.2.1", "2001:db8::1"]),
                    "aws:TagKeys": st.sampled_from(["team", "ab", ["team", "x"], ["x"]]),
                },
            )
        )
        caller = data.draw(
            st.sampled_from(
                [
                    f"arn:aws:iam::{account}:user/{name}"
                    for account in (OWNER, THEM, STRANGER)
                    for name in ("bob", "team/ab", THEM)
                ]
                + [f"arn:aws:sts::{account}:assumed-role/worker/one" for account in (OWNER, THEM, STRANGER)]
            )
        )
        request = Request(caller, "sts:AssumeRole", f"arn:aws:iam::{OWNER}:role/door", OWNER, context)
        if decide(request, trust=mine).allowed:
            assert decide(request, trust=other).allowed


@SMALL
@given(trusts)
def test_regions_are_what_is_let_in(statements: list[dict[str, Any]]) -> None:
    """There is a region exactly if the policy is not within a policy that allows nothing."""
    result = who(
        read(statements), origin=Origin.RETURNED, resource=f"arn:aws:iam::{OWNER}:role/door", limits=Limits(seconds=5)
    )
    empty = holds(read(statements), read([]))
    if isinstance(result, Unknown) or empty is None:
        return
    assert bool(result.regions) is not empty
    for region in result.regions:
        assert decide(region.witness, trust=read(statements)).allowed


ACTIONS = st.lists(
    st.sampled_from(["s3:Get*", "s3:*", "iam:PassRole", "*", "kms:Decrypt", "sts:AssumeRole", "s3:GetObject", "x:*"]),
    min_size=1,
    max_size=2,
)
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::bucket*", "arn:aws:s3:::b?c*/x", "arn:aws:iam::*:role/a*"])


@st.composite
def permission(draw: Any) -> dict[str, Any]:
    action = draw(st.sampled_from(["Action", "Action", "NotAction"]))
    resource = draw(st.sampled_from(["Resource", "Resource", "NotResource"]))
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        action: draw(ACTIONS),
        resource: draw(RESOURCES),
    }


def permissions(statements: list[dict[str, Any]], kind: Any = "identity") -> Any:
    return parse_policy({"Version": "2012-10-17", "Statement": statements}, kind=kind)


@SMALL
@given(st.lists(permission(), max_size=3), st.lists(permission(), max_size=2))
def test_a_boundary_only_takes_away(statements: Any, limits: Any) -> None:
    mine, boundary = permissions(statements), permissions(limits, "boundary")
    both = {"identity": mine, "boundary": boundary}
    assert holds(both, mine) is True
    assert holds(both, permissions(limits)) is True
    result = ask(mine, both)
    if isinstance(result, Counterexample):
        assert decide(result.request, identity=mine).allowed


def test_the_questions_of_these_tests_are_not_all_alike() -> None:
    """Guards the tests above: the pool contains pairs that hold and pairs that do not."""
    bare = policy("resource", {"Principal": "*"})
    named = policy("resource", {"Principal": {"AWS": THEM}})
    assert isinstance(ask(named, bare, resource=BUCKET, owner=OWNER), Proof)
    assert isinstance(ask(bare, named, resource=BUCKET, owner=OWNER), Counterexample)
