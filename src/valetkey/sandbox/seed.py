"""Create the roles of `seeds` in an account of the sandbox, to try an audit on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from valetkey.sandbox.accounts import Root
from valetkey.sandbox.client import Control
from valetkey.sandbox.errors import SandboxError
from valetkey.sandbox.seeds import PARTNER_ROLE, SEEDS, Seed, allow, trust

DAYS = 30
"""Days until all seeded access ends."""
THIRD = "333333333333"
_ORPHAN = "seed-orphan"
_PERSON = "seed-person"
_READ = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "ec2:DescribeRegions"], "Resource": "*"}

MakeGrant = Callable[[str, str, datetime], None]
"""Creates a grant as `valetkey grant` does, from its name, its only principal and its end."""


@dataclass(frozen=True)
class Seeded:
    """A role that was created."""

    arn: str
    seed: Seed


def seed(url: str, *, owner: str, partner: str, grant: MakeGrant) -> tuple[Seeded, ...]:
    """Create every role in the account `owner` of the sandbox at `url`, with `partner` as the outsider.

    Raises SandboxError if the account has been seeded already.
    """
    root, outside, control = Root(url, owner), Root(url, partner), Control(url)
    until = datetime.fromtimestamp(int(control.now(owner)), UTC) + timedelta(days=DAYS)
    names = {
        "OWNER": owner,
        "PARTNER": partner,
        "THIRD": THIRD,
        "UNTIL": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ORPHAN": f"arn:aws:iam::{partner}:role/{_ORPHAN}",
    }
    with _once(owner):
        _furnish(root, outside)
        made = tuple(_make(item, root, names, until, control, grant) for item in SEEDS)
        outside("iam", "delete_role", RoleName=_ORPHAN)
    return made


@contextlib.contextmanager
def _once(owner: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
        raise SandboxError(
            f"account {owner} has been seeded already", do="start a new sandbox to seed it again"
        ) from None


def _furnish(root: Root, outside: Root) -> None:
    """Create what the trust policies name."""
    robots = json.dumps(trust(allow({"Service": "ec2.amazonaws.com"})))
    for name in (PARTNER_ROLE, _ORPHAN):
        outside("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=robots)
    outside("iam", "create_user", UserName=_PERSON)
    root("iam", "create_saml_provider", Name="seed-sso", SAMLMetadataDocument=f"<EntityDescriptor>{' ' * 1000}")
    root(
        "iam",
        "create_open_id_connect_provider",
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["0" * 40],
    )


def _make(seed: Seed, root: Root, names: dict[str, str], until: datetime, control: Control, grant: MakeGrant) -> Seeded:
    names = {**names, "NAME": seed.name}
    if seed.trust is None:
        grant(seed.name, f"arn:aws:iam::{names['PARTNER']}:user/{_PERSON}", until)
    else:
        _create(seed, root, names, control)
    for operation, params in seed.then:
        root("iam", operation, RoleName=seed.name, **_filled(params, names))
    return Seeded(f"arn:aws:iam::{root.account}:role{seed.path}{seed.name}", seed)


def _create(seed: Seed, root: Root, names: dict[str, str], control: Control) -> None:
    document = _text(seed.trust, names)
    back = seed.days_old * 86_400
    control.shift(root.account, -back)
    try:
        root(
            "iam",
            "create_role",
            RoleName=seed.name,
            Path=seed.path,
            Description=seed.description or seed.what.replace("`", "'")[:1000],
            # A trust policy that IAM refuses to save is set afterwards, in place of a valid one.
            AssumeRolePolicyDocument=_text(trust(allow({"AWS": "OWNER"})), names) if seed.planted else document,
        )
    finally:
        control.shift(root.account, back)
    if seed.planted:
        control.plant(root.account, seed.name, document)
    for name in seed.managed:
        root("iam", "attach_role_policy", RoleName=seed.name, PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    ends = {"DateGreaterThanEquals": {"aws:CurrentTime": "UNTIL"}}
    end = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": ends}
    policies = {"read": trust(_READ, *([end] if seed.dated else [])), **seed.inline}
    for name, policy in policies.items():
        root("iam", "put_role_policy", RoleName=seed.name, PolicyName=name, PolicyDocument=_text(policy, names))


def _filled(params: Any, names: dict[str, str]) -> dict[str, Any]:
    """Parameters of a call, with documents as JSON text and names filled in."""
    return {key: _text(value, names) if isinstance(value, dict) else value for key, value in params.items()}


def _text(document: Any, names: dict[str, str]) -> str:
    text = json.dumps(document, separators=(",", ":"))
    for name, value in names.items():
        text = text.replace(name, value)
    return text
