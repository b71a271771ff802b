"""Trust policies are checked when saved, and refer to the exact principals that they name."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

OPEN = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
TRUST = {"Version": "2012-10-17", "Statement": [OPEN]}

SID = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def changed(**more: Any) -> str:
    return json.dumps({**TRUST, "Statement": [{**OPEN, **more}]})


def without(name: str) -> str:
    return json.dumps({**TRUST, "Statement": [{key: value for key, value in OPEN.items() if key != name}]})


REFUSED = [
    ("{", "This policy contains invalid Json"),
    ('{"Statement": [], "Statement": []}', "This policy contains invalid Json"),
    ("[" * 5000, "This policy contains invalid Json"),
    ("[]", "Syntax errors in policy."),
    ("{}", "Syntax errors in policy."),
    (json.dumps({**TRUST, "Version": "2020-01-01"}), "The policy must contain a valid version string"),
    (json.dumps({**TRUST, "Statements": []}), "Syntax errors in policy."),
    (changed(Resource="*"), "Has prohibited field Resource"),
    (changed(NotResource="*"), "Has prohibited field NotResource"),
    (without("Principal"), "Missing required field Principal"),
    (without("Effect"), "Missing required field Effect"),
    (without("Action"), "Missing required field Action"),
    (changed(Effect="allow"), "Invalid effect: allow"),
    (changed(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
    (changed(Principal={}), "Syntax errors in policy."),
    (changed(Principal={"AWS": []}), "Syntax errors in policy."),
    (changed(Wrong="x"), "Syntax errors in policy."),
    (changed(Sid="not alphanumeric"), SID),
    (
        json.dumps({**TRUST, "Statement": [{**OPEN, "Sid": "A"}] * 2}),
        "Statement IDs (SID) in a single policy must be unique.",
    ),
    (changed(Condition={"Bool": {"MultiFactorAuthPresent": "true"}}), VENDOR),
    (changed(Condition={"StringSame": {"a:b": "c"}}), "Invalid Condition type : StringSame."),
    (changed(Condition={"Bool": []}), "Syntax errors in policy."),
    (changed(NotPrincipal="*"), "Allow with NotPrincipal is not allowed."),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_documents_that_cannot_be_saved(doors: Any, probe: Any, text: str, said: str) -> None:
    doors.role(OPEN)
    iam = doors.root(doors.owner, "iam")
    for answer in (
        probe.knock(iam, "create_role", RoleName="new", AssumeRolePolicyDocument=text),
        probe.knock(iam, "update_assume_role_policy", RoleName="door", PolicyDocument=text),
    ):
        assert (answer.code, answer.status, answer.message) == ("MalformedPolicyDocument", 400, said)
    assert probe.knock(iam, "get_role", RoleName="new").code == "NoSuchEntity"
    assert iam.get_role(RoleName="door")["Role"]["AssumeRolePolicyDocument"]["Statement"] == [OPEN]


@pytest.mark.parametrize(
    "name",
    [
        "arn:aws:iam::CONTRACTOR:user/nobody",
        "arn:aws:iam::CONTRACTOR:user/CAROL",
        "arn:aws:iam::CONTRACTOR:user/wrong/path/carol",
        "arn:aws:iam::CONTRACTOR:user/*",
        "arn:aws:iam::CONTRACTOR:user/car?l",
        "arn:aws:iam::CONTRACTOR:role/nobody",
        "arn:aws:iam::CONTRACTOR:group/people",
        "arn:aws:iam::CONTRACTOR:*",
        "arn:aws:iam::*:root",
        "arn:aws-cn:iam::CONTRACTOR:root",
        "arn:aws:iam::12345:root",
        "12345",
        "CONTRACTOR ",
        "carol",
        "AIDAABCDEFGHIJKLMNOPQ",
        "AROAABCDEFGHIJKLMNOPQ",
        "arn:aws:sts::CONTRACTOR:assumed-role/nobody/session",
        "arn:aws:sts::CONTRACTOR:assumed-role/door/*",
    ],
)
def test_principals_that_cannot_be_saved(doors: Any, probe: Any, name: str) -> None:
    doors.user()
    name = name.replace("CONTRACTOR", doors.contractor.account)
    trust = json.dumps({**TRUST, "Statement": [{**OPEN, "Principal": {"AWS": [doors.owner.account, name]}}]})
    iam = doors.root(doors.owner, "iam")
    answer = probe.knock(iam, "create_role", RoleName="new", AssumeRolePolicyDocument=trust)
    assert answer.code == "MalformedPolicyDocument"
    assert answer.message == f'Invalid principal in policy: "AWS":"{name}"'


def test_documents_that_can_be_saved(doors: Any, probe: Any) -> None:
    user = doors.user()
    role = doors.role(OPEN)
    for number, statement in enumerate(
        (
            probe.allow("999988887777"),
            probe.allow("arn:aws:iam::999988887777:root"),
            probe.allow({"AWS": "*"}),
            probe.allow({"AWS": [user.arn, role], "Service": ["ec2.amazonaws.com"]}),
            probe.allow(
                {"Federated": "cognito-identity.amazonaws.com"},
                {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:pool"}},
                action="sts:AssumeRoleWithWebIdentity",
            ),
            probe.allow("arn:aws:sts::" + doors.owner.account + ":assumed-role/door/me"),
            {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
            {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["sts:*"], "Sid": "Closed"},
        )
    ):
        doors.role(statement, name=f"role{number}")


def test_a_shared_issuer_needs_its_claim_when_the_trust_is_saved(stage: Any, doors: Any, probe: Any) -> None:
    """An existing trust policy without it stays valid: IAM checks when one is created or updated."""
    owner = doors.owner.account
    iam = doors.root(doors.owner, "iam")

    def trust(issuer: str, condition: dict[str, Any] | None, effect: str = "Allow") -> str:
        principal = {"Federated": f"arn:aws:iam::{owner}:oidc-provider/{issuer}"}
        statement = {**probe.allow(principal, condition, action="sts:AssumeRoleWithWebIdentity"), "Effect": effect}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    audience = {"StringEquals": {"gitlab.com:aud": "https://gitlab.com"}}
    subject = {"StringLike": {"gitlab.com:SUB": "project_path:acme/*"}}
    for condition in (None, audience):
        answer = probe.knock(
            iam, "create_role", RoleName="new", AssumeRolePolicyDocument=trust("gitlab.com", condition)
        )
        assert answer.code == "MalformedPolicyDocument"
        assert "gitlab.com:sub" in answer.message
    for number, document in enumerate(
        (
            trust("gitlab.com", {**audience, **subject}),
            trust("gitlab.example", None),
            trust("gitlab.com", None, effect="Deny"),
            trust("token.actions.githubusercontent.com", {"StringLike": {
                "token.actions.githubusercontent.com:job_workflow_ref": "acme/app/.github/workflows/x.yml@*"}}),
        )
    ):  # fmt: skip
        name = f"role{number}"
        assert probe.knock(iam, "create_role", RoleName=name, AssumeRolePolicyDocument=document).code == "ok"
    stage.sandbox.control.plant(owner, "role0", trust("gitlab.com", audience))
    assert iam.get_role(RoleName="role0")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    changed = probe.knock(iam, "update_assume_role_policy", RoleName="role0", PolicyDocument=trust("gitlab.com", None))
    assert changed.code == "MalformedPolicyDocument"


def test_size_is_the_accounts_own_quota(stage: Any, doors: Any, probe: Any) -> None:
    """Whitespace counts too: AWS documents only for other policies that it does not."""

    def sized(size: int, **form: Any) -> str:
        empty = json.dumps({**TRUST, "Statement": [{**OPEN, "Sid": ""}]}, **form)
        return json.dumps({**TRUST, "Statement": [{**OPEN, "Sid": "x" * (size - len(empty))}]}, **form)

    iam = doors.root(doors.owner, "iam")

    def over(size: int, quota: int, **form: Any) -> None:
        for answer in (
            probe.knock(iam, "create_role", RoleName="more", AssumeRolePolicyDocument=sized(size, **form)),
            probe.knock(iam, "update_assume_role_policy", RoleName="full", PolicyDocument=sized(size, **form)),
        ):
            assert (answer.code, answer.message) == (
                "LimitExceeded",
                f"Cannot exceed quota for ACLSizePerRole: {quota}",
            )

    assert probe.knock(iam, "create_role", RoleName="full", AssumeRolePolicyDocument=sized(2048)).code == "ok"
    over(2049, 2048)
    over(2049, 2048, indent=40)
    assert iam.get_account_summary()["SummaryMap"]["AssumeRolePolicySizeQuota"] == 2048
    stage.sandbox.control.vary(doors.owner.account, trust_policy_size=4096)
    assert iam.get_account_summary()["SummaryMap"]["AssumeRolePolicySizeQuota"] == 4096
    assert probe.knock(iam, "update_assume_role_policy", RoleName="full", PolicyDocument=sized(4096)).code == "ok"
    over(4097, 4096)
    # Each account has its own quota.
    other = doors.root(doors.contractor, "iam")
    assert probe.knock(other, "create_role", RoleName="x", AssumeRolePolicyDocument=sized(2049)).code == "LimitExceeded"


def test_a_namesake_does_not_get_in(doors: Any, probe: Any) -> None:
    """A deleted user or role is shown as its unique id, which cannot be saved again."""
    user = doors.user()
    other = doors.user("dave")
    unique = doors.contractor.root("iam", "get_user", UserName="carol")["User"]["UserId"]
    role = doors.role(probe.allow([user.arn, other.arn], {"ArnEquals": {"aws:PrincipalArn": [user.arn, other.arn]}}))
    assert doors.assume(user, role).code == "ok"
    root = doors.contractor.root
    root("iam", "detach_user_policy", UserName="carol", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    root("iam", "delete_access_key", UserName="carol", AccessKeyId=user.access_key_id)
    root("iam", "delete_user", UserName="carol")
    again = doors.user()
    assert again.arn == user.arn
    assert doors.assume(again, role).code == "AccessDenied"
    assert doors.assume(other, role).code == "ok"
    trust = doors.owner.root("iam", "get_role", RoleName="door")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"AWS": [unique, other.arn]}
    assert unique.startswith("AIDA")
    # A condition is text: it does not refer to a particular principal.
    assert trust["Statement"][0]["Condition"]["ArnEquals"]["aws:PrincipalArn"] == [user.arn, other.arn]
    iam = doors.root(doors.owner, "iam")
    back = probe.knock(iam, "update_assume_role_policy", RoleName="door", PolicyDocument=json.dumps(trust))
    assert (back.code, back.message) == ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{unique}"')
    doors.owner.root(
        "iam", "update_assume_role_policy", RoleName="door", PolicyDocument=probe.document(probe.allow(user.arn))
    )
    assert doors.assume(again, role).code == "ok"


def test_the_unique_id_of_a_live_principal_is_resolved_when_it_is_saved(doors: Any, probe: Any) -> None:
    user = doors.user()
    base = doors.role(probe.allow(doors.contractor.account), name="base")
    ids = [
        doors.contractor.root("iam", "get_user", UserName="carol")["User"]["UserId"],
        doors.owner.root("iam", "get_role", RoleName="base")["Role"]["RoleId"],
    ]
    role = doors.role(probe.allow(ids), name="inner")
    assert doors.assume(user, role).code == "ok"
    shown = doors.owner.root("iam", "get_role", RoleName="inner")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"] == [user.arn, base]


def test_a_role_as_principal_is_bound_too(doors: Any, probe: Any) -> None:
    user = doors.user()
    base = doors.role(probe.allow(doors.contractor.account), name="base")
    doors.allow(base, Action="sts:AssumeRole")
    inner = doors.role(probe.allow(base), name="inner")
    assert doors.assume(doors.assume(user, base).keys, inner).code == "ok"
    doors.owner.root("iam", "delete_role_policy", RoleName="base", PolicyName="allow")
    doors.owner.root("iam", "delete_role", RoleName="base")
    doors.role(probe.allow(doors.contractor.account), name="base")
    doors.allow(base, Action="sts:AssumeRole")
    assert doors.assume(doors.assume(user, base).keys, inner).code == "AccessDenied"
    shown = doors.owner.root("iam", "get_role", RoleName="inner")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"].startswith("AROA")


def test_cloudformation_is_checked_and_bound_too(doors: Any, probe: Any) -> None:
    user = doors.user()

    def stack(name: str, statement: dict[str, Any]) -> str:
        role = {"RoleName": name, "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
        template = json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}})
        call = doors.owner.root
        call(
            "cloudformation",
            "create_stack",
            StackName=name,
            TemplateBody=template,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        for _ in range(100):
            status = str(call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]["StackStatus"])
            if not status.endswith("IN_PROGRESS"):
                break
            time.sleep(0.05)
        return status

    assert stack("good", probe.allow(user.arn)) == "CREATE_COMPLETE"
    assert doors.assume(user, f"arn:aws:iam::{doors.owner.account}:role/good").code == "ok"
    assert stack("bad", probe.allow(user.arn + "x")).startswith("ROLLBACK")
    assert stack("worse", {**probe.allow(user.arn), "Resource": "*"}).startswith("ROLLBACK")


def test_an_arn_spelt_with_escapes_is_bound_too(doors: Any, probe: Any) -> None:
    user = doors.user()
    text = probe.document(probe.allow(user.arn)).replace("user/carol", "user\\/c\\u0061rol")
    doors.owner.root("iam", "create_role", RoleName="door", AssumeRolePolicyDocument=text)
    role = f"arn:aws:iam::{doors.owner.account}:role/door"
    assert doors.assume(user, role).code == "ok"
    root = doors.root(doors.contractor)
    root.detach_user_policy(UserName="carol", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    root.delete_access_key(UserName="carol", AccessKeyId=user.access_key_id)
    root.delete_user(UserName="carol")
    assert doors.assume(doors.user(), role).code == "AccessDenied"


GRANT = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({**GRANT, "Principal": "*"}, "Policy document should not specify a principal."),
        ({**GRANT, "Action": "GetObject"}, VENDOR),
        ({**GRANT, "Action": ["s3:Get*", 7]}, VENDOR),
        ({**GRANT, "Resource": "bucket"}, 'Resource bucket must be in ARN format or "*".'),
        ({**GRANT, "Sid": "a b"}, SID),
        ({**GRANT, "Condition": {"StringSame": {"a:b": "c"}}}, "Invalid Condition type : StringSame."),
        ({**GRANT, "Wrong": "x"}, "Syntax errors in policy."),
    ],
)
def test_permissions_that_cannot_be_saved(doors: Any, probe: Any, statement: Any, said: str) -> None:
    doors.role(OPEN)
    iam, text = doors.root(doors.owner), probe.document(statement)
    for answer in (
        probe.knock(iam, "put_role_policy", RoleName="door", PolicyName="p", PolicyDocument=text),
        probe.knock(iam, "create_policy", PolicyName="p", PolicyDocument=text),
    ):
        assert (answer.code, answer.status, answer.message) == ("MalformedPolicyDocument", 400, said)
    good = probe.document(GRANT)
    assert probe.knock(iam, "put_role_policy", RoleName="door", PolicyName="p", PolicyDocument=good).code == "ok"
