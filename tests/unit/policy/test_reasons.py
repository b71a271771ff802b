"""A decision says what decided, in words."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.policy import Decision, Request, decide, parse_policy

ROLE = "arn:aws:iam::111111111111:role/door"
BOB = "arn:aws:iam::222222222222:user/bob"
ASK = {"StringEquals": {"sts:ExternalId": "x-123"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
ALLOW = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}


def ask(*statements: dict[str, Any], action: Any = "sts:AssumeRole", context: Any = None, **sides: Any) -> Decision:
    trust = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind="trust")
    return decide(Request(principal=BOB, action=action, resource=ROLE, context=context or {}), trust=trust, **sides)


def test_a_missing_external_id() -> None:
    answer = ask(ALLOW | {"Condition": ASK}, context={"aws:MultiFactorAuthPresent": "true"})
    assert answer.reason == 'the trust policy: statement 1 requires sts:ExternalId = "x-123", the request has none'
    [part] = answer.parts
    assert (part.side, part.number, part.statement, part.sid) == ("trust", 1, 1, None)
    [finding] = part.findings
    assert finding.where == "$.Statement[0].Condition.StringEquals['sts:ExternalId']"
    assert finding.text == 'requires sts:ExternalId = "x-123", the request has none'


def test_all_that_failed_is_named() -> None:
    answer = ask(ALLOW | {"Condition": ASK, "Sid": "Door"}, context={"sts:ExternalId": "y"})
    assert answer.reason == (
        'the trust policy: statement 1 (Door) requires sts:ExternalId = "x-123", the request has "y"; '
        'and it requires aws:MultiFactorAuthPresent = "true", the request has none'
    )


def test_the_nearest_statement_is_named() -> None:
    far = ALLOW | {"Principal": {"AWS": "333333333333"}, "Action": "sts:TagSession"}
    near = ALLOW | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    assert "statement 2 requires aws:MultiFactorAuthPresent" in ask(far, near).reason
    # Of two as near as each other, the one that names the caller.
    stranger = ALLOW | {"Principal": {"AWS": "333333333333"}}
    assert "statement 2 requires aws:MultiFactorAuthPresent" in ask(stranger, near).reason
    assert ask(stranger).reason == f"the trust policy: statement 1 applies to 333333333333, the caller is {BOB}"
    assert "applies to sts:AssumeRole, the call is sts:TagSession" in ask(ALLOW, action="sts:TagSession").reason


def test_a_deny_names_what_held() -> None:
    deny = ALLOW | {"Effect": "Deny", "Condition": {"StringNotEquals": {"sts:ExternalId": "x"}}}
    answer = ask(ALLOW, deny, context={"sts:ExternalId": "y"})
    assert answer.reason == (
        'the trust policy, statement 2, denies sts:AssumeRole: sts:ExternalId other than "x" (the request has "y")'
    )
    assert answer.parts[0].findings[0].where == "$.Statement[1].Condition.StringNotEquals['sts:ExternalId']"
    shut = ask(ALLOW, ALLOW | {"Effect": "Deny"})
    assert shut.reason == "the trust policy, statement 2, denies sts:AssumeRole without a condition"


def test_an_allow_names_both_sides() -> None:
    other = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    own = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    identity = [parse_policy({"Statement": item}, kind="identity") for item in (other, own)]
    answer = ask(ALLOW, identity=identity)
    assert answer.reason == (
        "the trust policy, statement 1, and the caller's policies (policy 2), statement 1, allow sts:AssumeRole"
    )
    assert [part.side for part in answer.parts] == ["trust", "identity"]
    assert ask(ALLOW).reason == (
        "the trust policy, statement 1, allows sts:AssumeRole; the caller's own "
        "policies were not given and were not evaluated"
    )
    assert "there are none" in ask(ALLOW, identity=()).reason
    assert ask(ALLOW, identity=identity[:1]).reason == (
        "the caller's policies: statement 1 applies to s3:*, the call is sts:AssumeRole"
    )
    wrong = own | {"Resource": "arn:aws:iam::111111111111:role/other"}
    lacks = ask(ALLOW, identity=[identity[0], parse_policy({"Statement": wrong}, kind="identity")])
    assert (
        "the caller's policies (policy 2): statement 1 applies to arn:aws:iam::111111111111:role/other" in lacks.reason
    )


def test_an_organisation_level_is_numbered() -> None:
    full = parse_policy({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, kind="scp")
    s3 = parse_policy({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}, kind="scp")
    answer = ask(ALLOW, scps=[[full], [s3]])
    assert answer.reason == "the SCPs of level 2: statement 1 applies to s3:*, the call is sts:AssumeRole"
    assert answer.parts[0].number == 2


def words(operator: str, value: Any, context: Any = None, key: str = "aws:x") -> str:
    answer = ask(ALLOW | {"Condition": {operator: {key: value}}}, context=context)
    assert not answer.allowed
    return answer.reason.removeprefix("the trust policy: statement 1 ")


def test_the_words_of_conditions() -> None:
    assert words("Null", "true", {"aws:x": "1"}) == 'requires aws:x to be absent, the request has "1"'
    assert words("Null", "false") == "requires any aws:x, the request has none"
    assert words("IpAddress", "10.0.0.0/8", {"aws:x": "192.0.2.1"}).startswith('requires aws:x in "10.0.0.0/8"')
    assert words("NumericLessThan", 3600, {"aws:x": "4000"}) == 'requires aws:x < "3600", the request has "4000"'
    assert words("DateLessThan", "2026-01-01", {"aws:x": "2027-01-01"}).startswith('requires aws:x before "2026-01-01"')
    assert words("StringEquals", ["a", "b", "c", "d", "e"]) == (
        'requires aws:x = "a" or "b" or "c" or 2 more, the request has none'
    )
    assert words("ForAllValues:StringEquals", "a", {"aws:x": ["a", "b"]}) == (
        'requires every value of aws:x = "a", the request has "a", "b"'
    )
    assert "needs ForAllValues or ForAnyValue" in words("StringEquals", "a", {"aws:x": ["a", "b"]})
    assert words("StringEquals", "${aws:username}", {"aws:x": "eve"}) == (
        'requires aws:x = "${aws:username}" (here "bob"), the request has "eve"'
    )
    assert "(which has no value here)" in words("StringEquals", "${aws:SourceIdentity}", {"aws:x": "eve"})
    long = words("StringEquals", "a" * 10_000, {"aws:x": "b" * 10_000})
    assert len(long) < 600


def test_a_hostile_value_stays_in_its_quotes() -> None:
    reason = words("StringEquals", 'a"\n\x1b[31m', {"aws:x": "\u202e\x00"})
    assert "\x1b" not in reason
    assert "\n" not in reason
    assert "\u202e" not in reason


def test_the_reason_is_put_into_words_only_when_read() -> None:
    answer = ask(ALLOW)
    assert not hasattr(answer, "__dict__")
    assert repr(answer) == "<Decision allowed>"
    assert answer.reason == answer.reason


def test_the_place_of_a_finding_is_the_element_that_the_document_has() -> None:
    [part] = ask(ALLOW, action="sts:TagSession").parts
    assert [result.where for result in part.findings] == ["$.Statement[0].Action"]
    spared = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "NotAction": "sts:TagSession"}
    [part] = ask(spared, action="sts:TagSession").parts
    assert [result.where for result in part.findings] == ["$.Statement[0].NotAction"]


def test_three_values_are_shown_and_the_others_counted() -> None:
    assert words("StringEquals", ["a", "b", "c"]) == 'requires aws:x = "a" or "b" or "c", the request has none'
    assert words("StringEquals", ["a", "b", "c", "d"]) == (
        'requires aws:x = "a" or "b" or "c" or 1 more, the request has none'
    )
    assert words("ForAllValues:StringEquals", "a", {"aws:x": ["b", "c", "d"]}) == (
        'requires every value of aws:x = "a", the request has "b", "c", "d"'
    )
    assert words("ForAnyValue:StringEquals", "a", {"aws:x": ["b", "c", "d", "e"]}) == (
        'requires some value of aws:x = "a", the request has "b", "c", "d", ...'
    )
    assert words("StringEquals", "a", {"aws:x": ["a", "b"]}).startswith(
        'requires aws:x = "a", the request has several ("a", "b"), which needs ForAllValues or ForAnyValue;'
    )
    assert words("StringEquals", []).startswith("requires aws:x = no value at all, the request has none;")
    listed = ["sts:A", "sts:B", "sts:C"]
    assert ask(ALLOW | {"Action": listed}).reason == (
        "the trust policy: statement 1 applies to sts:A, sts:B, sts:C, the call is sts:AssumeRole"
    )
    assert ask(ALLOW | {"Action": [*listed, "sts:D", "sts:E"]}).reason == (
        "the trust policy: statement 1 applies to sts:A, sts:B, sts:C and 2 more, the call is sts:AssumeRole"
    )
    assert ask(ALLOW | {"Action": []}).reason == (
        "the trust policy: statement 1 applies to nothing, the call is sts:AssumeRole"
    )


def test_null_in_words() -> None:
    assert words("Null", ["false", "FALSE"]) == "requires any aws:x, the request has none"
    assert words("Null", []).startswith("requires aws:x or none, the request has none;")


@pytest.mark.parametrize(("long", "shown"), [("a" * 200, "a" * 200), ("a" * 201, "a" * 200 + "...")])
def test_two_hundred_characters_are_shown(long: str, shown: str) -> None:
    assert words("StringEquals", long, {"aws:x": "b" + long[1:]}) == (
        f'requires aws:x = "{shown}", the request has "b{shown[1:]}"'
    )
    cut = shown.removesuffix("...")
    assert ask(ALLOW | {"Sid": long, "Action": "sts:x"}).reason == (
        f"the trust policy: statement 1 ({cut}) applies to sts:x, the call is sts:AssumeRole"
    )
    own = parse_policy(
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:" + long[4:]}}, kind="identity"
    )
    assert ask(ALLOW, identity=own).reason == (
        f"the caller's policies: statement 1 applies to arn:{cut[4:]}, the call is on {ROLE}"
    )


def test_negated_elements_in_words() -> None:
    spared = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "NotAction": ["sts:A*", "sts:B"]}
    assert ask(spared).reason == (
        "the trust policy: statement 1 applies to all actions but sts:A*, sts:B, the call is sts:AssumeRole"
    )
    own = parse_policy(
        {"Statement": {"Effect": "Allow", "Action": "*", "NotResource": ["arn:x", ROLE]}}, kind="identity"
    )
    answer = ask(ALLOW, identity=own)
    assert answer.reason == (
        f"the caller's policies: statement 1 applies to all resources but arn:x, {ROLE}, the call is on {ROLE}"
    )
    assert [result.where for result in answer.parts[0].findings] == ["$.Statement.NotResource"]
    bucket = parse_policy(
        {"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": BOB}, "Action": "*"}}, kind="resource"
    )
    answer = decide(Request(BOB, "s3:GetObject", "arn:aws:s3:::b"), resource=bucket, identity=())
    assert answer.parts == ()
    answer = decide(Request(BOB, "kms:Decrypt", "arn:aws:s3:::b"), resource=bucket)
    assert answer.reason == (f"the resource policy: statement 1 applies to all callers but {BOB}, the caller is {BOB}")
    assert [result.where for result in answer.parts[0].findings] == ["$.Statement.NotPrincipal"]


def test_a_unique_id_in_words() -> None:
    user, role = "AIDAIOSFODNN7EXAMPLE", "AROAIOSFODNN7EXAMPLE"
    both = ALLOW | {"Principal": {"AWS": [role, user]}}
    start = f"the trust policy: statement 1 applies to {role}, {user}, the caller is {BOB}"
    compared = f", whose unique id the request does not contain: {user} is compared with aws:userid"
    assert ask(both).reason == f"{start}{compared}"
    assert ask(both, context={"aws:userid": "AIDAANOTHER7EXAMPLE"}).reason == start
    only = ALLOW | {"Principal": {"AWS": role}}
    assert ask(only).reason == f"the trust policy: statement 1 applies to {role}, the caller is {BOB}"


def test_an_action_is_named_as_the_request_spells_it() -> None:
    answer = ask(ALLOW, action=["STS:assumeROLE", "sts:tagSESSION"])
    assert answer.action == "sts:tagSESSION"
    assert answer.reason == ("the trust policy: statement 1 applies to sts:AssumeRole, the call is sts:tagSESSION")
    assert ask(ALLOW | {"Effect": "Deny"}, action="STS:assumeROLE").action == "STS:assumeROLE"


def test_variables_in_words() -> None:
    assert words("StringEquals", "${aws:SourceIdentity}", {"aws:x": "eve"}) == (
        'requires aws:x = "${aws:SourceIdentity}" (which has no value here), the request has "eve"'
    )
    old = parse_policy(
        {"Statement": ALLOW | {"Condition": {"StringEquals": {"aws:x": "${aws:username}"}}}}, kind="trust"
    )
    answer = decide(Request(BOB, "sts:AssumeRole", ROLE, context={"aws:x": "bob"}), trust=old)
    assert answer.reason == ('the trust policy: statement 1 requires aws:x = "${aws:username}", the request has "bob"')


def test_the_statement_with_fewest_failures_is_nearest_and_the_first_of_equals() -> None:
    two = ALLOW | {"Condition": ASK}
    one = ALLOW | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    assert [part.statement for part in ask(two, one, one).parts] == [2]
    other = ALLOW | {"Action": "sts:TagSession"}
    stranger = ALLOW | {"Principal": {"AWS": "333333333333"}}
    # One failure each: the one about this caller and this action says more.
    assert [part.statement for part in ask(other, stranger, one).parts] == [3]
    assert [part.statement for part in ask(stranger, other).parts] == [1]
    neither = ALLOW | {"Principal": {"AWS": "333333333333"}, "Action": "sts:TagSession"}
    assert [part.statement for part in ask(neither, two).parts] == [2]
