"""The traps of role trust policies, one test each, in the order of the project's list of them.

Each is a place where another engine, or a person, is known to get AWS's rule wrong. Sources stand in the tests.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.steps import counted

from valetkey.errors import PolicyError
from valetkey.policy import Decision, Request, decide, parse_policy

OWNER, CONTRACTOR, STRANGER = "111111111111", "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
BOB = f"arn:aws:iam::{CONTRACTOR}:user/bob"
HOME_BOB = f"arn:aws:iam::{OWNER}:user/bob"
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/worker/s1"
HOME_ROLE = f"arn:aws:iam::{OWNER}:role/team/worker"


def statement(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": CONTRACTOR}, "Action": "sts:AssumeRole", **parts}


def trust(*statements: dict[str, Any], version: str | None = "2012-10-17") -> Any:
    document: dict[str, Any] = {"Statement": list(statements)}
    return parse_policy(document | ({"Version": version} if version else {}), kind="trust")


def allow(action: str = "sts:AssumeRole", resource: str = "*", **parts: Any) -> Any:
    made = {"Effect": "Allow", "Action": action, "Resource": resource, **parts}
    return parse_policy({"Version": "2012-10-17", "Statement": made}, kind="identity")


def limit(kind: Any, action: str) -> Any:
    made = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return parse_policy({"Version": "2012-10-17", "Statement": made}, kind=kind)


def ask(
    policy: Any,
    context: dict[str, Any] | None = None,
    *,
    caller: str = BOB,
    action: str = "sts:AssumeRole",
    **sides: Any,
) -> Decision:
    return decide(Request(principal=caller, action=action, resource=ROLE, context=context or {}), trust=policy, **sides)


def when(operator: str, key: str, value: Any, context: dict[str, Any], *, effect: str = "Allow") -> str:
    """The outcome for one condition; with a Deny, an Allow without conditions stands beside it."""
    tested = statement(Effect=effect, Condition={operator: {key: value}})
    return ask(trust(tested) if effect == "Allow" else trust(statement(), tested), context).outcome


def test_trap_01_a_missing_key_fails_a_positive_test_and_passes_a_negated_one() -> None:
    for operator, value in [
        ("StringEquals", "a"), ("StringLike", "*"), ("NumericEquals", "1"), ("NumericLessThan", "9"),
        ("DateLessThan", "2030-01-01"), ("Bool", "true"), ("Bool", "false"), ("BinaryEquals", "YQ=="),
        ("IpAddress", "0.0.0.0/0"), ("ArnLike", "arn:*:*:*:*:*"), ("StringEqualsIgnoreCase", "a"),
    ]:  # fmt: skip
        assert when(operator, "aws:x", value, {}) == "implicit_deny", operator
        assert when(operator, "aws:x", value, {}, effect="Deny") == "allowed", operator
        assert when(operator + "IfExists", "aws:x", value, {}) == "allowed", operator
        assert when(operator + "IfExists", "aws:x", value, {}, effect="Deny") == "explicit_deny", operator
    for operator, value in [
        ("StringNotEquals", "a"), ("StringNotLike", "*"), ("StringNotEqualsIgnoreCase", "a"),
        ("NumericNotEquals", "1"), ("DateNotEquals", "2030-01-01"), ("NotIpAddress", "10.0.0.0/8"),
        ("ArnNotLike", "arn:aws:iam::*:role/x"), ("ArnNotEquals", "arn:aws:iam::1:role/x"),
    ]:  # fmt: skip
        for spelt in (operator, operator + "IfExists"):
            assert when(spelt, "aws:x", value, {}) == "allowed", spelt
            assert when(spelt, "aws:x", value, {}, effect="Deny") == "explicit_deny", spelt
    assert when("Null", "aws:x", "true", {}) == "allowed"
    assert when("Null", "aws:x", "false", {}) == "implicit_deny"
    assert when("Null", "aws:x", "true", {"aws:x": "1"}) == "implicit_deny"
    assert when("Null", "aws:x", "false", {"aws:x": "1"}) == "allowed"


def test_trap_02_several_values_are_any_for_a_positive_test_and_none_for_a_negated_one() -> None:
    assert when("StringEquals", "aws:x", ["a", "b"], {"aws:x": "b"}) == "allowed"
    assert when("StringNotEquals", "aws:x", ["a", "b"], {"aws:x": "b"}) == "implicit_deny"
    assert when("StringNotEquals", "aws:x", ["a", "b"], {"aws:x": "c"}) == "allowed"
    # Several operators, and several keys of one operator, must all hold.
    both = statement(Condition={"StringEquals": {"aws:x": "a", "aws:y": "b"}, "StringLike": {"aws:z": "c*"}})
    full = {"aws:x": "a", "aws:y": "b", "aws:z": "cc"}
    assert ask(trust(both), full).allowed
    for key in full:
        assert not ask(trust(both), full | {key: "wrong"}).allowed
        assert not ask(trust(both), {name: value for name, value in full.items() if name != key}).allowed


def test_trap_03_for_all_values_holds_on_nothing_and_for_any_value_does_not() -> None:
    for nothing in ({}, {"aws:TagKeys": []}, {"aws:TagKeys": ""}, {"aws:TagKeys": [""]}):
        assert when("ForAllValues:StringEquals", "aws:TagKeys", "a", nothing) == "allowed"
        assert when("ForAllValues:StringNotEquals", "aws:TagKeys", "a", nothing) == "allowed"
        assert when("ForAnyValue:StringEquals", "aws:TagKeys", "a", nothing) == "implicit_deny"
        assert when("ForAnyValue:StringLike", "aws:TagKeys", "*", nothing) == "implicit_deny"
        assert when("ForAnyValue:StringNotEquals", "aws:TagKeys", "a", nothing) == "implicit_deny"
    two = {"aws:TagKeys": ["a", "b"]}
    assert when("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b", "c"], two) == "allowed"
    assert when("ForAllValues:StringEquals", "aws:TagKeys", ["a"], two) == "implicit_deny"
    assert when("ForAnyValue:StringEquals", "aws:TagKeys", ["a"], two) == "allowed"
    assert when("ForAnyValue:StringEquals", "aws:TagKeys", ["c"], two) == "implicit_deny"
    assert when("ForAllValues:StringNotEquals", "aws:TagKeys", ["c"], two) == "allowed"
    assert when("ForAllValues:StringNotEquals", "aws:TagKeys", ["a"], two) == "implicit_deny"
    assert when("ForAnyValue:StringNotEquals", "aws:TagKeys", ["a"], two) == "allowed"
    # Sources conflict on ForAnyValue with IfExists and no key: the reading that lets nobody in.
    assert when("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "a", {}) == "implicit_deny"
    assert when("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "a", {}, effect="Deny") == "explicit_deny"


def test_trap_04_several_values_without_a_set_operator_match_nothing() -> None:
    two = {"aws:TagKeys": ["a", "b"]}
    assert when("StringEquals", "aws:TagKeys", ["a", "b"], two) == "implicit_deny"
    assert when("StringLike", "aws:TagKeys", "*", two) == "implicit_deny"
    assert when("StringNotEquals", "aws:TagKeys", "z", two) == "implicit_deny"
    assert when("StringEqualsIfExists", "aws:TagKeys", "a", two) == "implicit_deny"
    assert when("StringEquals", "aws:TagKeys", "a", {"aws:TagKeys": ["a"]}) == "allowed"
    assert when("Null", "aws:TagKeys", "false", two) == "allowed"


def test_trap_05_the_mfa_key_is_absent_with_long_term_keys() -> None:
    key, absent, with_mfa, without = (
        "aws:MultiFactorAuthPresent",
        {},
        {"aws:MultiFactorAuthPresent": "true"},
        {"aws:MultiFactorAuthPresent": "false"},
    )
    assert [when("Bool", key, "true", context) for context in (absent, without, with_mfa)] == [
        "implicit_deny",
        "implicit_deny",
        "allowed",
    ]
    # The hole: IfExists lets long-term keys in.
    assert [when("BoolIfExists", key, "true", context) for context in (absent, without, with_mfa)] == [
        "allowed",
        "implicit_deny",
        "allowed",
    ]
    # A Deny of "false" does not stop long-term keys; with IfExists it does.
    assert [when("Bool", key, "false", context, effect="Deny") for context in (absent, without, with_mfa)] == [
        "allowed",
        "explicit_deny",
        "allowed",
    ]
    assert [when("BoolIfExists", key, "false", context, effect="Deny") for context in (absent, without, with_mfa)] == [
        "explicit_deny",
        "explicit_deny",
        "allowed",
    ]
    # Null false only proves that temporary credentials were used.
    assert when("Null", key, "false", without) == "allowed"


def test_trap_06_a_chained_role_has_no_mfa_and_the_age_is_absent_with_it() -> None:
    doors = trust(
        statement(
            Condition={
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
                "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
            }
        )
    )
    chained = f"arn:aws:sts::{CONTRACTOR}:assumed-role/worker/s"
    assert not ask(doors, caller=chained).allowed
    assert ask(doors, {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "3599"}).allowed
    assert not ask(doors, {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "3600"}).allowed
    # NumericLessThanIfExists is the hole: no MFA, no age.
    assert when("NumericLessThanIfExists", "aws:MultiFactorAuthAge", "3600", {}) == "allowed"


def test_trap_07_keys_actions_and_operators_have_no_case_and_values_have() -> None:
    assert when("StringEquals", "STS:externalid", "Abc", {"sts:EXTERNALID": "Abc"}) == "allowed"
    assert when("StringEquals", "sts:ExternalId", "Abc", {"sts:ExternalId": "abc"}) == "implicit_deny"
    assert when("StringEqualsIgnoreCase", "sts:ExternalId", "Abc", {"sts:ExternalId": "aBC"}) == "allowed"
    assert when("sTRINGequalsIFexists", "sts:ExternalId", "Abc", {"sts:ExternalId": "Abc"}) == "allowed"
    assert when("forANYvalue:stringlike", "sts:ExternalId", "A*", {"sts:ExternalId": "Abc"}) == "allowed"
    assert ask(trust(statement(Action="STS:assumeROLE"))).allowed
    assert ask(trust(statement()), action="STS:ASSUMEROLE").allowed
    assert not ask(trust(statement(Principal={"AWS": BOB.replace("bob", "Bob")}))).allowed
    with pytest.raises(PolicyError):
        Request(principal=BOB, action="sts:AssumeRole", context={"sts:ExternalId": "a", "STS:externalid": "b"})


def test_trap_08_arn_operators_go_part_by_part_and_string_operators_do_not() -> None:
    namesake = f"arn:aws:iam::{STRANGER}:role/{CONTRACTOR}"
    pattern = f"arn:aws:iam::*{CONTRACTOR}*"
    door = statement(Principal="*", Condition={"StringLike": {"aws:PrincipalArn": pattern}})
    assert ask(trust(door), caller=namesake).allowed  # the hole: another account's role of that name
    arn = statement(Principal="*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*{CONTRACTOR}*:*"}})
    assert not ask(trust(arn), caller=namesake).allowed
    assert ask(trust(arn), caller=BOB).allowed
    longer = {"aws:SourceArn": "arn:aws:x:eu:1111:2222:1111:f/g"}
    assert when("StringLike", "aws:SourceArn", "arn:aws:x:*:1111:f/*", longer) == "allowed"
    assert when("ArnLike", "aws:SourceArn", "arn:aws:x:*:1111:f/*", longer) == "implicit_deny"
    for operator in ("ArnEquals", "ArnLike"):
        assert when(operator, "aws:SourceArn", "arn:aws:x:*:1111:*", longer) == "allowed"
    # The sixth part may hold colons.
    assert (
        when(
            "ArnLike",
            "aws:SourceArn",
            "arn:aws:logs:*:1111:log-group:*",
            {"aws:SourceArn": "arn:aws:logs:eu:1111:log-group:g:s"},
        )
        == "allowed"
    )


def test_trap_09_policy_variables() -> None:
    def named(
        value: str,
        name: str | None,
        *,
        operator: str = "StringEquals",
        version: str | None = "2012-10-17",
        effect: str = "Allow",
        username: Any = (),
    ) -> str:
        tested = statement(Effect=effect, Condition={operator: {"sts:RoleSessionName": value}})
        context = {} if name is None else {"sts:RoleSessionName": name}
        # An empty list takes the derived aws:username away.
        return ask(
            trust(statement(), tested, version=version) if effect == "Deny" else trust(tested, version=version),
            context | {"aws:username": username},
        ).outcome

    assert named("${aws:username}", "bob", username="bob") == "allowed"
    assert named("${AWS:UserName}", "bob", username="bob") == "allowed"
    assert named("x-${aws:username}-y", "x-bob-y", username="bob") == "allowed"
    assert named("${aws:username}", "eve", username="bob") == "implicit_deny"
    for old in (None, "2008-10-17"):
        assert named("${aws:username}", "bob", username="bob", version=old) == "implicit_deny"
        assert named("${aws:username}", "${aws:username}", username="bob", version=old) == "allowed"
    # No value: positive operators never match, inverted ones do.
    assert named("${aws:username}", "bob") == "implicit_deny"
    assert named("${aws:username}", "bob", operator="StringLike") == "implicit_deny"
    assert named("${aws:username}", "bob", operator="StringNotEquals") == "allowed"
    assert named("${aws:username}", "bob", operator="StringNotLike", effect="Deny") == "explicit_deny"
    assert named("${aws:username, 'guest'}", "guest") == "allowed"
    assert named("${aws:username, 'guest'}", "guest", username="bob") == "implicit_deny"
    assert named("${aws:username,''}", "") == "allowed"
    # Several values cannot be put in.
    assert named("${aws:username}", "bob", username=["bob", "eve"]) == "implicit_deny"
    # ${*}, ${?} and ${$} are the characters; a value that was put in is literal.
    assert named("a${*}", "a*") == "allowed"
    assert named("a${*}", "ab", operator="StringLike") == "implicit_deny"
    assert named("a${*}", "a*", operator="StringLike") == "allowed"
    assert named("${?}${$}{x}", "?${x}") == "allowed"
    assert named("${aws:username}", "anybody", operator="StringLike", username="*") == "implicit_deny"
    assert named("${aws:username}", "*", operator="StringLike", username="*") == "allowed"
    assert named("${aws:username}*", "*-more", operator="StringLike", username="*") == "allowed"
    # In Resource, too.
    own = allow(resource="arn:aws:iam::111111111111:role/${aws:username}")
    assert decide(
        Request(principal=BOB, action="sts:AssumeRole", resource=ROLE.replace("door", "bob")), identity=own
    ).allowed
    assert not decide(Request(principal=BOB, action="sts:AssumeRole", resource=ROLE), identity=own).allowed
    assert not decide(Request(principal=SESSION, action="sts:AssumeRole", resource=ROLE), identity=own).allowed
    star = Request(principal=BOB, action="sts:AssumeRole", resource=ROLE, context={"aws:username": "*"})
    assert not decide(star, identity=own).allowed


def test_trap_10_addresses_and_dates() -> None:
    def ip(value: str, address: str, operator: str = "IpAddress") -> str:
        return when(operator, "aws:SourceIp", value, {"aws:SourceIp": address})

    assert ip("10.0.0.1", "10.0.0.1") == "allowed"
    assert ip("10.0.0.1", "10.0.0.2") == "implicit_deny"
    assert ip("10.0.0.0/8", "10.255.0.1") == "allowed"
    assert ip("0.0.0.0/0", "203.0.113.9") == "allowed"
    assert ip("0.0.0.0/0", "2001:db8::1") == "implicit_deny"
    assert ip("::/0", "203.0.113.9") == "implicit_deny"
    assert ip("::/0", "2001:db8::1") == "allowed"
    assert ip("2001:db8::/32", "2001:DB8:0:0::5") == "allowed"
    assert ip("0.0.0.0/0", "203.0.113.9", "NotIpAddress") == "implicit_deny"
    assert ip("10.0.0.1", "2001:db8::1", "NotIpAddress") == "allowed"
    assert ip("10.0.0.1", "10.0.0.1", "NotIpAddress") == "implicit_deny"

    def date(operator: str, value: Any, now: str) -> str:
        return when(operator, "aws:CurrentTime", value, {"aws:CurrentTime": now})

    noon = "2026-06-01T12:00:00Z"
    assert date("DateLessThan", noon, "2026-06-01T11:59:59Z") == "allowed"
    assert date("DateLessThan", noon, noon) == "implicit_deny"
    assert date("DateLessThanEquals", noon, noon) == "allowed"
    assert date("DateGreaterThan", noon, "2026-06-01T12:00:00.001Z") == "allowed"
    assert date("DateEquals", noon, "2026-06-01T14:00:00+02:00") == "allowed"
    # Epoch seconds on either side.
    assert date("DateEquals", noon, "1780315200") == "allowed"
    assert date("DateEquals", 1780315200, noon) == "allowed"
    assert date("DateLessThan", "1780315200", "1780315199") == "allowed"
    assert date("DateLessThan", "1780315200", noon) == "implicit_deny"
    assert date("DateGreaterThanEquals", "2026-06-01", "2026-06-01T00:00:00Z") == "allowed"
    assert date("DateLessThan", "2026-06", "2026-05-31T23:59:59Z") == "allowed"
    with pytest.raises(PolicyError):
        date("DateLessThan", "2026-*", noon)


def test_trap_11_json_types_duplicate_keys_and_a_lone_statement() -> None:
    context = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "5"}
    for value in (True, "true", ["true"], [True], "TRUE"):
        assert when("Bool", "aws:MultiFactorAuthPresent", value, context) == "allowed"
    for value in (5, "5", [5], 5.0, "5.00", "+5"):
        assert when("NumericEquals", "aws:MultiFactorAuthAge", value, context) == "allowed"
    assert when("StringEquals", "aws:MultiFactorAuthAge", 5, context) == "allowed"
    alone = parse_policy({"Version": "2012-10-17", "Statement": statement()}, kind="trust")
    assert ask(alone).allowed
    twice = '{"Statement": {"Effect": "Deny", "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}'
    with pytest.raises(PolicyError) as refusal:
        parse_policy(twice, kind="trust")
    assert refusal.value.where == "$.Statement.Effect"


def test_trap_12_an_account_as_principal_delegates_to_its_identity_policies() -> None:
    for name in (CONTRACTOR, f"arn:aws:iam::{CONTRACTOR}:root"):
        door = trust(statement(Principal={"AWS": name}))
        assert ask(door, identity=allow()).allowed
        assert ask(door, identity=()).outcome == "implicit_deny"
        assert ask(door, identity=None).allowed  # the caller's side not judged
        assert not ask(door, caller=f"arn:aws:iam::{STRANGER}:user/bob", identity=allow()).allowed
    # As a value of aws:PrincipalArn the root ARN means the root user alone.
    root = f"arn:aws:iam::{CONTRACTOR}:root"
    door = trust(statement(Condition={"ArnEquals": {"aws:PrincipalArn": root}}))
    assert not ask(door).allowed
    assert ask(door, caller=root).allowed


def test_trap_13_in_the_same_account_a_direct_grant_is_enough_and_no_grant_is_never() -> None:
    for direct in (HOME_BOB, "*"):
        assert ask(trust(statement(Principal={"AWS": direct})), caller=HOME_BOB, identity=()).allowed
    account = trust(statement(Principal={"AWS": OWNER}))
    assert not ask(account, caller=HOME_BOB, identity=()).allowed
    assert ask(account, caller=HOME_BOB, identity=allow()).allowed
    # Without a match in the trust policy no identity policy helps.
    assert not ask(trust(statement()), caller=HOME_BOB, identity=allow("*")).allowed


def test_trap_14_between_accounts_both_sides_must_allow() -> None:
    for name in (CONTRACTOR, BOB, "*"):
        door = trust(statement(Principal={"AWS": name}))
        assert ask(door, identity=allow()).allowed
        assert ask(door, identity=()).outcome == "implicit_deny"
        assert ask(door, identity=allow("s3:*")).outcome == "implicit_deny"
        assert ask(door, identity=allow(resource="arn:aws:iam::111111111111:role/other")).outcome == "implicit_deny"
    assert ask(trust(statement(Principal={"AWS": STRANGER})), identity=allow()).outcome == "implicit_deny"
    # So the trust policy alone is an upper bound for every outsider.
    assert not ask(trust(statement(Principal={"AWS": STRANGER})), identity=None).allowed


def test_trap_15_a_role_session_is_its_role_too_and_its_arn_has_no_path() -> None:
    assert ask(trust(statement(Principal={"AWS": HOME_ROLE})), caller=SESSION, identity=()).allowed
    assert ask(trust(statement(Principal={"AWS": SESSION})), caller=SESSION, identity=()).allowed
    assert not ask(
        trust(statement(Principal={"AWS": SESSION})), caller=SESSION.replace("s1", "s2"), identity=()
    ).allowed
    assert not ask(trust(statement(Principal={"AWS": HOME_ROLE.replace("worker", "work")})), caller=SESSION).allowed
    # aws:PrincipalArn is the role's ARN; its path has to be told.
    by_arn = trust(statement(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": HOME_ROLE}}))
    assert not ask(by_arn, caller=SESSION).allowed
    assert ask(by_arn, {"aws:PrincipalArn": HOME_ROLE}, caller=SESSION).allowed
    assert ask(by_arn, caller=HOME_ROLE).allowed
    flat = trust(
        statement(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/worker"}})
    )
    assert ask(flat, caller=SESSION).allowed
    with pytest.raises(PolicyError):
        trust(statement(Principal={"AWS": SESSION.replace("s1", "*")}))


@pytest.mark.parametrize(
    "name",
    [
        f"arn:aws:iam::{CONTRACTOR}:user/*",
        f"arn:aws:iam::{CONTRACTOR}:role/a?",
        f"arn:aws:iam::{CONTRACTOR}:*",
        "arn:aws:iam::*:root",
        "2222*",
        "**",
        "arn:*:iam::222222222222:root",
    ],
)
def test_trap_16_a_principal_takes_no_partial_wildcard(name: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        trust(statement(Principal={"AWS": [CONTRACTOR, name]}))
    assert refusal.value.where == "$.Statement[0].Principal.AWS[1]"
    assert ask(trust(statement(Principal="*")), caller=HOME_BOB, identity=()).allowed


def test_trap_17_a_unique_id_matches_no_arn() -> None:
    gone = trust(statement(Principal={"AWS": ["AIDAIOSFODNN7EXAMPLE", "AROAIOSFODNN7EXAMPLE"]}))
    assert not ask(gone).allowed
    assert not ask(gone, {"aws:userid": "AIDAANOTHERONE7EXAMP"}).allowed
    assert ask(gone, {"aws:userid": "AIDAIOSFODNN7EXAMPLE"}).allowed
    session = f"arn:aws:sts::{CONTRACTOR}:assumed-role/worker/s"
    assert not ask(gone, caller=session).allowed
    assert ask(gone, {"aws:userid": "AROAIOSFODNN7EXAMPLE:s"}, caller=session).allowed
    # At home, a role's id is a grant to the role: no identity policy needed, limited by a boundary.
    at_home = {"principal": SESSION, "action": "sts:AssumeRole", "resource": ROLE}
    known = Request(**at_home, context={"aws:userid": "AROAIOSFODNN7EXAMPLE:s1"})
    assert decide(known, trust=gone, identity=()).allowed
    assert not decide(known, trust=gone, identity=(), boundary=limit("boundary", "s3:*")).allowed
    # A user's id is a grant to the user itself, which a boundary does not limit.
    bob = Request(
        principal=HOME_BOB, action="sts:AssumeRole", resource=ROLE, context={"aws:userid": "AIDAIOSFODNN7EXAMPLE"}
    )
    assert decide(bob, trust=gone, identity=(), boundary=limit("boundary", "s3:*")).allowed
    # A condition on the name survives a re-creation.
    named = trust(statement(Condition={"ArnEquals": {"aws:PrincipalArn": BOB}}))
    assert ask(named, {"aws:userid": "AIDAANOTHERONE7EXAMP"}).allowed


def test_trap_18_not_principal() -> None:
    refused: dict[str, Any] = {"Effect": "Deny", "NotPrincipal": {"AWS": CONTRACTOR}, "Action": "sts:AssumeRole"}
    for kind, more in (("trust", {}), ("identity", {"Resource": "*"}), ("rcp", {"Resource": "*"})):
        with pytest.raises(PolicyError, match="NotPrincipal"):
            parse_policy({"Version": "2012-10-17", "Statement": refused | more}, kind=kind)  # type: ignore[arg-type]

    def denied(names: list[str], caller: str, **sides: Any) -> bool:
        policy = parse_policy({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "NotPrincipal": {"AWS": names}, "Action": "s3:*", "Resource": "*"},
        ]}, kind="resource")  # fmt: skip
        request = Request(principal=caller, action="s3:GetObject", resource="arn:aws:s3:::b/k", resource_account=OWNER)
        return decide(request, resource=policy, **sides).outcome == "explicit_deny"

    role = f"arn:aws:iam::{OWNER}:role/worker"
    assert denied([HOME_BOB], HOME_BOB)  # the account is not listed
    assert not denied([HOME_BOB, OWNER], HOME_BOB)
    assert denied([HOME_BOB, OWNER], HOME_BOB, boundary=limit("boundary", "s3:*"))
    assert denied([role, OWNER], SESSION)  # the session is not listed
    assert not denied([role, OWNER, SESSION], SESSION)
    assert denied([HOME_BOB, OWNER], f"arn:aws:iam::{OWNER}:user/eve")


def test_trap_19_boundary_and_session_policy_limit_a_role_but_no_direct_grant() -> None:
    closed: Any
    for side in ("boundary", "session"):
        closed = {side: limit(side, "s3:*")}
        opened: Any = {side: limit(side, "sts:*")}
        role = trust(statement(Principal={"AWS": HOME_ROLE}))
        account = trust(statement(Principal={"AWS": OWNER}))
        assert not ask(role, caller=SESSION, identity=(), **closed).allowed
        assert ask(role, caller=SESSION, identity=(), **opened).allowed
        assert not ask(account, caller=SESSION, identity=allow(), **closed).allowed
        assert ask(account, caller=SESSION, identity=allow(), **opened).allowed
        assert ask(trust(statement(Principal={"AWS": SESSION})), caller=SESSION, identity=(), **closed).allowed
        assert ask(trust(statement(Principal={"AWS": HOME_BOB})), caller=HOME_BOB, identity=(), **closed).allowed
        # Of several statements the most direct counts.
        both = trust(statement(Principal={"AWS": HOME_ROLE}), statement(Principal={"AWS": [OWNER, SESSION]}))
        assert ask(both, caller=SESSION, identity=(), **closed).allowed
        # Between accounts they always limit.
        assert not ask(trust(statement(Principal={"AWS": BOB})), identity=allow(), **closed).allowed
        # And their Deny always counts.
        deny = parse_policy({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}, kind=side)  # type: ignore[arg-type]
        assert (
            ask(trust(statement(Principal={"AWS": HOME_BOB})), caller=HOME_BOB, **{side: deny}).outcome
            == "explicit_deny"
        )


def test_trap_20_star_with_a_principal_arn_condition_is_not_limited_by_a_boundary() -> None:
    role = f"arn:aws:iam::{OWNER}:role/worker"
    door = trust(statement(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": role}}))
    assert ask(
        door, caller=SESSION, identity=(), boundary=limit("boundary", "s3:*"), session=limit("session", "s3:*")
    ).allowed


def test_trap_21_tags_and_source_identity_are_further_actions_of_the_call() -> None:
    plain = trust(statement())
    tagging = trust(statement(Action=["sts:AssumeRole", "sts:TagSession"]))
    call = ["sts:AssumeRole", "sts:TagSession"]

    def together(policy: Any, actions: list[str], **sides: Any) -> Decision:
        return decide(
            Request(principal=BOB, action=actions, resource=ROLE, context={"aws:TagKeys": ["a"]}), trust=policy, **sides
        )

    assert together(plain, ["sts:AssumeRole"]).allowed
    assert together(plain, call).outcome == "implicit_deny"
    assert together(plain, call).action == "sts:TagSession"
    assert together(tagging, call).allowed
    assert not together(tagging, call, identity=allow("sts:AssumeRole")).allowed
    assert together(tagging, call, identity=allow("sts:*")).allowed
    shut = trust(statement(Action="sts:*"), statement(Effect="Deny", Action="sts:SetSourceIdentity"))
    assert together(shut, call).allowed
    assert together(shut, [*call, "sts:SetSourceIdentity"]).outcome == "explicit_deny"


def test_trap_22_the_external_id_exists_only_in_assume_role() -> None:
    # A guard "deny another id" also stops the call that sends none.
    guard = trust(statement(), statement(Effect="Deny", Condition={"StringNotEquals": {"sts:ExternalId": "right"}}))
    assert ask(guard, {"sts:ExternalId": "right"}).allowed
    assert ask(guard, {"sts:ExternalId": "wrong"}).outcome == "explicit_deny"
    assert ask(guard).outcome == "explicit_deny"
    # It is no secret, but a test of it is exact.
    door = trust(statement(Condition={"StringEquals": {"sts:ExternalId": "right"}}))
    for near in ("Right", "right ", "righ", "rightt", "r*", ""):
        assert not ask(door, {"sts:ExternalId": near}).allowed


def test_trap_23_a_role_does_not_trust_itself() -> None:
    own = f"arn:aws:sts::{OWNER}:assumed-role/door/s"
    assert not ask(trust(statement()), caller=own, identity=allow("*")).allowed
    assert ask(trust(statement(Principal={"AWS": ROLE})), caller=own, identity=()).allowed


def test_trap_24_the_trust_policy_of_assume_role_is_judged_and_a_service_is_a_principal() -> None:
    # AWS's own simulator throws the trust policy away and refuses Service principals: never offer it as the check.
    service = trust(statement(Principal={"Service": "ec2.amazonaws.com"}))
    assert ask(service, caller="ec2.amazonaws.com", identity=()).allowed
    assert not ask(service, caller="lambda.amazonaws.com").allowed
    assert not ask(service, identity=allow("*")).allowed


def test_trap_25_a_hostile_pattern_costs_few_steps() -> None:
    pattern, text = "*a" * 30 + "*b", "a" * 1000
    result, steps = counted(
        lambda: (
            when("StringLike", "sts:ExternalId", pattern, {"sts:ExternalId": text}),
            when("ArnLike", "aws:SourceArn", f"arn:aws:iam::1:{pattern}", {"aws:SourceArn": f"arn:aws:iam::1:{text}"}),
            decide(
                Request(principal=BOB, action="s3:" + "a" * 200, resource=f"arn:aws:s3:::{text}"),
                identity=allow(f"s3:{pattern}", f"arn:aws:s3:::{pattern}"),
            ).outcome,
        )
    )
    assert result == ("implicit_deny",) * 3
    assert steps < 2_000


def test_trap_26_a_star_covers_a_newline() -> None:
    assert when("StringLike", "aws:PrincipalTag/note", "a*b", {"aws:PrincipalTag/note": "a\nb"}) == "allowed"
    assert when("StringLike", "aws:PrincipalTag/note", "a?b", {"aws:PrincipalTag/note": "a\nb"}) == "allowed"
    assert when("StringNotLike", "aws:PrincipalTag/note", "*", {"aws:PrincipalTag/note": "\n"}) == "implicit_deny"


def test_there_is_a_test_for_every_trap() -> None:
    numbers = {name.split("_")[2] for name in globals() if name.startswith("test_trap_")}
    assert numbers == {f"{number:02}" for number in range(1, 27)}
