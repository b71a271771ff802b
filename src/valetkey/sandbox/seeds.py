"""Roles to audit, which `valetkey sandbox seed` creates: at least one for each check T1 to T31 (docs/auditing.md), and
some without findings.

Documents contain names that `seed` fills in: OWNER and PARTNER are the two accounts, THIRD another outsider, UNTIL an
end in the future, NAME the role's own name, ORPHAN a role of the partner that is deleted afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Exposure = Literal["internal", "guarded", "unguarded", "unreachable"]

PARTNER_ROLE = "seed-robot"
"""A role of the partner that some trust policies name."""
SPACELIFT = "324880187172"
"""A vendor with its own ExternalIds, which begin with the customer's name, so that a pattern is correct."""


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One role to create."""

    name: str
    what: str
    """What is wrong with it, or right."""
    checks: tuple[str, ...]
    """Every check that must have a finding, first the one that it is made for; empty: no finding is allowed."""
    exposure: Exposure
    trust: Mapping[str, Any] | None = None
    """None for a grant, which is created by the code of `valetkey grant` and changed afterwards by `then`."""
    path: str = "/"
    description: str = ""
    managed: tuple[str, ...] = ()
    """Names of AWS's managed policies."""
    inline: Mapping[str, Any] = field(default_factory=dict)
    """Inline policies in addition to the one that every role has."""
    dated: bool = True
    """Whether its permissions end together with its trust."""
    days_old: int = 0
    planted: bool = False
    """IAM refuses to save its trust policy: it is set without IAM's checks."""
    then: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """IAM calls that change it afterwards."""


ROOT = {"AWS": "arn:aws:iam::PARTNER:root"}
ANYBODY = {"AWS": "*"}
ID = {"StringEquals": {"sts:ExternalId": "vk-seed-NAME"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
END = {"DateLessThan": {"aws:CurrentTime": "UNTIL"}}
FULL = {**ID, **MFA, **END}
GITHUB = {"Federated": "arn:aws:iam::OWNER:oidc-provider/token.actions.githubusercontent.com"}
SAML = {"Federated": "arn:aws:iam::OWNER:saml-provider/seed-sso"}
_AUDIENCE = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
_WEB = "sts:AssumeRoleWithWebIdentity"


def allow(principal: Any, *conditions: Mapping[str, Any], action: Any = "sts:AssumeRole") -> dict[str, Any]:
    """An Allow statement. Conditions with the same operator are merged."""
    return _statement("Allow", principal, conditions, action)


def deny(principal: Any, *conditions: Mapping[str, Any]) -> dict[str, Any]:
    """A statement that denies sts:AssumeRole."""
    return _statement("Deny", principal, conditions, "sts:AssumeRole")


def trust(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A trust policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(effect: str, principal: Any, conditions: tuple[Mapping[str, Any], ...], action: Any) -> dict[str, Any]:
    tests: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        for operator, test in condition.items():
            tests.setdefault(operator, {}).update(test)
    result = {"Effect": effect, "Principal": principal, "Action": action}
    return {**result, "Condition": tests} if tests else result


def _id(value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {"sts:ExternalId": value}}


def _mfa(operator: str, value: str) -> dict[str, Any]:
    return {operator: {"aws:MultiFactorAuthPresent": value}}


def _open(*actions: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"more": {"Version": "2012-10-17", "Statement": [statement]}}


SEEDS: tuple[Seed, ...] = (
    Seed(name="t01-bare", what="an outside account without ExternalId and without MFA",
         checks=("T1", "T20"), exposure="unguarded", trust=trust(allow(ROOT, END))),
    Seed(name="t01-bare-object", what="the same, written as a bare account id in a lone statement",
         checks=("T1", "T20"), exposure="unguarded",
         trust={"Version": "2012-10-17", "Statement": allow({"AWS": "PARTNER"}, END)}),
    Seed(name="t01-bare-beside-service", what="the same, beside an AWS service",
         checks=("T1", "T20"), exposure="unguarded",
         trust=trust(allow({"AWS": ["PARTNER"], "Service": "ec2.amazonaws.com"}, END))),
    Seed(name="t02-mfa-only", what="MFA and no ExternalId",
         checks=("T2", "T20"), exposure="guarded", trust=trust(allow(ROOT, MFA, END))),
    Seed(name="t03-external-id-only", what="an ExternalId and no MFA",
         checks=("T3", "T20"), exposure="guarded", trust=trust(allow(ROOT, ID, END))),
    Seed(name="t04-anyone", what="anybody with an AWS account",
         checks=("T4",), exposure="unguarded", trust=trust(allow(ANYBODY, END))),
    Seed(name="t04-anyone-in-a-list", what="anybody, hidden in a list beside the own account",
         checks=("T4",), exposure="unguarded", trust=trust(allow({"AWS": ["arn:aws:iam::OWNER:root", "*"]}, END))),
    Seed(name="t04-anyone-with-mfa", what="anybody who has MFA in an account of their own",
         checks=("T4", "T18"), exposure="unguarded", trust=trust(allow("*", MFA, END))),
    Seed(name="t05-anyone-externalid", what="anybody who knows the ExternalId",
         checks=("T5",), exposure="unguarded", trust=trust(allow(ANYBODY, ID, END))),
    Seed(name="t06-org-if-exists", what="an organisation, with IfExists: callers without one are admitted",
         checks=("T6", "T4"), exposure="unguarded",
         trust=trust(allow(ANYBODY, END, {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-seed123456"}}))),
    Seed(name="t06-org-for-all-values", what="an organisation, with ForAllValues: callers without one are admitted",
         checks=("T6", "T4"), exposure="unguarded",
         trust=trust(allow(ANYBODY, END, {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-seed123456"}}))),
    Seed(name="t07-mfa-if-exists", what="BoolIfExists on an Allow: long-term keys carry no MFA key and pass",
         checks=("T7", "T3", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, ID, END, _mfa("BoolIfExists", "true")))),
    Seed(name="t07-mfa-false", what="asks for a request without MFA",
         checks=("T7", "T3", "T20"), exposure="guarded", trust=trust(allow(ROOT, ID, END, _mfa("Bool", "false")))),
    Seed(name="t07-mfa-deny-bool", what="a Deny with Bool false, which does not stop long-term keys",
         checks=("T7", "T3", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, ID, END), deny(ANYBODY, _mfa("Bool", "false")))),
    Seed(name="t08-id-any", what="any ExternalId is accepted",
         checks=("T8", "T2", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("*", "StringLike"), MFA, END))),
    Seed(name="t08-id-if-exists", what="an ExternalId with IfExists: a call without one is accepted",
         checks=("T8", "T2", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, _id("vk-seed-NAME", "StringEqualsIfExists"), MFA, END))),
    Seed(name="t08-id-not", what="every ExternalId but one",
         checks=("T8", "T2", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, _id("vk-seed-NAME", "StringNotEquals"), MFA, END))),
    Seed(name="t08-id-for-all-values", what="an ExternalId with ForAllValues: a call without one is accepted",
         checks=("T8", "T2", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, _id("vk-seed-NAME", "ForAllValues:StringEquals"), MFA, END))),
    Seed(name="t08-id-null", what="an ExternalId of any value",
         checks=("T8", "T2", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("false", "Null"), MFA, END))),
    Seed(name="t09-id-own-account", what="the ExternalId is the owner's account id",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("OWNER"), MFA, END))),
    Seed(name="t09-id-partner-account", what="the ExternalId is the partner's account id",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("PARTNER"), MFA, END))),
    Seed(name="t09-id-role-name", what="the ExternalId is the role's name",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("NAME"), MFA, END))),
    Seed(name="t09-id-public", what="the ExternalId is a template's public default",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("4CEBE3B"), MFA, END))),
    Seed(name="t09-id-short", what="the ExternalId has five characters",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("ab1-x"), MFA, END))),
    Seed(name="t09-id-digits", what="the ExternalId is a number",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("20260731"), MFA, END))),
    Seed(name="t09-id-shared-1", what="two parties share one ExternalId",
         checks=("T9", "T20"), exposure="guarded", trust=trust(allow(ROOT, _id("vk-seed-shared"), MFA, END))),
    Seed(name="t09-id-shared-2", what="two parties share one ExternalId",
         checks=("T9", "T20"), exposure="guarded",
         trust=trust(allow({"AWS": "arn:aws:iam::THIRD:root"}, _id("vk-seed-shared"), MFA, END))),
    Seed(name="t09-id-vendor-pattern", what="a pattern that this vendor requires: a named exception, not a defect",
         checks=("T9",), exposure="guarded",
         trust=trust(allow({"AWS": SPACELIFT}, _id("seed-corp@*", "StringLike"), MFA, END))),
    Seed(name="t10-id-unsendable", what="an ExternalId with a blank, which STS refuses",
         checks=("T10", "T14"), exposure="unreachable", trust=trust(allow(ROOT, _id("seed corp 2026"), MFA, END))),
    Seed(name="t11-second-door", what="a second statement admits what the first one refuses",
         checks=("T11", "T2", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL), allow(ROOT, MFA, END))),
    Seed(name="t12-deny-guard", what="open, but restricted by Deny statements: guarded, and fragile",
         checks=("T12", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, END), deny(ANYBODY, _id("vk-seed-NAME", "StringNotEquals")),
                     deny(ANYBODY, _mfa("BoolIfExists", "false")))),
    Seed(name="t13-orphan", what="a principal that has been deleted, beside the own account",
         checks=("T13", "T14"), exposure="internal",
         trust=trust(allow({"AWS": "arn:aws:iam::OWNER:root"}), allow({"AWS": "ORPHAN"}, FULL))),
    Seed(name="t14-ended", what="its end has passed",
         checks=("T14",), exposure="unreachable",
         trust=trust(allow(ROOT, ID, MFA, {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}))),
    Seed(name="t15-no-end", what="no end at all",
         checks=("T15", "T20"), exposure="guarded", trust=trust(allow(ROOT, ID, MFA)), dated=False),
    Seed(name="t15-trust-ends", what="the trust ends, the permissions of a live session do not",
         checks=("T15", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)), dated=False),
    Seed(name="t15-permissions-end", what="the permissions end, the trust does not",
         checks=("T15", "T20"), exposure="guarded", trust=trust(allow(ROOT, ID, MFA))),
    Seed(name="t16-wider-than-agreed", what="a grant for one person, opened to the whole account since",
         checks=("T16", "T26"), exposure="guarded",
         then=(("update_assume_role_policy", {"PolicyDocument": trust(allow(ROOT, FULL))}),)),
    Seed(name="t17-any-action", what="every action of STS",
         checks=("T17", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL, action="sts:*"))),
    Seed(name="t17-tags", what="session tags of the partner's own choice",
         checks=("T17", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, FULL, action=["sts:AssumeRole", "sts:TagSession"]))),
    Seed(name="t18-not-principal", what="NotPrincipal, which a role's trust cannot have",
         checks=("T18", "T4"), exposure="unguarded", planted=True,
         trust=trust({"Effect": "Allow", "NotPrincipal": ROOT, "Action": "sts:AssumeRole", "Condition": END})),
    Seed(name="t18-resource", what="Resource, which a role's trust cannot have",
         checks=("T18", "T20"), exposure="guarded", planted=True, trust=trust({**allow(ROOT, FULL), "Resource": "*"})),
    Seed(name="t19-github-any", what="GitHub Actions without `sub`: every repository there is",
         checks=("T19",), exposure="unguarded", planted=True,
         trust=trust(allow(GITHUB, {"StringEquals": _AUDIENCE}, END, action=_WEB))),
    Seed(name="t19-github-pattern", what="GitHub Actions with `repo:*`: every repository there is",
         checks=("T19",), exposure="unguarded",
         trust=trust(allow(GITHUB, {"StringEquals": _AUDIENCE}, END,
                           {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}, action=_WEB))),
    Seed(name="t19-saml-no-audience", what="an own SAML provider without SAML:aud",
         checks=("T19",), exposure="internal", trust=trust(allow(SAML, action="sts:AssumeRoleWithSAML"))),
    Seed(name="t20-unknown-party", what="all guards, but the holder of the account is unknown",
         checks=("T20",), exposure="guarded", trust=trust(allow(ROOT, FULL))),
    Seed(name="t21-reads-data", what="ReadOnlyAccess, which reads customers' data",
         checks=("T21", "T20", "T31"), exposure="guarded", trust=trust(allow(ROOT, FULL)),
         managed=("ReadOnlyAccess",)),
    Seed(name="t22-admin", what="may do everything",
         checks=("T22", "T21", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)),
         managed=("AdministratorAccess",)),
    Seed(name="t22-own-trust", what="may change who is admitted",
         checks=("T22", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)),
         inline=_open("iam:UpdateAssumeRolePolicy", resource="arn:aws:iam::OWNER:role/NAME")),
    Seed(name="t22-pass-role", what="may pass roles on and run code with them",
         checks=("T22", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)),
         inline=_open("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")),
    Seed(name="t23-session-too-long", what="a grant with sessions of 1 hour, extended to 4 hours since",
         checks=("T23", "T26"), exposure="guarded", then=(("update_role", {"MaxSessionDuration": 14400}),)),
    Seed(name="t24-mfa-of-a-role", what="requires MFA of a role, whose sessions never carry it",
         checks=("T24", "T20"), exposure="guarded",
         trust=trust(allow({"AWS": f"arn:aws:iam::PARTNER:role/{PARTNER_ROLE}"}, FULL))),
    Seed(name="t25-never-used", what="made 200 days ago and never used",
         checks=("T25", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)), days_old=200),
    Seed(name="t26-drift", what="a grant with one policy more than agreed",
         checks=("T26",), exposure="guarded",
         then=(("attach_role_policy", {"PolicyArn": "arn:aws:iam::aws:policy/IAMAccessAdvisorReadOnly"}),)),
    Seed(name="t27-console", what="for the console, which cannot send its ExternalId",
         checks=("T27", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)),
         description="For the console: Switch Role"),
    Seed(name="t28-session", what="names a role session of the partner instead of the role",
         checks=("T28", "T20"), exposure="guarded",
         trust=trust(allow({"AWS": f"arn:aws:sts::PARTNER:assumed-role/{PARTNER_ROLE}/nightly"}, ID, END))),
    Seed(name="t28-other-partition", what="names an account of AWS in China, which can never assume this role",
         checks=("T28", "T14"), exposure="unreachable", planted=True,
         trust=trust(allow({"AWS": "arn:aws-cn:iam::PARTNER:root"}, FULL))),
    Seed(name="t29-near-quota", what="a trust policy of nearly 2048 characters",
         checks=("T29", "T20"), exposure="guarded",
         trust=trust(allow(ROOT, FULL, {"StringNotEquals": {"aws:PrincipalArn": [
             f"arn:aws:iam::PARTNER:role/seed-former-member-of-the-team-{number:02}" for number in range(25)]}}))),
    Seed(name="t30-hidden-path", what="an outsider's role under /service-role/, the path of AWS's own roles",
         checks=("T30", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)), path="/service-role/"),
    Seed(name="t31-registry-token", what="hands out a token of ECR, which lives on for 12 hours after a revocation",
         checks=("T31", "T20"), exposure="guarded", trust=trust(allow(ROOT, FULL)),
         inline={"registry": {"Version": "2012-10-17", "Statement": [
             {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]}}),
    Seed(name="ok-grant", what="a grant as valetkey makes it", checks=(), exposure="guarded"),
    Seed(name="ok-own-account", what="the own account", checks=(), exposure="internal",
         trust=trust(allow({"AWS": "arn:aws:iam::OWNER:root"}))),
    Seed(name="ok-own-role", what="a role of the own account", checks=(), exposure="internal",
         trust=trust(allow({"AWS": "arn:aws:iam::OWNER:role/ok-own-account"}))),
    Seed(name="ok-ec2", what="instances", checks=(), exposure="internal", managed=("AdministratorAccess",),
         trust=trust(allow({"Service": "ec2.amazonaws.com"}))),
    Seed(name="ok-lambda", what="a function's role under /service-role/", checks=(), exposure="internal",
         path="/service-role/", managed=("service-role/AWSLambdaBasicExecutionRole",),
         trust=trust(allow({"Service": "lambda.amazonaws.com"}))),
    Seed(name="ok-saml", what="single sign-on", checks=(), exposure="internal",
         trust=trust(allow(SAML, {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
                           action="sts:AssumeRoleWithSAML"))),
    Seed(name="ok-github", what="GitHub Actions of one repository", checks=(), exposure="guarded",
         trust=trust(allow(GITHUB, {"StringEquals": _AUDIENCE}, END,
                           {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:seed-corp/app:*"}},
                           action=_WEB))),
)  # fmt: skip
"""In order of creation: a role that another one's trust policy names comes first."""
