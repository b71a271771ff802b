"""verify with correct roles and with each kind of wrong role; the sandbox decides on the refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.e2e.contractor.conftest import Customer, documented

from valetkey.trust import Terms

pytestmark = pytest.mark.usefixtures("refusals")

RIGHT = {"right way": "right", "no ExternalId": "right", "wrong ExternalId": "right", "no MFA": "right"}


class Person:
    """The contractor's person with an own IAM policy and a profile for one customer."""

    def __init__(self, stage: Any, customer: Customer, policy: Mapping[str, Any] | None = None) -> None:
        self.party = stage.contractor
        self.user = self.party.user(
            "alice", policy or documented("verify", self.party.account, customer.handoff.role_arn), mfa=True
        )
        self.party.login(self.user)
        ran = self.party.run(
            "accept", str(customer.hand_over()), "--name", "acme", "--yes", "--mfa-serial", self.user.mfa_serial
        )
        assert ran.returncode == 0, ran.stderr
        # Cache an MFA session, so that `run` needs no terminal.
        self.party.run_tty("exec", "acme", "--", "true", code=self.user.code)

    def verify(self, *words: str) -> tuple[int, dict[str, dict[str, Any]], str]:
        ran = self.party.run("verify", "acme", "--json", *(words or ("--wait", "0")))
        result = json.loads(ran.stdout)
        assert result["holds"] is (ran.returncode == 0)
        return ran.returncode, {probe["way"]: probe for probe in result["probes"]}, ran.stderr


def results(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {way: item["result"] for way, item in probes.items()}


def test_a_right_role_under_the_documented_permissions(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms))
    before = len(person.party.sandbox.control.requests(person.party.account))
    code, probes, told = person.verify()
    assert results(probes) == RIGHT
    assert code == 0
    assert "CloudTrail" in told
    assert {key for probe in probes.values() for key in probe} == {"way", "result", "says", "applies", "failed"}
    calls = person.party.sandbox.control.requests(person.party.account)[before:]
    assert [call["status"] for call in calls if "AssumeRole" in call["call"]] == [200, 403, 403, 403]
    code, shown = person.party.run_tty("verify", "acme")
    assert code == 0
    assert shown.index("CloudTrail") < shown.index("right way")
    assert terms.external_id not in shown


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"external_id": None}, {"no ExternalId", "wrong ExternalId"}),
        ({"mfa": False, "only": ("alice",)}, {"no MFA"}),
    ],
)
def test_a_role_that_lets_in_too_much(stage: Any, terms: Terms, changes: dict[str, Any], wrong: set[str]) -> None:
    customer = Customer(stage, terms)
    person = Person(stage, customer)
    if "only" in changes:
        changes = {**changes, "only": (person.user.arn,)}
    customer.trusts(replace(terms, **changes))
    code, probes, _ = person.verify()
    assert code == 1
    assert results(probes) == {**RIGHT, **dict.fromkeys(wrong, "wrong")}
    for way in wrong:
        assert "this role admits you" in probes[way]["says"]
        assert "tell the owner" in probes[way]["says"]


def test_a_role_that_asks_for_nothing(stage: Any) -> None:
    """The grant requires neither: the probes do not apply, which is not a failure."""
    party = stage.contractor
    terms = Terms(contractor=party.account, mfa=False, only=(f"arn:aws:iam::{party.account}:user/alice",))
    person = Person(stage, Customer(stage, terms))
    code, probes, _ = person.verify()
    assert code == 0
    assert probes.pop("right way")["result"] == "right"
    for probe in probes.values():
        assert (probe["result"], probe["applies"]) == ("inconclusive", False)
        assert "does not apply" in probe["says"]


def statement(effect: str, role_arn: str, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect, "Action": "sts:AssumeRole", "Resource": role_arn}
    return made | ({"Condition": condition} if condition else {})


def test_own_policies_that_refuse_too(stage: Any, terms: Terms, refusals: str) -> None:
    """The contractor's own policies require MFA and the ExternalId: the refusals say nothing about the owner's role."""
    customer = Customer(stage, terms)
    arn = customer.handoff.role_arn
    policy = documented("verify", stage.contractor.account, arn)
    policy["Statement"][0] = statement(
        "Allow",
        arn,
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"sts:ExternalId": terms.external_id}},
    )
    person = Person(stage, customer, policy)
    # Even an open role cannot be distinguished from a correct one.
    customer.trusts(replace(terms, external_id=None, mfa=False, only=(person.user.arn,)))
    code, probes, _ = person.verify()
    assert code == 1
    assert results(probes) == {**dict.fromkeys(RIGHT, "inconclusive"), "right way": "right"}
    says = {"bare": "own account's policies refuse", "reasons": "refused by your own account: no policy of your own"}
    assert says[refusals] in probes["no MFA"]["says"]


def test_own_policies_that_refuse_only_without_mfa(stage: Any, terms: Terms) -> None:
    customer = Customer(stage, terms)
    arn = customer.handoff.role_arn
    policy = documented("verify", stage.contractor.account, arn)
    policy["Statement"].append(statement("Deny", "*", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}))
    code, probes, _ = Person(stage, customer, policy).verify()
    assert code == 1
    assert results(probes) == {**RIGHT, "no MFA": "inconclusive"}


def test_own_policies_that_cannot_be_read(stage: Any, terms: Terms, refusals: str) -> None:
    """If AWS names no policy, verify is inconclusive; if AWS names the owner's trust policy, it is conclusive."""
    customer = Customer(stage, terms)
    policy = {"Version": "2012-10-17", "Statement": statement("Allow", customer.handoff.role_arn)}
    code, probes, _ = Person(stage, customer, policy).verify()
    if refusals == "reasons":
        assert (code, results(probes)) == (0, RIGHT)
        assert "the trust policy of the owner's role" in probes["no ExternalId"]["says"]
        return
    assert code == 1
    assert results(probes) == {**dict.fromkeys(RIGHT, "inconclusive"), "right way": "right"}
    assert "cannot be read" in probes["no ExternalId"]["says"]


def test_a_role_that_does_not_let_us_in(stage: Any, terms: Terms) -> None:
    customer = Customer(stage, terms)
    person = Person(stage, customer)
    customer.trusts(replace(terms, external_id="rotated-by-the-owner"))
    before = len(person.party.sandbox.control.requests(person.party.account))
    code, probes, _ = person.verify()
    assert code == 1
    assert results(probes) == {**dict.fromkeys(RIGHT, "inconclusive"), "right way": "wrong"}
    assert "AccessDenied" in probes["right way"]["says"]
    calls = person.party.sandbox.control.requests(person.party.account)[before:]
    assert sum("AssumeRole" in call["call"] for call in calls) == 1  # no probe was made


def test_throttling_is_no_refusal(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms))
    faulty = {"service": "sts", "operation": "AssumeRole", "account": person.party.account}
    stage.sandbox.control.fault(kind="throttle", nth=2, times=2, **faulty)  # the second way, and its retry
    code, probes, _ = person.verify()
    assert code == 3
    assert results(probes) == {**RIGHT, "no ExternalId": "inconclusive"}
    assert probes["no ExternalId"]["failed"]


def test_a_new_role_is_waited_for(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms))
    stage.sandbox.control.fault(
        kind="deny", service="sts", operation="AssumeRole", account=person.party.account, times=1
    )
    code, probes, _ = person.verify("--wait", "60s")
    assert (code, results(probes)) == (0, RIGHT)


def test_no_such_profile(stage: Any) -> None:
    ran = stage.contractor.run("verify", "nobody", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["error"]["exit_code"]) == (2, 2)
    assert "no profile" in ran.stderr


def test_a_role_as_base_identity(stage: Any) -> None:
    """A role cannot use MFA: the owner names the role, and only the ExternalId can be verified."""
    party = stage.contractor
    own_role = f"arn:aws:iam::{party.account}:role/OWN-ROLE"
    terms = Terms(contractor=party.account, external_id="vk-for-a-role", mfa=False, only=(own_role,))
    customer = Customer(stage, terms)
    anyone = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": party.account}, "Action": "sts:AssumeRole"}],
    }
    party.root("iam", "create_role", RoleName="OWN-ROLE", AssumeRolePolicyDocument=json.dumps(anyone))
    policy = documented("verify-as-role", party.account, customer.handoff.role_arn)
    party.root("iam", "put_role_policy", RoleName="OWN-ROLE", PolicyName="own", PolicyDocument=json.dumps(policy))
    user = party.user("bob", {"Version": "2012-10-17", "Statement": statement("Allow", own_role)})
    keys = party.client("sts", user).assume_role(RoleArn=own_role, RoleSessionName="bob")["Credentials"]
    party.env |= {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    handoff = str(customer.hand_over(principals=(own_role,)))
    ran = party.run("accept", handoff, "--name", "acme", "--yes", "--base-from-environment")
    assert ran.returncode == 0, ran.stderr
    ran = party.run("verify", "acme", "--json", "--wait", "0")
    probes = {probe["way"]: probe for probe in json.loads(ran.stdout)["probes"]}
    assert results(probes) == {**RIGHT, "no MFA": "inconclusive"}
    assert not probes["no MFA"]["applies"]
    assert ran.returncode == 0


@pytest.mark.parametrize("sees_names", [True, False])
def test_a_role_that_asks_for_the_users_name(stage: Any, terms: Terms, sees_names: bool) -> None:
    """AWS does not document whether `aws:username` has a value in an MFA session (fact U1)."""
    stage.sandbox.control.vary(stage.contractor.account, username_in_sessions=sees_names)
    customer = Customer(stage, replace(terms, name_people=True))
    customer.handoff = replace(customer.handoff, session_name="username")
    person = Person(stage, customer)
    party = person.party
    before = len(party.sandbox.control.requests(party.account))
    code, shown = party.run_tty("verify", "acme", "--json", "--wait", "0", code=person.user.code)
    begin = shown.rindex("{", 0, shown.index('"profile":'))
    result, _ = json.JSONDecoder().raw_decode(shown[begin:])
    probes = {probe["way"]: probe for probe in result["probes"]}
    assert (code, results(probes)) == (0, RIGHT), shown
    calls = party.sandbox.control.requests(party.account)[before:]
    statuses = [call["status"] for call in calls if call["call"] == "sts:AssumeRole"]
    assert statuses == ([200, 403, 403, 403] if sees_names else [403, 200, 403, 403, 403])
    assert ("code of its own" in probes["right way"]["says"]) is not sees_names


def test_a_named_role_without_an_external_id_check_is_found_by_codes_too(stage: Any, terms: Terms) -> None:
    stage.sandbox.control.vary(stage.contractor.account, username_in_sessions=False)
    customer = Customer(stage, replace(terms, name_people=True))
    customer.handoff = replace(customer.handoff, session_name="username")
    person = Person(stage, customer)
    customer.trusts(replace(terms, name_people=True, external_id=None))
    code, shown = person.party.run_tty("verify", "acme", "--wait", "0", code=person.user.code)
    assert code == 1
    assert "without the ExternalId: tell the owner" in " ".join(shown.split()), shown
