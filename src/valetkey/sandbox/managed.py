"""Every AWS managed policy, as AWS publishes it.

AWS: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html. The documents
are moto's data, read as a file when a policy is first requested (moto itself is not imported).
Limit: the emulator knows only the partition `aws`, so there are no `arn:aws-cn:...` or `arn:aws-us-gov:...` policies.

Replaces: ministack's `services.iam._aws_managed_policies`, which has a few dozen, and AttachRolePolicy,
AttachUserPolicy and AttachGroupPolicy, which accept the ARN of a policy that does not exist.
"""

from __future__ import annotations

import ast
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from valetkey.sandbox.handlers import Handler, Params, around, param, refuse

PER_ENTITY = 10
"""AWS's default quota of managed policies per role, user or group."""


def install() -> None:
    from ministack.services import iam

    iam._aws_managed_policies = _Managed()
    iam._seed_aws_managed_policies = lambda: None
    for kind in ("Role", "User", "Group"):
        around(f"Attach{kind}Policy", lambda handler, p, kind=kind: _attach(handler, p, kind))  # type: ignore[misc]


class _Managed(dict[str, dict[str, Any]]):
    """Policy records by ARN, created from the published data on request."""

    def __init__(self) -> None:
        super().__init__()
        self._published: dict[str, Any] | None = None

    def get(self, arn: str, default: Any = None) -> Any:
        if arn not in self:
            published = self._data().get(arn)
            if published is None:
                return default
            self[arn] = _record(arn, published)
        return self[arn]

    def items(self) -> Any:
        for arn in self._data():
            self.get(arn)
        return super().items()

    def _data(self) -> dict[str, Any]:
        if self._published is None:
            from ministack.services.iam import _AWS_MANAGED_POLICY_PREFIX

            by_name = json.loads(_text())
            self._published = {
                f"{_AWS_MANAGED_POLICY_PREFIX}{item.get('Path', '/')[1:]}{name}": item for name, item in by_name.items()
            }
        return self._published


def _text() -> str:
    spec = find_spec("moto")
    if spec is None or not spec.submodule_search_locations:
        return "{}"
    file = Path(spec.submodule_search_locations[0], "iam", "aws_managed_policies.py")
    assignment = ast.parse(file.read_text("utf-8")).body[0]
    return str(ast.literal_eval(assignment.value))  # type: ignore[attr-defined]


def _record(arn: str, published: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import iam

    version = published["DefaultVersionId"]
    record: dict[str, Any] = iam._make_aws_managed_record(
        arn.removeprefix(iam._AWS_MANAGED_POLICY_PREFIX), json.dumps(published["Document"])
    )
    created, updated = published["CreateDate"], published.get("UpdateDate", published["CreateDate"])
    return {
        **record,
        "CreateDate": created,
        "UpdateDate": updated,
        "DefaultVersionId": version,
        "Versions": {version: {**record["Versions"]["v1"], "VersionId": version, "CreateDate": updated}},
    }


def _attach(handler: Handler, p: Params, kind: str) -> Any:
    from ministack.services import iam

    store = {"Role": iam._roles, "User": iam._users, "Group": iam._groups}[kind]
    entity, arn = store.get(param(p, f"{kind}Name")), param(p, "PolicyArn")
    if entity is not None:
        attached = entity.get("AttachedPolicies") or []
        if not iam._policy_exists(arn):
            return refuse(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
        if arn not in attached and len(attached) >= PER_ENTITY:
            return refuse(409, "LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {PER_ENTITY}")
    return handler(p)
