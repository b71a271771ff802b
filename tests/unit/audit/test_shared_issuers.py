"""Shared issuers: AWS's table, the claims that fix a tenant, addresses that end in a slash, providers of others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.unit.audit.roles import AUD, GITHUB, OWN, SAML, WEB, B, allow, run, trust

from valetkey.audit import Audit
from valetkey.catalog.condition_keys import key_of
from valetkey.catalog.shared_issuers import AWS_TABLE, SAME_ISSUER, SHARED, TABLE_DATE
from valetkey.sandbox.issuers import CLAIMS

SENTINEL = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"
HUB = "token.actions.githubusercontent.com"
OLD_HUB = "vstoken.actions.githubusercontent.com"


def _audit(host: str, condition: Any, account: str = OWN) -> Audit:
    provider = host if host == "cognito-identity.amazonaws.com" else f"arn:aws:iam::{account}:oidc-provider/{host}"
    return run(trust(allow({"Federated": provider}, condition, WEB)))


def test_every_issuer_of_the_table_is_known_with_its_claim() -> None:
    """The sandbox has the table a second time."""
    assert re.fullmatch(r"20\d\d-\d\d", TABLE_DATE)
    for host, wanted in CLAIMS.items():
        claims = {claim.key if ":" in claim.key else f"{host}:{claim.key}" for claim in AWS_TABLE[host].claims}
        assert claims & set(wanted), host
    assert all(host == host.lower().rstrip("/") for host in SHARED)
    assert set(SAME_ISSUER.values()) <= SHARED.keys()


@pytest.mark.parametrize("host", sorted({*AWS_TABLE, *SAME_ISSUER}))
@pytest.mark.parametrize("end", ["", "/"])
def test_an_audience_alone_names_no_tenant(host: str, end: str) -> None:
    answer = _audit(host + end, {"StringEquals": {f"{host}{end}:aud": "sts.amazonaws.com"}})
    assert answer.roles[0].exposure == "unguarded"
    assert [finding.severity for finding in answer.findings if finding.check == "T19"] == ["high"]


RIGHT: list[tuple[str, dict[str, Any]]] = [
    (HUB, {"StringEquals": {**AUD, f"{HUB}:repository": "acme/app"}}),
    (HUB, {"StringLike": {f"{HUB}:repository": "acme/*"}}),
    (HUB, {"StringEquals": {f"{HUB}:repository_id": "123456"}}),
    (HUB, {"StringEquals": {f"{HUB}:repository_owner_id": "4567"}}),
    (HUB, {"StringEquals": {f"{HUB}:enterprise_id": "42"}}),
    (HUB, {"StringEquals": {f"{HUB}:sub": "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main"}}),
    (OLD_HUB, {"StringLike": {f"{OLD_HUB}:sub": "repo:acme/*"}}),
    (SENTINEL, {"StringEquals": {"sts:RoleSessionName": "MicrosoftSentinel_01234567-89ab-cdef-0123-456789abcdef"}}),
    (
        f"{SENTINEL}/",
        {"StringEquals": {"sts:RoleSessionName": "MicrosoftSentinel_01234567-89ab-cdef-0123-456789abcdef"}},
    ),
    ("oidc.vercel.com", {"StringEquals": {"oidc.vercel.com:aud": "https://vercel.com/acme"}}),
    ("oidc.vercel.com", {"StringLike": {"oidc.vercel.com:sub": "owner:acme:project:*"}}),
    ("api.pulumi.com/oidc", {"StringEquals": {"api.pulumi.com/oidc:aud": "aws:acme"}}),
    ("studio.datachain.ai/api", {"StringEquals": {"studio.datachain.ai/api:sub": "credentials:acme/main"}}),
    ("proidc.upbound.io", {"StringLike": {"proidc.upbound.io:sub": "mcp:acme/*"}}),
    ("tokens.cloud.shisho.dev", {"StringEquals": {"tokens.cloud.shisho.dev:sub": "job:acme:1234"}}),
    ("sandboxes.cloud", {"StringEquals": {"sandboxes.cloud:aud": "acme-7f3c"}}),
    ("sandboxes.cloud/oidc", {"StringEquals": {"sandboxes.cloud/oidc:aud": "acme-7f3c"}}),
    (
        "oidc-configuration.audit-log.githubusercontent.com",
        {"StringEquals": {"oidc-configuration.audit-log.githubusercontent.com:sub": "https://github.com/acme"}},
    ),
]
WRONG: list[tuple[str, dict[str, Any]]] = [
    (HUB, {"StringLike": {f"{HUB}:repository": "acme*"}}),
    (HUB, {"StringLike": {f"{HUB}:repository_id": "123*"}}),
    (HUB, {"StringEquals": {f"{HUB}:ref": "refs/heads/main", f"{HUB}:environment": "prod"}}),
    (HUB, {"StringEqualsIfExists": {f"{HUB}:repository": "acme/app"}}),
    (OLD_HUB, {"StringLike": {f"{OLD_HUB}:sub": "repo:*"}}),
    (SENTINEL, {"StringLike": {"sts:RoleSessionName": "MicrosoftSentinel_*"}}),
    ("oidc.vercel.com", {"StringLike": {"oidc.vercel.com:aud": "https://vercel.com/*"}}),
    ("studio.datachain.ai/api", {"StringLike": {"studio.datachain.ai/api:sub": "credentials:*"}}),
]


@pytest.mark.parametrize(("host", "condition"), RIGHT)
def test_the_claim_that_names_the_tenant_guards(host: str, condition: Any) -> None:
    answer = _audit(host, condition)
    assert answer.roles[0].exposure == "guarded"
    assert not [finding for finding in answer.findings if finding.check == "T19"]


@pytest.mark.parametrize(("host", "condition"), WRONG)
def test_what_does_not_name_the_tenant_guards_nothing(host: str, condition: Any) -> None:
    answer = _audit(host, condition)
    assert answer.roles[0].exposure == "unguarded"
    assert [finding.severity for finding in answer.findings if finding.check == "T19"] == ["high"]


def test_an_issuer_that_is_on_no_list_is_said_to_be_taken_for_the_owners() -> None:
    answer = _audit("login.acme.example", {"StringEquals": {"login.acme.example:sub": "deploy"}})
    assert answer.roles[0].exposure == "internal"
    assert "login.acme.example is on no list of shared issuers" in answer.roles[0].notes[0]
    (finding,) = answer.findings
    assert (finding.check, finding.severity) == ("T19", "info")
    assert "taken for the owner's" in finding.text


def test_a_subject_is_one_value() -> None:
    assert key_of(f"{HUB}:sub").many is False
    # Of one value, "for any value" says the same as the plain operator.
    sub = f"{HUB}:sub"
    assert _audit(HUB, {"ForAnyValue:StringLike": {sub: "repo:acme/*"}}).roles[0].exposure == "guarded"
    many = [f"repo:acme/app{n}:*" for n in range(12)]  # undecided while a subject could have several values
    assert _audit(HUB, {"ForAnyValue:StringLike": {sub: many}}).roles[0].exposure == "guarded"


def test_a_provider_of_another_account_is_said() -> None:
    tied = _audit(HUB, {"StringEquals": {f"{HUB}:sub": "repo:acme/app:ref:refs/heads/main"}}, B)
    assert tied.roles[0].exposure == "guarded"
    (finding,) = (item for item in tied.findings if item.check == "T19")
    assert finding.severity == "medium"
    assert f"is a provider of account {B} and not of this one" in finding.text
    loose = _audit("login.acme.example", {}, B)
    assert loose.roles[0].exposure == "unguarded"
    assert [item.severity for item in loose.findings if item.check == "T19"] == ["high"]
    saml = run(trust(allow({"Federated": SAML.replace(OWN, B)}, None, "sts:AssumeRoleWithSAML")))
    assert f"of account {B}" in next(item.text for item in saml.findings if item.check == "T19")
    assert GITHUB.split(":")[4] == OWN
