"""One ExternalId for two parties, where a plan does not know it yet."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.audit.roles import NOW, OWN

from valetkey.account.files import read_files
from valetkey.audit import Scope, audit

ONE, OTHER = "222222222222", "333333333333"
ID = ("random_uuid.id.result", "random_uuid.id")


def _resources(name: str, account: str, index: str, refers: tuple[str, ...]) -> tuple[list[Any], list[Any]]:
    """A role whose trust policy requires an id that is known only after apply: as planned, and as configured."""
    statement = {
        "effect": "Allow",
        "actions": ["sts:AssumeRole"],
        "principals": [{"type": "AWS", "identifiers": [account]}],
        "condition": [{"test": "StringEquals", "variable": "sts:ExternalId"}],
    }
    condition = {
        "test": {"constant_value": "StringEquals"},
        "variable": {"constant_value": "sts:ExternalId"},
        "values": {"references": list(refers)},
    }
    role, document = f"aws_iam_role.{name}", f"data.aws_iam_policy_document.{name}"
    values = {"name": f"{name}{index}", "path": "/", "inline_policy": [], "managed_policy_arns": []}
    instance = {"index": index[2:-2]} if index else {}
    planned = [
        {"address": f"{role}{index}", "type": "aws_iam_role", "values": values, **instance},
        {
            **instance,
            "address": f"{document}{index}",
            "mode": "data",
            "type": "aws_iam_policy_document",
            "values": {"statement": [statement]},
        },
    ]
    configured = [
        {"address": role, "expressions": {"assume_role_policy": {"references": [f"{document}.json", document]}}},
        {"address": document, "expressions": {"statement": [{"condition": [condition]}]}},
    ]
    return planned, configured


def _plan(*roles: tuple[list[Any], list[Any]]) -> dict[str, Any]:
    planned = [item for made, _ in roles for item in made]
    configured = {item["address"]: item for _, made in roles for item in made}
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {"root_module": {"resources": list(configured.values())}},
    }


def _shared(*plans: dict[str, Any]) -> bool:
    data = {f"{number}.json": json.dumps(plan).encode() for number, plan in enumerate(plans)}
    answer = audit(read_files(data, read=data.__getitem__, owner=OWN), scope=Scope(), now=NOW)
    assert [role.exposure for role in answer.roles] == ["guarded", "guarded"]
    return any("given the same one" in finding.text for finding in answer.findings)


def test_an_id_that_two_roles_of_a_plan_refer_to_is_shared():
    assert _shared(_plan(_resources("x", ONE, "", ID), _resources("y", OTHER, "", ID)))


def test_ids_that_two_plans_do_not_know_are_two():
    assert not _shared(_plan(_resources("x", ONE, "", ID)), _plan(_resources("y", OTHER, "", ID)))


def test_an_id_that_instances_refer_to_is_shared_unless_it_hangs_on_the_instance():
    a, b = '["a"]', '["b"]'
    assert _shared(_plan(_resources("x", ONE, a, ID), _resources("x", OTHER, b, ID)))
    own = (*ID, "each.key")
    assert not _shared(_plan(_resources("x", ONE, a, own), _resources("x", OTHER, b, own)))


def test_ids_that_hang_on_an_instance_are_two():
    refers = ("random_uuid.id", "each.key")
    assert not _shared(_plan(_resources("x", ONE, "", refers), _resources("y", OTHER, "", refers)))
