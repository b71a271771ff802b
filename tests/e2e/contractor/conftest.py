"""The contractor's commands over HTTP, with exactly the documented permissions."""

from __future__ import annotations

import json
import pathlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from valetkey.exchange.files import Handoff, dump
from valetkey.trust import Terms, write_trust

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "reference" / "permissions.md"
READ_ONLY = "arn:aws:iam::aws:policy/SecurityAudit"


def documented(command: str, account: str, role_arn: str = "") -> dict[str, Any]:
    """The policy in docs/reference/permissions.md for a command, an account and a role."""
    text = DOCS.read_text()
    for names, block in re.findall(r"<!-- permissions: ([\w -]+) -->\n```json\n(.*?)```", text, re.DOTALL):
        if command in names.split():
            filled = block.replace("arn:aws:iam::OWNER:role/ROLE", role_arn).replace("ACCOUNT", account)
            return dict(json.loads(filled))
    raise AssertionError(f"{DOCS} lists no permissions of {command}")


class Customer:
    """An owner's role for the contractor and its handoff. The role is created directly, so it can have any fault."""

    def __init__(self, stage: Any, terms: Terms, name: str = "audit", trust: dict[str, Any] | None = None) -> None:
        self.owner = stage.owner
        self.contractor = stage.contractor
        self.name = name
        self.handoff = Handoff(
            role_arn=f"arn:aws:iam::{self.owner.account}:role/{name}",
            external_id=terms.external_id,
            contractor=terms.contractor,
            partition="aws",
            max_session=3600,
            mfa=terms.mfa,
            issued=datetime.now(UTC),
        )
        self.owner.root(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(trust or write_trust(terms)),
        )
        self.owner.root("iam", "attach_role_policy", RoleName=name, PolicyArn=READ_ONLY)

    def trusts(self, terms: Terms) -> None:
        """Replace the trust policy, so that the role no longer matches the handoff."""
        self.owner.root(
            "iam",
            "update_assume_role_policy",
            RoleName=self.name,
            PolicyDocument=json.dumps(write_trust(terms)),
        )

    def hand_over(self, **changes: Any) -> pathlib.Path:
        path: pathlib.Path = self.contractor.home / "handoff.json"
        path.write_text(dump(replace(self.handoff, **changes)))
        return path


@pytest.fixture(params=["bare", "reasons"])
def refusals(stage: Any, request: pytest.FixtureRequest) -> str:
    """Whether the message of a denied AssumeRole names the kind of policy. AWS has been observed to do both."""
    style: str = request.param
    stage.sandbox.control.vary(stage.contractor.account, refusals=style)
    return style


@pytest.fixture
def terms(stage: Any) -> Terms:
    return Terms(contractor=stage.contractor.account, external_id="vk-e2e-of-this-customer", mfa=True)
