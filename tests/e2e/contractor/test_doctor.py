"""doctor on the sandbox: it finds what blocks access before it prompts, and --probe reports no guesses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.e2e.contractor.conftest import DOCS, Customer, documented

from valetkey.trust import Terms

ALWAYS = {"clock", "base", "identity", "mfa", "permission", "organization", "grant-end", "aws-profile", "other-tools"}


class Person:
    """The contractor's person with a profile for one customer, and an MFA session if `mfa` is true."""

    def __init__(
        self, stage: Any, customer: Customer, policy: Mapping[str, Any] | None = None, *, mfa: bool = True
    ) -> None:
        self.party = stage.contractor
        self.customer = customer
        said = policy or documented("doctor", self.party.account, customer.handoff.role_arn)
        self.user = self.party.user("alice", said, mfa=True)
        self.party.login(self.user)
        words = ("--name", "acme", "--yes", "--mfa-serial", self.user.mfa_serial)
        ran = self.party.run("accept", str(customer.hand_over()), *words, "--region", "eu-central-1")
        assert ran.returncode == 0, ran.stderr
        if mfa:
            self.party.run_tty("exec", "acme", "--", "true", code=self.user.code)

    def doctor(self, *words: str, name: str = "acme") -> tuple[int, dict[str, Any]]:
        ran = self.party.run("doctor", *([name] if name else []), "--json", *words)
        assert "Traceback" not in ran.stderr
        result = dict(json.loads(ran.stdout))
        assert {key for check in result["checks"] for key in check} == {"id", "what", "how", "result", "says", "do"}
        result["by"] = {check["id"]: check["result"] for check in result["checks"]}
        result["said"] = {check["id"]: check["says"] for check in result["checks"]}
        return ran.returncode, result


def only(arn: str, *more: dict[str, Any]) -> dict[str, Any]:
    """A policy that allows the user to read their own permissions, with the statements `more`."""
    allow = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [allow, *more]}


def test_nothing_in_the_way_under_the_documented_permissions(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms), mfa=False)
    before = len(person.party.sandbox.control.requests(person.party.account))
    code, result = person.doctor()
    assert code == 0
    assert set(result["by"]) == ALWAYS | {"region", "session"}
    assert set(result["by"].values()) == {"ok"}
    assert (result["probe"], result["likely"]) == (None, None)
    # No call that the owner could see, and no prompt for a code.
    calls = [request["call"] for request in person.party.sandbox.control.requests(person.party.account)[before:]]
    assert not [call for call in calls if "AssumeRole" in call or "GetSessionToken" in call]
    code, shown = person.party.run_tty("doctor", "acme", "--probe", code=person.user.code)
    assert code == 0
    assert "The role admits you" in shown
    assert shown.index("CloudTrail") < shown.index("The role admits you")
    assert "most likely" not in shown


def test_the_page_lists_every_key_and_every_check(stage: Any, terms: Terms) -> None:
    page = (DOCS.parent / "doctor.md").read_text()
    _, result = Person(stage, Customer(stage, terms)).doctor("--probe")
    assert result["probe"]["in"]
    keys = set(result) - {"by", "said"} | set(result["probe"]) | set(result["checks"][0])
    assert keys <= set(re.findall(r"`([a-z_]+)`", page))
    from valetkey.credentials.doctor.checks import CHECKS

    assert [check.id for check in CHECKS] == re.findall(r"^\| `([a-z-]+)` \| ", page, re.MULTILINE)


@pytest.mark.usefixtures("refusals")
def test_own_account_without_permission(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms), only("x"))
    code, value = person.doctor()
    assert (code, value["by"]["permission"]) == (1, "blocks")
    assert "does not allow sts:AssumeRole" in value["likely"]
    assert {check for check, result in value["by"].items() if result == "blocks"} == {"permission"}
    # The owner cannot help in this case: the reason is on the contractor's side.
    code, value = person.doctor("--probe")
    assert code == 1
    assert "does not allow" in value["likely"]
    assert (value["probe"]["open"], value["probe"]["message"]) == ([], None)


def test_a_boundary_in_the_way(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms))
    document = only("x", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    arn = person.party.root("iam", "create_policy", PolicyName="limit", PolicyDocument=json.dumps(document))["Policy"][
        "Arn"
    ]
    person.party.root("iam", "put_user_permissions_boundary", UserName="alice", PermissionsBoundary=arn)
    code, result = person.doctor()
    assert code == 1
    assert "your permissions boundary does not" in result["said"]["permission"]


def test_a_device_that_was_taken_away_and_a_grant_that_ended(stage: Any, terms: Terms) -> None:
    """Both are reported in one run: an expired grant does not stop the other checks."""
    person = Person(stage, Customer(stage, terms), mfa=False)
    person.party.root("iam", "deactivate_mfa_device", UserName="alice", SerialNumber=person.user.mfa_serial)
    path = person.party.home / ".config" / "valetkey" / "profiles" / "acme.json"
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "terms": {**plain["terms"], "until": "2026-01-01T00:00:00Z"}}))
    code, value = person.doctor()
    assert code == 1
    blocks = {check for check, result in value["by"].items() if result == "blocks"}
    assert blocks == {"mfa"}
    assert value["by"]["grant-end"] == "beware"
    assert "no MFA device" in value["said"]["mfa"]


def test_policies_that_may_not_be_read_are_unknown(stage: Any, terms: Terms, refusals: str) -> None:
    customer = Customer(stage, terms)
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": customer.handoff.role_arn}
    person = Person(stage, customer, {"Version": "2012-10-17", "Statement": allow})
    code, value = person.doctor()
    assert (code, value["likely"]) == (0, None)
    assert {check for check, result in value["by"].items() if result == "unknown"} == {
        "mfa",
        "permission",
        "organization",
    }
    customer.trusts(replace(terms, external_id="rotated"))
    code, value = person.doctor("--probe")
    assert code == 1
    ours = {item["id"] for item in value["probe"]["open"] if item["who"] == "your admin"}
    if refusals == "reasons":
        # AWS names the trust policy: the unreadable policies of the contractor's side do not matter.
        assert (value["probe"]["refused_by"], value["probe"]["side"], ours) == ("role trust policy", "owner", set())
        assert value["likely"].startswith("the owner has changed or ended the grant: the trust policy of the owner's")
        return
    assert (value["probe"]["refused_by"], value["probe"]["side"]) == (None, None)
    assert ours == {"own-permission", "own-organization"}
    assert "your own account does not allow the call, or the owner" in value["likely"]


def test_an_identity_based_refusal_is_ones_own_side(stage: Any, terms: Terms) -> None:
    """A public log shows a cross-account AssumeRole denied like this, while its author searched in the trust policy.
    Here the person cannot read their own policies and the trust policy is wrong too: only AWS's message shows whose
    admin can help."""
    customer = Customer(stage, terms)
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": customer.handoff.role_arn}
    person = Person(stage, customer, {"Version": "2012-10-17", "Statement": allow})
    stage.sandbox.control.vary(person.party.account, refusals="reasons")
    person.party.root("iam", "delete_user_policy", UserName="alice", PolicyName=own_policy(person))
    customer.trusts(replace(terms, external_id="rotated"))
    code, result = person.doctor("--probe")
    assert (code, result["by"]["permission"]) == (1, "unknown")
    assert (result["probe"]["refused_by"], result["probe"]["side"]) == ("identity-based policy", "caller")
    assert (result["probe"]["open"], result["probe"]["message"]) == ([], None)
    assert result["likely"].startswith("no policy of your own user or role allows sts:AssumeRole")
    assert "ask your admin" in result["likely"]
    assert "owner" not in result["likely"]
    forget_role_session(person, customer)
    ran = person.party.run("exec", "acme", "--", "true")
    assert "no policy of your own user or role allows sts:AssumeRole" in ran.stderr
    assert "owner" not in ran.stderr


def forget_role_session(person: Person, customer: Customer) -> None:
    """Delete the cached role session and keep the MFA session."""
    cache = person.party.home / ".cache" / "valetkey"
    for path in (*cache.glob("hot/*"), *cache.glob("sessions/*.json")):
        if customer.owner.account in path.read_text():
            path.unlink()


def own_policy(person: Person) -> str:
    name: str = person.party.root("iam", "list_user_policies", UserName="alice")["PolicyNames"][0]
    return name


SCP = "with an explicit deny in a service control policy"
RCP = "with an explicit deny in a resource control policy"
ENDPOINT = "because no VPC endpoint policy allows the sts:AssumeRole action"


@pytest.mark.parametrize(
    ("reason", "side", "likely"),
    [
        (SCP, "caller", "a service control policy of your organization refuses sts:AssumeRole"),
        (RCP, "owner", "a resource control policy of the owner's organization refuses sts:AssumeRole"),
        (ENDPOINT, "network", "the policy of the VPC endpoint that your call goes through"),
        ("because no quantum policy allows the sts:AssumeRole action", "unknown", "the owner has changed or ended"),
    ],
)
def test_policies_that_the_sandbox_has_not(stage: Any, terms: Terms, reason: str, side: str, likely: str) -> None:
    """AWS's documented messages for policies of an organization and a VPC endpoint."""
    person = Person(stage, Customer(stage, terms))
    said = f"User: {person.user.arn} is not authorized to perform: sts:AssumeRole on resource: x {reason}"
    rule = {"kind": "deny", "service": "sts", "operation": "AssumeRole", "times": None, "message": said}
    stage.sandbox.control.fault(rule, account=person.party.account)
    code, result = person.doctor("--probe")
    stage.sandbox.control.clear(person.party.account)
    assert (code, result["probe"]["side"]) == (1, side)
    assert result["likely"].startswith(likely)
    assert (result["probe"]["message"] is None) is (side in ("caller", "network"))
    assert result["probe"]["message"] is None or reason in result["probe"]["message"]


def test_keys_that_aws_does_not_know(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms), mfa=False)
    person.party.root("iam", "delete_access_key", UserName="alice", AccessKeyId=person.user.access_key_id)
    code, result = person.doctor()
    assert (code, result["by"]["identity"], result["by"]["clock"]) == (1, "blocks", "ok")
    assert "does not know the base identity's access key" in result["likely"]
    refused = person.party.run("request", "acme")
    assert refused.returncode == 3
    assert refused.stderr.splitlines()[-1].startswith("  most likely: this access key was deleted")
    (person.party.home / ".aws" / "credentials").unlink()
    code, result = person.doctor()
    assert (code, result["by"]["base"], result["by"]["identity"]) == (1, "blocks", "unknown")


def test_without_a_customer(stage: Any) -> None:
    party = stage.contractor
    party.login(party.user("bob", only("x")))
    ran = party.run("doctor")
    assert ran.returncode == 0
    assert "no MFA device" in ran.stdout
    assert "user/bob" in ran.stdout
    wrong = party.run("doctor", "--probe")
    assert (wrong.returncode, "name a profile" in wrong.stderr) == (2, True)
    assert party.run("doctor", "nobody").returncode == 2


@pytest.mark.usefixtures("refusals")
def test_a_variant_that_gets_in_shows_what_stands_in_the_way(stage: Any, terms: Terms) -> None:
    """A trust policy that refuses exactly what the handoff requires: nothing else can be the reason."""
    customer = Customer(stage, terms)
    person = Person(stage, customer)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{person.party.account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"Null": {"sts:ExternalId": "true"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    customer.owner.root("iam", "update_assume_role_policy", RoleName=customer.name, PolicyDocument=document)
    code, result = person.doctor("--probe")
    assert code == 1
    probe = result["probe"]
    assert (probe["tries"][-1]["way"], probe["tries"][-1]["result"]) == ("without the ExternalId", "in")
    assert (probe["open"], probe["message"]) == ([], None)
    assert probe["reason"].startswith("the ExternalId")
    assert result["likely"] == probe["reason"]
    assert {"role", "principal", "ended"} <= {item["id"] for item in probe["ruled_out"]}


def test_an_mfa_session_too_old_for_the_role(stage: Any, terms: Terms) -> None:
    """The owner has shortened the maximum MFA age: a fresh code works, and doctor prompts for it as the last step."""
    customer = Customer(stage, terms)
    person = Person(stage, customer)
    customer.trusts(replace(terms, mfa_max_age=900))
    person.party.sandbox.control.shift(person.party.account, 1800)
    code, shown = person.party.run_tty("doctor", "acme", "--probe", code=person.user.code)
    assert code == 1
    assert re.search(r"with a fresh MFA code +in ", shown)
    assert "most likely: the age of the MFA session" in shown
    # Without a terminal: the variant is not tried, no reason is claimed, and the cached MFA session is kept.
    person.party.sandbox.control.shift(person.party.account, 1800)
    code, result = person.doctor("--probe")
    assert code == 1
    assert result["probe"]["reason"] is None
    assert person.doctor("--probe")[0] == 1


def test_without_a_code_the_checks_are_told_all_the_same(stage: Any, terms: Terms) -> None:
    ran = Person(stage, Customer(stage, terms), mfa=False).party.run("doctor", "acme", "--probe")
    assert ran.returncode == 3
    assert "sts:AssumeRole" in ran.stdout
    assert "no terminal" in ran.stderr


def test_silence_is_exit_code_3(stage: Any, terms: Terms) -> None:
    person = Person(stage, Customer(stage, terms), mfa=False)
    person.party.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    code, result = person.doctor()
    assert code == 3
    assert (result["by"]["clock"], result["by"]["identity"], result["likely"]) == ("unknown", "unknown", None)


COMMANDS = (
    ("exec", "acme", "--", "true"),
    ("env", "acme"),
    ("credential-process", "acme"),
    ("console", "acme", "--print"),
    ("verify", "acme", "--wait", "0"),
    ("doctor", "acme", "--probe"),
)


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("refusals")
def test_every_refusal_ends_with_its_most_likely_reason(stage: Any, terms: Terms) -> None:
    customer = Customer(stage, terms)
    person = Person(stage, customer)

    def reasons(commands: tuple[tuple[str, ...], ...]) -> dict[str, str]:
        result = {}
        for words in commands:
            ran = person.party.run(*words)
            assert ran.returncode not in (0, 2), (words, ran.stdout)
            # Commands that print a result print the reason on stdout too.
            said = ran.stdout if words[0] in ("verify", "doctor") else ran.stderr
            result[words[0]] = [line for line in said.splitlines() if line.strip()][-1].strip()
        return result

    customer.trusts(replace(terms, external_id="rotated-by-the-owner"))
    forget_role_session(person, customer)
    for command, reason in reasons(COMMANDS).items():
        assert reason.startswith("most likely: the owner has changed or ended the grant"), command
    stop = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}]}
    person.party.root("iam", "put_user_policy", UserName="alice", PolicyName="stop", PolicyDocument=json.dumps(stop))
    for command, reason in reasons((COMMANDS[0], COMMANDS[4])).items():
        assert reason.startswith("most likely: your own account does not allow"), command
        assert "stop, statement 1" in reason, command
