"""Trust policies of templates in which some values are not known."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from tests.unit.audit.roles import NOW, OWN

from valetkey.account.files import read_files
from valetkey.audit import Audit, Scope, audit

HEAD = """
Parameters:
  Id: {Type: String}
  LongId: {Type: String, MinLength: 8, AllowedPattern: '[A-Za-z0-9-]+'}
  Acc: {Type: String}
  Number: {Type: String, AllowedPattern: '^[0-9]{12}$'}
  Vendor: {Type: String, AllowedValues: ["222222222222", "333333333333"]}
  Either: {Type: String, AllowedValues: ["222222222222", "111111111111"]}
  Org: {Type: String}
  Safe: {Type: String, AllowedPattern: '[a-z-]+', MinLength: 1}
  Accounts: {Type: CommaDelimitedList}
  Day: {Type: String}
  Provider: {Type: String}
  UseId: {Type: String, Default: "yes"}
Conditions:
  Asked: !Not [!Equals [!Ref Id, ""]]
  AskedLong: !Not [!Equals [!Ref LongId, ""]]
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Made: {Type: Custom::Thing, Properties: {ServiceToken: x}}
  Member: {Type: AWS::Organizations::Account, Properties: {AccountName: a, Email: a@example.com}}
  Pool: {Type: AWS::Cognito::IdentityPool}
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
"""
ALLOW = "- {Effect: Allow, Principal: {AWS: %s}, Action: sts:AssumeRole%s}"
VENDOR = "arn:aws:iam::222222222222:root"
WEB = (
    "- {Effect: Allow, Principal: {Federated: %s}, Action: sts:AssumeRoleWithWebIdentity, "
    "Condition: {StringLike: {token.actions.githubusercontent.com:sub: %s}}}"
)
HUB = f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"


def by_id(value: str, operator: str = "StringEquals") -> str:
    return f", Condition: {{{operator}: {{sts:ExternalId: {value}}}}}"


def run(*statements: str, scope: Scope | None = None, head: str = HEAD, **parameters: str) -> Audit:
    text = head + textwrap.indent("\n".join(statements), " " * 10)
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    files = {"t.yaml": text.encode(), "p.json": json.dumps(given).encode()}
    names = ["t.yaml", "p.json"] if parameters else ["t.yaml"]
    account = read_files(names, read=files.__getitem__, owner=OWN)
    return audit(account, scope=scope or Scope(), now=NOW)


CERTAIN: dict[str, tuple[str, str, list[str]]] = {
    # name: exposure, reason, statements
    "an ExternalId": ("guarded", "if Id is not guessable", [ALLOW % (VENDOR, by_id("!Ref Id"))]),
    "an ExternalId of 8 characters": (
        "guarded",
        "if LongId is not guessable",
        [ALLOW % (VENDOR, by_id("!Ref LongId"))],
    ),
    "one by a pattern": ("guarded", "if Id is not guessable", [ALLOW % (VENDOR, by_id("!Ref Id", "StringLike"))]),
    "the id of the stack": (
        "guarded",
        "if a part of AWS::StackId is not guessable",
        [ALLOW % (VENDOR, by_id("!Select [2, !Split ['/', !Ref AWS::StackId]]"))],
    ),
    "a secret": (
        "guarded",
        "if {{resolve:ssm:/id}} is not guessable",
        [ALLOW % (VENDOR, by_id("'{{resolve:ssm:/id}}'"))],
    ),
    "anybody besides an unknown account": ("unguarded", "", [ALLOW % ('"*"', ""), ALLOW % ("!Ref Acc", "")]),
    "anybody besides what cannot be read": (
        "unguarded",
        "",
        [ALLOW % ('"*"', ""), ALLOW % ("{'Fn::Transform': {Name: M}}", "")],
    ),
    "one of two vendors": ("unguarded", "", [ALLOW % ("!Ref Vendor", "")]),
    "a vendor with both": (
        "guarded",
        'if Acc is not "*" and Id is not guessable, unless Acc is your own account',
        [ALLOW % ("!Ref Acc", by_id("!Ref Id"))],
    ),
    "an account's number": (
        "guarded",
        "unless Number is your own account",
        [ALLOW % ("!Ref Number", by_id("d41f-77aa-93c0-5e21"))],
    ),
    "an account within an ARN": (
        "guarded",
        "unless Acc is your own account",
        [ALLOW % ("!Sub 'arn:aws:iam::${Acc}:root'", by_id("d41f-77aa-93c0-5e21"))],
    ),
    "a service for a bucket": (
        "internal",
        "",
        [
            (
                "- {Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: sts:AssumeRole, "
                "Condition: {ArnEquals: {aws:SourceArn: !GetAtt Bucket.Arn}}}"
            )
        ],
    ),
    "a service for an account": (
        "internal",
        "",
        [
            (
                "- {Effect: Allow, Principal: {Service: !Sub '${Safe}.amazonaws.com'}, Action: sts:AssumeRole, "
                "Condition: {StringEquals: {aws:SourceAccount: !Ref Acc}}}"
            )
        ],
    ),
    "a GitHub organisation": ("guarded", "if Org names one tenant", [WEB % (HUB, "!Sub 'repo:${Org}/app:*'")]),
    "one without wildcards": ("guarded", "", [WEB % (HUB, "!Sub 'repo:${Safe}/app:*'")]),
    "GitHub by a provider that is not known": (
        "guarded",
        "if Org names one tenant",
        [WEB % ("!Ref Provider", "!Sub 'repo:${Org}/app:*'")],
    ),
    "an identity pool of the template": (
        "guarded",
        "",
        [
            (
                "- {Effect: Allow, Principal: {Federated: cognito-identity.amazonaws.com}, "
                "Action: sts:AssumeRoleWithWebIdentity, "
                "Condition: {StringEquals: {cognito-identity.amazonaws.com:aud: !Ref Pool}, "
                "'ForAnyValue:StringEquals': {cognito-identity.amazonaws.com:amr: authenticated}}}"
            )
        ],
    ),
    "an end": (
        "guarded",
        "unless Day is a day that is over",
        [
            ALLOW
            % (
                VENDOR,
                (
                    ", Condition: {StringEquals: {sts:ExternalId: d41f-77aa-93c0-5e21}, "
                    "DateLessThan: {aws:CurrentTime: !Ref Day}}"
                ),
            )
        ],
    ),
    "a role of the template's": ("internal", "", [ALLOW % ("!GetAtt Bucket.RoleArn", "")]),
    "a Deny for others than an account": (
        "guarded",
        "if Id is not guessable",
        [
            ALLOW % (VENDOR, ""),
            (
                "- {Effect: Deny, Principal: '*', Action: sts:AssumeRole, "
                "Condition: {StringNotEquals: {sts:ExternalId: !Ref Id}}}"
            ),
        ],
    ),
    "a choice that makes no difference": (
        "guarded",
        "if Id is not guessable",
        [ALLOW % (VENDOR, by_id("!If [Asked, !Ref Id, d41f-77aa-93c0-5e21]"))],
    ),
    "a choice that is none": (
        "guarded",
        "if LongId is not guessable",
        [f"- !If [AskedLong, {(ALLOW % (VENDOR, by_id('!Ref LongId')))[2:]}, {(ALLOW % (VENDOR, ''))[2:]}]"],
    ),
}
UNDECIDED: dict[str, tuple[str, list[str]]] = {
    "an account alone": ("unguarded unless Acc is your own account", [ALLOW % ("!Ref Acc", "")]),
    "a list of accounts": ("unguarded unless Accounts is your own account", [ALLOW % ("!Ref Accounts", "")]),
    "what a custom resource returns": (
        "unguarded unless Made.Arn is your own account",
        [ALLOW % ("!GetAtt Made.Arn", "")],
    ),
    "an account that the template makes": (
        "unguarded unless Member is your own account",
        [ALLOW % ("!Sub 'arn:aws:iam::${Member}:root'", "")],
    ),
    "an attribute that is no ARN": (
        "unguarded unless Bucket.OwnerId is your own account",
        [ALLOW % ("!GetAtt Bucket.OwnerId", "")],
    ),
    "theirs or ours": ('unguarded unless Either is "111111111111"', [ALLOW % ("!Ref Either", "")]),
    "an ExternalId that may be left out": (
        "unguarded unless condition Asked holds",
        [ALLOW % (VENDOR, ", Condition: !If [Asked, {StringEquals: {sts:ExternalId: !Ref Id}}, !Ref AWS::NoValue]")],
    ),
    "a statement that cannot be read": (
        "Fn::Transform is known only to CloudFormation",
        [ALLOW % (VENDOR, by_id("d41f-77aa-93c0-5e21")), "- {Effect: Allow, Action: {'Fn::Transform': {Name: M}}}"],
    ),
    "an organisation": (
        "unguarded unless Org is your organisation",
        [ALLOW % ('"*"', ", Condition: {StringEquals: {aws:PrincipalOrgID: !Ref Org}}")],
    ),
    "an action": ("it hangs on Org", ["- {Effect: Allow, Principal: {AWS: 222222222222}, Action: !Ref Org}"]),
    "a kind of principal": (
        "it hangs on Org",
        [ALLOW % ('"*"', ", Condition: {StringEquals: {aws:PrincipalType: !Ref Org}}")],
    ),
}


@pytest.mark.parametrize("name", CERTAIN)
def test_what_holds_for_every_value_is_decided(name):
    exposure, reason, statements = CERTAIN[name]
    (judged,) = run(*statements).roles
    assert (judged.exposure, judged.reason) == (exposure, reason)


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_hangs_on_a_value_is_unknown_and_says_on_which(name):
    reason, statements = UNDECIDED[name]
    answer = run(*statements)
    (judged,) = answer.roles
    assert judged.exposure == "unknown"
    assert reason in judged.reason
    assert "unknown" in {finding.check for finding in answer.failing("critical")}


def test_what_an_answer_rests_on_is_said():
    (judged,) = run(ALLOW % (VENDOR, by_id("!Ref Id"))).roles
    assert "Id is not guessable" in judged.assumed


def test_a_certain_finding_is_kept_and_an_uncertain_one_is_not():
    answer = run(ALLOW % ('"*"', ""), ALLOW % ("!Ref Acc", ""))
    assert "T4" in {finding.check for finding in answer.findings}
    assert "T1" not in {finding.check for finding in answer.findings}
    answer = run(ALLOW % (VENDOR, ""), "- {Effect: Allow, Action: {'Fn::Transform': {Name: M}}}")
    assert answer.roles[0].exposure == "unguarded"
    assert "T1" in {finding.check for finding in answer.findings}


def test_a_deny_that_cannot_be_read_leaves_nothing_certain():
    broken = "- {Effect: Deny, Principal: '*', Action: {'Fn::Transform': {Name: M}}}"
    answer = run(ALLOW % (VENDOR, ""), broken)
    assert answer.roles[0].exposure == "unknown"
    assert {finding.check for finding in answer.findings} == {"unknown"}


def test_a_parameter_file_decides_what_hung_on_it():
    assert run(ALLOW % ("!Ref Acc", ""), Acc=OWN).roles[0].exposure == "internal"
    assert run(ALLOW % ("!Ref Acc", ""), Acc="222222222222").roles[0].exposure == "unguarded"


def test_a_corrected_document_names_what_is_not_known():
    answer = run(ALLOW % (VENDOR, by_id("!Ref Id")))
    documents = [finding.document for finding in answer.findings if finding.document is not None]
    assert documents
    assert all("<Id>" in json.dumps(document) for document in documents)
    assert "value-of" not in json.dumps(documents)


def test_permissions_with_the_name_of_a_resource_are_read():
    head = HEAD.replace(
        "      AssumeRolePolicyDocument:",
        """      Policies:
        - PolicyName: data
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "s3:GetObject", Resource: !Sub "${Bucket.Arn}/*"}
        - PolicyName: more
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Deny, Action: "s3:*", Resource: !Sub "${Bucket.Arn}/*"}
      AssumeRolePolicyDocument:""",
    )
    (judged,) = run(ALLOW % (VENDOR, by_id("d41f-77aa-93c0-5e21")), head=head).roles
    assert judged.powers is not None
    assert judged.powers.opening.reads_data
    # What a Deny with a symbol denies is not known.
    assert any("inline policy more" in item for item in judged.unknown)
    assert not any("inline policy data" in item for item in judged.unknown)


def test_own_organisation_and_accounts_are_what_the_owner_says():
    scope = Scope(org_id="o-ourown1234")
    text = ", Condition: {StringEquals: {aws:PrincipalOrgID: !Ref Org}}"
    assert run(ALLOW % ('"*"', text), scope=scope, Org="o-ourown1234").roles[0].exposure == "internal"
    assert run(ALLOW % ('"*"', text), scope=scope).roles[0].exposure == "unknown"


def test_too_much_that_is_not_known_is_unknown():
    many: list[Any] = [ALLOW % (f"!Sub 'arn:aws:iam::${{P{n}}}:root'", "") for n in range(9)]
    head = HEAD.replace("  Id: {", "".join(f"  P{n}: {{Type: String}}\n" for n in range(9)) + "  Id: {", 1)
    (judged,) = run(*many, head=head).roles
    assert judged.exposure == "unknown"
    assert "too much that is not known" in judged.reason


@pytest.mark.parametrize(
    "principal", ["!Sub 'arn:aws:iam::${None}:root'", "!Join ['', ['arn:aws:iam::', !Ref None, ':root']]"]
)
def test_an_empty_default_is_no_account(principal):
    head = HEAD.replace("  Id: {", '  None: {Type: String, Default: ""}\n  Id: {', 1)
    (judged,) = run(ALLOW % (principal, by_id("d41f-77aa-93c0-5e21")), head=head).roles
    assert (judged.exposure, judged.reason) == ("guarded", "unless None is your own account")


def test_many_parties_with_an_id_of_their_own_each():
    many = [ALLOW % (f'"2222222222{n}"', by_id(f"!Ref P{n}")) for n in range(10, 30)]
    head = HEAD.replace("  Id: {", "".join(f"  P{n}: {{Type: String}}\n" for n in range(10, 30)) + "  Id: {", 1)
    (judged,) = run(*many, head=head).roles
    assert judged.exposure == "guarded"
    assert len(judged.outsiders) == 20


@pytest.mark.parametrize("text", ['"\ue0000\ue001"', r'"\ue0000\ue001"', r'"\U0000E0000\U0000e001"'])
def test_a_template_cannot_write_a_symbol(text):
    answer = run(ALLOW % (text, ""), ALLOW % (VENDOR, by_id("!Ref Id")))
    assert answer.roles[0].exposure == "unknown"
    assert "is not an AWS principal" in answer.roles[0].reason
    assert run(ALLOW % ("!Ref Acc", ""), Acc="\ue0000\ue001").roles[0].exposure == "unknown"


FEDERATED = "- {Effect: Allow, Principal: {Federated: %s}, Action: sts:AssumeRoleWithWebIdentity%s}"
EKS = f"arn:aws:iam::{OWN}:oidc-provider/eks.example.com"
EKS_SUB = ", Condition: {%s: {eks.example.com:sub: a}}"


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        # What another statement tests of its own issuer says nothing of a provider that is not known.
        (
            [FEDERATED % (EKS, EKS_SUB % "StringEquals"), FEDERATED % ("!Ref Provider", "")],
            "if Provider is not an issuer that everybody shares",
        ),
        (
            [FEDERATED % ("!Ref Provider", EKS_SUB % "StringNotEquals")],
            "if Provider is not an issuer that everybody shares",
        ),
        ([FEDERATED % ("!Ref Provider", EKS_SUB % "StringEquals")], ""),
    ],
)
def test_a_provider_is_known_by_the_claims_that_its_own_statement_requires(statements: list[str], reason: str) -> None:
    (role,) = run(*statements).roles
    assert (role.exposure, role.reason) == ("internal", reason)


def test_an_account_inside_an_arn_pattern_may_be_a_wildcard() -> None:
    condition = (
        ", Condition: {StringEquals: {sts:ExternalId: k3jh5kj3h5kjh3k5jh}, "
        "%s: {aws:PrincipalArn: !Sub 'arn:aws:iam::${%s}:role/x'}}"
    )
    for name, wild in (("Acc", True), ("Number", False)):
        (role,) = run(ALLOW % ('"*"', condition % ("ArnLike", name))).roles
        assert role.exposure == "guarded"
        assert (f"if {name} holds no wildcard" in role.reason) is wild


def test_an_account_that_is_not_known_is_called_by_the_name_of_its_parameter() -> None:
    answer = run(ALLOW % ("!Sub 'arn:aws:iam::${Acc}:role/${Id}'", ""))
    (role,) = answer.roles
    assert (role.exposure, role.reason) == ("unknown", "not decided: unguarded unless Acc is your own account")
    guarded = run(ALLOW % ("!Sub 'arn:aws:iam::${Acc}:role/${Id}'", by_id("k3jh5kj3h5kjh3k5jh")))
    (role,) = guarded.roles
    (outsider,) = role.outsiders
    assert (outsider.name, outsider.ways[0].callers) == ("<Acc>", ("arn:aws:iam::<Acc>:role/<Id>",))
    stands = outsider.witness.caller.account
    assert f"in the examples of requests {stands} is the account that <Acc> names" in role.notes
    assert "T20" in {finding.check for finding in guarded.findings}
    for finding in guarded.findings:
        assert stands not in finding.text
    (unknown,) = (finding.text for finding in guarded.findings if finding.check == "T20")
    assert unknown == "role/<Id> of account <Acc>: which account it is, is known only when the value is given"


def test_an_account_that_is_not_known_is_no_value_of_an_option() -> None:
    head = HEAD.replace(
        "    Properties:\n      AssumeRole", "    Properties:\n      RoleName: stacksets-exec-1\n      AssumeRole"
    )
    answer = run(ALLOW % ("!Sub 'arn:aws:iam::${Acc}:root'", by_id("k3jh5kj3h5kjh3k5jh")), head=head)
    assert answer.roles[0].outsiders[0].name == "<Acc>"
    assert not any(
        "--own-accounts '<" in finding.fix or "--own-accounts <" in finding.fix for finding in answer.findings
    )
