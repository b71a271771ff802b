"""Roles out of `terraform show -json`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.unit.account.documents import OTHER, OWN, allow, compact, trust
from tests.unit.audit.roles import NOW

from valetkey.account import Account, SourceError, read_files
from valetkey.audit import Scope, audit
from valetkey.policy.arns import NOBODY

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def _resource(address: str, index: object = None, **values: Any) -> dict[str, Any]:
    """A resource of planned_values; what is left out of `values` is known only after apply."""
    kind = re.findall(r"aws_\w+", address)[-1]
    more = {} if index is None else {"index": index}
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "values": values,
        **more,
    }


def _refers(address: str, **attributes: Any) -> dict[str, Any]:
    """A resource of the configuration: what its attributes refer to."""
    expressions = {
        name: {"references": given} if isinstance(given, list) else {"constant_value": given}
        for name, given in attributes.items()
    }
    return {"address": address, "mode": "managed", "expressions": expressions}


def _plan(
    *resources: dict[str, Any],
    configuration: list[dict[str, Any]] | None = None,
    calls: dict[str, Any] | None = None,
    modules: list[dict[str, Any]] | None = None,
    prior: list[dict[str, Any]] | None = None,
) -> bytes:
    plan: dict[str, Any] = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": list(resources), "child_modules": modules or []}},
        "resource_changes": [],
        "configuration": {"root_module": {"resources": configuration or [], "module_calls": calls or {}}},
    }
    if prior is not None:
        plan["prior_state"] = {"format_version": "1.0", "values": {"root_module": {"resources": prior}}}
    return json.dumps(plan).encode()


def _read(plan: bytes, owner: str | None = OWN) -> Account:
    return read_files(["plan.json"], read=lambda _: plan, owner=owner)


TRUST = compact(trust())
ROLE = _resource("aws_iam_role.r", name="r", path="/p/", assume_role_policy=TRUST, permissions_boundary=None)


def test_everything_that_a_plan_knows():
    role = _resource(
        "aws_iam_role.r",
        name="r",
        path="/p/",
        assume_role_policy='{"Statement" : [] , "Statement":[]}',
        inline_policy=[{"name": "own", "policy": compact(allow())}, {"name": "", "policy": ""}],
        managed_policy_arns=[READ],
        permissions_boundary=f"arn:aws:iam::{OWN}:policy/edge",
        max_session_duration=7200,
        description="d",
        tags={"a": "b"},
        tags_all={"a": "b", "c": "d"},
    )
    more = _resource("aws_iam_role_policy.more", name="more", role="r", policy=compact(allow("*")))
    attachment = _resource("aws_iam_role_policy_attachment.x", role="r", policy_arn="arn:aws:iam::aws:policy/Other")
    account = _read(_plan(role, more, attachment))
    (result,) = account.roles
    assert result.arn == f"arn:aws:iam::{OWN}:role/p/r"
    assert (result.path, result.where) == ("/p/", "plan.json: aws_iam_role.r")
    assert result.trust == '{"Statement" : [] , "Statement":[]}'
    assert result.inline == {"own": compact(allow()), "more": compact(allow("*"))}
    assert result.attached == ("arn:aws:iam::aws:policy/Other", READ)
    assert result.boundary == f"arn:aws:iam::{OWN}:policy/edge"
    assert (result.max_session, result.description, result.tags) == (7200, "d", {"a": "b", "c": "d"})
    assert (result.unknown, result.assumed, account.unknown) == ((), (), ())


def test_what_is_known_only_after_apply_is_unknown():
    role = _resource("aws_iam_role.r", max_session_duration=3600, inline_policy=[{"name": "own"}])
    configuration = [
        _refers(
            "aws_iam_role.r",
            assume_role_policy=["data.aws_iam_policy_document.d.json"],
            managed_policy_arns=["local.arns"],
            permissions_boundary=["var.edge"],
        )
    ]
    more = _resource("aws_iam_role_policy.more", name="more", role="elsewhere", policy="x")
    lost = _resource("aws_iam_role_policy.lost", policy="x")
    account = _read(_plan(role, more, lost, configuration=configuration), owner=None)
    (result,) = account.roles
    assert result.trust is None
    assert {part.part: part.where for part in result.unknown} == {
        "trust": "plan.json: aws_iam_role.r.assume_role_policy",
        "inline policy own": "plan.json: aws_iam_role.r.inline_policy",
        "attached policies": "plan.json: aws_iam_role.r.managed_policy_arns",
        "boundary": "plan.json: aws_iam_role.r.permissions_boundary",
    }
    assert result.arn == f"arn:aws:iam::{NOBODY}:role/aws_iam_role.r"
    assert result.assumed == ("the generated name is written as the address",)
    assert {(part.part, part.reason) for part in account.unknown} == {
        ("the role of aws_iam_role_policy.more", "role elsewhere is not in the file"),
        ("the role of aws_iam_role_policy.lost", "it is known only after apply"),
    }


def test_what_aws_fills_in_is_not_unknown():
    role = _resource("aws_iam_role.r", name="r", assume_role_policy=TRUST)
    (result,) = _read(_plan(role, configuration=[_refers("aws_iam_role.r", name="r")])).roles
    assert (result.unknown, result.boundary, result.attached) == ((), None, ())


def test_references_are_followed():
    policy = _resource("aws_iam_policy.p", name="p", path="/", policy=compact(allow()))
    inline = _resource("aws_iam_role_policy.i", name="i", policy=compact(allow("s3:*")))
    attachment = _resource("aws_iam_role_policy_attachment.a")
    listed = _resource("aws_iam_policy_attachment.l", policy_arn=READ)
    configuration = [
        _refers("aws_iam_role.r", name="r"),
        _refers("aws_iam_role_policy.i", role=["aws_iam_role.r.id", "aws_iam_role.r"]),
        _refers(
            "aws_iam_role_policy_attachment.a",
            role=["aws_iam_role.r.name", "aws_iam_role.r"],
            policy_arn=["aws_iam_policy.p.arn", "aws_iam_policy.p"],
        ),
        _refers("aws_iam_policy_attachment.l", roles=["aws_iam_role.r"]),
    ]
    account = _read(_plan(ROLE, policy, inline, attachment, listed, configuration=configuration))
    (role,) = account.roles
    own = f"arn:aws:iam::{OWN}:policy/p"
    assert role.inline == {"i": compact(allow("s3:*"))}
    assert set(role.attached) == {own, READ}
    assert account.policies == {own: compact(allow())}
    assert (role.unknown, account.unknown) == ((), ())


def test_of_many_instances_that_of_the_same_index_is_meant():
    roles = [
        _resource(f'aws_iam_role.r["{key}"]', key, name=key, assume_role_policy=TRUST, permissions_boundary=None)
        for key in ("a", "b.c")
    ]
    policies = [
        _resource(f'aws_iam_role_policy.i["{key}"]', key, name=f"for-{key}", policy="x") for key in ("a", "b.c", "d")
    ]
    fixed = _resource("aws_iam_role_policy.f", name="fixed", policy="x")
    configuration = [
        _refers("aws_iam_role_policy.i", role=["aws_iam_role.r", "each.key"]),
        _refers("aws_iam_role_policy.f", role=['aws_iam_role.r["b.c"].id', 'aws_iam_role.r["b.c"]', "aws_iam_role.r"]),
    ]
    account = _read(_plan(*roles, *policies, fixed, configuration=configuration))
    assert {role.name: set(role.inline) for role in account.roles} == {"a": {"for-a"}, "b.c": {"for-b.c", "fixed"}}
    (unknown,) = account.unknown
    assert unknown.part == 'the role of aws_iam_role_policy.i["d"]'


def test_references_go_through_modules():
    """A module that makes a role, one that attaches to it: through an output, a variable, and an index."""
    makes = {
        "resources": [_refers("aws_iam_role.this", name=["var.name"])],
        "outputs": {"name": {"expression": {"references": ["aws_iam_role.this[0].name", "aws_iam_role.this[0]"]}}},
    }
    takes = {"resources": [_refers("aws_iam_role_policy.p", role=["var.role"])], "outputs": {}}
    outer = {
        "module_calls": {
            "takes": {"expressions": {"role": {"references": ["module.makes.name", "module.makes"]}}, "module": takes},
            "makes": {"expressions": {"name": {"references": ["each.key"]}}, "module": makes},
        }
    }
    instances = [
        {
            "address": f'module.outer["{key}"]',
            "child_modules": [
                {
                    "address": f'module.outer["{key}"].module.makes',
                    "resources": [
                        _resource(
                            f'module.outer["{key}"].module.makes.aws_iam_role.this[0]',
                            0,
                            name=f"role-{key}",
                            assume_role_policy=TRUST,
                        )
                    ],
                },
                {
                    "address": f'module.outer["{key}"].module.takes',
                    "resources": [
                        _resource(
                            f'module.outer["{key}"].module.takes.aws_iam_role_policy.p', name=f"p-{key}", policy="x"
                        )
                    ],
                },
            ],
        }
        for key in ("one", "two")
    ]
    account = _read(_plan(modules=instances, calls={"outer": {"module": outer}}))
    assert {role.name: set(role.inline) for role in account.roles} == {"role-one": {"p-one"}, "role-two": {"p-two"}}
    assert account.unknown == ()


def test_references_in_a_circle_end():
    calls = {
        "a": {
            "expressions": {"x": {"references": ["module.a.x"]}},
            "module": {
                "outputs": {"x": {"expression": {"references": ["var.x"]}}},
                "resources": [_refers("aws_iam_role_policy.p", role=["var.x"])],
            },
        }
    }
    module = {"address": "module.a", "resources": [_resource("module.a.aws_iam_role_policy.p", name="p", policy="x")]}
    (unknown,) = _read(_plan(modules=[module], calls=calls)).unknown
    assert unknown.reason == "it is known only after apply"


def test_a_hostile_reference_costs_nothing():
    many = ["." * 500_000, "module.a." * 100, *(f"var.x{number}" for number in range(5000))]
    inline = _resource("aws_iam_role_policy.i", name="i", policy="x")
    account = _read(_plan(ROLE, inline, configuration=[_refers("aws_iam_role_policy.i", role=many)]))
    assert len(account.unknown) == 1


def test_some_attached_policies_are_known_and_some_not_yet():
    role = _resource("aws_iam_role.r", name="r", assume_role_policy=TRUST, managed_policy_arns=[READ, None])
    policy = _resource("aws_iam_policy.p", name="p", policy=compact(allow()))
    refers = _refers("aws_iam_role.r", managed_policy_arns=["aws_iam_policy.p.arn", "aws_iam_policy.p"])
    (result,) = _read(_plan(role, policy, configuration=[refers])).roles
    assert set(result.attached) == {READ, f"arn:aws:iam::{OWN}:policy/p"}
    assert result.unknown == ()
    (result,) = _read(_plan(role, policy)).roles
    assert result.attached == (READ,)
    assert result.why_unknown("attached policies")


def _identity(account: str, partition: str = "aws") -> dict[str, Any]:
    values = {"account_id": account, "arn": f"arn:{partition}:iam::{account}:user/ci"}
    return {"address": "data.aws_caller_identity.me", "mode": "data", "type": "aws_caller_identity", "values": values}


def test_the_account_is_found_in_the_plan():
    account = _read(_plan(ROLE, prior=[_identity(OTHER, "aws-cn")]), owner=None)
    assert (account.id, account.partition) == (OTHER, "aws-cn")
    assert account.roles[0].arn == f"arn:aws-cn:iam::{OTHER}:role/p/r"
    standing = _resource("aws_iam_role.s", arn=f"arn:aws:iam::{OTHER}:role/s", name="s", assume_role_policy=TRUST)
    assert _read(_plan(standing), owner=None).id == OTHER


def test_of_several_accounts_none_is_chosen():
    account = _read(_plan(ROLE, prior=[_identity(OTHER), _identity(OWN)]), owner=None)
    assert (account.id, account.roles[0].account) == (None, None)
    (unknown,) = account.unknown
    assert unknown.part == "account"
    assert OWN in unknown.reason
    assert OTHER in unknown.reason


def test_a_state_tells_what_is():
    state = {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {"resources": [
        _resource(
            "aws_iam_role.r", arn=f"arn:aws:iam::{OWN}:role/r", name="r", assume_role_policy=TRUST,
            create_date="2026-01-02T03:04:05Z", unique_id="AROAEXAMPLE", managed_policy_arns=[READ], tags=None,
        ),
        _resource("aws_iam_openid_connect_provider.g", url="https://accounts.example.com"),
        _resource("aws_iam_saml_provider.s", name="sso", arn=f"arn:aws:iam::{OWN}:saml-provider/sso"),
    ]}}}  # fmt: skip
    account = _read(json.dumps(state).encode(), owner=None)
    (role,) = account.roles
    assert (role.created.isoformat(), role.attached) == (
        "2026-01-02T03:04:05+00:00", (READ,),
    )  # fmt: skip
    assert account.id == OWN
    arn = f"arn:aws:iam::{OWN}"
    assert account.providers == (f"{arn}:oidc-provider/accounts.example.com", f"{arn}:saml-provider/sso")


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ('{"terraform_version": "1.9", "format_version": "2.0"}', "format version '2.0'", "$.format_version"),
        ('{"terraform_version": "1.9", "format_version": "1.0"}', "no planned values", "$"),
        (_plan({**ROLE, "values": {"name": 5}}), "Expected `str.*`, got `int`", "aws_iam_role.r.name"),
        (_plan({**ROLE, "type": 5}), "Expected `str`, got `int`", "$.planned_values.root_module.resources[0].type"),
        (_plan({**ROLE, "values": []}), "Expected `object`, got `array`", "aws_iam_role.r"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(text, says, where):
    with pytest.raises(SourceError, match=says) as raised:
        _read(text.encode() if isinstance(text, str) else text)
    assert raised.value.where == f"plan.json: {where}"


def test_modules_without_end_are_refused():
    deep = '{"child_modules":[' * 5000 + "]}" * 5000
    text = '{"format_version":"1.0","terraform_version":"1","planned_values":{"root_module":%s}}' % deep  # noqa: UP031
    with pytest.raises(SourceError, match="nested too deeply"):
        _read(text.encode())


HUB = "token.actions.githubusercontent.com"


def _constant(value):
    return {"constant_value": value}


def _to(*names):
    return {"references": [item for name in names for item in (name, name.rpartition(".")[0])]}


def _documented(planned, configured, *more, **expressions):
    """A plan with a role whose trust is `data.aws_iam_policy_document.t.json`."""
    resources = [
        {"address": "aws_iam_role.r", "type": "aws_iam_role", "values": {"name": "r"}},
        {
            "address": "data.aws_iam_policy_document.t",
            "mode": "data",
            "type": "aws_iam_policy_document",
            "values": {"statement": planned},
        },
        *more,
    ]
    trust = expressions or {"assume_role_policy": _to("data.aws_iam_policy_document.t.json")}
    configuration = [
        {"address": "aws_iam_role.r", "expressions": {"name": _constant("r"), **trust}},
        {"address": "data.aws_iam_policy_document.t", "expressions": {"statement": configured}},
    ]
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": resources}},
        "configuration": {"root_module": {"resources": configuration}},
    }
    return read_files(["p.json"], read=lambda _: json.dumps(plan).encode(), owner=OWN)


OIDC = {
    "address": "aws_iam_openid_connect_provider.gh",
    "type": "aws_iam_openid_connect_provider",
    "values": {"url": f"https://{HUB}"},
}
WEB = {"actions": ["sts:AssumeRoleWithWebIdentity"], "effect": None}
SUB = {"test": "StringLike", "variable": f"{HUB}:sub", "values": ["repo:acme/app:*"]}


def test_a_document_that_is_made_later_is_read_through_its_data_source():
    planned = [{**WEB, "condition": [SUB], "principals": [{"type": "Federated"}]}]
    configured = [
        {
            "actions": _constant(WEB["actions"]),
            "condition": [{name: _constant(value) for name, value in SUB.items()}],
            "principals": [
                {"type": _constant("Federated"), "identifiers": _to("aws_iam_openid_connect_provider.gh.arn")}
            ],
        }
    ]
    (role,) = _documented(planned, configured, OIDC).roles
    assert json.loads(role.trust) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": WEB["actions"],
                "Principal": {"Federated": [f"arn:aws:iam::{OWN}:oidc-provider/{HUB}"]},
                "Condition": {"StringLike": {f"{HUB}:sub": ["repo:acme/app:*"]}},
            }
        ],
    }
    # Terraform does not say what else stands in that list.
    assert (
        "identifiers in statement 1 of data.aws_iam_policy_document.t holds nothing but "
        "aws_iam_openid_connect_provider.gh.arn"
    ) in role.assumed


def test_what_such_a_document_refers_to_and_is_not_known_is_a_symbol():
    vendor = {"type": "AWS", "identifiers": ["222222222222"]}
    planned = [
        {
            "actions": ["sts:AssumeRole"],
            "condition": [{"test": "StringEquals", "variable": "sts:ExternalId"}],
            "principals": [vendor],
        }
    ]
    condition = {"test": _constant("StringEquals"), "variable": _constant("sts:ExternalId")}
    configured = [
        {
            "actions": _constant(["sts:AssumeRole"]),
            "condition": [{**condition, "values": _to("random_uuid.id.result")}],
            "principals": [{name: _constant(value) for name, value in vendor.items()}],
        }
    ]
    (role,) = _documented(planned, configured).roles
    assert role.trust is None
    assert [symbol.name for symbol in role.open_trust.symbols] == ["random_uuid.id.result"]
    answer = audit(Account(id=OWN, partition="aws", roles=(role,)), scope=Scope(), now=NOW)
    assert (answer.roles[0].exposure, answer.roles[0].reason) == (
        "guarded",
        "if random_uuid.id.result is not guessable",
    )


def test_a_condition_is_matched_with_what_is_configured_of_it_in_whichever_order():
    planned = [
        {
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "AWS", "identifiers": ["222222222222"]}],
            "condition": [
                {"test": "Bool", "variable": "aws:MultiFactorAuthPresent"},
                {"test": "StringEquals", "variable": "sts:ExternalId", "values": ["abc-123-xyz"]},
            ],
        }
    ]
    configured = [
        {
            "condition": [
                {
                    "test": _constant("StringEquals"),
                    "variable": _constant("sts:ExternalId"),
                    "values": _to("var.a"),
                },
                {
                    "test": _constant("Bool"),
                    "variable": _constant("aws:MultiFactorAuthPresent"),
                    "values": _to("x.b.c"),
                },
            ]
        }
    ]
    (role,) = _documented(planned, configured).roles
    assert [symbol.name for symbol in role.open_trust.symbols] == ["x.b.c"]


def test_the_claim_of_a_cluster_that_is_made_in_the_same_plan():
    eks = {"address": "aws_iam_openid_connect_provider.eks", "type": "aws_iam_openid_connect_provider", "values": {}}
    planned = [{**WEB, "condition": [{"test": "StringEquals", "values": ["system:serviceaccount:a:b"]}]}]
    configured = [
        {
            "actions": _constant(WEB["actions"]),
            "condition": [
                {
                    "test": _constant("StringEquals"),
                    "variable": _to("aws_iam_openid_connect_provider.eks.url"),
                    "values": _constant(["system:serviceaccount:a:b"]),
                }
            ],
            "principals": [
                {"type": _constant("Federated"), "identifiers": _to("aws_iam_openid_connect_provider.eks.arn")}
            ],
        }
    ]
    (role,) = _documented(planned, configured, eks).roles
    answer = audit(Account(id=OWN, partition="aws", roles=(role,)), scope=Scope(), now=NOW)
    assert answer.roles[0].exposure == "internal"
    assert any("serves one tenant: its issuer is known only after apply" in item for item in role.assumed)


@pytest.mark.parametrize(
    "expressions",
    [
        {"assume_role_policy": _to("data.aws_iam_policy_document.t.json", "data.aws_iam_policy_document.u.json")},
        {"assume_role_policy": _to("aws_iam_role.other.arn")},
        {"assume_role_policy": {}},
    ],
)
def test_a_trust_that_is_not_one_document_stays_unknown(expressions):
    planned = [{"actions": ["sts:AssumeRole"], "principals": [{"type": "AWS", "identifiers": ["222222222222"]}]}]
    (role,) = _documented(planned, [{}], **expressions).roles
    assert (role.trust, role.open_trust) == (None, None)
    assert role.why_unknown("trust").where == "p.json: aws_iam_role.r.assume_role_policy"


def _alone(kind, **values):
    resource = {"address": f"{kind}.x", "type": kind, "values": values}
    plan = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [resource]}}}
    return read_files(["p.json"], read=lambda _: json.dumps(plan).encode(), owner=OWN)


@pytest.mark.parametrize("as_text", [True, False])
def test_roles_of_the_awscc_provider_are_read(as_text):
    trust = {"Version": "2012-10-17", "Statement": []}
    given = json.dumps(trust) if as_text else trust
    (role,) = _alone(
        "awscc_iam_role",
        role_name="r",
        assume_role_policy_document=given,
        policies=[{"policy_name": "p", "policy_document": given}],
        managed_policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        tags=[{"key": "a", "value": "b"}],
    ).roles
    assert (role.name, json.loads(role.trust), role.tags) == ("r", trust, {"a": "b"})
    assert json.loads(role.inline["p"]) == trust
    assert role.attached == ("arn:aws:iam::aws:policy/ReadOnlyAccess",)


@pytest.mark.parametrize("kind", ["aws_cloudformation_stack", "aws_cloudformation_stack_set"])
def test_templates_of_stacks_are_read(kind):
    body = (
        "Parameters: {Who: {Type: String}}\nResources: {R: {Type: 'AWS::IAM::Role', Properties: "
        "{RoleName: vendor, AssumeRolePolicyDocument: {Statement: [{Principal: {AWS: !Ref Who}}]}}}}"
    )
    (role,) = _alone(kind, name="s", template_body=body, parameters={"Who": "222222222222"}).roles
    assert role.where == f"p.json: {kind}.x: $.Resources.R"
    assert json.loads(role.trust)["Statement"][0]["Principal"]["AWS"] == "222222222222"
    account = _alone(kind, name="s", template_url="https://example.com/t.yaml")
    assert [(item.part, item.where) for item in account.unknown] == [("roles", f"p.json: {kind}.x")]


BARE = {
    "name": "r",
    "assume_role_policy": "x",
    "inline_policy": [],
    "managed_policy_arns": None,
    "permissions_boundary": None,
}


def test_exclusive_attachments_attach():
    role = {"address": "aws_iam_role.r", "type": "aws_iam_role", "values": BARE}
    kind = "aws_iam_role_policy_attachments_exclusive"
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    for arns, attached, unknown in (([arn], (arn,), []), ([arn, None], (arn,), ["attached policies"])):
        more = {"address": f"{kind}.r", "type": kind, "values": {"role_name": "r", "policy_arns": arns}}
        plan = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [role, more]}}}
        (read,) = read_files(["p.json"], read=lambda _, plan=plan: json.dumps(plan).encode(), owner=OWN).roles
        assert read.attached == attached
        assert [part.part for part in read.unknown] == unknown


def test_a_function_around_a_document_that_is_known_leaves_the_trust_unknown() -> None:
    """A plan does not show functions: a reference alone to a known document would be known itself."""
    known = {
        "address": "data.aws_iam_policy_document.k",
        "mode": "data",
        "type": "aws_iam_policy_document",
        "values": {"json": TRUST},
    }
    trust = {"assume_role_policy": _to("data.aws_iam_policy_document.k.json")}
    (role,) = _documented([], [], known, **trust).roles
    assert (role.trust, role.open_trust) == (None, None)
    assert role.why_unknown("trust").where == "p.json: aws_iam_role.r.assume_role_policy"


def test_that_a_document_is_taken_as_it_is_is_said() -> None:
    planned = [{"actions": ["sts:AssumeRole"], "principals": [{"type": "AWS", "identifiers": ["222222222222"]}]}]
    (role,) = _documented(planned, [{}]).roles
    assert role.trust is not None
    said = "assume_role_policy is data.aws_iam_policy_document.t as it is: a plan does not show a function"
    assert any(item.startswith(said) for item in role.assumed)
