"""Every row of the doctor's table: what it says of facts that are right, wrong, worth a word, or not to be had."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.account.base_identity import STORED
from valetkey.credentials.doctor.caller_policies import OwnSide
from valetkey.credentials.doctor.checks import CHECKS, exit_code, likely
from valetkey.credentials.doctor.diagnosis import AwsFiles, Facts, NotRead, Signed, examine
from valetkey.credentials.doctor.organization import Organization
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.profile import Profile, TermsOrigin

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OWN, OWNER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OWNER}:role/audit"
ALICE = parse_identity(f"arn:aws:iam::{OWN}:user/alice")
DEVICE = f"arn:aws:iam::{OWN}:mfa/alice"
FIDO = f"arn:aws:iam::{OWN}:u2f/user/alice/key-ABCD"
COMMAND = '"/opt/valetkey" credential-process acme'
PROFILE = Profile(
    name="acme",
    role_arn=ROLE,
    external_id="vk-secret-of-acme",
    contractor=OWN,
    mfa=True,
    mfa_serial=DEVICE,
    max_session=3600,
    until=NOW + timedelta(days=30),
    user_name="alice",
    region="eu-central-1",
)
ALLOW = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
PARTITIONS = {"eu-central-1": "aws", "us-east-1": "aws", "cn-north-1": "aws-cn"}


@dataclass(frozen=True)
class Keys:
    access_key_id: str = "AKIAX"
    secret_access_key: str = "s"
    session_token: str | None = None


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def sections(**config: dict[str, str]) -> AwsFiles:
    return AwsFiles(
        config={"acme": {"credential_process": COMMAND, "region": "eu-central-1"}, **config},
        credentials={"default": frozenset({"aws_access_key_id", "aws_secret_access_key"})},
        config_file="CONFIG",
        credentials_file="CREDENTIALS",
    )


FACTS = Facts(
    now=NOW,
    env={},
    profile=PROFILE,
    source_profile=None,
    sections=sections(),
    partition_of=PARTITIONS.get,
    executable=True,
    base=Signed(source="shared-credentials-file", keys=Keys(), region="eu-central-1", endpoint="https://sts"),
    skew=0.4,
    identity=ALICE,
    devices=(DEVICE,),
    own=OwnSide(ALICE, (policy(ALLOW),), principal=ALICE.arn),
    organization=Organization(free="your account is in no organization that has any"),
)
OTHER_ROLE = parse_identity(f"arn:aws:sts::{OWN}:assumed-role/ops/me")
SSO = parse_identity(f"arn:aws:sts::{OWN}:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/me")
ROOT = parse_identity(f"arn:aws:iam::{OWN}:root")
FEDERATED = parse_identity(f"arn:aws:sts::{OWN}:federated-user/x")
STRANGER = parse_identity(f"arn:aws:iam::{OWNER}:user/alice")


def but(**changes: Any) -> Facts:
    return dataclasses.replace(FACTS, **changes)


def of(**changes: Any) -> Facts:
    return but(profile=dataclasses.replace(PROFILE, **changes))


def answers(facts: Facts) -> dict[str, Any]:
    result = {check.check.id: check.answer for check in examine(facts, CHECKS)}
    for answer in result.values():
        assert (answer.result in ("blocks", "beware")) <= bool(answer.do), answer
        assert "secret" not in f"{answer.says} {answer.do}"
    return result


def test_all_is_well() -> None:
    checks = examine(FACTS, CHECKS)
    assert {check.answer.result for check in checks} == {"ok"}
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert (likely(checks), exit_code(FACTS, checks)) == ("", 0)


def own(*statements: dict[str, Any], boundary: dict[str, Any] | None = None, **more: Any) -> Facts:
    documents = (policy(*statements),) if statements else ()
    return but(own=OwnSide(ALICE, documents, boundary, ALICE.arn, **more))


def scps(*levels: dict[str, Any]) -> Facts:
    full = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    return but(organization=Organization(((full,), *((level,) for level in levels))))


RANGES = ("198.51.100.0/24", "2001:db8::/32")
LIMITED = dataclasses.replace(PROFILE, from_ip=RANGES)
ENDPOINT = "vpce-0a1b2c3d-abc.sts.eu-central-1.vpce.amazonaws.com"
OTHER_ID = {"StringEquals": {"sts:ExternalId": "vk-secret-of-another"}}
TWIN = {"role_arn": ROLE, "source_profile": "default", "external_id": "vk-secret-of-acme", "mfa_serial": DEVICE}

CASES: list[tuple[Facts, str, str, str]] = [
    # The session that is kept.
    (but(kept="gone"), "kept-session", "beware", "the role was recreated"),
    (but(kept="known"), "kept-session", "ok", "AWS knows"),
    (but(kept="unknown"), "kept-session", "unknown", "did not say"),
    # The grant.
    (of(until=NOW), "grant-end", "beware", "ended on 2026-11-28 12:00 UTC; AWS decides"),
    (of(until=NOW + timedelta(days=3)), "grant-end", "beware", "in 3 days"),
    (of(until=None), "grant-end", "ok", "no end"),
    (of(until=None, origin=TermsOrigin.TYPED, unknown=frozenset({"until"})), "grant-end", "ok", "the end is unknown"),
    (
        of(origin=TermsOrigin.TYPED, unknown=frozenset({"max_session"})),
        "session",
        "ok",
        "(MaxSessionDuration) is not known",
    ),
    # The clock: above five minutes AWS may refuse, above fifteen STS does.
    (but(skew=901.0), "clock", "blocks", "901 s ahead of AWS's; STS refuses calls"),
    (but(skew=-1612.0), "clock", "blocks", "1612 s behind AWS's"),
    (but(skew=900.0), "clock", "beware", "AWS may refuse calls"),
    (
        but(skew=-301.0),
        "clock",
        "beware",
        "301 s behind AWS's; AWS may refuse calls that differ",
    ),
    (but(skew=300.0), "clock", "beware", "at the wrong time"),
    (but(skew=90.0), "clock", "beware", "90 s ahead"),
    (but(skew=-4.0), "clock", "ok", "4 s behind"),
    (but(skew=NotRead("no route", no_answer=True)), "clock", "unknown", "no route"),
    # Which credentials win, and from where.
    (FACTS, "base", "ok", "a long-term key from [default] in CREDENTIALS"),
    (
        but(base=Signed(source=STORED, keys=Keys(), region="x", endpoint="e"), source_profile="work"),
        "base",
        "ok",
        "the profile work: a long-term key from the OS keyring",
    ),
    (but(base=NotRead("has no credentials")), "base", "blocks", "has no credentials"),
    (but(env={"AWS_ACCESS_KEY_ID": "AKIAX"}, source_profile="work"), "base", "ok", "environment is ignored"),
    (
        but(base=Signed(source="env", keys=Keys(session_token="t"), region="x", endpoint="e")),
        "base",
        "ok",
        "a temporary session from the environment (AWS_ACCESS_KEY_ID) ([default] in CREDENTIALS is ignored)",
    ),
    (
        but(base=Signed(source="sso", keys=Keys(), region="x", endpoint="e"), source_profile="work"),
        "base",
        "ok",
        "from Identity Center, [profile work]",
    ),
    # Identities that can never do it.
    (but(identity=ROOT), "identity", "blocks", "root assume no role"),
    (but(identity=FEDERATED), "identity", "blocks", "GetFederationToken"),
    (but(identity=SSO), "identity", "blocks", "Identity Center session, which carries no MFA"),
    (but(identity=OTHER_ROLE), "identity", "blocks", "a role session, which carries no MFA"),
    (but(identity=STRANGER), "identity", "blocks", f"the role trusts {OWN}"),
    (of(principals=(f"arn:aws:iam::{OWN}:user/bob",)), "identity", "blocks", "does not name"),
    (of(session_name="username", user_name="bob"), "identity", "blocks", "IAM user's name"),
    (but(identity=NotRead("AWS does not know the key")), "identity", "blocks", "does not know"),
    (but(identity=NotRead("no answer", no_answer=True)), "identity", "unknown", "no answer"),
    (but(identity=NotRead("x"), base=NotRead("y")), "identity", "unknown", "not signed in"),
    (but(profile=None, identity=SSO), "identity", "beware", "no MFA that AWS sees"),
    # Told by the AWS config alone, before anybody signs in.
    *(
        (
            but(identity=NotRead("x"), base=NotRead("y"), source_profile="work", sections=sections(work=settings)),
            "identity",
            "blocks",
            f"the base profile work is {kind}",
        )
        for settings, kind in (
            ({"sso_session": "corp"}, "an Identity Center sign-in"),
            ({"sso_start_url": "https://x"}, "an Identity Center sign-in"),
            ({"role_arn": "arn:aws:iam::111122223333:role/x"}, "a role"),
        )
    ),
    # The MFA device.
    (but(devices=()), "mfa", "blocks", "no MFA device"),
    (but(devices=(FIDO,)), "mfa", "blocks", "only a FIDO key"),
    (but(devices=(DEVICE + "2",)), "mfa", "blocks", f"not enabled for your user; enabled: {DEVICE}2"),
    (of(mfa_serial=FIDO), "mfa", "blocks", "console only"),
    (of(mfa_serial=None), "mfa", "blocks", "names no device"),
    (but(devices=NotRead("denied")), "mfa", "unknown", "denied"),
    (but(profile=None, devices=(FIDO,)), "mfa", "beware", "only a FIDO key"),
    # The own account's policies, boundary, SCPs.
    (own(), "permission", "blocks", "you have no policies at all"),
    (own({**ALLOW, "Resource": ROLE + "2"}), "permission", "blocks", "your policy 1, statement 1, is for other roles"),
    (own({**ALLOW, "Resource": "*", "Action": "sts:Assume*"}), "permission", "ok", "policies allow"),
    (own({**ALLOW, "Resource": ROLE + "2"}, names=("Mine",)), "permission", "blocks", "your policy Mine, statement 1"),
    (own({**ALLOW, "Action": "s3:*"}), "permission", "blocks", "none of your policies allows it"),
    (own({**ALLOW, "Condition": OTHER_ID}), "permission", "blocks", "something else in sts:ExternalId"),
    (
        own(ALLOW, {"Sid": "Stop", "Effect": "Deny", "Action": "sts:*", "Resource": "*"}),
        "permission",
        "blocks",
        "your policy 1, statement 2 (Stop) denies it",
    ),
    (
        own(ALLOW, boundary=policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})),
        "permission",
        "blocks",
        "your permissions boundary does not",
    ),
    (own(ALLOW, boundary=policy(ALLOW)), "permission", "ok", "and so does your permissions boundary"),
    (
        own({**ALLOW, "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
        "permission",
        "unknown",
        "aws:sourceip",
    ),
    (
        own(ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {"Null": {"aws:SourceVpc": "true"}}}),
        "permission",
        "unknown",
        "aws:sourcevpc",
    ),
    (own(ALLOW, unread="cannot be read"), "permission", "unknown", "cannot be read"),
    (
        own({**ALLOW, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
        "permission",
        "ok",
        "allow sts:AssumeRole",
    ),
    (scps(policy({"Effect": "Allow", "Action": "*", "Resource": "*"})), "organization", "ok", "allow the call"),
    (scps(policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})), "organization", "blocks", "level 2 of 2"),
    (
        scps(policy({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"})),
        "organization",
        "blocks",
        "refuses it",
    ),
    (
        scps(
            policy(
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:ResourceOrgID": "o-1"}},
                },
            )
        ),
        "organization",
        "unknown",
        "aws:resourceorgid",
    ),
    (but(organization=Organization(unread="denied")), "organization", "unknown", "denied"),
    # The address, where the handoff limits it.
    (
        of(from_ip=RANGES),
        "address",
        "unknown",
        "from 198.51.100.0/24, 2001:db8::/32 only, and none through a VPC",
    ),
    (but(profile=LIMITED, base=NotRead("x")), "address", "unknown", "AWS alone sees"),
    (
        but(profile=LIMITED, base=Signed(source="env", keys=Keys(), region="x", endpoint=f"https://{ENDPOINT}")),
        "address",
        "blocks",
        f"your calls go to https://{ENDPOINT}",
    ),
    # What tools meet.
    (but(sections=NotRead("CONFIG has a section twice")), "aws-profile", "blocks", "section twice"),
    (but(sections=AwsFiles(config_file="CONFIG")), "aws-profile", "blocks", "has no profile acme"),
    (
        but(sections=dataclasses.replace(sections(), credentials={"acme": frozenset({"aws_access_key_id"})})),
        "aws-profile",
        "blocks",
        "CREDENTIALS has aws_access_key_id for acme",
    ),
    (
        but(sections=sections(acme={"credential_process": COMMAND, "role_arn": ROLE})),
        "aws-profile",
        "blocks",
        "has role_arn",
    ),
    (but(sections=sections(acme={"credential_process": "other tool"})), "aws-profile", "blocks", "does not call"),
    (but(executable=False), "aws-profile", "blocks", "does not exist any more"),
    (but(sections=sections(hand=TWIN)), "other-tools", "beware", "[profile hand] has mfa_serial: Terraform"),
    (
        but(sections=sections(hand={**TWIN, "duration_seconds": "900"})),
        "other-tools",
        "beware",
        "(and 1 more like it)",
    ),
    (but(sections=sections(default={"duration_seconds": "900"})), "other-tools", "beware", "[default] has duration_s"),
    (
        but(sections=sections(hand={"role_arn": ROLE, "mfa_serial": DEVICE}), profile=None),
        "other-tools",
        "beware",
        "mfa_serial",
    ),
    (
        but(sections=sections(hand={"role_arn": ROLE, "external_id": "vk-secret-of-acme"})),
        "other-tools",
        "beware",
        "without MFA",
    ),
    (of(mfa=False, mfa_serial=None), "other-tools", "ok", ""),
    (
        but(
            profile=dataclasses.replace(PROFILE, mfa=False),
            sections=sections(hand={"role_arn": ROLE, "external_id": "old"}),
        ),
        "other-tools",
        "beware",
        "without the ExternalId of the handoff",
    ),
    (
        but(
            profile=dataclasses.replace(PROFILE, mfa=False, external_id=None),
            sections=sections(hand={"role_arn": ROLE, "duration_seconds": "7200"}),
        ),
        "other-tools",
        "beware",
        "asks for 7200 s",
    ),
    (but(env={"AWS_ACCESS_KEY_ID": "AKIAX", "AWS_PROFILE": "acme"}), "environment", "blocks", "is set, and overrides"),
    (but(env={"AWS_ACCESS_KEY_ID": "AKIAX"}), "environment", "beware", "would override"),
    (but(env={"AWS_REGION": "cn-north-1"}), "region", "blocks", "cn-north-1 (AWS_REGION) is of the partition aws-cn"),
    (of(region="mars-1"), "region", "blocks", "no partition that valetkey knows"),
    (
        but(profile=dataclasses.replace(PROFILE, region=None), sections=sections(acme={"credential_process": COMMAND})),
        "region",
        "beware",
        "no region is set",
    ),
    (of(max_session=43200), "session", "ok", "1 h at most, renewed silently: it begins with an MFA session"),
    (
        but(
            profile=dataclasses.replace(PROFILE, mfa=False, max_session=7200),
            base=Signed(source="sso", keys=Keys(session_token="t"), region="x", endpoint="e"),
        ),
        "session",
        "ok",
        "your sign-in is itself a session; the role itself allows 2 h",
    ),
    (of(mfa=False, max_session=43200), "session", "ok", "12 h at most"),
]


@pytest.mark.parametrize(
    ("facts", "check", "result", "says"), CASES, ids=[f"{case[1]}-{case[2]}-{n}" for n, case in enumerate(CASES)]
)
def test_a_row(facts: Facts, check: str, result: str, says: str) -> None:
    answer = answers(facts)[check]
    assert answer.result == result, answer
    assert says in answer.says, answer
    checks = examine(facts, CHECKS)
    assert (result == "blocks") <= (exit_code(facts, checks) == 1)
    assert (result == "blocks") <= bool(likely(checks))


def test_every_check_can_be_wrong() -> None:
    """A row that never says anything but `ok` would be no check."""
    assert {case[1] for case in CASES if case[2] != "ok"} == {check.id for check in CHECKS} - {"session"}


def test_without_a_customer_only_you_and_this_computer_are_looked_at() -> None:
    assert set(answers(but(profile=None))) == {"clock", "base", "identity", "mfa", "other-tools"}


def test_questions_that_do_not_arise() -> None:
    assert "mfa" not in answers(of(mfa=False))
    assert "mfa" not in answers(but(profile=dataclasses.replace(PROFILE, mfa=False), identity=SSO))
    assert "permission" not in answers(but(identity=NotRead("x")))
    assert "address" not in answers(FACTS)


def test_silence_is_no_health() -> None:
    facts = but(skew=NotRead("x", no_answer=True), identity=NotRead("x", no_answer=True))
    assert exit_code(facts, examine(facts, CHECKS)) == 3
    facts = but(skew=NotRead("x", no_answer=True), executable=False)
    assert exit_code(facts, examine(facts, CHECKS)) == 1


def test_the_first_thing_in_the_way_is_the_most_likely_reason() -> None:
    """With a wrong clock nothing after it can be right."""
    facts = but(skew=1000.0, identity=NotRead("AWS refused the signature"), executable=False)
    assert "1000 s ahead" in likely(examine(facts, CHECKS))
