"""Temporary credentials: their permissions, their lifetime, and how they are ended. Matrices B, C and D."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DENY_ALL = {"Effect": "Deny", "Action": "*", "Resource": "*"}


def inside(doors: Any, keys: Any, service: str = "iam") -> Any:
    return doors.client(service, keys)


def test_what_get_session_token_takes(doors: Any) -> None:
    user = doors.user()
    for seconds, code in ((899, "ValidationError"), (900, "ok"), (129_600, "ok"), (129_601, "ValidationError")):
        answer = doors.session(user, DurationSeconds=seconds)
        assert answer.code == code
        if code == "ok":
            assert abs(answer.keys["Expiration"].timestamp() - time.time() - seconds) < 5
    assert abs(doors.session(user).keys["Expiration"].timestamp() - time.time() - 43_200) < 5
    root = doors.session({"AccessKeyId": doors.contractor.account, "SecretAccessKey": "x"}, DurationSeconds=7200)
    assert abs(root.keys["Expiration"].timestamp() - time.time() - 3600) < 5


def test_get_session_token_is_for_long_term_keys_and_needs_no_permission(doors: Any, probe: Any) -> None:
    user = doors.user("carol", {"Version": "2012-10-17", "Statement": DENY_ALL})
    keys = doors.session(user).keys
    role = doors.role(probe.allow(doors.contractor.account))
    for item in (keys, doors.assume(doors.user("dave"), role).keys):
        answer = doors.session(item)
        assert (answer.code, answer.message) == ("AccessDenied", "Cannot call GetSessionToken with session credentials")


def test_what_a_session_token_may_call(doors: Any, probe: Any) -> None:
    """Of STS, AssumeRole and GetCallerIdentity; IAM only with MFA; all other services like the user."""
    user = doors.user(mfa=True)
    plain, strong = doors.session(user).keys, doors.mfa_session(user)
    for keys in (plain, strong):
        sts = doors.client("sts", keys)
        assert sts.get_caller_identity()["Arn"] == user.arn
        assert probe.knock(sts, "get_federation_token", Name="someone").code == "AccessDenied"
        assert probe.knock(doors.client("s3", keys), "list_buckets").code == "ok"
    refused = probe.knock(doors.client("iam", plain), "list_users")
    assert (refused.code, refused.status) == ("InvalidClientTokenId", 403)
    assert probe.knock(doors.client("iam", strong), "list_users").code == "ok"


def test_federated_users_call_neither_iam_nor_sts(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"))
    sts = doors.client("sts", user)
    keys = sts.get_federation_token(Name="bob", PolicyArns=[{"arn": READ_ONLY}])["Credentials"]
    assert doors.assume(keys, role).code == "AccessDenied"
    assert probe.knock(doors.client("iam", keys), "list_users").code == "InvalidClientTokenId"
    assert doors.client("sts", keys).get_caller_identity()["Arn"].endswith("federated-user/bob")


def test_sessions_end_by_the_clock_of_their_account(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account), policies=(READ_ONLY,))
    session = doors.mfa_session(user, DurationSeconds=1800)
    keys = doors.assume(session, role, DurationSeconds=900).keys
    doors.shift(doors.owner, 890)
    assert probe.knock(inside(doors, keys), "list_roles").code == "ok"
    doors.shift(doors.owner, 20)
    for operation in ("list_roles", "get_user"):
        ended = probe.knock(inside(doors, keys), operation)
        assert (ended.code, ended.status) == ("ExpiredToken", 403)
        assert ended.message == "The security token included in the request is expired"
    assert probe.knock(inside(doors, keys, "sts"), "get_caller_identity").code == "ExpiredToken"
    again = doors.assume(session, role, DurationSeconds=900)
    assert again.code == "ok", "the MFA session is the contractor's, whose clock has not moved"
    # The returned expiry is in the owner's time, by which the session ends.
    assert abs(again.keys["Expiration"].timestamp() - time.time() - 910 - 900) < 5
    doors.shift(doors.contractor, 1801)
    assert doors.assume(session, role).code == "ExpiredToken"
    assert probe.knock(inside(doors, again.keys), "list_roles").code == "ok"


def test_a_deny_ends_live_sessions_at_once(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"), policies=(READ_ONLY,))
    keys = doors.assume(doors.user(), role).keys
    iam = inside(doors, keys)
    assert probe.knock(iam, "list_roles").code == "ok"
    deny = probe.document(DENY_ALL)
    doors.owner.root("iam", "put_role_policy", RoleName="door", PolicyName="closed", PolicyDocument=deny)
    refused = probe.knock(iam, "list_roles")
    assert refused.code == "AccessDenied"
    assert refused.message.endswith("with an explicit deny in an identity-based policy")
    assert probe.knock(inside(doors, keys, "s3"), "list_buckets").code == "AccessDenied"
    doors.owner.root("iam", "delete_role_policy", RoleName="door", PolicyName="closed")
    assert probe.knock(iam, "list_roles").code == "ok"


def test_deleting_a_role_ends_its_sessions_for_good(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"), policies=(READ_ONLY,))
    keys = doors.assume(user, role).keys
    conflict = probe.knock(doors.root(doors.owner), "delete_role", RoleName="door")
    assert (conflict.code, conflict.status) == ("DeleteConflict", 409)
    doors.owner.root("iam", "detach_role_policy", RoleName="door", PolicyArn=READ_ONLY)
    assert probe.knock(inside(doors, keys), "list_roles").code == "AccessDenied"
    doors.owner.root("iam", "delete_role", RoleName="door")
    for _ in range(2):  # deleted, and then recreated with the same name
        for service, operation in (("iam", "list_roles"), ("sts", "get_caller_identity"), ("s3", "list_buckets")):
            assert probe.knock(inside(doors, keys, service), operation).code in (
                "InvalidClientTokenId",
                "InvalidAccessKeyId",
            )
        doors.role(probe.allow("*"), name="door" if _ == 0 else "last", policies=(READ_ONLY,))
    assert probe.knock(inside(doors, doors.assume(user, role).keys), "list_roles").code == "ok"


def test_a_dated_deny_follows_the_owners_clock(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"), policies=(READ_ONLY,))
    end = (datetime.now(UTC) + timedelta(seconds=600)).strftime("%Y-%m-%dT%H:%M:%SZ")
    dated = {**DENY_ALL, "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": end}}}
    doors.owner.root(
        "iam", "put_role_policy", RoleName="door", PolicyName="until", PolicyDocument=probe.document(dated)
    )
    keys = doors.assume(doors.user(), role).keys
    doors.shift(doors.contractor, 10_000)
    doors.shift(doors.owner, 590)
    assert probe.knock(inside(doors, keys), "list_roles").code == "ok"
    doors.shift(doors.owner, 20)
    assert probe.knock(inside(doors, keys), "list_roles").code == "AccessDenied"
    doors.shift(doors.owner, -100)
    assert probe.knock(inside(doors, keys), "list_roles").code == "ok"


def test_revoking_older_sessions(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"), policies=(READ_ONLY,))
    old = doors.assume(user, role).keys
    doors.shift(doors.owner, 60)
    now = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    older = {**DENY_ALL, "Condition": {"DateLessThan": {"aws:TokenIssueTime": now}}}
    doors.owner.root(
        "iam",
        "put_role_policy",
        RoleName="door",
        PolicyName="AWSRevokeOlderSessions",
        PolicyDocument=probe.document(older),
    )
    assert probe.knock(inside(doors, old), "list_roles").code == "AccessDenied"
    assert probe.knock(inside(doors, doors.assume(user, role).keys), "list_roles").code == "ok"


def test_a_changed_trust_does_not_touch_live_sessions(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"), policies=(READ_ONLY,))
    keys = doors.assume(user, role).keys
    closed = probe.document({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"})
    doors.owner.root("iam", "update_assume_role_policy", RoleName="door", PolicyDocument=closed)
    assert probe.knock(inside(doors, keys), "list_roles").code == "ok"
    assert doors.assume(user, role).code == "AccessDenied"


def test_read_only_reads(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"), policies=(READ_ONLY,))
    iam = inside(doors, doors.assume(doors.user(), role).keys)
    assert probe.knock(iam, "get_role", RoleName="door").code == "ok"
    refused = probe.knock(iam, "create_user", UserName="backdoor")
    assert (refused.code, refused.status) == ("AccessDenied", 403)
    assert refused.message.endswith("because no identity-based policy allows the iam:CreateUser action")


def test_view_only_and_security_audit_are_the_real_ones(doors: Any, probe: Any) -> None:
    both = tuple(f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess"))
    role = doors.role(probe.allow("*"), policies=both)
    bucket = f"audited-{doors.owner.account}"
    doors.owner.root("s3", "create_bucket", Bucket=bucket)
    doors.owner.root("s3", "put_object", Bucket=bucket, Key="secret", Body=b"x")
    keys = doors.assume(doors.user(), role).keys
    s3 = inside(doors, keys, "s3")
    assert probe.knock(s3, "list_buckets").code == "ok"
    assert probe.knock(s3, "get_object", Bucket=bucket, Key="secret").code == "AccessDenied"
    assert probe.knock(inside(doors, keys), "get_account_authorization_details").code == "ok"
    doors.owner.root("iam", "attach_role_policy", RoleName="door", PolicyArn=READ_ONLY)
    assert probe.knock(s3, "get_object", Bucket=bucket, Key="secret").code == "ok"


def test_resources_and_denies(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"), Path="/out/")
    document = probe.document(
        {"Effect": "Allow", "Action": ["iam:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": role},
        {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"},
    )
    doors.owner.root("iam", "put_role_policy", RoleName="door", PolicyName="own", PolicyDocument=document)
    keys = doors.assume(doors.user(), role).keys
    iam = inside(doors, keys)
    # The role's path matters: a policy contains the ARN that IAM returns.
    assert (
        probe.knock(iam, "put_role_policy", RoleName="door", PolicyName="x", PolicyDocument=document).code
        == "AccessDenied"
    )
    assert probe.knock(iam, "delete_role_policy", RoleName="door", PolicyName="own").code == "AccessDenied"
    trust = probe.document(probe.allow("*"))
    assert probe.knock(iam, "create_role", RoleName="other", Path="/out/", AssumeRolePolicyDocument=trust).code == "ok"
    assert probe.knock(inside(doors, keys, "s3"), "list_buckets").code == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.1"}}, "ok"),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, "AccessDenied"),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, "ok"),
        ({"StringEquals": {"aws:RequestedRegion": "eu-north-1"}}, "AccessDenied"),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "AccessDenied"),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::OWNER:role/door"}}, "ok"),
        ({"StringEquals": {"aws:PrincipalTag/job": "audit"}}, "ok"),
        ({"StringEquals": {"aws:PrincipalTag/job": "other"}}, "AccessDenied"),
        ({"StringLike": {"aws:userid": "AROA*:probe"}}, "ok"),
        ({"Null": {"aws:TokenIssueTime": "false"}}, "ok"),
        ({"Null": {"aws:username": "false"}}, "AccessDenied"),
        ({"Bool": {"aws:SecureTransport": "true", "aws:ViaAWSService": "false"}}, "ok"),
    ],
    ids=str,
)
def test_conditions_of_permissions(doors: Any, probe: Any, condition: Any, code: str) -> None:
    role = doors.role(probe.allow("*"), Tags=[{"Key": "job", "Value": "audit"}])
    statement = {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*", "Condition": condition}
    text = probe.document(statement).replace("OWNER", doors.owner.account)
    doors.owner.root("iam", "put_role_policy", RoleName="door", PolicyName="own", PolicyDocument=text)
    assert probe.knock(inside(doors, doors.assume(doors.user(), role).keys), "list_roles").code == code


def test_a_boundary_limits(doors: Any, probe: Any) -> None:
    limit = probe.document({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    boundary = doors.owner.root("iam", "create_policy", PolicyName="limit", PolicyDocument=limit)["Policy"]["Arn"]
    role = doors.role(probe.allow("*"), policies=(READ_ONLY,), PermissionsBoundary=boundary)
    keys = doors.assume(doors.user(), role).keys
    assert probe.knock(inside(doors, keys, "s3"), "list_buckets").code == "ok"
    assert probe.knock(inside(doors, keys), "list_roles").code == "AccessDenied"
    doors.owner.root("iam", "delete_role_permissions_boundary", RoleName="door")
    assert probe.knock(inside(doors, keys), "list_roles").code == "ok"


def test_a_session_policy_limits(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"), policies=(READ_ONLY,))
    narrow = probe.document({"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "iam:CreateUser"], "Resource": "*"})
    for more in ({"Policy": narrow}, {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]}):
        keys = doors.assume(user, role, **more).keys
        assert probe.knock(inside(doors, keys, "s3"), "list_buckets").code == "ok"
        assert probe.knock(inside(doors, keys), "list_roles").code == "AccessDenied"
        assert probe.knock(inside(doors, keys), "create_user", UserName="x").code == "AccessDenied"


def test_iams_own_condition_keys(doors: Any, probe: Any) -> None:
    """A delegated administrator may create roles only with the boundary, and attach only one policy."""
    document = probe.document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    boundary = doors.owner.root("iam", "create_policy", PolicyName="limit", PolicyDocument=document)["Policy"]["Arn"]
    admin = doors.owner.user(
        "admin",
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["iam:CreateRole", "iam:TagRole"],
                    "Resource": "*",
                    "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary, "aws:RequestTag/by": "us"}},
                },
                {
                    "Effect": "Allow",
                    "Action": "iam:AttachRolePolicy",
                    "Resource": "*",
                    "Condition": {"ArnEquals": {"iam:PolicyARN": READ_ONLY}},
                },
            ],
        },
    )
    iam = inside(doors, admin)
    trust, tags = probe.document(probe.allow("*")), [{"Key": "by", "Value": "us"}]
    made = {"RoleName": "new", "AssumeRolePolicyDocument": trust}
    assert probe.knock(iam, "create_role", **made, Tags=tags).code == "AccessDenied"
    assert probe.knock(iam, "create_role", **made, PermissionsBoundary=boundary).code == "AccessDenied"
    assert probe.knock(iam, "create_role", **made, PermissionsBoundary=boundary, Tags=tags).code == "ok"
    admin_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert probe.knock(iam, "attach_role_policy", RoleName="new", PolicyArn=admin_arn).code == "AccessDenied"
    assert probe.knock(iam, "attach_role_policy", RoleName="new", PolicyArn=READ_ONLY).code == "ok"


def test_authentication(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"), policies=(READ_ONLY,))
    keys = doors.assume(user, role).keys
    long_term = {"AccessKeyId": user.access_key_id, "SecretAccessKey": user.secret_access_key}
    wrong = (
        ({**long_term, "SecretAccessKey": "wrong"}, "SignatureDoesNotMatch"),
        ({**long_term, "AccessKeyId": "AKIAABCDEFGHIJKLMNOP"}, "InvalidClientTokenId"),
        ({**keys, "SecretAccessKey": "wrong"}, "SignatureDoesNotMatch"),
        ({**keys, "SessionToken": None}, "InvalidClientTokenId"),
        ({**keys, "SessionToken": keys["SessionToken"][:-1] + "x"}, "InvalidClientTokenId"),
    )
    for service, operation in (("iam", "list_roles"), ("sts", "get_caller_identity")):
        for item, code in wrong:
            answer = probe.knock(inside(doors, item, service), operation)
            assert (answer.code, answer.status) == (code, 403), (service, item)
    for item, code in wrong:
        assert doors.assume(item, role).code == code
    call = doors.contractor.root
    call("iam", "update_access_key", UserName="carol", AccessKeyId=user.access_key_id, Status="Inactive")
    assert doors.assume(user, role).code == "InvalidClientTokenId"


def test_a_wrong_signature_uses_up_no_code(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    role = doors.role(probe.allow(doors.contractor.account, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    given = doors.with_mfa(user)
    forged = {"AccessKeyId": user.access_key_id, "SecretAccessKey": "wrong"}
    assert doors.assume(forged, role, **given).code == "SignatureDoesNotMatch"
    assert doors.assume(user, role, **given).code == "ok"


def test_a_role_with_tags_needs_the_permission_to_tag(doors: Any, probe: Any) -> None:
    def admin(name: str, *actions: str) -> Any:
        statement = {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:iam::{doors.owner.account}:role/*"}
        return doors.client("iam", doors.owner.user(name, {"Version": "2012-10-17", "Statement": statement}))

    trust, tags = probe.document(probe.allow("*")), [{"Key": "by", "Value": "us"}]
    plain = admin("plain", "iam:CreateRole", "iam:ListRoles")
    refused = probe.knock(plain, "create_role", RoleName="new", AssumeRolePolicyDocument=trust, Tags=tags)
    assert refused.code == "AccessDenied"
    assert "iam:TagRole on resource" in refused.message
    assert probe.knock(plain, "create_role", RoleName="new", AssumeRolePolicyDocument=trust).code == "ok"
    tagger = admin("tagger", "iam:CreateRole", "iam:TagRole")
    assert probe.knock(tagger, "create_role", RoleName="tagged", AssumeRolePolicyDocument=trust, Tags=tags).code == "ok"
    assert probe.knock(plain, "list_roles").code == "ok"
    unlisted = probe.knock(tagger, "list_roles")
    assert f"iam:ListRoles on resource: arn:aws:iam::{doors.owner.account}:role/ because" in unlisted.message


def test_an_instance_profile_is_what_its_calls_are_about(doors: Any, probe: Any) -> None:
    doors.role(probe.allow("*"))
    call = doors.owner.root
    call("iam", "create_instance_profile", InstanceProfileName="machine", Path="/ours/")
    call("iam", "add_role_to_instance_profile", InstanceProfileName="machine", RoleName="door")
    for number, (resource, code) in enumerate((("role/door", "AccessDenied"), ("instance-profile/ours/machine", "ok"))):
        statement = {
            "Effect": "Allow",
            "Action": "iam:RemoveRoleFromInstanceProfile",
            "Resource": f"arn:aws:iam::{doors.owner.account}:{resource}",
        }
        user = doors.owner.user(f"user{number}", {"Version": "2012-10-17", "Statement": statement})
        named = {"InstanceProfileName": "machine", "RoleName": "door"}
        answer = probe.knock(doors.client("iam", user), "remove_role_from_instance_profile", **named)
        assert answer.code == code
