"""Which policies must agree: organisation levels, resource policies, services, providers, the root user."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.evaluation import could_allow

OWNER, CONTRACTOR = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
BOB = f"arn:aws:iam::{CONTRACTOR}:user/bob"
HOME_BOB = f"arn:aws:iam::{OWNER}:user/bob"
WORKER = f"arn:aws:sts::{OWNER}:assumed-role/worker/s"
BUCKET = "arn:aws:s3:::bucket/key"


def policy(kind: Any, *statements: dict[str, Any]) -> Any:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind=kind)


def made(kind: Any, action: str = "*", effect: str = "Allow", **more: Any) -> Any:
    return policy(kind, {"Effect": effect, "Action": action, "Resource": "*", **more})


def trust(principal: Any = None, **more: Any) -> Any:
    named = principal or {"AWS": CONTRACTOR}
    return policy("trust", {"Effect": "Allow", "Principal": named, "Action": "sts:AssumeRole", **more})


def assume(caller: str = BOB, action: str = "sts:AssumeRole", **context: str) -> Request:
    return Request(principal=caller, action=action, resource=ROLE, context=context)


FULL, ALL = made("scp"), made("identity")


def test_every_level_of_scps_must_allow_and_any_deny_decides() -> None:
    def outcome(scps: Any, caller: str = BOB, door: Any = None) -> str:
        return decide(assume(caller), trust=door or trust(), identity=ALL, scps=scps).outcome

    s3_only, no_sts = made("scp", "s3:*"), made("scp", "sts:*", "Deny")
    assert outcome([[FULL], [FULL]]) == "allowed"
    assert outcome([[FULL], [s3_only]]) == "implicit_deny"
    assert outcome([[s3_only], [FULL]]) == "implicit_deny"
    assert outcome([[FULL], [s3_only, FULL]]) == "allowed"
    assert outcome([[FULL], []]) == "implicit_deny"
    assert outcome([[FULL], [FULL, no_sts]]) == "explicit_deny"
    assert outcome([FULL]) == "allowed"
    # A direct grant in the same account does not escape them, nor does the root user.
    assert outcome([[s3_only]], HOME_BOB, trust({"AWS": HOME_BOB})) == "implicit_deny"
    assert outcome([[s3_only]], f"arn:aws:iam::{OWNER}:root", trust({"AWS": OWNER})) == "implicit_deny"
    # Services and service-linked roles are not concerned.
    assert outcome([[no_sts]], "ec2.amazonaws.com", trust({"Service": "ec2.amazonaws.com"})) == "allowed"
    linked = f"arn:aws:iam::{OWNER}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    assert outcome([[no_sts]], linked, trust({"AWS": linked})) == "allowed"


def test_of_rcps_only_a_deny_counts_since_full_access_cannot_be_detached() -> None:
    outsiders = {"StringNotEquals": {"aws:PrincipalAccount": OWNER}}
    fence = made("rcp", "sts:*", "Deny", Principal="*", Condition=outsiders)
    full = made("rcp", Principal="*")
    assert decide(assume(), trust=trust(), identity=ALL, rcps=[[full], [full, fence]]).outcome == "explicit_deny"
    assert decide(assume(HOME_BOB), trust=trust("*"), rcps=[[full], [full, fence]]).outcome == "allowed"
    assert decide(assume(HOME_BOB), trust=trust("*"), rcps=[[fence], []]).outcome == "allowed"
    # A service is concerned by them.
    everyone = made("rcp", "sts:*", "Deny", Principal="*")
    service = trust({"Service": "ec2.amazonaws.com"})
    assert decide(assume("ec2.amazonaws.com"), trust=service, rcps=[[everyone]]).outcome == "explicit_deny"


@pytest.mark.parametrize("side", ["trust", "resource", "identity", "boundary", "session", "scps", "rcps"])
def test_a_deny_from_anywhere_comes_first(side: str) -> None:
    sides: dict[str, Any] = {
        "trust": trust(),
        "identity": [ALL],
        "boundary": made("boundary"),
        "session": made("session"),
        "scps": [[FULL]],
        "rcps": [],
    }
    assert decide(assume(), **sides).outcome == "allowed"
    kind: Any = side.removesuffix("s")
    if side == "trust":
        deny = policy("trust", {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"})
    else:
        deny = made(kind, "sts:*", "Deny", **({"Principal": "*"} if side in ("rcps", "resource") else {}))
    if side in ("scps", "rcps"):
        sides[side] = [*sides[side], [deny]]
    else:
        given = sides.get(side, [])
        sides[side] = [*(given if isinstance(given, list) else [given]), deny]
    answer = decide(assume(), **sides)
    assert answer.outcome == "explicit_deny"
    assert answer.parts[0].side == kind


def test_a_deny_for_another_action_or_caller_does_not_apply() -> None:
    allow = {"Effect": "Allow", "Principal": {"AWS": CONTRACTOR}, "Action": "sts:AssumeRole"}
    for more in ({"Action": "sts:TagSession"}, {"Principal": {"AWS": OWNER}}, {"NotAction": "sts:AssumeRole"}):
        deny = {name: value for name, value in allow.items() if not ("NotAction" in more and name == "Action")}
        assert decide(assume(), trust=policy("trust", allow, deny | {"Effect": "Deny"} | more)).allowed


def test_a_resource_policy_and_identity_policies_add_up_in_one_account() -> None:
    def outcome(caller: str, resource: Any, identity: Any, **sides: Any) -> str:
        request = Request(principal=caller, action="s3:GetObject", resource=BUCKET, resource_account=OWNER)
        return decide(request, resource=resource, identity=identity, **sides).outcome

    def bucket(principal: Any, effect: str = "Allow") -> Any:
        return made("resource", "s3:*", effect, Principal=principal)

    assert outcome(HOME_BOB, None, ALL) == "allowed"
    assert outcome(HOME_BOB, None, ()) == "implicit_deny"
    assert outcome(HOME_BOB, bucket({"AWS": CONTRACTOR}), ALL) == "allowed"
    assert outcome(HOME_BOB, bucket({"AWS": HOME_BOB}), ()) == "allowed"
    assert outcome(HOME_BOB, bucket({"AWS": OWNER}), ()) == "implicit_deny"
    assert outcome(HOME_BOB, bucket({"AWS": HOME_BOB}, "Deny"), ALL) == "explicit_deny"
    assert outcome(WORKER, bucket({"AWS": f"arn:aws:iam::{OWNER}:role/worker"}), ()) == "allowed"
    # Between accounts both must allow.
    assert outcome(BOB, None, ALL) == "implicit_deny"
    assert outcome(BOB, bucket({"AWS": BOB}), ()) == "implicit_deny"
    assert outcome(BOB, bucket({"AWS": BOB}), ALL) == "allowed"
    assert outcome(BOB, bucket("*"), made("identity", "ec2:*")) == "implicit_deny"
    assert outcome(BOB, bucket({"AWS": BOB}), ALL, boundary=made("boundary", "ec2:*")) == "implicit_deny"
    # Anonymous and service callers have no other side.
    assert outcome("anonymous", bucket("*"), ()) == "allowed"
    assert outcome("anonymous", bucket({"AWS": OWNER}), ()) == "implicit_deny"
    assert outcome("logging.s3.amazonaws.com", bucket({"Service": "logging.s3.amazonaws.com"}), ()) == "allowed"
    assert outcome("a" * 64, bucket({"CanonicalUser": "a" * 64}), None) == "allowed"
    assert outcome("a" * 64, bucket({"CanonicalUser": "b" * 64}), None) == "implicit_deny"


def test_a_key_policy_must_allow_like_a_trust_policy() -> None:
    key = f"arn:aws:kms:eu-west-1:{OWNER}:key/1"
    request = Request(principal=HOME_BOB, action="kms:Decrypt", resource=key)
    assert not decide(request, resource=made("resource", "kms:*", Principal={"AWS": CONTRACTOR}), identity=ALL).allowed
    assert decide(request, resource=made("resource", "kms:*", Principal={"AWS": OWNER}), identity=ALL).allowed


def test_an_identity_provider_is_judged_by_the_trust_alone() -> None:
    saml, github = f"arn:aws:iam::{OWNER}:saml-provider/ADFS", "token.actions.githubusercontent.com"
    oidc = f"arn:aws:iam::{OWNER}:oidc-provider/{github}"

    def outcome(named: str, caller: str, action: str, **context: str) -> str:
        door = trust({"Federated": named}, Action=action, Condition={"StringEquals": {f"{github}:aud": "sts"}})
        return decide(assume(caller, action, **context), trust=door, identity=()).outcome

    web, right = "sts:AssumeRoleWithWebIdentity", {f"{github}:aud": "sts"}
    assert outcome(oidc, oidc, web, **right) == "allowed"
    assert outcome(oidc, github, web, **right) == "allowed"
    assert outcome(github, github, web, **right) == "allowed"
    assert outcome(oidc, oidc, web) == "implicit_deny"
    assert outcome(oidc, "accounts.google.com", web, **right) == "implicit_deny"
    assert outcome(oidc, oidc.replace(OWNER, CONTRACTOR), web, **right) == "implicit_deny"
    assert outcome(saml, saml, "sts:AssumeRoleWithSAML", **right) == "allowed"
    assert outcome(saml, BOB, "sts:AssumeRole", **right) == "implicit_deny"
    assert decide(assume(oidc, web), trust=trust()).outcome == "implicit_deny"


def test_the_root_user_needs_no_policy_of_its_own() -> None:
    root, outside = f"arn:aws:iam::{OWNER}:root", f"arn:aws:iam::{CONTRACTOR}:root"
    assert decide(assume(root), trust=trust({"AWS": OWNER}), identity=()).allowed
    assert decide(assume(outside), trust=trust(), identity=()).allowed
    assert not decide(assume(root), trust=trust(), identity=()).allowed
    assert decide(Request(principal=root, action="s3:GetObject", resource=BUCKET, resource_account=OWNER)).allowed
    assert not decide(
        Request(principal=outside, action="s3:GetObject", resource=BUCKET, resource_account=OWNER)
    ).allowed


def test_accounts_of_the_same_number_in_two_partitions_are_two() -> None:
    abroad = f"arn:aws-cn:iam::{CONTRACTOR}:user/bob"
    for named in (CONTRACTOR, f"arn:aws:iam::{CONTRACTOR}:root", BOB):
        assert not decide(assume(abroad), trust=trust({"AWS": named})).allowed
    assert not decide(assume(BOB), trust=trust({"AWS": f"arn:aws-cn:iam::{CONTRACTOR}:root"})).allowed
    # A bare account id is an account of the role's own partition.
    china = Request(principal=abroad, action="sts:AssumeRole", resource=ROLE.replace("aws", "aws-cn", 1))
    assert decide(china, trust=trust({"AWS": CONTRACTOR})).allowed


def test_what_is_not_given_is_not_judged() -> None:
    assert decide(assume(), trust=trust()).allowed
    assert decide(assume(), identity=ALL).allowed
    assert "not evaluated" in decide(assume(), identity=ALL).reason
    tagged = Request(
        principal=BOB,
        action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"],
        resource=ROLE,
    )
    assert decide(tagged, identity=ALL).allowed
    assert not decide(tagged, identity=made("identity", "sts:AssumeRole")).allowed
    assert not decide(assume(), identity=()).allowed
    assert not decide(assume()).allowed
    assert not decide(assume(), identity=ALL, boundary=made("boundary", "s3:*")).allowed
    assert decide(Request(principal=HOME_BOB, action="iam:GetUser"), identity=[made("identity", "iam:Get*")]).allowed


def test_identity_policies_of_not_action_and_not_resource() -> None:
    own = policy("identity", {"Effect": "Allow", "NotAction": "iam:*", "NotResource": [ROLE, "arn:aws:iam::*:role/x*"]})

    def allowed(action: str, resource: str) -> bool:
        return decide(Request(principal=HOME_BOB, action=action, resource=resource), identity=own).allowed

    assert allowed("sts:AssumeRole", ROLE + "2")
    assert not allowed("sts:AssumeRole", ROLE)
    assert not allowed("sts:AssumeRole", f"arn:aws:iam::{OWNER}:role/xyz")
    assert not allowed("iam:GetRole", ROLE + "2")
    assert not allowed("IAM:getrole", ROLE + "2")


def test_one_of_several_patterns_is_enough() -> None:
    own = policy(
        "identity",
        {"Effect": "Allow", "Action": ["s3:Get*", "sts:A*", "iam:GetRole"], "Resource": ["arn:aws:s3:::*", ROLE]},
    )
    for action, answer in {"sts:AssumeRole": True, "s3:GetX": True, "iam:GetRole": True, "iam:PutRole": False}.items():
        assert decide(Request(principal=HOME_BOB, action=action, resource=ROLE), identity=own).allowed is answer
    assert not decide(Request(principal=HOME_BOB, action="sts:AssumeRole", resource=ROLE + "2"), identity=own).allowed


def test_empty_lists_allow_nothing_and_an_empty_not_denies_everything() -> None:
    request = Request(principal=HOME_BOB, action="s3:GetObject", resource=BUCKET)
    for more in ({"Action": [], "Resource": "*"}, {"Action": "*", "Resource": []}):
        assert not decide(request, identity=policy("identity", {"Effect": "Allow"} | more)).allowed
        assert decide(request, identity=[ALL, policy("identity", {"Effect": "Deny"} | more)]).allowed
    for more in ({"NotAction": [], "Resource": "*"}, {"Action": "*", "NotResource": []}):
        assert not decide(request, identity=policy("identity", {"Effect": "Allow"} | more)).allowed
        assert not decide(request, identity=[ALL, policy("identity", {"Effect": "Deny"} | more)]).allowed
    open_ = {"Action": "*", "NotResource": "arn:aws:s3:::${aws:SourceIdentity}/*"}
    assert not decide(request, identity=policy("identity", {"Effect": "Allow"} | open_)).allowed
    assert not decide(request, identity=[ALL, policy("identity", {"Effect": "Deny"} | open_)]).allowed


def test_an_allow_with_not_principal_reaches_those_of_whom_nothing_is_listed() -> None:
    def allowed(names: Any, caller: str) -> bool:
        bucket = policy("resource", {"Effect": "Allow", "NotPrincipal": names, "Action": "s3:*", "Resource": "*"})
        return decide(
            Request(principal=caller, action="s3:GetObject", resource=BUCKET), resource=bucket, identity=()
        ).allowed

    assert allowed({"AWS": BOB}, HOME_BOB)
    assert not allowed({"AWS": HOME_BOB}, HOME_BOB)
    assert not allowed({"AWS": OWNER}, HOME_BOB)
    assert not allowed({"AWS": f"arn:aws:iam::{OWNER}:role/worker"}, WORKER)
    assert not allowed("*", HOME_BOB)
    assert not allowed({"AWS": []}, HOME_BOB)


@pytest.mark.parametrize(
    ("pattern", "resource", "answer"),
    [
        ("arn:aws:iam::*:role/d*", ROLE, True),
        ("arn:aws:iam::1*:role/door", ROLE, True),
        ("arn:*:iam::111111111111:role/door", ROLE, True),
        ("arn:aws:iam::111111111111:role/Door", ROLE, False),
        ("arn:aws:iam::*", ROLE, True),
        ("arn:aws:iam*door", ROLE, False),
        ("arn:aws:s3:::*", ROLE, False),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b/c", True),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a", False),
        ("arn:aws:iam::1?1111111111:role/door", ROLE, True),
    ],
)
def test_a_resource_pattern(pattern: str, resource: str, answer: bool) -> None:
    own = policy("identity", {"Effect": "Allow", "Action": "*", "Resource": pattern})
    assert decide(Request(principal=HOME_BOB, action="x:Y", resource=resource), identity=own).allowed is answer
    assert not decide(Request(principal=HOME_BOB, action="x:Y", resource="*"), identity=own).allowed


@pytest.mark.parametrize(
    "sides",
    [
        {"trust": {"Statement": []}},
        {"trust": "{}"},
        {"identity": [None]},
        {"identity": trust()},
        {"trust": ALL},
        {"resource": ALL},
        {"boundary": trust()},
        {"scps": [[trust()]]},
        {"scps": FULL},
        {"scps": [[[FULL]]]},
        {"rcps": [[FULL]]},
    ],
    ids=lambda sides: next(iter(sides)),
)
def test_policies_are_parsed_and_of_the_right_family(sides: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        decide(assume(), **sides)


GIVE = "give what parse_policy returned"


@pytest.mark.parametrize(
    ("sides", "what", "do", "where"),
    [
        ({"trust": "{}"}, "trust is not a policy", f"{GIVE}, or a list of it", "trust"),
        ({"identity": {"Statement": []}}, "identity is not a policy", f"{GIVE}, or a list of it", "identity"),
        ({"session": [None]}, "session contains something that is not a policy", GIVE, "session"),
        ({"rcps": [[None]]}, "rcps contains something that is not a policy", GIVE, "rcps"),
        (
            {"identity": trust()},
            "a policy read as 'trust' was given as identity",
            "parse each policy as the kind that it is",
            "identity",
        ),
        (
            {"resource": [trust(), ALL]},
            "a policy read as 'identity' was given as resource",
            "parse each policy as the kind that it is",
            "resource",
        ),
        ({"scps": FULL}, "scps is not a list of levels", "give a list of lists of policies", "scps"),
        ({"rcps": "x"}, "rcps is not a list of levels", "give a list of lists of policies", "rcps"),
    ],
)
def test_what_is_wrong_with_a_side_is_said(sides: dict[str, Any], what: str, do: str, where: str) -> None:
    for ask in (decide, could_allow):
        with pytest.raises(PolicyError) as refusal:
            ask(assume(), **sides)
        assert (refusal.value.what, refusal.value.do, refusal.value.where) == (what, do, where)


def test_one_policy_is_the_same_as_a_list_of_it() -> None:
    for given in (ALL, [ALL], (ALL,)):
        assert decide(assume(), trust=trust(), identity=given).allowed
    for levels in ([FULL], (FULL,), [[FULL]], ((FULL,),)):
        assert decide(assume(), trust=trust(), identity=ALL, scps=levels).allowed
        assert not decide(assume(), trust=trust(), identity=ALL, scps=[*levels, ()]).allowed
