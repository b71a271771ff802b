"""Properties of every document and every request."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from valetkey.catalog.limits import FIELDS, LimitError, check
from valetkey.errors import PolicyError
from valetkey.policy import Decision, Policy, Request, decide, parse_policy
from valetkey.policy.arns import parse_arn
from valetkey.policy.decision_json import answer
from valetkey.policy.globs import matches
from valetkey.policy.operators import OPERATORS, read_operator, reader
from valetkey.policy.statements import POLICY_KINDS

ACCOUNTS = ["111111111111", "222222222222"]
ROLE = "arn:aws:iam::111111111111:role/door"
CALLERS = [
    "arn:aws:iam::111111111111:user/bob",
    "arn:aws:iam::222222222222:user/bob",
    "arn:aws-cn:iam::222222222222:user/bob",
    "arn:aws:iam::222222222222:root",
    "arn:aws:sts::111111111111:assumed-role/worker/s",
    "arn:aws:sts::222222222222:federated-user/ann",
    "ec2.amazonaws.com",
    "token.actions.githubusercontent.com",
    "anonymous",
]
ENTRIES = [
    *ACCOUNTS, *(caller for caller in CALLERS if caller.startswith("arn:")), "*", "arn:aws:iam::222222222222:root",
    "arn:aws:iam::111111111111:role/team/worker", "AIDAIOSFODNN7EXAMPLE",
]  # fmt: skip
KEYS = [
    "sts:ExternalId",
    "aws:MultiFactorAuthPresent",
    "aws:TagKeys",
    "aws:username",
    "aws:PrincipalArn",
    "aws:SourceIp",
]
VALUES = [
    *("", "a", "ab", "A", "a*", "*", "?", "bob", "true", "false", "5", "-1.5", "YQ==", "2026-01-01", "1780315200"),
    *(
        "10.0.0.1",
        "0.0.0.0/0",
        "::/0",
        "::1",
        "${aws:username}",
        "${*}",
        "${aws:x, 'a'}",
        "arn:aws:iam::*:user/*",
        CALLERS[1],
    ),
]
OPERATOR_NAMES = [
    prefix + row.name + suffix
    for row in OPERATORS.values()
    for prefix in ("", "ForAllValues:", "ForAnyValue:")
    for suffix in ("", "IfExists")
    if row.name != "Null" or (not prefix and not suffix)
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(VALUES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Action", "Principal", "AWS", "Condition", "Resource", *KEYS]
            )
            | st.sampled_from(OPERATOR_NAMES)
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, dict[str, list[str]]]:
    """Operators with values that they can read."""
    made: dict[str, dict[str, list[str]]] = {}
    for name in draw(st.lists(st.sampled_from(OPERATOR_NAMES), max_size=2)):
        read = read_operator(name)
        assert read is not None
        reads = reader(read[0].family)
        fitting = [value for value in VALUES if reads is None or reads(value) is not None]
        listed = st.lists(st.sampled_from(fitting), max_size=3)
        made[name] = draw(st.dictionaries(st.sampled_from(KEYS), listed, max_size=2))
    return made


values = st.sampled_from([value for value in VALUES if "${" not in value])
requests = st.builds(
    Request,
    principal=st.sampled_from(CALLERS),
    action=st.sampled_from(["sts:AssumeRole", "STS:assumerole", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"]),
    resource=st.sampled_from([ROLE, "*"]),
    context=st.dictionaries(st.sampled_from(KEYS), values | st.lists(values, max_size=3), max_size=4),
)
actions = st.sampled_from(["sts:AssumeRole", "sts:*", "*", "sts:Assume*", "sts:TagSession", []])


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    named = draw(st.lists(st.sampled_from(ENTRIES), max_size=3))
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Principal": draw(st.sampled_from(["*", {"AWS": named}, {"Service": "ec2.amazonaws.com", "AWS": named}])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(actions),
        "Condition": draw(conditions()),
    }


def parsed(made: list[dict[str, Any]]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": made}, kind="trust")


def stated(error: PolicyError | LimitError, where: str = "") -> None:
    """Assert that an error says what is wrong and what to do."""
    assert error.what
    assert error.do
    assert error.where.startswith(where)


def told(decision: Decision) -> Decision:
    """Read everything that is rendered lazily, so that errors occur here."""
    assert decision.reason
    assert decision.allowed is (decision.outcome == "allowed")
    assert isinstance(decision.parts, tuple)
    return decision


@given(st.text() | anything.map(lambda value: json.dumps(value)) | anything, st.sampled_from(POLICY_KINDS))
def test_nothing_but_a_policy_error_leaves_the_parser(document: Any, kind: Any) -> None:
    try:
        parse_policy(document, kind=kind)
    except PolicyError as error:
        stated(error, "$")


@given(anything, st.sampled_from(POLICY_KINDS), requests)
def test_what_is_parsed_is_decided(value: Any, kind: Any, request: Request) -> None:
    made = {"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*", "Condition": value}
    try:
        policy = parse_policy({"Version": "2012-10-17", "Statement": [made]}, kind=kind)
    except PolicyError:
        return
    side = {"scp": "scps", "rcp": "rcps"}.get(kind, kind)
    told(decide(request, **{side: [[policy]] if side in ("scps", "rcps") else policy}))


@given(
    st.text() | st.sampled_from(CALLERS),
    st.text() | st.just("sts:AssumeRole"),
    st.text(),
    st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=3),
)
def test_a_request_is_read_or_refused(principal: str, action: str, resource: str, context: dict[str, Any]) -> None:
    everyone = parse_policy({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}, kind="trust")
    try:
        request = Request(principal=principal, action=action, resource=resource, context=context)
    except PolicyError as error:
        stated(error)
        return
    assert told(decide(request, trust=everyone)).allowed


@given(st.lists(statements(), max_size=4), requests)
def test_parsing_accepts_what_it_accepted_once_written_again(made: list[dict[str, Any]], request: Request) -> None:
    first = parsed(made)
    again = parse_policy(json.dumps({"Version": "2012-10-17", "Statement": made}, indent=2), kind="trust")
    assert again == first
    assert told(decide(request, trust=again)).outcome == decide(request, trust=first).outcome


@given(st.lists(statements(), min_size=1, max_size=4), statements(), requests)
def test_a_deny_never_grows_and_an_allow_never_shrinks(
    made: list[dict[str, Any]], more: dict[str, Any], request: Request
) -> None:
    first, denied, allowed = (
        parsed(made),
        parsed([*made, more | {"Effect": "Deny"}]),
        parsed([*made, more | {"Effect": "Allow"}]),
    )
    before = decide(request, trust=first)
    assert before.allowed or not decide(request, trust=denied).allowed
    after = decide(request, trust=allowed)
    assert after.allowed or not before.allowed
    assert (before.outcome == "explicit_deny") is (after.outcome == "explicit_deny")


@given(st.lists(statements(), min_size=1, max_size=4), requests, st.randoms(use_true_random=False))
def test_order_does_not_matter(made: list[dict[str, Any]], request: Request, random: Any) -> None:
    first = parsed(made)

    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return random.sample([shuffled(item) for item in value], len(value))
        if isinstance(value, dict):
            return {key: shuffled(item) for key, item in random.sample(list(value.items()), len(value))}
        return value

    second = parsed(shuffled(made))
    assert decide(request, trust=first).outcome == decide(request, trust=second).outcome


@given(st.lists(statements(), min_size=1, max_size=3), requests)
def test_the_case_of_keys_operators_and_actions_does_not_matter(made: list[dict[str, Any]], request: Request) -> None:
    first = parsed(made)
    swapped = [
        statement
        | {
            "Condition": {
                name.swapcase(): {key.swapcase(): value for key, value in block.items()}
                for name, block in statement["Condition"].items()
            }
        }
        for statement in made
    ]
    second = parsed(swapped)
    assert decide(request, trust=first).outcome == decide(request, trust=second).outcome


@given(st.lists(statements(), min_size=1, max_size=3), requests, st.booleans())
def test_more_sides_never_allow_more(made: list[dict[str, Any]], request: Request, deny: bool) -> None:
    trust = parsed(made)
    alone = decide(request, trust=trust)
    own = parse_policy(
        {"Statement": {"Effect": "Deny" if deny else "Allow", "Action": "sts:Assume*", "Resource": "*"}},
        kind="identity",
    )
    for sides in ({"identity": own}, {"identity": ()}, {"boundary": own}, {"session": own}, {"scps": [[own], [own]]}):
        assert alone.allowed or not told(decide(request, trust=trust, **sides)).allowed


@given(st.lists(statements(), min_size=1, max_size=3), requests)
def test_the_parts_that_are_named_did_decide(made: list[dict[str, Any]], request: Request) -> None:
    """Without the named Deny the reason of the decision changes; the named Allow alone still allows."""
    trust = parsed(made)
    decision = decide(request, trust=trust)
    if decision.outcome == "implicit_deny":
        for part in decision.parts:
            assert part.findings
        return
    [part] = decision.parts
    alone = parsed([made[part.statement - 1]])
    assert decide(request, trust=alone).outcome == decision.outcome


def _reference(pattern: str, text: str) -> bool:
    """The textbook matcher, a table over both lengths."""
    row = [True] + [False] * len(text)
    for char in pattern:
        new = [row[0] and char == "*"]
        for at, have in enumerate(text, 1):
            new.append(new[at - 1] or row[at] if char == "*" else row[at - 1] and char in ("?", have))
        row = new
    return row[-1]


@settings(max_examples=500)
@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_a_glob_agrees_with_the_textbook(pattern: str, text: str) -> None:
    assert matches(pattern, text) is _reference(pattern, text)


@given(st.text("a?", min_size=70, max_size=90), st.text("a", max_size=300), st.sampled_from(["", "a", "b"]))
def test_a_long_glob_agrees_with_the_textbook(piece: str, text: str, last: str) -> None:
    for pattern in (f"*{piece}{last}*", f"{last}*{piece}*a"):
        assert matches(pattern, text) is _reference(pattern, text)


@given(st.text(max_size=20))
def test_a_text_fits_itself_and_any_star(text: str) -> None:
    assert matches("*", text)
    plain = re.sub(r"[*?]", "", text)
    assert matches(plain, plain)
    assert matches(plain + "*", plain + text)


@given(st.text() | st.sampled_from(CALLERS))
def test_an_arn_is_parsed_or_refused(text: str) -> None:
    try:
        assert str(parse_arn(text)) == text
    except PolicyError as error:
        stated(error)


@given(st.sampled_from(FIELDS), st.text(max_size=70))
def test_a_limit_holds_or_is_stated(field: str, value: str) -> None:
    try:
        assert check(field, value) is None  # type: ignore[func-returns-value]
    except LimitError as error:
        stated(error)


@given(
    st.text() | anything.map(json.dumps) | anything.map(lambda value: json.dumps({"request": value, "trust": value}))
)
def test_a_question_is_answered_or_refused(text: str) -> None:
    try:
        told(answer(text))
    except PolicyError as error:
        stated(error, "$")
