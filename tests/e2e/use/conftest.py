"""A contractor's person with access to an owner's role; the profile is written as `accept` would."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from valetkey.credentials.profiles.profile import Profile, save

PERMISSIONS = pathlib.Path(__file__).parents[3] / "docs/reference/permissions.md"
EXTERNAL_ID = "vk-3f9a6c1e7b2d4850"
READ_ONLY = "arn:aws:iam::aws:policy/SecurityAudit"


class Way:
    """A contractor's user, an owner's role that trusts them, and the profile for it."""

    def __init__(self, stage: Any, *, mfa: bool = True, role: str = "Audit", user: str = "ann") -> None:
        self.stage = stage
        self.owner, self.person = stage.owner, stage.contractor
        self.mfa = mfa
        self.user = self.person.user(user, mfa=mfa)
        self.person.login(self.user)
        self.role(role)
        self.profile = self.save(role=role)

    def allow(self, user: Any, role_arn: str, party: Any = None) -> None:
        """Give a user exactly the permissions in docs/reference/permissions.md for these commands."""
        [block] = re.findall(
            r"<!-- permissions: exec env .*?-->\n```json\n(.*?)```", PERMISSIONS.read_text(), re.DOTALL
        )
        document = block.replace("arn:aws:iam::OWNER:role/ROLE", role_arn)
        assert role_arn in document
        name = "enter-" + role_arn.split(":")[4] + role_arn.rsplit("/", 1)[1]
        (party or self.person).root(
            "iam", "put_user_policy", UserName=user.name, PolicyName=name, PolicyDocument=document
        )

    def role(self, name: str, *, max_session: int = 3600, owner: Any = None) -> str:
        """Create a role in the owner's account that requires the ExternalId, and MFA if `self.mfa`. Return its ARN."""
        condition: dict[str, Any] = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
        if self.mfa:
            condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{self.person.account}:root"},
                    "Action": "sts:AssumeRole",
                    "Condition": condition,
                }
            ],
        }
        party = owner or self.owner
        made = party.root(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(trust),
            MaxSessionDuration=max_session,
        )
        party.root("iam", "attach_role_policy", RoleName=name, PolicyArn=READ_ONLY)
        arn = str(made["Role"]["Arn"])
        self.allow(self.user, arn)
        return arn

    def save(self, name: str = "acme", *, role: str = "Audit", owner: Any = None, **changes: Any) -> Profile:
        """Write a profile as `accept` would."""
        given: dict[str, Any] = {
            "name": name,
            "role_arn": f"arn:aws:iam::{(owner or self.owner).account}:role/{role}",
            "external_id": EXTERNAL_ID,
            "contractor": self.person.account,
            "source_profile": "default",
            "mfa": self.mfa,
            "mfa_serial": self.user.mfa_serial,
            "max_session": 3600,
            "user_name": self.user.name,
            "region": "us-east-1",
            **changes,
        }
        profile = Profile(**given)
        save(profile, self.person.env)
        return profile

    def asked(self, call: str) -> int:
        """How often the contractor's account has made a call ("sts:GetSessionToken"), denied or not."""
        seen = self.stage.sandbox.control.requests(self.person.account)
        return sum(1 for item in seen if item["call"] == call)

    def aws_profile(self, name: str = "acme") -> None:
        """Write the AWS profile as `accept` does: credentials from valetkey, no setting that an SDK could reject."""
        config = self.person.home / ".aws/config"
        process = f'"{sys.executable}" -m valetkey credential-process {name}'
        config.write_text(
            config.read_text() + f"[profile {name}]\nregion = us-east-1\ncredential_process = {process}\n"
        )

    def python(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a Python script on the contractor's computer, without a terminal."""
        return subprocess.run(
            [sys.executable, "-c", script],
            env={**self.person.env, **env},
            capture_output=True,
            text=True,
            timeout=50,
            start_new_session=True,
        )

    def make_role_anew(self, name: str = "Audit", *, owner: Any = None) -> str:
        """Delete a role and create one with the same name, which is a different role for AWS."""
        party = owner or self.owner
        party.root("iam", "detach_role_policy", RoleName=name, PolicyArn=READ_ONLY)
        for item in party.root("iam", "list_role_policies", RoleName=name)["PolicyNames"]:
            party.root("iam", "delete_role_policy", RoleName=name, PolicyName=item)
        party.root("iam", "delete_role", RoleName=name)
        return self.role(name, owner=party)

    def first(self, name: str = "acme") -> dict[str, Any]:
        """Run `credential-process` for the first time, on a terminal; return its output."""
        code, shown = self.person.run_tty("credential-process", name, code=self.user.code)
        assert code == 0, shown
        answer: dict[str, Any] = json.loads(shown[shown.index("{") :])
        return answer


@pytest.fixture
def way(stage: Any) -> Callable[..., Way]:
    def make(**options: Any) -> Way:
        return Way(stage, **options)

    return make
