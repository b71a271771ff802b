"""Guards that guard nothing: ExternalIds that ids of others fit or that anybody guesses, sources that are everywhere,
MFA of anybody, guests of an identity pool."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audit.roles import BOTH, BY_ID, BY_MFA, NOW, OWN, ROOT, SISTER, WEB, A, allow, deny, role, run, trust

from valetkey.audit import Scope
from valetkey.audit.guesses import ONE_IN, by_chance, guess, met_by_chance

EXT, IP = "sts:ExternalId", "aws:SourceIp"
UUID = "????????-????-????-????-????????????"
LETTERS = [f"{char}*" for char in string.ascii_lowercase + string.ascii_uppercase + string.digits]
POOLS = "cognito-identity.amazonaws.com"
POOL = {"StringEquals": {f"{POOLS}:aud": "us-east-1:12345678-1234-1234-1234-123456789012"}}


def _exposure(condition: Any, principal: Any = ROOT, **more: Any) -> str:
    return run(trust(allow(principal, condition)), **more).roles[0].exposure


@pytest.mark.parametrize(
    "values",
    [
        "*-*",
        "*-*-*-*-*",
        UUID,
        UUID.replace("????-", "4???-", 1),
        LETTERS,
        "a*",
        "*@*",
        "vk*",
        "*e*",
        "12*",
        ["*", "x"],
    ],
)
def test_a_pattern_that_ids_of_others_fit_is_no_guard(values: Any) -> None:
    answer = run(trust(allow(ROOT, {"StringLike": {EXT: values}})))
    assert answer.roles[0].exposure == "unguarded"
    findings = {finding.check: finding for finding in answer.findings}
    assert findings["T1"].severity == "high"
    assert "fit by chance" in findings["T8"].text or "takes any value" in findings["T8"].text
    assert _exposure({"StringLike": {EXT: values}, **BY_MFA}) == "guarded"  # MFA guards by itself
    by_deny = trust(allow(ROOT), deny({"StringNotLike": {EXT: values}}))
    assert run(by_deny).roles[0].exposure == "unguarded"


@pytest.mark.parametrize(
    "values", ["acme@*", "acme-production-*", ["acme-*", "globex-*"], "*-acme-7f3c9d21", UUID[:-4] + "7f3c"]
)
def test_a_pattern_that_fixes_a_name_is_a_guard(values: Any) -> None:
    assert _exposure({"StringLike": {EXT: values}}) == "guarded"


def test_a_vendor_whose_ids_begin_with_the_customers_name() -> None:
    spacelift = "arn:aws:iam::324880187172:root"
    assert _exposure({"StringLike": {EXT: "abc@*"}}, spacelift) == "guarded"
    assert _exposure({"StringLike": {EXT: "*@*"}}, spacelift) == "unguarded"
    assert _exposure({"StringLike": {EXT: "ab@*"}}) == "unguarded"


@given(st.lists(st.text("ab1-*?", min_size=1, max_size=8), min_size=1, max_size=4))
def test_more_alternatives_and_wildcards_are_never_a_better_guard(patterns: list[str]) -> None:
    assert by_chance(patterns) >= max(map(by_chance, ([pattern] for pattern in patterns)))
    assert by_chance([f"*{patterns[0]}*"]) >= by_chance(patterns[:1])
    assert met_by_chance(["*", *patterns])
    assert met_by_chance(patterns) is (by_chance(patterns) * ONE_IN >= 1)


@pytest.mark.parametrize(
    "value",
    [
        *(A, OWN, SISTER, f"{A[:4]}-{A[4:8]}-{A[8:]}", "0000", "xxxxxxxx", "12345678", "abcdefgh", "password"),
        *("test", "TEST-123", "REPLACE_ME", "ReplaceMe", "changeme", "your-external-id-here", "ExternalId", "4CEBE3B"),
        *("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "12345678-1234-1234-1234-123456789012"),
    ],
)
def test_an_id_that_anybody_guesses_is_no_guard_and_one_finding_of_its_own(value: str) -> None:
    scope = Scope(own=frozenset({SISTER}))
    answer = run(trust(allow(ROOT, {"StringEquals": {EXT: value}})), scope=scope)
    assert answer.roles[0].exposure == "unguarded"
    (finding,) = (item for item in answer.failing("medium") if item.accepted is None)
    assert (finding.check, finding.severity) == ("T9", "medium")
    assert _exposure({"StringEquals": {EXT: value}, **BY_MFA}, scope=scope) == "guarded"
    one_of_two = {"StringEquals": {EXT: [value, "vk-7x3kq9wd5mfz2h8p"]}}
    assert _exposure(one_of_two, scope=scope) == "unguarded"


@pytest.mark.parametrize(
    "value",
    ["vk-7x3kq9wd5mfz2h8p", "0b9f4c9e-7f5d-4a2b-9a0a-6f1c2d3e4f50", "20260101", "acme-test-7f3c9d21", "a-4-9-z-2-k"],
)
def test_an_id_that_nobody_guesses_is_a_guard(value: str) -> None:
    assert guess(value, contractor=A, own={OWN}) == ""
    assert _exposure({"StringEquals": {EXT: value}}) == "guarded"


HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
ODD = [f"{first}.0.0.0/8" for first in range(1, 255, 2)]


@pytest.mark.parametrize("ranges", ["0.0.0.0/1", HALVES, ["0.0.0.0/2", "64.0.0.0/2"], "2000::/3", ["2000::/4"], ODD])
def test_ranges_that_are_the_internet_are_no_limit(ranges: Any) -> None:
    answer = run(trust(allow("*", {**BY_ID, "IpAddress": {IP: ranges}})))
    assert answer.roles[0].exposure == "unguarded"
    assert answer.roles[0].outsiders[0].sources == ()
    assert _exposure({**BY_ID, "IpAddress": {IP: ["192.0.2.0/24", "17.0.0.0/8"]}}, "*") == "guarded"


def test_mfa_of_anybody_is_called_what_it_is() -> None:
    for condition in (BY_MFA, BOTH, {**BY_MFA, "IpAddress": {IP: "192.0.2.0/24"}}):
        assert _exposure(condition, "*") == "unguarded"
    (finding,) = (item for item in run(trust(allow("*", BY_MFA))).findings if item.check == "T4")
    assert finding.severity == "critical"
    assert "MFA, which everybody can have in an account of their own" in finding.text


@pytest.mark.parametrize("amr", [None, "unauthenticated", "*", "un*", ["authenticated", "unauthenticated"]])
def test_guests_of_a_pool_are_everybody(amr: Any) -> None:
    more = {"ForAnyValue:StringLike": {f"{POOLS}:amr": amr}} if amr else {}
    text = trust(allow({"Federated": POOLS}, {**POOL, **more}, WEB))
    answer = run(text)
    assert answer.roles[0].exposure == "unguarded"
    (finding,) = (item for item in answer.findings if item.check == "T19")
    assert "guests" in finding.text
    assert finding.document is not None
    assert run(json.dumps(finding.document)).roles[0].exposure == "guarded"


def test_who_has_signed_in_to_a_pool_is_no_guest() -> None:
    for operator in ("ForAnyValue:StringLike", "ForAnyValue:StringEquals"):
        text = trust(allow({"Federated": POOLS}, {**POOL, operator: {f"{POOLS}:amr": "authenticated"}}, WEB))
        assert run(text).roles[0].exposure == "guarded"
    guests_denied = deny({"ForAnyValue:StringEquals": {f"{POOLS}:amr": "unauthenticated"}}, {"Federated": POOLS}, WEB)
    assert run(trust(allow({"Federated": POOLS}, POOL, WEB), guests_denied)).roles[0].exposure == "guarded"


def test_the_default_of_a_template_is_a_placeholder() -> None:
    from valetkey.account import read_files
    from valetkey.audit import audit

    document = {"Version": "2012-10-17", "Statement": [allow(ROOT, {"StringEquals": {EXT: {"Ref": "Id"}}})]}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"Id": {"Type": "String", "Default": "REPLACE_ME"}},
        "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}},
    }
    account = read_files(["t.json"], read=lambda name: json.dumps(template).encode(), owner=OWN)
    answer = audit(account, scope=Scope(), now=NOW)
    assert answer.roles[0].exposure == "unguarded"
    assert "T9" in {finding.check for finding in answer.failing("medium")}


def test_a_role_named_in_its_external_id_is_still_said() -> None:
    answer = run(role(trust(allow(ROOT, {"StringEquals": {EXT: "Partner-Access"}})), "partner-access"))
    assert [finding.check for finding in answer.failing("medium")] == ["T9"]


def test_ids_that_two_files_do_not_know_are_not_one_id() -> None:
    from valetkey.account import read_files
    from valetkey.audit import audit

    def template(account: str) -> bytes:
        principal = {"AWS": f"arn:aws:iam::{account}:root"}
        document = {"Version": "2012-10-17", "Statement": [allow(principal, {"StringEquals": {EXT: {"Ref": "Test"}}})]}
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
        return json.dumps({"Parameters": {"Test": {"Type": "String"}}, "Resources": {f"R{account}": role}}).encode()

    files = {"a.json": template(A), "b.json": template(SISTER)}
    answer = audit(read_files(files, read=files.__getitem__, owner=OWN), scope=Scope(), now=NOW)
    assert [item.exposure for item in answer.roles] == ["guarded", "guarded"]
    assert not [finding for finding in answer.findings if finding.check == "T9"]
