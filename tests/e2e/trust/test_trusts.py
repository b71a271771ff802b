"""Written trust policies, tested over HTTP: the emulator's evaluator must deny and allow as the terms say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError

from valetkey.trust import Terms, admits_nobody, admits_only, closed_trust, read_terms, write_trust

MAY_TRY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], "Resource": "*"}
    ],
}
END = datetime(2099, 1, 1, tzinfo=UTC)

KINDS: dict[str, dict[str, Any]] = {
    "usual": {"external_id": "Example987"},
    "named": {"external_id": "Example987", "only": ("alice",), "name_people": True, "mfa_max_age": 900},
    "pinned": {"pin": ("alice",), "external_id": "Example987", "source_identity": True},
    "extras": {"external_id": "Example987", "only": ("alice", "nobody-yet"), "session_tags": True, "until": END},
    "without MFA": {"external_id": "Example987", "only": ("alice",), "mfa": False, "source_identity": True},
}


def _role(stage: Any, document: dict[str, Any]) -> str:
    made = stage.owner.root(
        "iam", "create_role", RoleName="audit", Path="/partners/", AssumeRolePolicyDocument=json.dumps(document)
    )
    return str(made["Role"]["Arn"])


def _document(stage: Any) -> dict[str, Any]:
    document = stage.owner.root("iam", "get_role", RoleName="audit")["Role"]["AssumeRolePolicyDocument"]
    assert isinstance(document, dict)
    return document


def _let_in(client: Any, role: str, **call: Any) -> bool:
    try:
        client.assume_role(RoleArn=role, **call)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_the_emulator_admits_exactly_the_terms(stage: Any, kind: str) -> None:
    account = stage.contractor.account
    people = {name: stage.contractor.user(name, MAY_TRY, mfa=True) for name in ("alice", "bob")}
    fields = dict(KINDS[kind])
    for who in ("only", "pin"):
        if who in fields:
            fields[who] = tuple(f"arn:aws:iam::{account}:user/{name}" for name in fields[who])
    terms = Terms(contractor=account, **fields)
    role = _role(stage, write_trust(terms))
    assert read_terms(_document(stage), contractor=account) == terms
    assert admits_only(_document(stage), terms, role_arn=role).failures == ()
    extras: dict[str, dict[str, Any]] = {
        "": {},
        "tags": {"Tags": [{"Key": "team", "Value": "audit"}]},
        "source": {"SourceIdentity": "alice"},
    }
    clients = {name: stage.contractor.client("sts", user) for name, user in people.items()}
    passed = 0
    for name, given, mfa, session, extra in product(
        people, ("Example987", "example987", None), (True, False), ("alice", "bob"), extras
    ):
        user = people[name]
        odd = (name != "alice") + (given != "Example987") + (not mfa) + (session != name) + bool(extra)
        if odd > 2:
            continue  # a case with three faults adds nothing to those with two
        call: dict[str, Any] = {"RoleSessionName": session, **extras[extra]}
        if given is not None:
            call["ExternalId"] = given
        if mfa:
            call |= {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}
        right = (
            given == "Example987"
            and (mfa or not terms.mfa)
            and (name == "alice" or not terms.only + terms.pin)
            and (session == name or not terms.name_people)
            and {"": True, "tags": terms.session_tags, "source": terms.source_identity}[extra]
        )
        assert _let_in(clients[name], role, **call) is right, (name, call)
        passed += right
    assert passed


def test_the_end_and_the_age_of_mfa_are_kept_by_the_second(stage: Any) -> None:
    control, account = stage.sandbox.control, stage.contractor.account
    alice = stage.contractor.user("alice", MAY_TRY, mfa=True)
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    terms = Terms(contractor=account, mfa_max_age=1800, until=until)
    role = _role(stage, write_trust(terms))
    first = stage.contractor.client("sts", alice)
    session = first.get_session_token(SerialNumber=alice.mfa_serial, TokenCode=alice.code(), DurationSeconds=129_600)
    client = stage.contractor.client("sts", session["Credentials"])
    assert _let_in(client, role, RoleSessionName="alice")
    for item in (account, stage.owner.account):
        control.shift(item, 1700)
    assert _let_in(client, role, RoleSessionName="alice")
    for item in (account, stage.owner.account):
        control.shift(item, 200)
    assert not _let_in(client, role, RoleSessionName="alice")
    code = {"SerialNumber": alice.mfa_serial, "TokenCode": alice.code()}
    assert _let_in(first, role, RoleSessionName="alice", **code)
    for item in (account, stage.owner.account):
        control.shift(item, 86_400)
    code = {"SerialNumber": alice.mfa_serial, "TokenCode": alice.code()}
    assert not _let_in(first, role, RoleSessionName="alice", **code)


def test_a_deleted_pin_is_seen_and_a_namesake_stays_out(stage: Any) -> None:
    account = stage.contractor.account
    alice = stage.contractor.user("alice", MAY_TRY, mfa=True)
    bob = stage.contractor.user("bob", MAY_TRY, mfa=True)
    terms = Terms(contractor=account, pin=(alice.arn, bob.arn))
    role = _role(stage, write_trust(terms))
    stage.contractor.root("iam", "deactivate_mfa_device", UserName="alice", SerialNumber=alice.mfa_serial)
    stage.contractor.root("iam", "delete_access_key", UserName="alice", AccessKeyId=alice.access_key_id)
    for name in stage.contractor.root("iam", "list_user_policies", UserName="alice")["PolicyNames"]:
        stage.contractor.root("iam", "delete_user_policy", UserName="alice", PolicyName=name)
    stage.contractor.root("iam", "delete_user", UserName="alice")
    result = read_terms(_document(stage))
    assert len(result.orphans) == 1
    assert bob.arn in result.pin
    table = admits_only(_document(stage), result, role_arn=role)
    assert table.failures == ()


def test_the_closed_trust_is_taken_and_admits_nobody(stage: Any) -> None:
    alice = stage.contractor.user("alice", MAY_TRY, mfa=True)
    role = _role(stage, write_trust(Terms(contractor=stage.contractor.account)))
    client = stage.contractor.client("sts", alice)
    code = {"SerialNumber": alice.mfa_serial, "TokenCode": alice.code()}
    assert _let_in(client, role, RoleSessionName="alice", **code)
    document = json.dumps(closed_trust())
    stage.owner.root("iam", "update_assume_role_policy", RoleName="audit", PolicyDocument=document)
    code = {"SerialNumber": alice.mfa_serial, "TokenCode": alice.code()}
    assert not _let_in(client, role, RoleSessionName="alice", **code)
    table = admits_nobody(_document(stage), role_arn=role)
    assert table.holds
