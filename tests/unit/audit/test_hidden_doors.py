"""Sources that hide who gets in, or what they get: each fails, whatever the reader makes of it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from tests.unit.audit.roles import NOW, OWN

from valetkey.account import SourceError
from valetkey.account.files import read_files
from valetkey.audit import Scope, audit

A = "222222222222"


def _trust(who: str, condition: str = "") -> str:
    tested = f", Condition: {condition}" if condition else ""
    statement = f'{{Effect: Allow, Principal: {{AWS: {who}}}, Action: "sts:AssumeRole"{tested}}}'
    return f'{{Version: "2012-10-17", Statement: [{statement}]}}'


OPEN = _trust(f'"{A}"')
SAFE = _trust(f'"{OWN}"')
GUARD = _trust(f'"{A}"', "{StringEquals: {sts:ExternalId: d41f-77aa-93c0-5e21}}")
ADMIN = '{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}'
LITTLE = '{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "ec2:DescribeRegions", Resource: "*"}]}'
NONE = '{Version: "2012-10-17", Statement: [{Effect: Deny, Action: "*", Resource: "*"}]}'
NONE_AS_TEXT = """'{"Version": "2012-10-17", "Statement": [{"Effect": "%s", "Action": "*", "Resource": "*"}]}'"""
INCLUDE = 'Fn::Transform: {Name: AWS::Include, Parameters: {Location: "s3://b/x"}}'
SAM = "Transform: AWS::Serverless-2016-10-31\n"
WHO = f'Parameters: {{Who: {{Type: String, Default: "{OWN}"}}}}\n'


def _role(trust: str, more: str = "", name: str = "R") -> str:
    return f"  {name}: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {trust}{more}}}}}\n"


def _function(properties: str) -> str:
    return f"{SAM}Resources:\n  F: {{Type: AWS::Serverless::Function, Properties: {{Handler: a.b, {properties}}}}}\n"


def _policy(name: str, document: str, kind: str = "Policy", named: str = "PolicyName: n") -> str:
    more = f"{named}, Roles: [!Ref R], PolicyDocument: {document}"
    return f"  {name}: {{Type: AWS::IAM::{kind}, Properties: {{{more}}}}}\n"


DEFAULT = WHO + "Resources:\n" + _role(_trust("!Ref Who"))
NESTED = "\n".join(f"        {line}" for line in DEFAULT.splitlines())
STACK_SET = (
    "Resources:\n  S:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      %s\n      TemplateBody: |\n"
)
A_VALUE = f'ParameterValue: "{A}"'


def _stack_set(properties: str) -> str:
    head = "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [a, a], D: !Equals [!Ref P, a]}\n"
    return head + STACK_SET % properties + NESTED


BY_MODE = "Resources:\n" + _role(_trust(f'!If [Open, "{A}", "{OWN}"]'))
BY_KEY = "Parameters: {P: {Type: String}}\n%sResources:\n" + _role(_trust("!FindInMap [M, !Ref P, p]"))

TEMPLATES: dict[str, str] = {
    "two roles of one name, and what is not known of them differs": (
        "Parameters: {Id: {Type: String}}\nResources:\n"
        + _role(_trust(f'"{A}"', "{StringEquals: {sts:ExternalId: !Ref Id}}"), ", RoleName: x", "R")
        + _role(
            _trust('"*"', '{StringLike: {aws:PrincipalArn: !Sub "arn:aws:iam::*:role/${Id}*"}}'), ", RoleName: x", "S"
        )
    ),
    "two roles of one name, one with a policy that is not read": (
        "Resources:\n"
        + _role(GUARD, ", RoleName: x", "R")
        + _role(GUARD, ", RoleName: x, ManagedPolicyArns: [!ImportValue y]", "S")
    ),
    "a stack set's parameter that is not known": (
        "Parameters: {Who: {Type: String}}\n"
        + STACK_SET % "Parameters: [{ParameterKey: Who, ParameterValue: !Ref Who}]"
        + NESTED
    ),
    "a stack set's other parameters for one account": (
        STACK_SET % f'StackInstancesGroup: [{{ParameterOverrides: [{{ParameterKey: Who, ParameterValue: "{A}"}}]}}]'
        + NESTED
    ),
    "a stack set's parameter whose name is not known": _stack_set(f"Parameters: [{{ParameterKey: !Ref P, {A_VALUE}}}]"),
    "a stack set's parameters by a condition": _stack_set(
        f"Parameters: !If [C, [{{ParameterKey: Who, {A_VALUE}}}], []]"
    ),
    "a stack set's parameter by a condition": _stack_set(
        f"Parameters: [!If [C, {{ParameterKey: Who, {A_VALUE}}}, !Ref 'AWS::NoValue']]"
    ),
    "a stack set's parameter by a choice that is not known": _stack_set(
        f'Parameters: [!If [D, {{ParameterKey: Who, {A_VALUE}}}, {{ParameterKey: Who, ParameterValue: "{OWN}"}}]]'
    ),
    "a stack set's parameter that keeps its value": _stack_set(
        "Parameters: [{ParameterKey: Who, UsePreviousValue: true}]"
    ),
    "a stack set's parameter twice in one entry": _stack_set(
        f'Parameters: [{{ParameterKey: Who, {A_VALUE}, ParameterValue: "{OWN}"}}]'
    ),
    "a stack set's parameters from elsewhere": _stack_set(f"Parameters: {{{INCLUDE}}}"),
    "a stack set's parameters beside a function": _stack_set(f"Parameters: {{Ref: P, {INCLUDE}}}"),
    "a stack set's properties from elsewhere": _stack_set(INCLUDE),
    "a stack set's other template": _stack_set('TemplateURL: "https://s3.amazonaws.com/b/t.yaml"'),
    "a stack set's accounts from a mapping": _stack_set("StackInstancesGroup: !FindInMap [M, a, b]"),
    "a stack set's accounts from a parameter": _stack_set("StackInstancesGroup: !Ref P"),
    "a stack set's accounts by a condition": _stack_set(
        f"StackInstancesGroup: [!If [C, {{ParameterOverrides: [{{ParameterKey: Who, {A_VALUE}}}]}}, {{Regions: []}}]]"
    ),
    "a list of policies within the list": (
        'Parameters: {L: {Type: CommaDelimitedList, Default: "arn:aws:iam::aws:policy/AdministratorAccess"}}\n'
        "Resources:\n" + _role(GUARD, ", ManagedPolicyArns: [!Ref L]")
    ),
    "a policy's ARN instead of a list": (
        "Resources:\n" + _role(GUARD, ', ManagedPolicyArns: "arn:aws:iam::aws:policy/AdministratorAccess"')
    ),
    "an inline policy instead of a list": (
        "Resources:\n" + _role(GUARD, f", Policies: {{PolicyName: p, PolicyDocument: {ADMIN}}}")
    ),
    "two inline policies of one name": (
        "Resources:\n"
        + _role(
            GUARD,
            f", Policies: [{{PolicyName: p, PolicyDocument: {ADMIN}}}, {{PolicyName: p, PolicyDocument: {LITTLE}}}]",
        )
    ),
    "two inline policies of one name that allow and deny": (
        "Resources:\n"
        + _role(
            GUARD,
            f", Policies: [{{PolicyName: p, PolicyDocument: {ADMIN}}}, {{PolicyName: p, PolicyDocument: {NONE}}}]",
        )
    ),
    "a policy of another name than the generated one": (
        "Resources:\n"
        + _role(GUARD, ", ManagedPolicyArns: [!Sub 'arn:aws:iam::${AWS::AccountId}:policy/P']")
        + _policy("P", LITTLE, "ManagedPolicy", "Path: /")
    ),
    "a role of another name than the generated one": (
        "Resources:\n"
        + _role(GUARD, f", Policies: [{{PolicyName: p, PolicyDocument: {ADMIN}}}]")
        + _policy("P", NONE).replace("!Ref R", "R")
    ),
    "an inline policy without a document": "Resources:\n" + _role(GUARD, ", Policies: [{PolicyName: p}]"),
    "an inline policy whose document is nothing": (
        "Resources:\n" + _role(GUARD, ", Policies: [{PolicyName: p, PolicyDocument: !Ref 'AWS::NoValue'}]")
    ),
    "an inline policy in an object": (
        "Resources:\n" + _role(GUARD, f", Policies: {{a: {{PolicyName: p, PolicyDocument: {ADMIN}}}}}")
    ),
    "a policy without a document": "Resources:\n" + _role(GUARD) + _policy("P", "!Ref 'AWS::NoValue'"),
    "a policy of an object": "Resources:\n" + _role(GUARD) + _policy("P", ADMIN).replace("!Ref R", "{R: x}"),
    "a connector": (
        f"{SAM}Resources:\n{_role(GUARD)}"
        "  C: {Type: AWS::Serverless::Connector, Properties: {Source: {Id: R}, Permissions: [Write]}}\n"
    ),
    "a connector of a resource": (
        f"{SAM}Resources:\n{_role(GUARD)}"
        "  Q: {Type: AWS::SQS::Queue, Connectors: {C: {Properties: {Destination: {Id: R}, Permissions: [Write]}}}}\n"
    ),
    "a policy of one of two roles with one name": (
        "Resources:\n"
        + _role(GUARD, ", RoleName: x", "R")
        + _role(SAFE, ", RoleName: x", "S")
        + _policy("P", ADMIN).replace("!Ref R", "x")
    ),
    **{
        f"a {kind} that denies, with a condition that {when}": (
            f"Parameters: {{P: {{Type: String}}}}\nConditions: {{C: !Equals [{test}]}}\nResources:\n"
            + _role(GUARD, f", Policies: [{{PolicyName: p, PolicyDocument: {ADMIN}}}]")
            + _policy("P", document, kind.split()[0]).replace("Type:", "Condition: C, Type:")
        )
        for kind, document in (
            ("Policy", NONE),
            ("ManagedPolicy", NONE),
            ("Policy given as text", NONE_AS_TEXT % "Deny"),
            ("Policy given as text with escapes", NONE_AS_TEXT % r"\u0044eny"),
        )
        for when, test in (("is not known", "!Ref P, a"), ("does not hold", "a, b"))
    },
    "two policies of one name": "Resources:\n" + _role(GUARD) + _policy("P", ADMIN) + _policy("Q", LITTLE),
    "two managed policies of one name": (
        "Resources:\n"
        + _role(GUARD)
        + _policy("P", ADMIN, "ManagedPolicy", "ManagedPolicyName: n")
        + _policy("Q", LITTLE, "ManagedPolicy", "ManagedPolicyName: n")
    ),
    "a managed policy whose name is not known": (
        "Parameters: {N: {Type: String}}\nResources:\n"
        + _role(GUARD)
        + _policy("P", ADMIN, "ManagedPolicy", "ManagedPolicyName: !Ref N")
    ),
    "an include among the properties": "Resources:\n" + _role(SAFE, f", {INCLUDE}"),
    "a policy's properties by a condition": (
        f"Conditions: {{C: !Equals [a, a]}}\nResources:\n{_role(GUARD)}"
        f"  P: {{Type: AWS::IAM::Policy, Properties: !If [C, {{Roles: [!Ref R], PolicyDocument: {ADMIN}}}, {{}}]}}\n"
    ),
    "an include in the resource": (
        f"Resources:\n  R: {{Type: AWS::IAM::Role, {INCLUDE}, Properties: {{AssumeRolePolicyDocument: {SAFE}}}}}\n"
    ),
    "an include in the template": f"{INCLUDE}\nResources:\n{_role(SAFE)}",
    "an include among the mappings": f'Mappings: {{{INCLUDE}, M: {{a: {{b: "x"}}}}}}\nResources:\n{_role(SAFE)}',
    "an include in a mapping": f'Mappings: {{M: {{{INCLUDE}, a: {{b: "x"}}}}}}\nResources:\n{_role(SAFE)}',
    "a function whose role may be nothing": (
        "Conditions: {C: !Equals [a, b]}\n"
        + _function(f"Role: !If [C, x, !Ref 'AWS::NoValue'], AssumeRolePolicyDocument: {OPEN}")
    ),
    "a function's trust twice": _function(f"AssumeRolePolicyDocument: {OPEN}, AssumeRolePolicyDocument: {SAFE}"),
    "the trust of all functions twice": (
        f"Globals: {{Function: {{AssumeRolePolicyDocument: {OPEN}, AssumeRolePolicyDocument: {SAFE}}}}}\n"
        + _function("Runtime: python3.12")
    ),
    "the trust of all functions": (
        f"{SAM}Globals: {{Function: {{AssumeRolePolicyDocument: {OPEN}}}}}\n"
        "Resources: {F: {Type: AWS::Serverless::Function}}\n"
    ),
    "lists that are compared": (
        "Parameters: {Mode: {Type: String}}\nConditions: {Open: !Equals [[!Ref Mode], [open]]}\n" + BY_MODE
    ),
    "a key of a mapping twice": (
        BY_KEY % f'Mappings: {{M: {{safe: {{p: "{OWN}"}}, open: {{p: "{A}", p: "{OWN}"}}}}}}\n'
    ),
    "a condition twice": "Conditions: {Open: !Equals [a, a], Open: !Equals [a, b]}\n" + BY_MODE,
    "a parameter twice": (
        f'Parameters: {{Who: {{Type: String, Default: "{A}"}}, Who: {{Type: String, Default: "{OWN}"}}}}\nResources:\n'
        + _role(_trust("!Ref Who"))
    ),
    "a mapping twice": (
        f'Mappings: {{M: {{a: {{b: "{A}"}}}}, M: {{a: {{b: "{OWN}"}}}}}}\nResources:\n'
        + _role(_trust("!FindInMap [M, a, b]"))
    ),
    "a section twice": f'Parameters: {{Who: {{Type: String, Default: "{A}"}}}}\n{DEFAULT}',
    "the transforms twice": f"Transform: [Macro]\n{SAM}Resources:\n{_role(SAFE)}",
    "a product of Service Catalog": (
        "Resources: {S: {Type: AWS::ServiceCatalog::CloudFormationProvisionedProduct, Properties: {ProductName: x}}}\n"
    ),
}
REFUSED = {
    "a merged object with a key twice": (
        f"Metadata: {{x: &b {{AssumeRolePolicyDocument: {OPEN}, AssumeRolePolicyDocument: {SAFE}}}}}\n"
        "Resources: {R: {Type: AWS::IAM::Role, Properties: {<<: *b}}}\n"
    ),
    "a type in another writing": (
        f"Resources: {{R: {{Type: !!binary QVdTOjpJQU06OlJvbGU=, Properties: {{AssumeRolePolicyDocument: {OPEN}}}}}}}\n"
    ),
}


def _fails(files: dict[str, Any]) -> bool:
    """Whether the audit of these files fails, with every account and role in it."""
    data = {name: (item if isinstance(item, str) else json.dumps(item)).encode() for name, item in files.items()}
    answer = audit(read_files(data, read=data.__getitem__, owner=OWN), scope=Scope(), now=NOW)
    return bool(answer.failing("medium"))


@pytest.mark.parametrize("template", [pytest.param(text, id=name) for name, text in TEMPLATES.items()])
def test_a_template(template):
    assert _fails({"t.yaml": template})


@pytest.mark.parametrize("template", [pytest.param(text, id=name) for name, text in REFUSED.items()])
def test_a_template_that_is_refused(template):
    with pytest.raises(SourceError):
        _fails({"t.yaml": template})


def test_what_these_tests_rest_on():
    assert not _fails({"t.yaml": "Resources:\n" + _role(SAFE)})
    assert not _fails({"t.yaml": "Resources:\n" + _role(GUARD)})
    assert not _fails({"t.yaml": DEFAULT})
    assert not _fails({"t.yaml": STACK_SET % "PermissionModel: SELF_MANAGED" + NESTED})
    accounts = "{DeploymentTargets: {Accounts: !Ref P}, Regions: [us-east-1]}"
    for groups in (f"[{accounts}]", "!If [C, [{Regions: [us-east-1]}], []]", "!Ref 'AWS::NoValue'"):
        assert not _fails({"t.yaml": _stack_set(f"StackInstancesGroup: {groups}")})
    admin = f", Policies: [{{PolicyName: p, PolicyDocument: {ADMIN}}}]"
    for role, policy in (
        (_role(GUARD, admin), _policy("P", NONE)),
        (_role(GUARD, admin), _policy("P", NONE).replace("!Ref R", "!Sub '${R}'")),
        (_role(GUARD, f"{admin}, RoleName: R"), _policy("P", NONE).replace("!Ref R", "R")),
        (_role(GUARD, admin), _policy("P", NONE).replace("Type:", "Condition: C, Type:")),
        (_role(GUARD, admin), _policy("P", NONE, "ManagedPolicy").replace("Type:", "Condition: C, Type:")),
        (
            _role(GUARD, admin).replace("Type:", "Condition: D, Type:"),
            _policy("P", NONE).replace("Type:", "Condition: D, Type:"),
        ),
    ):
        conditions = "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [a, a], D: !Equals [!Ref P, a]}\n"
        assert not _fails({"t.yaml": f"{conditions}Resources:\n{role}{policy}"})
    own = f'{{ParameterKey: Who, ParameterValue: "{OWN}"}}'
    for given in (f"[{own}]", f"!If [C, [{own}], []]", f"[!If [C, {own}, {own}]]", "!Ref 'AWS::NoValue'"):
        assert not _fails({"t.yaml": _stack_set(f"Parameters: {given}")})
    assert not _fails({"p.json": _plan(_resource("aws_iam_role.x", **ROLE))})
    assert not _fails({"p.json": _module_plan(POLICY, {}, ["var.p"])})
    through = {"p": {"expression": {"references": ["aws_iam_role.x"]}}}
    assert not _fails({"p.json": _module_plan(["module.n.p", *POLICY], through, ["var.p"])})


def _given(*values: str | None) -> list[dict[str, Any]]:
    return [
        {"ParameterKey": "Who", **({"UsePreviousValue": True} if item is None else {"ParameterValue": item})}
        for item in values
    ]


def test_a_number_as_the_name_of_a_role():
    guard = json.loads(ROLE["assume_role_policy"])
    policy = {"PolicyName": "p", "Roles": [5], "PolicyDocument": ALL}
    template = {
        "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": 5, "AssumeRolePolicyDocument": guard}},
        "P": {"Type": "AWS::IAM::Policy", "Properties": policy},
    }
    assert _fails({"t.json": {"Resources": template}})


def test_a_number_in_a_mapping():
    principal = {"AWS": {"Fn::FindInMap": ["M", {"Ref": "P"}, "p"]}}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    template = {
        "Parameters": {"P": {"Type": "String"}},
        "Mappings": {"M": {"safe": {"p": OWN}, "open": {"p": int(A)}}},
        "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}},
    }
    assert _fails({"t.json": template})


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"p.json": _given(None)}, id="the value that the stack has"),
        pytest.param({"p.json": [{**_given(OWN)[0], "UsePreviousValue": True}]}, id="that and another"),
        pytest.param({"p.json": _given(A, OWN)}, id="twice in a file"),
        pytest.param({"p.json": _given(A), "q.json": _given(OWN)}, id="in two files"),
        pytest.param(
            {"p.json": {"Parameters": {"Who": A}}, "q.json": {"Parameters": {"Who": OWN}}}, id="in other files"
        ),
    ],
)
def test_a_parameter_whose_value_is_not_known_does_not_have_its_default(files):
    assert _fails({"t.yaml": DEFAULT, **files})
    assert not _fails({"t.yaml": DEFAULT, "p.json": _given(OWN, OWN)})


@pytest.mark.parametrize("keys", list(itertools.permutations(("Parameters", "parameters", "Stacks"), 2)))
def test_parameters_given_in_two_ways_in_one_file(keys):
    def written(key: str, who: str) -> Any:
        return [{"Parameters": [{"ParameterKey": "Who", "ParameterValue": who}]}] if key == "Stacks" else {"Who": who}

    first, second = keys
    for one, other, fails in ((OWN, A, True), (A, OWN, True), (OWN, OWN, False)):
        file = {first: written(first, one), second: written(second, other)}
        assert _fails({"t.yaml": DEFAULT, "p.json": file}) is fails


def test_a_masked_value_of_a_parameter_is_not_known():
    condition = "{StringEquals: {sts:ExternalId: !Ref Id}}"
    template = "Parameters: {Id: {Type: String, NoEcho: %s}}\nResources:\n" + _role(_trust(f'"{A}"', condition))
    stacks = {"Stacks": [{"Parameters": [{"ParameterKey": "Id", "ParameterValue": "****"}]}]}
    for masked, exposure in (("true", "guarded"), ("false", "unreachable")):
        data = {"t.yaml": (template % masked).encode(), "s.json": json.dumps(stacks).encode()}
        (role,) = audit(read_files(data, read=data.__getitem__, owner=OWN), scope=Scope(), now=NOW).roles
        assert role.exposure == exposure


@pytest.mark.parametrize(
    "text",
    [
        '{"Parameters": {"Who": "%s"}, "Parameters": {"Who": "%s"}}',
        '[{"ParameterKey": "Who", "ParameterValue": "%s", "ParameterValue": "%s"}]',
        '{"Stacks": [{"Parameters": ["Who=%s"]}], "Stacks": [{"Parameters": ["Who=%s"]}]}',
        '{"Stacks": [{"Parameters": ["Who=%s"], "Parameters": ["Who=%s"]}]}',
        'parameters: {Who: "%s"}\nparameters: {Who: "%s"}\n',
    ],
)
def test_parameters_with_a_key_twice_are_refused(text):
    with pytest.raises(SourceError, match="a key is given twice"):
        _fails({"t.yaml": DEFAULT, "p": text % (A, OWN)})


def _dump(principal: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Arn": f"arn:aws:iam::{OWN}:role/x", "RoleName": "x", "AssumeRolePolicyDocument": trust, **more}


WHOLE = {"RolePolicyList": [], "AttachedManagedPolicies": []}


def test_two_dumps_that_differ_are_refused():
    detail = {"RoleDetailList": [_dump(OWN, **WHOLE)]}
    for files in ({"a": detail, "b": {"Role": _dump("*")}}, {"a": {"Role": _dump("*")}, "b": {"Role": _dump(OWN)}}):
        with pytest.raises(SourceError, match="in two different ways"):
            _fails(files)
    assert not _fails({"a": detail, "b": {"Roles": [_dump(OWN)]}})


def test_a_dump_without_the_policies():
    condition = {"StringEquals": {"sts:ExternalId": "d41f-77aa-93c0-5e21"}}
    role = _dump(A)
    role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] = condition
    assert _fails({"a": {"RoleDetailList": [role]}})
    assert _fails({"a": {"RoleDetailList": [{**role, "RolePolicyList": []}]}})
    assert not _fails({"a": {"RoleDetailList": [{**role, **WHOLE}]}})


STATEMENT = {
    "Effect": "Allow",
    "Principal": {"AWS": A},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "d41f-77aa-93c0-5e21"}},
}
ROLE = {
    "name": "x",
    "path": "/",
    "assume_role_policy": json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]}),
    "inline_policy": [],
    "managed_policy_arns": [],
    "permissions_boundary": None,
}
LATER = {key: value for key, value in ROLE.items() if key != "inline_policy"}


def _resource(address: str, **values: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "type": address.split(".")[0], "values": values}


def _plan(*resources: Any, configuration: tuple[Any, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": list(resources)}},
        "configuration": {"root_module": {"resources": list(configuration)}},
        **more,
    }


def _set(address: str, **expressions: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "expressions": expressions}


ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
OWN_ROLE = {**ROLE, "assume_role_policy": json.dumps(_dump(OWN)["AssumeRolePolicyDocument"])}
OPEN_ROLE = {**ROLE, "assume_role_policy": json.dumps(_dump("*")["AssumeRolePolicyDocument"])}
AWSCC = {"role_name": "x", "assume_role_policy_document": ROLE["assume_role_policy"]}
OTHER = {"references": ["aws_x.y"]}
EMPTY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
POLICY = ["aws_iam_policy.p.arn", "aws_iam_policy.p"]
CHANGE = {"reason": "instance_count_unknown", "resource_change": {"address": "aws_iam_role.y"}}
STACK = "aws_cloudformation_stack.s"


def _module_plan(given: list[str], outputs: dict[str, Any], used: list[str]) -> dict[str, Any]:
    """A policy without permissions, which a module attaches to a role; its ARN is not known before apply."""
    attachment = "aws_iam_role_policy_attachment.a"
    plan = _plan(_resource("aws_iam_role.x", **ROLE), _resource("aws_iam_policy.p", name="p", policy=json.dumps(EMPTY)))
    inner = {**_resource(f"module.m.{attachment}", role="x"), "type": "aws_iam_role_policy_attachment"}
    plan["planned_values"]["root_module"]["child_modules"] = [{"address": "module.m", "resources": [inner]}]
    plan["configuration"]["root_module"]["module_calls"] = {
        "m": {
            "expressions": {"p": {"references": given}},
            "module": {"resources": [_set(attachment, policy_arn={"references": used})]},
        },
        "n": {"module": {"outputs": outputs}},
    }
    return plan


PLANS: dict[str, dict[str, Any]] = {
    "changes that are put off": _plan(_resource("aws_iam_role.x", **ROLE), deferred_changes=[CHANGE]),
    "a plan that is not complete": _plan(_resource("aws_iam_role.x", **ROLE), complete=False),
    "a plan with an error": _plan(_resource("aws_iam_role.x", **ROLE), errored=True),
    "inline policies that are not known yet": _plan(
        _resource("aws_iam_role.x", **LATER), configuration=(_set("aws_iam_role.x", inline_policy=[{"policy": OTHER}]),)
    ),
    "an inline policy that is not known yet": _plan(
        _resource("aws_iam_role.x", **LATER, inline_policy=[{}]),
        configuration=(_set("aws_iam_role.x", inline_policy=[{"name": OTHER, "policy": OTHER}]),),
    ),
    "two policies of one name": _plan(
        _resource("aws_iam_role.x", **ROLE),
        _resource("aws_iam_role_policy.a", name="n", role="x", policy=json.dumps(ALL)),
        _resource("aws_iam_role_policy.b", name="n", role="x", policy='{"Version": "2012-10-17", "Statement": []}'),
    ),
    "two policies of one name that allow and deny": _plan(
        _resource("aws_iam_role.x", **ROLE),
        _resource("aws_iam_role_policy.a", name="n", role="x", policy=json.dumps(ALL)),
        _resource("aws_iam_role_policy.b", name="n", role="x", policy=json.dumps(DENY)),
    ),
    **{
        f"a policy of one of two roles with one name, the {which}": _plan(
            *(_resource(f"aws_iam_role.{item}", **(ROLE if item == has else OWN_ROLE)) for item in ("a", "b")),
            _resource("aws_iam_role_policy.p", name="n", role="x", policy=json.dumps(ALL)),
        )
        for which, has in (("first", "a"), ("second", "b"))
    },
    "a deny that may be of another role with that name": _plan(
        _resource("aws_iam_role.a", **ROLE),
        _resource("aws_iam_role.b", **OWN_ROLE),
        _resource("aws_iam_role_policy.p", name="n", role="x", policy=json.dumps(DENY)),
        _resource(
            "aws_iam_role_policy_attachment.p", role="x", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
    ),
    "inline policies of awscc that are not known yet": _plan(
        _resource("awscc_iam_role.x", **AWSCC), configuration=(_set("awscc_iam_role.x", policies=OTHER),)
    ),
    "a managed policy of awscc that attaches itself": _plan(
        _resource("awscc_iam_role.x", **AWSCC),
        _resource("awscc_iam_managed_policy.p", managed_policy_name="m", policy_document=json.dumps(ALL), roles=["x"]),
        configuration=(_set("awscc_iam_role.x"), _set("awscc_iam_managed_policy.p", roles={})),
    ),
    "a managed policy of awscc whose roles are not known yet": _plan(
        _resource("awscc_iam_role.x", **AWSCC),
        _resource("awscc_iam_managed_policy.p", managed_policy_name="m", policy_document=json.dumps(ALL)),
        configuration=(_set("awscc_iam_role.x"), _set("awscc_iam_managed_policy.p", roles=OTHER)),
    ),
    **{
        f"an attached policy that {other} may choose": _plan(
            _resource("aws_iam_role.x", **ROLE),
            _resource("aws_iam_policy.p", name="p", path="/", policy=json.dumps(EMPTY)),
            _resource("aws_iam_role_policy_attachment.a", role="x"),
            configuration=(_set("aws_iam_role_policy_attachment.a", policy_arn={"references": [other, *POLICY]}),),
        )
        for other in ("local.a", "var.a", "data.aws_iam_policy.a")
    },
    **{
        f"an attached policy that a module's {what} may choose": _module_plan(*given)
        for what, given in {
            "caller": (["var.a", *POLICY], {}, ["var.p"]),
            "own local": (POLICY, {}, ["var.p", "local.a"]),
            "variable without a value": (POLICY, {}, ["var.p", "var.a"]),
            "neighbour": (["module.n.p", *POLICY], {"p": {"expression": {"references": ["local.a"]}}}, ["var.p"]),
            "endless expression": ([f"module.n.p{n}" for n in range(600)] + POLICY, {}, ["var.p"]),
            "too long reference": (["module.n." + "p" * 1000, *POLICY], {}, ["var.p"]),
        }.items()
    },
    "managed policies that a variable may choose": _plan(
        _resource("aws_iam_role.x", **{key: value for key, value in ROLE.items() if key != "managed_policy_arns"}),
        _resource("aws_iam_policy.p", name="p", path="/", policy=json.dumps(EMPTY)),
        configuration=(_set("aws_iam_role.x", managed_policy_arns={"references": ["var.a", *POLICY]}),),
    ),
    "a boundary that a variable may choose": _plan(
        _resource("aws_iam_role.x", **{key: value for key, value in ROLE.items() if key != "permissions_boundary"}),
        _resource("aws_iam_policy.p", name="p", path="/", policy=json.dumps(EMPTY)),
        _resource("aws_iam_role_policy.a", name="n", role="x", policy=json.dumps(ALL)),
        configuration=(_set("aws_iam_role.x", permissions_boundary={"references": ["var.a", *POLICY]}),),
    ),
    "a role that is replaced, and still there": _plan(
        {**_resource("aws_iam_role.x", **OPEN_ROLE), "deposed_key": "byebye"}, _resource("aws_iam_role.x", **OWN_ROLE)
    ),
    "a stack's parameter that is not known yet": _plan(
        _resource(STACK, name="s", template_body=DEFAULT, parameters={"Who": None})
    ),
    "a stack's parameters that are not known yet": _plan(
        _resource(STACK, name="s", template_body=DEFAULT), configuration=(_set(STACK, parameters=OTHER),)
    ),
    "a stack set's other parameters for one account": _plan(
        _resource("aws_cloudformation_stack_set.s", name="s", template_body=DEFAULT, parameters={}),
        _resource("aws_cloudformation_stack_set_instance.i", stack_set_name="s", parameter_overrides={"Who": A}),
    ),
    "a stack of awscc": _plan(_resource("awscc_cloudformation_stack.s", template_body=DEFAULT, parameters={"Who": A})),
    "a stack set of awscc": _plan(
        _resource(
            "awscc_cloudformation_stack_set.s",
            template_body=DEFAULT,
            parameters=[{"parameter_key": "Who", "parameter_value": A}],
        )
    ),
    "an application": _plan(_resource("aws_serverlessapplicationrepository_cloudformation_stack.s", name="s")),
    "a product": _plan(_resource("aws_servicecatalog_provisioned_product.s", name="s")),
    "a role of Cloud Control": _plan(_resource("aws_cloudcontrolapi_resource.s", type_name="AWS::IAM::Role")),
}


def test_what_the_plans_rest_on():
    role = (_set("awscc_iam_role.x"), _set("awscc_iam_managed_policy.p"))
    policy = _resource("awscc_iam_managed_policy.p", managed_policy_name="m", policy_document=json.dumps(ALL))
    assert not _fails({"p.json": _plan(_resource("awscc_iam_role.x", **AWSCC), policy, configuration=role)})
    attached = (
        _resource("aws_iam_role.x", **ROLE),
        _resource("aws_iam_policy.p", name="p", path="/", policy=json.dumps(EMPTY)),
        _resource("aws_iam_role_policy_attachment.a", role="x"),
    )
    refers = _set("aws_iam_role_policy_attachment.a", policy_arn={"references": [*POLICY, "each.key"]})
    assert not _fails({"p.json": _plan(*attached, configuration=(refers,))})
    two = [_resource("aws_iam_role.a", **ROLE), _resource("aws_iam_role.b", **OWN_ROLE)]
    one = _resource("aws_iam_role_policy.p", name="n", role="x", policy=json.dumps(ALL))
    for which, fails in (("a", True), ("b", False)):
        refers = _set(
            "aws_iam_role_policy.p", role={"references": [f"aws_iam_role.{which}.name", f"aws_iam_role.{which}"]}
        )
        assert _fails({"p.json": _plan(*two, one, configuration=(refers,))}) is fails


@pytest.mark.parametrize("plan", [pytest.param(plan, id=name) for name, plan in PLANS.items()])
def test_a_plan(plan):
    assert _fails({"p.json": plan})
