"""Nobody can tell these apart from the contractor's side, and the doctor does not: AWS answers all of them alike.

With the kind of policy in AWS's text one thing more is told: that a Deny statement of the trust refused.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest
from tests.e2e.contractor.conftest import Customer
from tests.e2e.contractor.test_doctor import Person

from valetkey.trust import Terms, write_trust

CASES = ("another ExternalId", "another account", "another user", "ended", "closed to all", "no such role")


def spoil(customer: Customer, terms: Terms, case: str) -> None:
    """Make the owner's role refuse, in one of the ways that only the owner can see."""
    account = customer.contractor.account
    other = str(int(account[::-1]) % 10**12).zfill(12).replace("0", "1")
    if case == "no such role":
        customer.owner.root("iam", "detach_role_policy", RoleName=customer.name, PolicyArn=POLICY)
        customer.owner.root("iam", "delete_role", RoleName=customer.name)
        return
    changed = {
        "another ExternalId": replace(terms, external_id="rotated-by-the-owner"),
        "another account": replace(terms, contractor=other),
        "another user": replace(terms, only=(f"arn:aws:iam::{account}:user/bob",)),
        "ended": replace(terms, until=datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)),
    }
    trust = write_trust(changed[case]) if case in changed else CLOSED
    customer.owner.root("iam", "update_assume_role_policy", RoleName=customer.name, PolicyDocument=json.dumps(trust))


POLICY = "arn:aws:iam::aws:policy/SecurityAudit"
CLOSED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def answer(person: Person, external_id: str | None, *, mfa: bool) -> tuple[int, str, str]:
    """What STS itself says: status, code and text."""
    sts = person.party.client("sts", person.user)
    if mfa:
        made = sts.get_session_token(SerialNumber=person.user.mfa_serial, TokenCode=person.user.code())
        sts = person.party.client("sts", made["Credentials"])
    given = {"ExternalId": external_id} if external_id else {}
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        sts.assume_role(RoleArn=person.customer.handoff.role_arn, RoleSessionName="alice", **given)
    error = caught.value.response["Error"]
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def test_the_sandbox_gives_one_answer_to_all(stage: Any, terms: Terms, refusals: str) -> None:
    """As AWS does. `no MFA` and `no ExternalId` are refused by a role that is right, the others by one that is not."""
    customer = Customer(stage, terms)
    person = Person(stage, customer, mfa=False)
    said = {
        "no MFA": answer(person, terms.external_id, mfa=False),
        "no ExternalId": answer(person, None, mfa=True),
        "a wrong ExternalId": answer(person, "of-somebody-else", mfa=True),
    }
    for case in CASES:
        spoil(customer, terms, case)
        said[case] = answer(person, terms.external_id, mfa=True)
    if refusals == "reasons":
        closed = said.pop("closed to all")
        assert closed[2].endswith("with an explicit deny in the role trust policy")
        assert said["ended"][2].endswith("because no role trust policy allows the sts:AssumeRole action")
    assert len(set(said.values())) == 1, said
    assert said["ended"][:2] == (403, "AccessDenied")


@pytest.mark.timeout(120)
def test_the_doctor_says_the_same_of_all(stage: Any, terms: Terms, refusals: str) -> None:
    """Whatever it could read out of one of them would be a guess: everything it says is equal but the time."""
    customer = Customer(stage, terms)
    person = Person(stage, customer)
    told: dict[str, str] = {}
    for case in CASES:
        spoil(customer, terms, case)
        code, found = person.doctor("--probe")
        assert code == 1
        probe = found["probe"]
        assert [each["result"] for each in probe["tries"]] == ["refused"] * 3
        probe["message"] = "\n".join(line for line in probe["message"].splitlines() if "when" not in line)
        denied = refusals == "reasons" and case == "closed to all"
        wanted = {"external-id", "principal", "ended", "condition"} | (set() if denied else {"role"})
        assert {each["id"] for each in probe["open"]} == wanted
        assert probe["side"] == ("owner" if refusals == "reasons" else None)
        assert {each["who"] for each in probe["open"]} == {"owner"}
        assert probe["reason"] is None
        told[case] = json.dumps([probe, found["likely"]])
    if refusals == "reasons":
        assert "with an explicit deny in the role trust policy" in told.pop("closed to all")
    assert len(set(told.values())) == 1, told
    assert "the owner has changed or ended the grant" in told["ended"]
    assert terms.external_id not in told["ended"]
