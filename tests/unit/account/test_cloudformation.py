"""Roles out of CloudFormation templates."""

from __future__ import annotations

import json
import textwrap

import pytest
from tests.unit.account.documents import OWN

from valetkey.account import SourceError, read_files
from valetkey.account.intrinsics import BUDGET
from valetkey.account.values import Account, Role
from valetkey.policy.arns import NOBODY


def _read(text: str, *, owner: str | None = OWN, region: str = "eu-west-1", name: str = "t.yaml") -> Account:
    return read_files([name], read=lambda _: textwrap.dedent(text).encode(), owner=owner, region=region)


def _role(resources: str = "", head: str = "", **options: str | None) -> Role:
    """The one role of a template, whose resources are given by `resources`."""
    text = textwrap.dedent(head) + "\nResources:\n" + textwrap.indent(textwrap.dedent(resources), "  ")
    (role,) = _read(text, **options).roles
    return role


TRUST = """
AssumeRolePolicyDocument:
  Version: 2012-10-17
  Statement:
    - Effect: Allow
      Principal: {AWS: %s}
      Action: sts:AssumeRole
"""


def _trusting(principal: str, head: str = "", more: str = "", **options: str | None) -> Role:
    properties = textwrap.indent(TRUST % principal, "    ")
    return _role(f"R:\n  Type: AWS::IAM::Role\n  Properties:\n{properties}\n{more}", head, **options)


def _principal(role: Role) -> object:
    assert role.trust is not None, role.unknown
    return json.loads(role.trust)["Statement"][0]["Principal"]["AWS"]


def test_a_role_with_everything():
    account = _read(
        """
        AWSTemplateFormatVersion: 2010-09-09
        Resources:
          Auditor:
            Type: AWS::IAM::Role
            Properties:
              RoleName: auditor
              Path: /partners/
              Description: For the auditor
              MaxSessionDuration: 7200
              PermissionsBoundary: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/edge
              AssumeRolePolicyDocument:
                Version: 2012-10-17
                Statement:
                  Effect: Allow
                  Principal: {AWS: 012345670123}
                  Action: sts:AssumeRole
                  Condition: {Bool: {aws:MultiFactorAuthPresent: true}}
              ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/SecurityAudit", !Ref Own]
              Policies:
                - PolicyName: inline
                  PolicyDocument: {Statement: [{Effect: Allow, Action: "s3:List*", Resource: "*"}]}
              Tags:
                - {Key: party, Value: !Sub "x-${AWS::Region}"}
          Own:
            Type: AWS::IAM::ManagedPolicy
            Properties: {ManagedPolicyName: own, PolicyDocument: {Statement: []}}
          More:
            Type: AWS::IAM::Policy
            Properties:
              PolicyName: more
              PolicyDocument: {Statement: [{Effect: Deny, Action: "*", Resource: "*"}]}
              Roles: [!Ref Auditor]
          Yet:
            Type: AWS::IAM::RolePolicy
            Properties: {PolicyName: yet, RoleName: auditor, PolicyDocument: {Statement: []}}
          Wide:
            Type: AWS::IAM::ManagedPolicy
            Properties: {Path: /p/, PolicyDocument: {Statement: []}, Roles: [!Ref Auditor, elsewhere]}
        """
    )
    (role,) = account.roles
    assert (account.id, account.partition, account.sources) == (OWN, "aws", ("t.yaml",))
    assert (role.name, role.arn, role.path) == ("auditor", f"arn:aws:iam::{OWN}:role/partners/auditor", "/partners/")
    assert (role.description, role.max_session, role.where) == ("For the auditor", 7200, "t.yaml: $.Resources.Auditor")
    assert role.boundary == f"arn:aws:iam::{OWN}:policy/edge"
    assert json.loads(role.trust)["Statement"] == {
        "Effect": "Allow",
        "Principal": {"AWS": "012345670123"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    own, wide = f"arn:aws:iam::{OWN}:policy/own", f"arn:aws:iam::{OWN}:policy/p/Wide (generated)"
    assert set(role.attached) == {"arn:aws:iam::aws:policy/SecurityAudit", own, wide}
    assert account.policies == {own: '{"Statement":[]}', wide: '{"Statement":[]}'}
    assert set(role.inline) == {"inline", "more", "yet"}
    assert json.loads(role.inline["more"])["Statement"][0]["Effect"] == "Deny"
    assert role.tags == {"party": "x-eu-west-1"}
    assert role.unknown == ()
    assert role.assumed == ("the region is eu-west-1",)
    (unknown,) = account.unknown
    assert (unknown.reason, unknown.where) == ("role elsewhere is not in the template", "t.yaml: $.Resources.Wide")


HEAD = """
Parameters:
  Partner: {Type: String, Default: 222222222222}
  Two: {Type: CommaDelimitedList, Default: "222222222222, 333333333333"}
  Free: {Type: String}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /partner}
Mappings:
  Stages: {prod: {Account: "444444444444"}, test: {Account: "555555555555"}}
Conditions:
  Yes: !Equals [!Ref Partner, "222222222222"]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Or [!Condition No, !Condition Yes]]
  Open: !Equals [!Ref Free, x]
  Loop: !Not [!Condition Loop]
"""


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("!Ref Partner", "222222222222"),
        ("!Ref Two", ["222222222222", "333333333333"]),
        ("!Sub 'arn:${AWS::Partition}:iam::${Partner}:root'", "arn:aws:iam::222222222222:root"),
        ("!Sub ['${a}:${Partner}', {a: !Ref Partner}]", "222222222222:222222222222"),
        ("!Sub 'x${!Partner}${ Partner }'", "x${Partner}222222222222"),
        ("!Join ['', ['arn:aws:iam::', !Ref Partner, ':root']]", "arn:aws:iam::222222222222:root"),
        ("!Join [',', !Ref Two]", "222222222222,333333333333"),
        ("!Select [1, !Ref Two]", "333333333333"),
        ("!Select [0, !Split ['-', a-b]]", "a"),
        ("!If [Yes, !Ref Partner, !Ref Free]", "222222222222"),
        ("!If [No, !Ref Free, x]", "x"),
        ("!If [Both, y, n]", "y"),
        ("[!If [No, a, !Ref AWS::NoValue], b]", ["b"]),
        ("!FindInMap [Stages, prod, Account]", "444444444444"),
        ("!Ref AWS::AccountId", OWN),
        ("!Ref AWS::URLSuffix", "amazonaws.com"),
        ("{'Fn::Sub': 'a'}", "a"),
    ],
)
def test_intrinsic_functions(given, found):
    role = _trusting(given, HEAD)
    assert _principal(role) == found
    used = {name for name in ("Partner", "Two") if name in given} | ({"Partner"} if "!If" in given else set())
    assert set(role.assumed) - {"the generated name of R is written as its logical id"} == {
        f"parameter {name} has its default value" for name in used
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("!Ref Nothing", "no Nothing in the template"),
        ("!GetAtt Bucket.Arn", "no Bucket in the template"),
        ("!Base64 x", "Fn::Base64"),
        ("{'Fn::Transform': {Name: M}}", "Fn::Transform"),
        ("!If [Loop, a, b]", "Loop depends on itself"),
        ("!If [Absent, a, b]", "no condition Absent"),
        ("!FindInMap [Stages, dev, Account]", "has no such entry"),
        ("!Select [7, !Ref Two]", "long enough"),
        ("!Join [x]", "Fn::Join needs"),
        ("!Split ['', a]", "Fn::Split needs"),
        ("!Sub [1, 2, 3]", "Fn::Sub needs"),
        ("!GetAtt 5", "no 5 in the template"),
        ("!GetAtt [a]", "no a in the template"),
        ("!Ref [a]", "Ref needs a name"),
    ],
)
def test_what_cannot_be_resolved_is_unknown_and_says_why(given, why):
    role = _trusting(given, HEAD)
    assert role.trust is None
    unknown = role.why_unknown("trust")
    assert why in unknown.reason
    assert unknown.where == "t.yaml: $.Resources.R.Properties.AssumeRolePolicyDocument"


@pytest.mark.parametrize(
    ("given", "name", "why"),
    [
        ("!Ref Free", "Free", "parameter Free has no default"),
        ("!Ref Stored", "Stored", "read from SSM"),
        ("!ImportValue x", "the import of x", "what x exports is known only to CloudFormation"),
        ("'{{resolve:ssm:/partner}}'", "{{resolve:ssm:/partner}}", "dynamic reference"),
        ("!Sub '${Free}-x'", "Free", "parameter Free has no default"),
        ("!Sub '{{resolve:ssm:/${Partner}}}'", "{{resolve:ssm:/222222222222}}", "dynamic reference"),
        ("!Ref AWS::StackId", "AWS::StackId", "known only when the stack exists"),
        ("!Select [1, !Split ['/', !Ref Free]]", "a part of Free", "parameter Free has no default"),
    ],
)
def test_what_only_the_stack_will_know_is_a_symbol(given, name, why):
    role = _trusting(given, HEAD)
    assert role.trust is None
    assert role.unknown == ()
    assert [symbol.name for symbol in role.open_trust.symbols] == [name]
    assert why in role.open_trust.symbols[0].reason


def test_a_choice_that_hangs_on_a_symbol_gives_both():
    role = _trusting("!If [Open, a, b]", HEAD)
    assert [when for when, _ in role.open_trust.variants] == ["Open holds", "Open does not hold"]


def test_without_an_owner_a_number_stands_for_the_account():
    account = _read("Resources: {}", owner=None)
    assert (account.id, account.partition, account.roles) == (None, "aws", ())
    role = _trusting("!Sub 'arn:aws:iam::${AWS::AccountId}:root'", owner=None)
    assert _principal(role) == f"arn:aws:iam::{NOBODY}:root"
    assert (role.account, role.arn) == (None, f"arn:aws:iam::{NOBODY}:role/R")
    assert any(NOBODY in item for item in role.assumed)


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ],
)
def test_other_partitions(region, partition, suffix):
    role = _trusting("!Sub '${AWS::Partition} ${AWS::URLSuffix} ${AWS::Region}'", region=region)
    assert _principal(role) == f"{partition} {suffix} {region}"
    assert (role.partition, role.arn) == (partition, f"arn:{partition}:iam::{OWN}:role/R")


def test_resources_of_iam_name_each_other():
    more = """
Other:
  Type: AWS::IAM::Role
  Properties: {RoleName: !Sub "x-${AWS::AccountId}", Path: /a/, AssumeRolePolicyDocument: {}}
Person:
  Type: AWS::IAM::User
Oidc:
  Type: AWS::IAM::OIDCProvider
  Properties: {Url: https://token.actions.githubusercontent.com}
Saml:
  Type: AWS::IAM::SAMLProvider
  Properties: {Name: sso}
"""
    principals = "[!GetAtt Other.Arn, !GetAtt Person.Arn, !Ref Oidc, !GetAtt Saml.Arn, !Ref Other]"
    text = "Resources:\n" + textwrap.indent(
        "R:\n  Type: AWS::IAM::Role\n  Properties:\n" + textwrap.indent(TRUST % principals, "    ") + more,
        "  ",
    )
    account = _read(text)
    role = next(item for item in account.roles if item.name == "R")
    arn = f"arn:aws:iam::{OWN}"
    oidc, saml = f"{arn}:oidc-provider/token.actions.githubusercontent.com", f"{arn}:saml-provider/sso"
    assert _principal(role) == [f"{arn}:role/a/x-{OWN}", f"{arn}:user/Person", oidc, saml, f"x-{OWN}"]
    assert account.providers == (oidc, saml)


def test_names_that_need_each_other_are_unknown():
    text = """
    Resources:
      A: {Type: "AWS::IAM::Role", Properties: {RoleName: !Ref B, AssumeRolePolicyDocument: {}}}
      B: {Type: "AWS::IAM::Role", Properties: {RoleName: !Ref A, AssumeRolePolicyDocument: {}}}
    """
    a, b = _read(text).roles
    assert (a.name, b.name) == ("A", "B")
    assert "depends on itself" in a.why_unknown("name").reason


def test_one_part_that_is_unknown_leaves_the_rest():
    role = _trusting(
        "123456789012",
        HEAD,
        """
    ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess, !Ref Free]
    PermissionsBoundary: !ImportValue edge
    MaxSessionDuration: !Ref Free
    Description: !Ref Free
    Policies:
      - {PolicyName: good, PolicyDocument: {Statement: []}}
      - {PolicyName: bad, PolicyDocument: {Statement: [{Effect: Allow, Action: "*", Resource: !GetAtt Free.Arn}]}}
    """,
    )
    assert _principal(role) == "123456789012"
    assert role.attached == ("arn:aws:iam::aws:policy/ReadOnlyAccess",)
    assert set(role.inline) == {"good"}
    assert (role.boundary, role.description) == (None, None)
    assert {part.part for part in role.unknown} == {
        "attached policies",
        "boundary",
        "session limit",
        "description",
        "inline policy bad",
    }
    assert role.why_unknown("attached policies").where.endswith("ManagedPolicyArns[1]")


def test_a_key_given_twice_in_a_trust_stays_twice():
    head = '{"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": '
    text = head + '{"Statement": [], "Version": {"Ref": "AWS::Partition"}, "Statement": [5]}}}}}'
    (role,) = _read(text, name="t.json").roles
    assert role.trust == '{"Statement":[],"Version":"aws","Statement":[5]}'


def test_a_trust_as_text_stays_text():
    role = _role("R: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: '{\"Statement\" : [ ]}'}}")
    assert role.trust == '{"Statement" : [ ]}'


def test_json_with_long_forms():
    template = {
        "Parameters": {"P": {"Type": "Number", "Default": 5}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "5"]}},
        "Resources": {
            "R": {
                "Type": "AWS::IAM::Role",
                "Condition": "C",
                "Properties": {
                    "MaxSessionDuration": 3600,
                    "RoleName": {"Fn::If": ["C", {"Fn::Join": ["-", ["a", {"Ref": "P"}]]}, "b"]},
                    "AssumeRolePolicyDocument": {"Statement": {"Fn::GetAtt": ["R", "Arn"]}, "n": 1.50, "b": True},
                },
            }
        },
    }
    (role,) = _read(json.dumps(template)).roles
    assert (role.name, role.max_session) == ("a-5", 3600)
    assert role.trust == f'{{"Statement":"arn:aws:iam::{OWN}:role/a-5","n":1.5,"b":true}}'
    assert "condition C holds" in role.assumed


@pytest.mark.parametrize(
    "resource",
    [
        "{Type: 'AWS::CloudFormation::Stack'}",
        "{Type: 'AWS::CloudFormation::StackSet'}",
        "{Type: 'My::Own::Thing::MODULE'}",
    ],
)
def test_what_may_make_roles_elsewhere_is_said(resource):
    (unknown,) = _read(f"Resources: {{X: {resource}}}").unknown
    assert (unknown.part, unknown.where) == ("roles", "t.yaml: $.Resources.X")


def test_macros_and_loops_are_said():
    account = _read("Transform: [AWS::Serverless-2016-10-31, Mine]\nResources: {'Fn::ForEach::Roles': [a, !Ref B, {}]}")
    transform, loop = account.unknown
    assert '["Mine"]' in transform.reason
    assert "Fn::ForEach::Roles" in loop.reason


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("Resources: []", "$.Resources"),
        ("Resources: {R: []}", "$.Resources.R"),
        ("Resources: {R: {}}", "$.Resources.R"),
        ("Resources: {R: {Type: 'AWS::IAM::Role', Properties: x}}", "$.Resources.R.Properties"),
        ("Resources: {'a b': 5}", "$.Resources['a b']"),
    ],
)
def test_what_is_no_template_is_refused_with_its_place(text, where):
    with pytest.raises(SourceError) as raised:
        _read(text)
    assert raised.value.where == f"t.yaml: {where}"


@pytest.mark.parametrize(
    "properties",
    ["", "ManagedPolicyArns: 5", "Policies: x", "Policies: [x, {}]", "Tags: x", "Tags: [x, {Key: [a]}]", "Path: [a]"],
)
def test_odd_properties_do_not_stop_the_rest(properties):
    role = _role(f"R: {{Type: 'AWS::IAM::Role', Properties: {{AssumeRolePolicyDocument: x, {properties}}}}}")
    assert (role.trust, role.max_session) == ("x", 3600)


def test_a_role_without_a_trust_says_so():
    assert _role("R: {Type: 'AWS::IAM::Role'}").why_unknown("trust").reason.startswith("the template gives no")


def test_a_text_of_openings_costs_nothing():
    role = _role(f"R: {{Type: 'AWS::IAM::Role', Properties: {{AssumeRolePolicyDocument: !Sub '{'${' * 200_000}'}}}}")
    assert len(role.trust) == 400_000


def test_texts_cannot_grow_beyond_a_budget():
    names = "".join(
        f"  R{step}: {{Type: 'AWS::IAM::Role', Properties: {{RoleName: !Sub '{f'${{R{step + 1}}}' * 10}', "
        "AssumeRolePolicyDocument: x}}\n"
        for step in range(12)
    )
    text = f"Resources:\n{names}  R12: {{Type: 'AWS::IAM::Role', Properties: {{RoleName: {'x' * 50}}}}}\n"
    roles = _read(text).roles
    assert sum(len(role.name) for role in roles) <= BUDGET
    assert any("too large" in part.reason for role in roles for part in role.unknown)


OPEN = '[{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole"}]'
ROLE = f"{{Type: 'AWS::IAM::Role', Properties: {{AssumeRolePolicyDocument: {{Statement: {OPEN}}}}}}}"


def test_loops_are_written_out():
    account = _read(
        """
        Transform: AWS::LanguageExtensions
        Parameters: {Teams: {Type: CommaDelimitedList, Default: "a-1,b-2"}}
        Resources:
          Fn::ForEach::Roles:
            - Team
            - !Ref Teams
            - Role&{Team}:
                Type: AWS::IAM::Role
                Properties:
                  RoleName: !Sub team-${Team}
                  Description: !Ref Team
                  AssumeRolePolicyDocument: {Statement: []}
        """
    )
    assert [(role.name, role.description, role.where) for role in account.roles] == [
        ("team-a-1", "a-1", "t.yaml: $.Resources.Rolea1"),
        ("team-b-2", "b-2", "t.yaml: $.Resources.Roleb2"),
    ]
    assert account.unknown == ()


def test_a_loop_without_end_is_said_and_hides_no_role():
    many = ",".join(f"n{number}" for number in range(300))
    inner = f"{{'Fn::ForEach::B': [Y, [{many}], {{'R${{X}}${{Y}}': {{Type: x, A: b, C: d}}}}]}}"
    loop = f"'Fn::ForEach::A': [X, [{many}], {inner}]"
    account = _read(f"Resources: {{{loop}, R: {ROLE}}}")
    assert [role.name for role in account.roles] == ["R"]
    assert "too much" in account.unknown[0].reason


def test_a_mapping_may_have_a_default_and_a_key_that_is_not_known():
    head = """
    Transform: AWS::LanguageExtensions
    Parameters: {Stage: {Type: String}}
    Mappings: {Stages: {prod: {Account: "222222222222"}, dev: {Account: "333333333333"}}}
    """
    assert _principal(_trusting("!FindInMap [Stages, none, Account, {DefaultValue: '444444444444'}]", head)) == (
        "444444444444"
    )
    role = _trusting("!FindInMap [Stages, !Ref Stage, Account]", head)
    assert role.open_trust.symbols[0].values == ("222222222222", "333333333333")


def test_functions_of_sam_have_roles():
    account = _read(
        """
        Transform: AWS::Serverless-2016-10-31
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Policies:
                - AWSLambdaExecute
                - {Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}
                - S3ReadPolicy: {BucketName: b}
              AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole"}]}
          G: {Type: AWS::Serverless::Function, Properties: {Role: !GetAtt FRole.Arn}}
          H: {Type: AWS::Serverless::Function, Properties: {}}
          N: {Type: AWS::Serverless::Application, Properties: {Location: ./inner.yaml}}
        """
    )
    function, other = account.roles
    assert (function.name, other.name) == ("FRole", "HRole")
    assert '"AWS":"*"' in function.trust
    assert "arn:aws:iam::aws:policy/AWSLambdaExecute" in function.attached
    assert list(function.inline) == ["1"]
    assert [part.part for part in function.unknown] == ["inline policy S3ReadPolicy"]
    assert "lambda.amazonaws.com" in other.trust
    (nested,) = account.unknown
    assert nested.where == "t.yaml: $.Resources.N"


def test_a_template_inside_a_stack_set_is_read():
    body = f"Parameters: {{Who: {{Type: String}}}}\nResources:\n  Inner: {ROLE}\n"
    body = body.replace('AWS: "*"', "AWS: !Ref Who")
    template = {
        "Type": "AWS::CloudFormation::StackSet",
        "Properties": {
            "TemplateBody": body,
            "Parameters": [{"ParameterKey": "Who", "ParameterValue": "222222222222"}],
        },
    }
    account = _read(json.dumps({"Resources": {"S": template}}), name="t.json")
    (role,) = account.roles
    assert _principal(role) == "222222222222"
    assert role.where == "t.json: $.Resources.S.Properties.TemplateBody: $.Resources.Inner"
    assert account.unknown == ()
    broken = {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": "Resources: 5"}}
    (unknown,) = _read(json.dumps({"Resources": {"S": broken}}), name="t.json").unknown
    assert (unknown.part, unknown.where) == ("roles", "t.json: $.Resources.S.Properties.TemplateBody")


def test_templates_inside_templates_end():
    text = "Resources: {}"
    for _ in range(8):
        text = json.dumps(
            {"Resources": {"S": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": text}}}}
        )
    (unknown,) = _read(text, name="t.json").unknown
    assert "valetkey does not read" in unknown.reason


def test_json_with_remarks_and_commas_at_the_end_is_yaml():
    account = _read('{\n  "Resources": { # ours\n    "R": ' + ROLE + ",\n  },\n}\n", name="t.template")
    assert [role.name for role in account.roles] == ["R"]
    with pytest.raises(SourceError, match="is not JSON: Expecting value in line 1"):
        _read('{"Resources": [}', name="t.json")


def test_a_resource_that_is_given_twice_is_named_with_its_line_and_the_roles_are_audited():
    text = f"Resources:\n  P: {{Type: A::B::C}}\n  R: {ROLE}\n  P: {{Type: A::B::D}}\n"
    account = _read(text)
    assert [role.name for role in account.roles] == ["R"]
    (twice,) = account.unknown
    assert "P is given twice (the second time in line 4)" in twice.reason
    assert twice.where == "t.yaml: $.Resources.P"


def test_of_a_role_that_is_given_twice_both_are_audited():
    other = ROLE.replace('"*"', '"222222222222"')
    account = _read(f"Resources:\n  R: {ROLE}\n  R: {other}\n")
    assert [_principal(role) for role in account.roles] == ["*", "222222222222"]
    inside = ROLE.replace("Type:", "Metadata: a, Metadata: b, Type:")
    (unknown,) = _read(f"Resources:\n  R: {inside}\n").unknown
    assert "a key of R is given twice: Metadata (line 2)" in unknown.reason


def test_a_policy_is_attached_by_reference_to_a_role_whose_name_is_not_known():
    account = _read(
        """
        Parameters: {Name: {Type: String}}
        Resources:
          R: {Type: AWS::IAM::Role, Properties: {RoleName: !Ref Name, AssumeRolePolicyDocument: x}}
          P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [!Ref R], PolicyDocument: {Statement: []}}}
        """
    )
    (role,) = account.roles
    assert list(role.inline) == ["p"]
    assert account.unknown == ()


def test_a_document_may_be_made_by_a_function():
    role = _role("R: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {'Fn::ToJsonString': {a: b}}}}")
    assert role.trust == '{"a":"b"}'
