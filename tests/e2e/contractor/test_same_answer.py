"""Cases that the contractor cannot distinguish, because AWS's response is the same: doctor does not guess either.

If AWS's message names the kind of policy, it also shows whether a Deny statement of the trust policy matched.
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
    """Change the owner's role so that it refuses, for a reason that only the owner can see."""
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
    """STS's response: HTTP status, error code and message."""
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
    """As in AWS. The first three are refused by a correct role, the others by a wrong one."""
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
    """Any difference in its output would be a guess: the output is equal except for the time."""
    customer = Customer(stage, terms)
    person = Person(stage, customer)
    told: dict[str, str] = {}
    for case in CASES:
        spoil(customer, terms, case)
        code, result = person.doctor("--probe")
        assert code == 1
        probe = result["probe"]
        assert [item["result"] for item in probe["tries"]] == ["refused"] * 3
        probe["message"] = "\n".join(line for line in probe["message"].splitlines() if "when" not in line)
        denied = refusals == "reasons" and case == "closed to all"
        wanted = {"external-id", "principal", "ended", "condition"} | (set() if denied else {"role"})
        assert {item["id"] for item in probe["open"]} == wanted
        assert probe["side"] == ("owner" if refusals == "reasons" else None)
        assert {item["who"] for item in probe["open"]} == {"owner"}
        assert probe["reason"] is None
        told[case] = json.dumps([probe, result["likely"]])
    if refusals == "reasons":
        assert "with an explicit deny in the role trust policy" in told.pop("closed to all")
    assert len(set(told.values())) == 1, told
    assert "the owner has changed or ended the grant" in told["ended"]
    assert terms.external_id not in told["ended"]
